"""Ends a process whose loop stands still, with every stack on standard error and exit code 1.

systemd has its watchdog; a container's restart policy looks at exits alone, "unhealthy" restarts nothing. The timer is
a thread of the C runtime (`faulthandler`), so it needs neither the loop nor the interpreter's lock to be well.
"""

from __future__ import annotations

import faulthandler


def feed(limit_s: float) -> None:
    """The loop turned: `limit_s` from now the process ends, unless it is fed again or may rest."""
    faulthandler.dump_traceback_later(limit_s, exit=True)


def rest() -> None:
    """Nobody needs to feed it any more."""
    faulthandler.cancel_dump_traceback_later()
