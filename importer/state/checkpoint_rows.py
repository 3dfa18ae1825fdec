"""One checkpoint, to and from its rows.

A row of `files` is a stream, found by path and by identity (device, inode). What writing does to the rows:

    its identity is known            that row moves to its path; a row that had the path is kept without one
    only its path is known           the row goes on under the new identity (rewritten, or a device renumbered)
    neither                          a new row

So renames, swaps and rewrites lose neither the offset nor the open chunks, and one file never has two rows.
"""

from __future__ import annotations

import sqlite3
import zlib
from typing import Any

from importer.protocol.records import Checkpoint, HeadPrint

# a pathless file may turn up again under another name (a rotation, a swap): its row still knows how far it was read
PATHLESS = 256  # rows kept of files whose path another file has taken; the oldest go first
UINT64 = 2**64 - 1
READ = """
SELECT id, folder, name, device, inode, generation, offset, head_length, head_digest, tail_digest, size, mtime_ns,
  ctime_ns, format, fate, reason, body FROM files LEFT JOIN contexts ON file = id WHERE
"""
_NEW = """
INSERT INTO files (folder, name, device, inode, generation, offset, head_length, head_digest, tail_digest, size,
  mtime_ns, ctime_ns, format, fate, reason, committed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_OLD = """
UPDATE files SET folder = ?, name = ?, device = ?, inode = ?, generation = ?, offset = ?, head_length = ?,
  head_digest = ?, tail_digest = ?, size = ?, mtime_ns = ?, ctime_ns = ?, format = ?, fate = ?, reason = ?,
  committed_at = ?, gone_at = NULL
WHERE id = ?
"""
_CONTEXT = "INSERT INTO contexts VALUES (?, ?) ON CONFLICT (file) DO UPDATE SET body = excluded.body"


def read(row: tuple[Any, ...], open_ids: tuple[str, ...]) -> Checkpoint:
    """Return the checkpoint of a row of `READ`; its path is b"" when another file has taken that.

    Offsets prove themselves by the digests, a context by its checksum: a garbled one is dropped together with the
    tail digest, so that the file is read from its start again.
    """
    _, folder, name, device, inode, generation, offset, length, digest, tail, size, mtime, ctime, *told, body = row
    format_, fate, reason = told
    context = _unpacked(body)
    return Checkpoint(
        path=b"" if folder is None else folder + name,
        device=device & UINT64,
        inode=inode & UINT64,
        generation=generation,
        offset=offset,
        head=HeadPrint(length, digest),
        tail_digest=b"" if context is None else tail,
        size=size,
        mtime_ns=mtime,
        ctime_ns=ctime,
        format=format_,
        context=context or b"",
        open_ids=open_ids,
        fate=fate,
        reason=reason,
    )


def _unpacked(body: bytes | None) -> bytes | None:
    """Return the context as it was packed, None for a lost or garbled one, as zlib's checksum tells.

    b"" is what an empty context becomes again, so "lost" and "empty" stay apart.
    """
    try:
        return zlib.decompress(body or b"")
    except zlib.error:
        return None


def write(connection: sqlite3.Connection, checkpoint: Checkpoint, now: float) -> None:
    """Write one checkpoint over the row it belongs to; the table at the top says which.

    Inside a transaction: row, context and open chunks are of one moment, or the fold would resume from another.
    """
    number = _place(connection, checkpoint)
    if number is None:
        number = connection.execute(_NEW, _columns(checkpoint, now)).lastrowid
    else:
        connection.execute(_OLD, (*_columns(checkpoint, now), number))
    connection.execute(_CONTEXT, (number, zlib.compress(checkpoint.context, 1)))
    connection.execute("DELETE FROM open_chunks WHERE file = ?", (number,))
    # once each: the key is (file, chunk), and two streams may hold the same chunk open
    places = [(number, chunk, place) for place, chunk in enumerate(dict.fromkeys(checkpoint.open_ids))]
    connection.executemany("INSERT INTO open_chunks VALUES (?, ?, ?)", places)


def write_context(connection: sqlite3.Connection, number: int, context: bytes) -> None:
    """Write another context into row `number`, inside a transaction; where its file stands is not touched."""
    connection.execute(_CONTEXT, (number, zlib.compress(context, 1)))


def former_path(connection: sqlite3.Connection, checkpoint: Checkpoint) -> bytes:
    """Return where this very file was when it was written last; b"" if it is unknown or began anew since."""
    sql = "SELECT folder, name FROM files WHERE device = ? AND inode = ? AND generation = ? AND folder IS NOT NULL"
    identity = (signed(checkpoint.device), signed(checkpoint.inode), checkpoint.generation)
    row = connection.execute(sql, identity).fetchone()
    return row[0] + row[1] if row else b""


def _place(connection: sqlite3.Connection, checkpoint: Checkpoint) -> int | None:
    """Return the row to write over. Takes its path away from a different file that is still known by identity."""
    identity = (signed(checkpoint.device), signed(checkpoint.inode))
    mine = connection.execute("SELECT id FROM files WHERE device = ? AND inode = ?", identity).fetchone()
    there = connection.execute("SELECT id FROM files WHERE folder = ? AND name = ?", split(checkpoint.path)).fetchone()
    if mine and there and mine != there:
        connection.execute("UPDATE files SET folder = NULL, name = NULL WHERE id = ?", there)
        connection.execute(
            "DELETE FROM files WHERE id IN"
            " (SELECT id FROM files WHERE folder IS NULL ORDER BY committed_at DESC, id DESC LIMIT -1 OFFSET ?)",
            (PATHLESS,),
        )
    row = mine or there
    return int(row[0]) if row else None


def _columns(checkpoint: Checkpoint, now: float) -> tuple[object, ...]:
    """Return the values of `_NEW` and `_OLD`, in their order."""
    at = checkpoint
    seen = (signed(at.size), signed(at.mtime_ns), signed(at.ctime_ns))
    position = (at.generation, at.offset, at.head.length, at.head.digest, at.tail_digest)
    where = split(at.path) if at.path else (None, None)  # another file has its path still
    return (*where, signed(at.device), signed(at.inode), *position, *seen, at.format, at.fate, at.reason, now)


def signed(number: int) -> int:
    """Return a number as SQLite's signed integer.

    Inodes of network file systems use all 64 bits, and clocks can be anywhere.
    """
    return ((number + 2**63) & UINT64) - 2**63


def split(path: bytes) -> tuple[bytes, bytes]:
    """Return `(folder, name)`; the folder keeps its slash, so that joining gives the very same bytes."""
    cut = path.rfind(b"/") + 1
    return path[:cut], path[cut:]
