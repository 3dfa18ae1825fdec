"""Lock of a state directory for one importer: an flock on `importer.lock`, with its holder written inside.

Only the lock decides, never the file's content: the kernel drops it with its holder, so what a killed one left behind
is harmless. The descriptor is closed on exec, so a worker never keeps it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from importer.errors import StateError, StateLocked
from importer.protocol.system.plain import plain

NAME = "importer.lock"
WANTED_NAME = "importer.wanted"  # locked, shared, by those that wait for the state
ANSWERER = "answerer"  # the command of the one holder that lets go of the state when it is asked to
TRIES = 25  # a process that asks for the holder holds it for an instant; a holder may not have signed yet
TRY_S = 0.02
BOOT_CLOCK_S = 2.0  # a process's start is reckoned from the boot time, which the kernel tells in whole seconds


@dataclass(frozen=True, slots=True)
class Holder:
    """Process that holds a state directory: `pid` 0 and `command` "" when unreadable, `started` in UTC seconds."""

    pid: int = 0
    started: float = 0.0
    command: str = ""


class Lock:
    """Lock of one state directory: `with Lock(folder):`. `held` tells whether it still means anything.

    `clock` is UTC seconds; `command` is what others are told of us, "" for what the command line begins with.
    """

    def __init__(
        self,
        folder: str,
        *,
        command: str = "",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.folder, self.path = folder, os.path.join(folder, NAME)
        self._command, self._clock, self._sleep = command, clock, sleep
        self._descriptor = -1

    def acquire(self) -> Self:
        """Make the directory (0700) and lock it. Raises StateLocked if another has it, StateError without rights.

        A directory that others can write to is refused: they could plant links in it, or move the store away. It waits
        at most half a second, and only while the holder has no name.
        """
        if self._descriptor >= 0:
            return self
        with _translating(self.folder):
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            refuse_shared(self.folder)
            for _ in range(TRIES):
                self._descriptor = _try(self.path)
                if self._descriptor >= 0:
                    _sign(self._descriptor, self._command, self._clock())
                    return self
                if _alive(_read(self.path)):
                    break
                self._sleep(TRY_S)
        raise _locked(self.folder, _read(self.path))

    def held(self) -> bool:
        """Return True if the file is still the locked one: it may have been removed, and a second importer begun."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self.path))
        except OSError:
            return False

    def release(self) -> None:
        """Release the lock. Twice is once."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)  # while it is locked, so that no other process's name is wiped out
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def shared(found: os.stat_result) -> bool:
    """Return True for a directory that other users can write to: all of them, or a group that this process is not in.

    A group of our own is let in: volumes of containers are shared that way, and some systems make all folders so.
    """
    own = {os.getegid(), *os.getgroups()}
    return bool(found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and found.st_gid not in own))


def closing_command(folder: str) -> str:
    """Return the command that closes a directory to other users."""
    return f"chmod go-w {folder}"


def refuse_shared(folder: str) -> None:
    """Raise StateError for a directory that other users can write to."""
    if shared(os.stat(folder)):
        raise StateError(
            f"other users can write to {folder}", hint=f"{closing_command(folder)}, then look what is in it"
        )


def holder(folder: str) -> Holder | None:
    """Return the process that holds the directory now, None if it is free. Raises StateError if it cannot be asked."""
    path = os.path.join(folder, NAME)
    with _translating(folder):
        try:
            descriptor = plain(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: any number may ask at the same time
        except BlockingIOError:
            return _read(path)
        finally:
            os.close(descriptor)
    return None


@contextlib.contextmanager
def wanting(folder: str) -> Iterator[None]:
    """Say, while the block runs, that the state is wanted: no answerer begins meanwhile."""
    try:
        descriptor = plain(os.path.join(folder, WANTED_NAME), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:  # no folder yet, or none that can be written: what follows says so
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_wanted(folder: str) -> bool:
    """Return True while a process waits for the state."""
    try:
        descriptor = plain(os.path.join(folder, WANTED_NAME), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _try(path: str) -> int:
    """Return a locked descriptor of the file that has this name now, -1 when another has the lock.

    Between opening and locking the file may be removed and made anew; a lock on a nameless one keeps no process out.
    """
    while True:
        descriptor = plain(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return -1
        except FileNotFoundError:  # removed between opening and locking
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _sign(descriptor: int, command: str, now: float) -> None:
    """Write pid and command; of the command line only its first word, for flags may hold addresses with passwords."""
    words = [os.path.basename(sys.argv[0]), *[word for word in sys.argv[1:] if not word.startswith("-")][:1]]
    content = json.dumps({"pid": os.getpid(), "started": now, "command": command or " ".join(words)})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content.encode(), 0)


def _read(path: str) -> Holder:
    """Return the holder that is written in the file; `Holder()` for none or for anything unreadable."""
    try:
        with open(path, "rb", opener=plain) as file:
            found: Any = json.loads(file.read(4096))
        return Holder(int(found["pid"]), float(found["started"]), str(found["command"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Holder()


def _alive(who: Holder) -> bool:
    """Return True while the process that signed runs: its pid exists and was not given to a younger process.

    The pid of another container looks dead, which costs the caller half a second and nothing else.
    """
    import psutil  # noqa: PLC0415  # a megabyte that only a refused start needs

    try:
        return who.pid > 0 and psutil.Process(who.pid).create_time() <= who.started + BOOT_CLOCK_S
    except (psutil.Error, ValueError, OverflowError):
        return False


def _locked(folder: str, who: Holder) -> StateLocked:
    """Return the error for a second importer, naming the first as far as it has signed."""
    since = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(who.started))
    name = f"process {who.pid} ({who.command}, since {since})" if who.pid else "another importer"
    return StateLocked(f"{folder} is held by {name}", pid=who.pid, hint="stop it, or choose another --state-dir")


@contextlib.contextmanager
def _translating(folder: str) -> Iterator[None]:
    """Raise StateError for a folder that cannot be made, written or locked."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileExistsError | NotADirectoryError):  # where a file has its name, or one above it
            why = f"{folder} cannot be used: Not a directory"
            raise StateError(why, hint="choose another --state-dir") from error
        hint = "make it writable for this user, or choose another --state-dir"
        if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP):
            hint = "its file system cannot lock; choose a --state-dir on a local disk"
        raise StateError(f"{folder} cannot be used: {error.strerror or error}", hint=hint) from error
