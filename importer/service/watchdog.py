"""Messages to the service manager (sd_notify(3)): READY, STATUS, WATCHDOG, STOPPING. Quiet where there is none.

Ends a process whose loop stands still, with every stack on standard error and exit code 1.

systemd has its watchdog; a container's restart policy looks at exits alone, "unhealthy" restarts nothing. The timer is
a thread of the C runtime (`faulthandler`), so it needs neither the loop nor the interpreter's lock to be well.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import socket
from collections.abc import Mapping


def feed(limit_s: float) -> None:
    """The loop turned: `limit_s` from now the process ends, unless it is fed again or may rest."""
    faulthandler.dump_traceback_later(limit_s, exit=True)


def rest() -> None:
    """Nobody needs to feed it any more."""
    faulthandler.cancel_dump_traceback_later()


class Notify:
    """Sends datagrams to the socket systemd names in NOTIFY_SOCKET. `watchdog_s` is 0 when nobody watches."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # @ in front stands for the NUL of an abstract address (unix(7))
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watched = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(environ.get("WATCHDOG_USEC", "0") or 0) / 1e6 if watched else 0.0

    def say(self, *words: str) -> None:
        """Sends assignments such as `READY=1` in one datagram; a manager that does not listen stops nothing."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)  # a manager that hangs must not hang us
            sender.sendto("\n".join(words).encode(), self._address)
