"""Model directories on disk: complete or absent, each file with its sha256 in a manifest, one writer at a time.

<models_dir>/
    sentence-transformers--all-MiniLM-L6-v2/        manifest.json, model.onnx, tokenizer.json …
    sentence-transformers--all-MiniLM-L6-v2.int8/
    .<name>.lock  .<name>.part/  .<name>.raw/       only while fetching; `raw` is kept for resuming
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from importer.errors import ModelError

MANIFEST = "manifest.json"  # written last: a directory that has one was made here, and wholly
VERIFIED = ".verified"  # the files' stamps when their sums were last found right
SETTLED_NS = 2_000_000_000  # a stamp tells one write from the next only if there is a tick of the clock between them
VERSION = 1  # of the manifest; a directory with another one is made anew
FETCH = "importer model fetch"


class Stored(msgspec.Struct, frozen=True):
    """What was written of a file."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a model directory holds and where it came from. `graph` is the file that ONNX Runtime loads."""

    name: str
    precision: str
    dimension: int
    window_tokens: int
    source: str
    graph: str
    files: dict[str, Stored]
    version: int = VERSION


def folder_of(models_dir: str, name: str, precision: str) -> str:
    """Where a model belongs."""
    suffix = "" if precision == "fp32" else f".{precision}"
    return os.path.join(models_dir, name.replace("/", "--") + suffix)


def read(folder: str) -> Manifest | None:
    """The manifest of a directory, None when there is no such directory or it was not made here.

    Raises ModelError for a manifest that cannot be read: it is written before the directory gets its name.
    """
    path = os.path.join(folder, MANIFEST)
    try:
        with open(path, "rb") as file:
            manifest = msgspec.json.decode(file.read(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelError(f"{path} cannot be read: {error}", hint=f"repair it: {FETCH}") from error
    if manifest.version != VERSION:
        raise ModelError(f"{path} was written by another version", hint=f"fetch it anew: {FETCH}")
    return manifest


def verify(folder: str, manifest: Manifest, *, trusting: bool = False) -> None:
    """Every file is what was written. Raises ModelError naming the first that is not.

    Sizes first; then the sums, 0.05 s and more for 90 MB: what loading the model takes too. `trusting`: not again if
    nobody has touched a file since they were right, which is what every worker after the first finds.
    """
    stamps = {path: _stamp(os.path.join(folder, path)) for path in manifest.files}
    for path, stored in manifest.files.items():
        found = stamps[path]
        if found is None or found.bytes != stored.bytes:
            said = f"has {found.bytes} bytes instead of {stored.bytes}" if found else "is missing"
            raise _damaged(folder, path, said)
    if trusting and stamps == _verified(folder):
        return
    for path, stored in manifest.files.items():
        if sha256_of(os.path.join(folder, path)) != stored.sha256:
            raise _damaged(folder, path, "is damaged (its sha256 is another)")
    _remember(folder, stamps)


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """By which a file that was written again shows: no program can set its ctime."""

    device: int
    inode: int
    bytes: int
    ctime_ns: int


def _stamp(path: str) -> Stamp | None:
    """Of a file, None for one that is not there."""
    with suppress(OSError):
        stat = os.stat(path)
        return Stamp(stat.st_dev, stat.st_ino, stat.st_size, stat.st_ctime_ns)
    return None


def _verified(folder: str) -> dict[str, Stamp | None]:
    """The stamps of the files when their sums were right; none when nobody noted them, or not legibly."""
    with suppress(OSError, msgspec.MsgspecError), open(os.path.join(folder, VERIFIED), "rb") as file:
        return msgspec.json.decode(file.read(), type=dict[str, Stamp | None])
    return {}


def _remember(folder: str, stamps: dict[str, Stamp | None]) -> None:
    """Notes them, unless one is too fresh to be trusted or the folder is not ours to write to: then sums it is."""
    if time.time_ns() - max((stamp.ctime_ns for stamp in stamps.values() if stamp), default=0) < SETTLED_NS:
        return
    path = os.path.join(folder, VERIFIED)
    fresh = f"{path}.{os.getpid()}"
    with suppress(OSError):
        with open(fresh, "wb") as file:
            file.write(msgspec.json.encode(stamps))
        os.replace(fresh, path)


def _damaged(folder: str, path: str, said: str) -> ModelError:
    """The error for one file of a model, with the command that repairs it."""
    return ModelError(f"{os.path.join(folder, path)} {said}", hint=f"repair it: {FETCH}")


def sha256_of(path: str) -> str:
    """Of a whole file, in hexadecimal. Raises ModelError for a file that may not be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except PermissionError as error:
        hint = "give this user the right to read it"
        raise ModelError(f"{path} cannot be read: {error.strerror}", hint=hint) from error


def sums(folder: str) -> dict[str, Stored]:
    """All files below a directory, by relative path, and durably on disk when this returns.

    The manifest is written afterwards, so it is not among them.
    """
    found: dict[str, Stored] = {}
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                os.fsync(file.fileno())
            found[os.path.relpath(path, folder)] = Stored(os.stat(path).st_size, sha256_of(path))
        sync_folder(parent)
    return found


def publish(part: str, folder: str, manifest: Manifest) -> None:
    """Give a complete directory its name; whatever stood there before is removed. Durable on return.

    A directory cannot be replaced in one step. A kill between the two renames leaves none of that name: the next fetch
    makes it again, and nobody ever sees half of one.
    """
    with open(os.path.join(part, MANIFEST), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())
    sync_folder(part)
    old = f"{part}.old"
    shutil.rmtree(old, ignore_errors=True)
    if os.path.lexists(folder):
        os.rename(folder, old)
    os.rename(part, folder)
    sync_folder(os.path.dirname(folder))
    shutil.rmtree(old, ignore_errors=True)


def sync_folder(folder: str) -> None:
    """Make names in a directory durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def beside(folder: str, kind: str) -> str:
    """A hidden name next to a model directory."""
    parent, name = os.path.split(folder)
    return os.path.join(parent, f".{name}.{kind}")


@contextmanager
def only_writer(folder: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """Waits until no other process fetches this model, saying so by `on_wait`. The lock goes with the process.

    The lock's file stays: if it were removed, two processes could each lock a file of that name.
    """
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(beside(folder, "lock"), "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
