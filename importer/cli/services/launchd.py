"""The launchd agent: the same promises as the systemd unit, for a machine whose service manager is launchd.

    Restart=always, RestartSec=10    KeepAlive, ThrottleInterval: also after exit 75 and crashes, for ever
    RestartPreventExitStatus=2 5     launchd knows no such list; a shell in front makes them a success, which ends it
    TimeoutStopSec=45                ExitTimeOut; the shell passes SIGTERM on, so the daemon drains and commits
    UMask, LimitNOFILE               Umask, SoftResourceLimits: the usual 256 descriptors are few for a store
    Nice of the worker               Nice and LowPriorityIO of all of it
    MemoryHigh, MemoryMax            nothing: launchd limits no memory; the importer's own limits replace the worker
    WatchdogSec, sandbox             nothing: launchd has neither for a user's agent

`deploy/` has the same text for packagers; a test keeps both in step.
"""

from __future__ import annotations

import os
import plistlib
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from subprocess import CompletedProcess

from importer.errors import STORE, USAGE, ImporterError, UsageError
from importer.protocol.system.plain import plain

LABEL = "importer.daemon"
FILE_NAME = f"{LABEL}.plist"
ANYWHERE = ("/usr/bin/env", "importer")
SHELL = f"""\
"$@" & child=$!
trap 'kill -TERM $child' TERM
wait $child; code=$?
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
case $code in 0|{USAGE}|{STORE}) exit 0 ;; esac
exit $code
"""
LOG = "Library/Logs/importer.log"


def agent(command: Sequence[str] = ANYWHERE, home: str = "") -> bytes:
    """Return the agent's property list; without a `home` its log goes nowhere, as packagers cannot know one."""
    log = os.path.join(home, LOG) if home else "/dev/null"
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": ["/bin/sh", "-c", SHELL, "importer", *command, "--log-level", "warning", "run"],
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ExitTimeOut": 45,
            "Umask": 0o077,
            "Nice": 5,
            "LowPriorityIO": True,
            "SoftResourceLimits": {"NumberOfFiles": 4096, "Core": 0},
            "StandardOutPath": log,
            "StandardErrorPath": log,
        },
        sort_keys=False,
    )


@dataclass(frozen=True, slots=True)
class Launchd:
    """The launchd of one user. `folder` holds its agents, `run` calls a command: a test plays launchctl."""

    uid: int
    home: str
    run: Callable[[Sequence[str]], CompletedProcess[str]]

    @property
    def path(self) -> str:
        """The path of the agent's file."""
        return os.path.join(self.home, "Library", "LaunchAgents", FILE_NAME)

    @property
    def target(self) -> str:
        """The agent's name for launchctl."""
        return f"gui/{self.uid}/{LABEL}"

    def must(self, *words: str) -> None:
        """Call `launchctl`. Raises ImporterError with its output when it fails."""
        done = self.run(["launchctl", *words])
        if done.returncode:
            said = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
            hint = f"agents run while their user is logged in at the screen; ~/{LOG} may say more"
            raise ImporterError(f"launchctl {' '.join(words)}: {said}", hint=hint)

    def install(self, command: Sequence[str], *, start: bool) -> str:
        """Write the agent and start it, in place of one that runs. Return what to print. Raises ImporterError."""
        try:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            os.makedirs(os.path.dirname(os.path.join(self.home, LOG)), exist_ok=True)
            with open(self.path, "wb", opener=plain) as file:
                file.write(agent(command, self.home))
        except OSError as error:
            raise UsageError(f"{self.path} cannot be written: {error.strerror}") from error
        if not start:
            return f"{self.path} is written; it starts with the next login"
        self.run(["launchctl", "bootout", self.target])  # fails where none is loaded
        self.must("enable", self.target)
        self.must("bootstrap", self.target.rpartition("/")[0], self.path)
        self.must("print", self.target)
        return f"{self.path} is loaded and runs"

    def uninstall(self) -> str:
        """Stop the agent and remove its file; the state stays. Return what to print. Raises UsageError."""
        if not os.path.lexists(self.path):
            return f"there is no {self.path}"
        self.run(["launchctl", "bootout", self.target])
        try:
            os.unlink(self.path)
        except OSError as error:
            raise UsageError(f"{self.path} cannot be removed: {error.strerror}") from error
        return f"{self.path} is removed; what was imported stays"

    def shown(self) -> dict[str, str]:
        """Return what launchd reports of the agent, under the names that systemd has for it."""
        done = self.run(["launchctl", "print", self.target])
        told = dict(re.findall(r"^\t([a-z ]+) = (.*)$", done.stdout, re.M)) if not done.returncode else {}
        found = {
            "LoadState": "loaded" if told else "not-found",
            "ActiveState": "active" if told.get("state") == "running" else "inactive",
            "SubState": told.get("state", "dead"),
            "UnitFileState": "enabled" if os.path.lexists(self.path) else "",
            "MainPID": told.get("pid", "0"),
            "NRestarts": str(max(0, int(told.get("runs", "1")) - 1)),
        }
        code = told.get("last exit code", "0").partition(":")[0]
        return found | ({} if code in ("0", "(never exited)") else {"Result": f"exit code {code}"})


def launchd_of_user(run: Callable[[Sequence[str]], CompletedProcess[str]]) -> Launchd | None:
    """Return the launchd of this user, None where there is no launchctl or systemd is there as well."""
    if shutil.which("launchctl") is None or shutil.which("systemctl") is not None:
        return None
    return Launchd(os.getuid(), os.path.expanduser("~"), run)
