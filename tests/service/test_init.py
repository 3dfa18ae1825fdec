"""Process 1 of the container works as an ordinary process; `test_container` runs it in a container."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest


def start(program: str) -> subprocess.Popen[str]:
    """Start the init with a Python program as its child."""
    command = [sys.executable, "-m", "importer.service.init", sys.executable, "-c", program]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("program", "code"),
    [("pass", 0), ("raise SystemExit(75)", 75), ("import os; os.kill(os.getpid(), 9)", 137)],
)
def test_exit_code(program: str, code: int) -> None:
    """It ends with its child's code, so that a restart policy sees the reason."""
    with start(program) as init:
        assert init.wait(30) == code


def test_signals_are_passed_on() -> None:
    """Each signal reaches the child, which decides what to do."""
    names = ("SIGHUP", "SIGUSR1", "SIGTERM")
    # os.write, not print: a signal may come while print still flushes, and print is not reentrant
    program = "import os, signal, time\nseen = []\ndef note(s, f): seen.append(s); os.write(1, b'%d\\n' % s)\n"
    program += f"for n in {names}: signal.signal(getattr(signal, n), note)\n"
    program += "os.write(1, b'ready\\n')\nwhile len(seen) < 3: time.sleep(0.01)\n"
    with start(program) as init:
        assert init.stdout is not None
        said = [init.stdout.readline()]
        for name in names:
            init.send_signal(getattr(signal, name))
            said.append(init.stdout.readline())
    assert said == ["ready\n", *(f"{int(getattr(signal, name))}\n" for name in names)]


def test_the_child_has_no_blocked_signals() -> None:
    """The child does not inherit the signals that the init blocks for itself."""
    with start("import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))") as init:
        assert init.stdout is not None and init.stdout.read() == "set()\n"


def test_it_stays_small() -> None:
    """It runs for months, so it imports none of the package's heavy modules."""
    program = "import importer.service.init, sys; print({'asyncio', 'structlog', 'importer.cli'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"set()\n"
