"""The next generation of an embedded store: the same points with another model's vectors, made beside the one in use.

    PATH/<collection>             in use
    PATH/<collection>.next        being made; `importer.ready` in it says that it is whole
    PATH/<collection>.former      gave way, and is deleted once the new one is open

The opener that asks for the model of a ready generation puts it in place, in two renames; after a kill between
them the next opener finishes that. Each write to the one in use takes the mark away, so a ready one lacks nothing.
"""

from __future__ import annotations

import contextlib
import os
import shutil

import msgspec

from importer.protocol import failpoints
from importer.protocol.durable import sync
from importer.protocol.system.plain import plain
from importer.worker.stores.schema import Fingerprint, dense_name

NEXT, FORMER = ".next", ".former"
FINGERPRINT, READY, PURGES = "importer.json", "importer.ready", "importer.purges"


def put_in_place(path: str, model: str, dimension: int) -> None:
    """Put a ready generation of this model in place of the store at `path`; finish what a kill left half done."""
    following, former = path + NEXT, path + FORMER
    if not is_ready(path):
        if os.path.exists(path):
            shutil.rmtree(former, ignore_errors=True)
        return
    if os.path.exists(path):
        if not made_by(following, model, dimension) or made_by(path, model, dimension):
            return
        shutil.rmtree(former, ignore_errors=True)
        os.rename(path, former)
        failpoints.hit("switch.between")
    os.rename(following, path)
    os.unlink(os.path.join(path, READY))
    sync(os.path.dirname(path))
    failpoints.hit("switch.placed")


def drop_former(path: str) -> None:
    """Delete the generation that gave way; called once the new one is open."""
    shutil.rmtree(path + FORMER, ignore_errors=True)


def drop_next(path: str) -> bool:
    """Delete a generation that is being made; return True if there was one. Text that was forgotten goes with it."""
    unready(path)  # first: half of it must never be put in place
    there = os.path.isdir(path + NEXT)
    shutil.rmtree(path + NEXT, ignore_errors=True)
    shutil.rmtree(f"{path}{NEXT}.new", ignore_errors=True)
    return there


def seal(path: str) -> None:
    """Mark the next generation of the store at `path` as whole. Durable on return; it must be closed."""
    mark = os.path.join(path + NEXT, READY)
    with open(mark, "wb", opener=plain):
        pass
    sync(mark)
    sync(path + NEXT)


def is_ready(path: str) -> bool:
    """Return True if the next generation of the store at `path` is whole."""
    return os.path.exists(os.path.join(path + NEXT, READY))


def unready(path: str) -> None:
    """Take the mark away, because the store at `path` changes. One look at the disk where there is none."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(os.path.join(path + NEXT, READY))


def made_by(folder: str, model: str, dimension: int) -> bool:
    """Return True if this model made the shard in a directory; False where none is there or it cannot be read."""
    try:
        with open(os.path.join(folder, FINGERPRINT), "rb", opener=plain) as file:
            found = msgspec.json.decode(file.read(), type=Fingerprint)
    except (OSError, msgspec.MsgspecError):
        return False
    return (dense_name(found.model), found.dimension) == (dense_name(model), dimension)


def purges(path: str, more: int = 0) -> int:
    """Return how often points of the store at `path` were deleted on purpose, `more` times more from now on.

    It goes with the store's folder, so that one put back from an older copy tells what it told then.
    """
    place, count = os.path.join(path, PURGES), 0
    with contextlib.suppress(OSError, ValueError), open(place, encoding="ascii", opener=plain) as file:
        count = int(file.read())
    if more:
        with open(f"{place}.new", "w", encoding="ascii", opener=plain) as file:
            file.write(str(count + more))
        sync(f"{place}.new")
        os.replace(f"{place}.new", place)
    return count + more


def size_bytes(folder: str) -> int:
    """Return what the files below a directory take on the disk; holes take nothing."""
    found = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                found += os.lstat(os.path.join(parent, name)).st_blocks * 512
    return found
