"""Start an answerer: one at a time, detached from the client that needs it first."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from importer.delivery import environment
from importer.errors import ImporterError, TryAgainLater
from importer.protocol.system.plain import plain
from importer.settings.load import Settings

STARTING_NAME = "answerer.lock"  # held by the client that starts one
ALONE_NAME = "alone.lock"  # held by the client that has a worker of its own
COMMAND = (sys.executable, "-P", "-m", "importer.service.answerer")
START_S = 30.0


class NoSocketError(Exception):
    """No answerer can be asked here: the file system of the state has no sockets."""


def start(settings: Settings) -> bool:
    """Start an answerer and wait until it can be asked; return False when another process has the state or starts one.

    Raises NoSocketError, what keeps the answerer from starting, and TryAgainLater when it does not start in time.
    """
    with exclusive(settings.state_dir) as alone:
        if not alone:
            return False
        told = _told(settings)
    if "alone" in told:
        raise NoSocketError(told["alone"])
    if "error" in told:
        failure = ImporterError(told["error"], hint=told["hint"])
        failure.exit_code = told["exit_code"]
        raise failure
    return "busy" not in told


def _told(settings: Settings) -> dict[str, Any]:
    """Start the process, hand it its settings, which may hold keys, over a pipe, and return what it says."""
    import msgspec  # noqa: PLC0415  what a running process answers needs none of it

    try:
        process = subprocess.Popen(  # in the client's folder: paths in the settings may be relative to it
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment.of_fetch(os.environ),
            start_new_session=True,  # neither a Ctrl-C of this client nor its end is the answerer's
        )
        # It outlives this client, or a client that lives longer takes in its end.
        threading.Thread(target=process.wait, daemon=True).start()
        said = _conversed(process, msgspec.json.encode(settings))
    except OSError as error:
        raise TryAgainLater(f"no answerer can be started: {error.strerror or error}") from error
    return dict(json.loads(said)) if said else {"busy": True}  # killed before it could say anything: tried again


def _conversed(process: subprocess.Popen[bytes], given: bytes) -> bytes:
    """Write to the process and return all it says until it closes its output, which it does not end with.

    Raises TryAgainLater, and kills it, when that takes too long.
    """
    with process.stdout as answers, process.stdin as wants:  # type: ignore[union-attr]
        with contextlib.suppress(BrokenPipeError):
            wants.write(given)  # a few kilobytes, which a pipe takes at once
            wants.close()
        said, end_s = b"", time.monotonic() + START_S
        while select.select([answers], [], [], max(0.0, end_s - time.monotonic()))[0]:
            if not (part := os.read(answers.fileno(), 65_536)):
                return said
            said += part
    process.kill()
    raise TryAgainLater("the answerer does not start in time", hint="try again in a moment")


@contextlib.contextmanager
def exclusive(state_dir: str, *, wait_s: float = 0.0, name: str = STARTING_NAME) -> Iterator[bool]:
    """Lock what only one client may do at a time, while the block runs; give False when that is not to be had."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = plain(os.path.join(state_dir, name), flags, 0o600)
    except OSError as error:
        raise TryAgainLater(f"{state_dir}: {error.strerror}", hint="make it writable for this user") from error
    try:
        yield _locked(descriptor, time.monotonic() + wait_s)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(state_dir: str, wait_s: float) -> Iterator[None]:
    """Let one client at a time have a worker of its own: an embedded store has one opener. Without a state, all may."""
    if not os.path.isdir(state_dir):
        yield
        return
    with exclusive(state_dir, wait_s=wait_s, name=ALONE_NAME) as mine:
        if not mine:
            raise TryAgainLater("other commands have the store open one after the other", hint="try again in a moment")
        yield


def _locked(descriptor: int, end_s: float) -> bool:
    """Lock a file before `end_s` (monotonic); return whether that was done."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end_s:
                return False
            time.sleep(0.05)
