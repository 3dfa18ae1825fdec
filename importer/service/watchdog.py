"""Messages to the service manager, and a watchdog of the process's own.

`Notify` sends READY, STATUS, WATCHDOG and STOPPING (sd_notify(3)), nothing where there is no service manager. `feed`
ends a process whose loop stands still, with every stack on standard error and exit code 1: systemd has a watchdog, but
a container's restart policy looks at exits alone, "unhealthy" restarts nothing. Its timer is a thread of the C runtime
(`faulthandler`), which needs neither the loop nor the interpreter's lock.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import socket
from collections.abc import Mapping


def feed(limit_s: float) -> None:
    """Let the process end `limit_s` from now, unless this or `rest` is called before: the loop has turned."""
    faulthandler.dump_traceback_later(limit_s, exit=True)


def rest() -> None:
    """Switch the watchdog off."""
    faulthandler.cancel_dump_traceback_later()


class Notify:
    """The socket that systemd names in NOTIFY_SOCKET. `watchdog_s` is 0 where systemd expects no WATCHDOG=1."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # @ in front stands for the NUL of an abstract address (unix(7))
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watched = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(environ.get("WATCHDOG_USEC", "0") or 0) / 1e6 if watched else 0.0

    def say(self, *words: str) -> None:
        """Send assignments such as `READY=1` in one datagram. A manager that does not listen causes no error."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)  # a manager that hangs must not hang us
            sender.sendto("\n".join(words).encode(), self._address)
