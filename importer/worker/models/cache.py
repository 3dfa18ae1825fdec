"""Model directories on disk: whole or absent, each file with its sha256 in a manifest, one writer at a time.

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
from importer.protocol.durable import sync, sync_descriptor
from importer.protocol.system.plain import plain

MANIFEST = "manifest.json"  # written last: a directory that has one is whole and ours
VERIFIED = ".verified"  # an empty file whose time is the last at which all sums were right
TICK_NS = 20_000_000  # a file's time is that of the last tick, up to 10 ms ago
VERSION = 1  # of the manifest; a directory with another one is made anew
FETCH = "importer model fetch"


class StoredFile(msgspec.Struct, frozen=True):
    """The size and the sha256 of a file as it was written."""

    bytes: int
    sha256: str


class ModelManifest(msgspec.Struct, frozen=True):
    """A model directory's files and where they came from. `graph` is the file that ONNX Runtime loads."""

    name: str
    precision: str
    dimension: int
    window_tokens: int
    source: str
    graph: str
    files: dict[str, StoredFile]
    version: int = VERSION


def folder_of(models_dir: str, name: str, precision: str) -> str:
    """Return the directory that a model of this name and precision belongs in."""
    suffix = "" if precision == "fp32" else f".{precision}"
    return os.path.join(models_dir, name.replace("/", "--") + suffix)


def read(folder: str) -> ModelManifest | None:
    """Return the manifest of a directory, None when there is no such directory or it was not made here.

    Raises ModelError for a manifest that cannot be read: it is written before the directory gets its name.
    """
    path = os.path.join(folder, MANIFEST)
    try:
        with open(path, "rb", opener=plain) as file:
            manifest = msgspec.json.decode(file.read(), type=ModelManifest)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelError(f"{path} cannot be read: {error}", hint=f"repair it: {FETCH}") from error
    if manifest.version != VERSION:
        raise ModelError(f"{path} was written by another version", hint=f"fetch it anew: {FETCH}")
    return manifest


def verify(folder: str, manifest: ModelManifest, *, trusting: bool = False) -> None:
    """Compare every file with what was written of it. Raises ModelError naming the first that differs.

    Sizes first; then the sums, 0.05 s and more for 90 MB: what loading the model takes too. With `trusting` they are
    left out if no file has changed since they were right, as for every worker after the first.
    """
    begun_ns = time.time_ns() - TICK_NS
    changed_ns = 0
    for path, stored in manifest.files.items():
        try:
            stat = os.stat(os.path.join(folder, path))
        except OSError:
            raise _damaged(folder, path, "is missing") from None
        if stat.st_size != stored.bytes:
            raise _damaged(folder, path, f"has {stat.st_size} bytes instead of {stored.bytes}")
        changed_ns = max(changed_ns, stat.st_ctime_ns)  # the one time of a file that no program can set
    marker = os.path.join(folder, VERIFIED)
    with suppress(OSError):  # without a marker they were never right
        if trusting and changed_ns < os.stat(marker).st_mtime_ns:
            return
    for path, stored in manifest.files.items():
        if sha256_of(os.path.join(folder, path)) != stored.sha256:
            raise _damaged(folder, path, "is damaged (its sha256 is another)")
    # A folder that is not ours to write to is summed every time.
    with suppress(OSError), open(marker, "ab", opener=plain):
        os.utime(marker, ns=(begun_ns, begun_ns))


def _damaged(folder: str, path: str, damage: str) -> ModelError:
    """Return the error for one file of a model, with the command that repairs it."""
    return ModelError(f"{os.path.join(folder, path)} {damage}", hint=f"repair it: {FETCH}")


def sha256_of(path: str) -> str:
    """Return the sha256 of a whole file in hexadecimal. Raises ModelError for a file that may not be read."""
    try:
        with open(path, "rb", opener=plain) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except PermissionError as error:
        hint = "give this user the right to read it"
        raise ModelError(f"{path} cannot be read: {error.strerror}", hint=hint) from error


def sums(folder: str) -> dict[str, StoredFile]:
    """Return size and sha256 of all files below a directory by relative path, and make them durable.

    The manifest is written afterwards, so it is not among them.
    """
    found: dict[str, StoredFile] = {}
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(parent, name)
            sync(path)
            found[os.path.relpath(path, folder)] = StoredFile(os.stat(path).st_size, sha256_of(path))
        sync(parent)
    return found


def publish(part: str, folder: str, manifest: ModelManifest) -> None:
    """Give a whole directory its name in place of an older one. Durable on return.

    A directory cannot be replaced in one step. A kill between the two renames leaves none of that name: the next fetch
    makes it again, and no process ever sees half of one.
    """
    with open(os.path.join(part, MANIFEST), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        file.flush()
        sync_descriptor(file.fileno())
    sync(part)
    old = f"{part}.old"
    shutil.rmtree(old, ignore_errors=True)
    if os.path.lexists(folder):
        os.rename(folder, old)
    os.rename(part, folder)
    sync(os.path.dirname(folder))
    shutil.rmtree(old, ignore_errors=True)


def beside(folder: str, kind: str) -> str:
    """Return a hidden name next to a model directory."""
    parent, name = os.path.split(folder)
    return os.path.join(parent, f".{name}.{kind}")


@contextmanager
def only_writer(folder: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """Wait until no other process fetches this model, after a call of `on_wait`. The lock ends with the process.

    The lock's file stays: if it were removed, two processes could each lock a file of that name.
    """
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(beside(folder, "lock"), "wb", opener=plain) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
