"""A line in the user's crontab, where neither systemd nor launchd is there: cron starts the daemon with the machine.

Cron starts it once and does not look after it: the importer's own limits replace the worker, and a daemon that ended is
started again with the next boot. Every other line of the crontab stays as it is.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from importer.errors import ImporterError
from importer.state import lock

MARK = "# importer: keeps conversations with AI assistants searchable"
Call = Callable[[Sequence[str], str], "subprocess.CompletedProcess[str]"]
BY_HAND = "tmux new-session -d -s importer {}, or a line in what your machine starts, or a container (see deploy/)"


def line(words: Sequence[str]) -> str:
    """Return the line that starts the daemon: cron ends a command at a bare %, so each is escaped."""
    command = shlex.join([*words, "--log-level", "warning", "run"]).replace("%", "\\%")
    return f"@reboot {command} >/dev/null 2>&1 {MARK}"


def with_line(text: str, words: Sequence[str]) -> str:
    """Return a crontab with our line, in the place of a former one."""
    rest, wanted = without_line(text), line(words)
    return f"{rest}{'' if not rest or rest.endswith(chr(10)) else chr(10)}{wanted}\n"


def without_line(text: str) -> str:
    """Return a crontab without our line."""
    return "".join(one for one in text.splitlines(keepends=True) if MARK not in one)


def call(arguments: Sequence[str], told: str) -> subprocess.CompletedProcess[str]:
    """Run a command that reads what it is told."""
    return subprocess.run(arguments, input=told, capture_output=True, text=True, check=False)


@dataclass(frozen=True, slots=True)
class Crontab:
    """The crontab of this user, and the daemon of a state. `run` is a seam: a test plays crontab."""

    state_dir: str
    run: Call = call

    def text(self) -> str:
        """Return the crontab, "" where there is none."""
        done = self.run(["crontab", "-l"], "")
        return "" if done.returncode else done.stdout

    def write(self, text: str) -> None:
        """Write the crontab; an empty one goes. Raises ImporterError."""
        done = self.run(["crontab", "-"] if text else ["crontab", "-r"], text)
        if done.returncode:
            raise ImporterError(f"crontab: {(done.stderr or done.stdout).strip() or f'exit code {done.returncode}'}")

    def install(self, command: Sequence[str], *, start: bool) -> str:
        """Add our line, and start the daemon where none runs. Return what to print. Raises ImporterError."""
        before = self.text()
        if (wanted := with_line(before, command)) != before:
            self.write(wanted)
        if not start or lock.holder(self.state_dir) is not None:
            return "the crontab starts the daemon with the machine"
        quiet = subprocess.DEVNULL
        words = [*command, "--log-level", "warning", "run"]
        subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True, cwd="/")
        return "the crontab starts the daemon with the machine; it is started now, too"

    def uninstall(self) -> str:
        """Take our line out, and stop the daemon. Return what to print. Raises ImporterError."""
        before = self.text()
        if (rest := without_line(before)) == before:
            return "there is no line of ours in the crontab"
        self.write(rest)
        if pid := self.daemon():
            os.kill(pid, signal.SIGTERM)
        return "the line is out of the crontab; what was imported stays"

    def daemon(self) -> int:
        """Return the process id of the daemon that has the state, 0 for none."""
        found = lock.holder(self.state_dir)
        return found.pid if found is not None and found.command.split()[-1:] == ["run"] else 0

    def shown(self) -> dict[str, str]:
        """Return what there is of the service, under the names that systemd has for it."""
        there, pid = MARK in self.text(), self.daemon()
        return {
            "LoadState": "loaded" if there else "not-found",
            "ActiveState": "active" if pid else "inactive",
            "SubState": "running" if pid else "dead",
            "UnitFileState": "in the crontab" if there else "",
            "MainPID": str(pid),
        }


def crontab_of_user(state_dir: str, running: str) -> Crontab | None:
    """Return this user's crontab, None where it is not needed, for systemd runs (`running` is there), or not there."""
    systemd = shutil.which("systemctl") is not None and os.path.isdir(running)
    return None if systemd or shutil.which("crontab") is None else Crontab(state_dir)
