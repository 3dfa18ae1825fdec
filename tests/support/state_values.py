"""Short ways to write the values the state is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from importer.protocol.records import Checkpoint, Commit, HeadPrint, Reject, Tally
from importer.state.checkpoints import Checkpoints

BASE = Checkpoint(
    path=b"/home/u/a.jsonl",
    device=1,
    inode=1,
    generation=0,
    offset=10,
    head=HeadPrint(10, b"head"),
    tail_digest=b"tail",
    size=10,
    mtime_ns=5_000_000_000,
    ctime_ns=6_000_000_000,
    format="claude-code",
    context=b'{"prompt":"hello"}',
)


def checkpoint(path: bytes = BASE.path, inode: int = 1, **changes: Any) -> Checkpoint:
    """`BASE` with changes; another `inode` makes it another file."""
    return replace(BASE, path=path, inode=inode, **changes)


def commit(path: bytes = BASE.path, inode: int = 1, tally: Tally | None = None, **changes: Any) -> Commit:
    """Return what a stored batch writes for one file; `rejects` among the changes are the commit's."""
    rejects = changes.pop("rejects", ())
    return Commit(checkpoint(path, inode, **changes), tally or Tally(), rejects)


def reject(offset: int = 0, path: bytes = BASE.path, chunk_id: str = "", reason: str = "no JSON") -> Reject:
    """Ten bytes set aside: a line, or with a `chunk_id` a chunk."""
    return Reject(path, offset, 10, "embed" if chunk_id else "parse", reason, "sample", chunk_id)


def open_elsewhere(state: Checkpoints, chunk: str, path: bytes) -> bool:
    """Return True if the chunk is open at the end of any other file, one without a path included."""
    sql = "SELECT folder, name FROM open_chunks JOIN files ON file = id WHERE chunk = ?"
    return any((folder or b"") + (name or b"") != path for folder, name in state.database.rows(sql, (chunk,)))
