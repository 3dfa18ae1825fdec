"""The importer as a process: run, started, killed; with a fake embedder unless told otherwise."""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import store_backends

from importer.protocol.system import capabilities
from importer.service import client

SUPPORT = pathlib.Path(__file__).parent
ROOT = SUPPORT.parents[1]
FAKE = {"IMPORTER_EMBED_PROVIDER": "plugins.fake_embedder", "IMPORTER_EMBED_DIMENSION": "384"}
PR_CAPBSET_DROP = 24
_LIBC = ctypes.CDLL(None)
PASSED_ON = ("PATH", "LANG", "TMPDIR", "PYTHONPATH", "SSL_CERT_FILE", "PIP_INDEX_URL", capabilities.SWITCH)


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON object on standard output."""
        return json.loads(self.out)


@dataclass
class Importer:
    """One installation: a state directory, a home of its own, an environment; on the test server if there is one.

    `bound`: permissions bind root too. `embedded`: never on that server. `under`: a program that starts the command
    and looks on, with its options.
    """

    base: pathlib.Path
    environ: dict[str, str] = field(default_factory=lambda: dict(FAKE))
    bound: bool = False
    embedded: bool = False
    under: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """The state directory."""
        return str(self.base / "state")

    def run(self, *arguments: str, seconds: float = 120, **environ: str) -> Done:
        """Run a command and wait for it. One that takes longer than `seconds` is killed and fails the test."""
        process = self.start(*arguments, **environ)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"`{' '.join(arguments)}` took longer than {seconds} s: {err[-2000:]}") from None
        return Done(process.returncode, out, err)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a command without waiting for it."""
        return subprocess.Popen(
            [*self.command, *arguments],
            env=self.environment(arguments, environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_bind if self.bound else None,  # two system calls, no locks
        )

    @property
    def command(self) -> list[str]:
        """The words before the command's own."""
        return [*self.under, sys.executable, "-m", "importer", "--state-dir", self.state]

    def environment(self, arguments: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment that a command with these arguments is started with."""
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        passed["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), str(SUPPORT), passed.get("PYTHONPATH", ""))))
        passed["HOME"] = str(self.base)
        passed["IMPORTER_DAEMON_ANSWERER_IDLE_S"] = "3"  # no test leaves a process behind for long
        return {**passed, **self._lodged({**self.environ, **environ}, arguments)}

    def _lodged(self, environ: dict[str, str], arguments: Sequence[str]) -> dict[str, str]:
        """Return the environment with a place for the points, unless the test names one."""
        chosen = self.embedded or "--store" in arguments or "QDRANT_URL" in environ
        return environ if chosen else {**store_backends.environ_of(self.state), **environ}

    def worker_pids(self) -> list[int]:
        """Return this installation's workers, orphaned ones too: their environment names its home."""
        found = []
        for one in psutil.process_iter(["cmdline"]):
            if "importer.worker" in (one.info["cmdline"] or ()):
                with suppress(psutil.Error):
                    found += [one.pid] if one.environ().get("HOME") == str(self.base) else []
        return found

    def answerer_pids(self) -> list[int]:
        """Return this installation's answerers: their environment names its home."""
        found = []
        for one in psutil.process_iter(["cmdline"]):
            if "importer.service.answerer" in (one.info["cmdline"] or ()):
                with suppress(psutil.Error):
                    found += [one.pid] if one.environ().get("HOME") == str(self.base) else []
        return found

    @contextmanager
    def daemon(self, *arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
        """Run `importer run` until it answers on its socket; kill it at the end if it still lives."""
        process = self.start("run", *arguments, **environ)
        try:
            until(lambda: process.poll() is not None or (asked(self, "ping") or {}).get("pid") == process.pid)
            yield process
        finally:
            process.kill()
            process.communicate()


def _bind() -> None:
    """Drop what lets root ignore the permissions of files: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH."""
    for capability in (1, 2):
        _LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def until(true: Callable[[], object], seconds: float = 30, every_s: float = 0.02) -> Any:
    """Wait until `true()` is true and return what it gave; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(every_s)
    return found


def asked(installed: Importer, op: str) -> Any:
    """Return what a running daemon answers; None while it does not."""
    try:
        return client.ask_daemon(installed.state, op)
    except (ConnectionError, OSError):
        return None


def idle(installed: Importer) -> bool:
    """Return True if a daemon has imported everything and says so."""
    told = asked(installed, "status")
    busy = not told or told["lines"]["in_flight"] or told["files"]["pending"] or told["lag"]["bytes"]
    return not busy and told["state"] == "idle" and told["points"] is not None


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the living workers of an importer."""
    try:
        children = psutil.Process(process.pid).children()
        return [child for child in children if "importer.worker" in child.cmdline()]
    except psutil.Error:
        return []


def kill(process: psutil.Process | subprocess.Popen[str]) -> bool:
    """Send SIGKILL; return False if the process was gone already."""
    try:
        os.kill(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def alone(pid: int) -> bool:
    """Return True if no process of that id lives."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
