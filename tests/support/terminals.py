"""A command on a terminal of its own, as a person has one: what it prints is read, keys are typed."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from processes import Importer

CTRL_C, CTRL_D, ENTER = "\x03", "\x04", "\n"


@dataclass
class Terminal:
    """The terminal of a running command."""

    descriptor: int
    process: subprocess.Popen[bytes]
    shown: str = field(default="")

    def read_until(self, words: str, seconds: float = 60) -> None:
        """Read until it shows these words; fail when it does not in time, or ends before."""
        end = time.monotonic() + seconds
        while words not in self.shown:
            assert self._read(end), f"{words!r} was not shown, but: {self.shown}"

    def type(self, keys: str) -> None:
        """Type keys; Ctrl-C is the signal that a terminal makes of it."""
        os.write(self.descriptor, keys.encode())

    def end(self, seconds: float = 60) -> int:
        """Read to the end; return the exit code."""
        end = time.monotonic() + seconds
        while self._read(end):
            pass
        return self.process.wait(seconds)

    def _read(self, end: float) -> bool:
        """Take in what is shown; return False at the end of it, or of the time."""
        if not select.select([self.descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        try:
            part = os.read(self.descriptor, 65_536)
        except OSError:  # EIO: no process has the other end any more
            return False
        self.shown += part.decode(errors="replace")
        return bool(part)


@contextmanager
def on_terminal(importer: Importer, *arguments: str) -> Iterator[Terminal]:
    """Run a command on a new terminal; kill it at the end if it still runs."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*importer.command, *arguments],
        env=importer.environment(arguments, {"TERM": "dumb"}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,  # one system call, no locks
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _take_terminal() -> None:
    """Make standard input this session's terminal, so that Ctrl-C reaches the process."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
