"""`python -m importer.service.init COMMAND…`: process 1 of a container, with the importer as its child.

The kernel gives process 1 no default signal handlers and every orphan inside. Without this, a stop in the first
instant would be lost, and what loses its parent would stay a zombie for months. So this one passes signals on, buries
the dead, and ends as its child ends: with its exit code, or 128 + the signal. It imports nothing else of the package.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def main(command: Sequence[str]) -> int:
    """Runs the command; returns its exit code once it has ended."""
    listened = {signal.SIGCHLD, *PASSED_ON}
    signal.pthread_sigmask(signal.SIG_BLOCK, listened)  # blocked ones wait, even for process 1
    # with an empty mask of its own, for it would inherit ours, and a blocked SIGTERM would never reach it
    child = os.posix_spawnp(command[0], list(command), os.environ, setsigmask=())
    while True:
        number = signal.sigwait(listened)
        if number != signal.SIGCHLD:
            os.kill(child, number)  # it cannot be gone: it is a zombie at most, until we bury it below
        elif (ended := bury(child)) is not None:
            return ended


def bury(child: int) -> int | None:
    """Waits for all that have ended; the exit code of `child` when it is among them."""
    code = None
    while True:
        try:
            dead, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if not dead:
            return code
        if dead == child:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else 128 - ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
