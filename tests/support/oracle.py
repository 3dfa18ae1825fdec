"""What a store must hold, worked out from the files alone: formats and chunk fold, without the engine around them.

expected = expect(folder)            fold every file again
with opened(state) as store:         the embedded store itself, no worker in between
    look = compare(expected, store)  what is missing, what is too much, what is not as it should be
assert not look.wrong
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import store_backends
from msgspec import structs
from read_units import content, units
from worker_told import store_settings

from importer import formats
from importer.chunking.fold import Cutting, Origin, begin, feed, surface
from importer.chunking.redact import mask, mask_facts
from importer.protocol.records import Chunk, Line, Tally, Turn
from importer.service import client
from importer.state import lock
from importer.state.checkpoints import Checkpoints
from importer.worker import stores
from importer.worker.stores import Point, Store

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
CUTTING = Cutting(1000, 200)  # the defaults of the settings
LINE_BYTES = 32 << 20
HOST = socket.gethostname()


@dataclass
class Told:
    """One file folded: the chunks that stand when all its complete lines are read, and what became of the lines."""

    chunks: dict[str, Chunk] = field(default_factory=dict)
    forms: set[str] = field(default_factory=set)  # ids of all chunks after any of its lines, outgrown ones included
    tally: Tally = field(default_factory=Tally)


def fold(
    raw: bytes,
    path: str,
    *,
    until: int | None = None,
    forms: bool = False,
    line_bytes: int = LINE_BYTES,
    host: str = HOST,
) -> Told:
    """Fold the complete lines of a file's bytes, or a document's units; those that end behind `until` are left out.

    `forms` also gathers the open forms on the way, which costs.
    """
    told = Told()
    name = formats.detect(raw[: formats.HEAD_BYTES])
    if name is None:
        return told
    reader, folding, origin = formats.load(name), begin(""), Origin(name, host)
    context = reader.begin(os.fsencode(path))
    for line in _lines(name, raw, line_bytes):
        if until is not None and line.end > until:
            break
        if line.oversized or line.problem:
            told.tally += _outcome(line, 0, broken=True)
            continue
        fed = reader.feed(context, line.raw, formats.Options())
        context, said = fed.context, 0
        for turn in fed.turns:
            step = feed(folding, masked(turn), CUTTING, origin)
            folding = step.folding
            said += step.accepted and bool(turn.text)
            told.chunks.update({one.id: one for one in step.chunks})
        told.tally += replace(_outcome(line, said, broken=bool(fed.problems)), unknown=fed.unknown)
        if forms:
            told.forms.update(one.id for one in surface(folding, CUTTING, origin).chunks)
    last = surface(folding, CUTTING, origin, at_end=True)
    told.chunks.update({one.id: one for one in last.chunks if one.id not in told.chunks})
    told.forms.update(told.chunks)
    return told


def _lines(name: str, raw: bytes, line_bytes: int) -> Iterator[Line]:
    """Cut complete lines in the plainest way, or return the units of a document."""
    if formats.document(formats.load(name), raw[: formats.HEAD_BYTES]):
        yield from units(name, raw, max_line_bytes=line_bytes)
        return
    end = 0
    for line in raw.split(b"\n")[:-1]:
        yield Line(end, end := end + len(line) + 1, line, oversized=len(line) > line_bytes)


def masked(turn: Turn) -> Turn:
    """Return the turn without its secrets, as it is stored."""
    return replace(turn, text=mask(turn.text), facts=mask_facts(turn.facts))


def _outcome(line: Line, said: int, *, broken: bool) -> Tally:
    """Return a tally of one line, its newline included in the bytes."""
    outcome = "quarantined" if broken else "stored" if said else "skipped"
    size = line.end - line.start
    return Tally(**{f"lines_{outcome}": 1, f"bytes_{outcome}": size}, messages=said)  # type: ignore[arg-type]


@dataclass
class Expected:
    """What the files of a folder say: by id, every form that a file gives it (several files may share one).

    `either`: ids that only one of the names of a file gives. A line without a session is of the conversation that its
    file's name says, and a file with several names is read under one of them.
    """

    chunks: dict[str, list[Chunk]] = field(default_factory=lambda: defaultdict(list))
    either: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)
    files: int = 0

    def add(self, told: Told) -> None:
        """Add one file."""
        for one in told.chunks.values():
            self.chunks[one.id].append(one)
        self.tally += told.tally
        self.files += 1


def files_below(folder: str) -> Iterator[str]:
    """Return every conversation file, as the importer would find it under the source `auto`."""
    for top, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(top, name)
            if os.path.isfile(path) and not os.path.islink(path) and name.endswith((".jsonl", ".json", ".zst")):
                yield path


def expect(folder: str, *, without: Collection[str] = (), line_bytes: int = LINE_BYTES, host: str = HOST) -> Expected:
    """Fold every file below the folder but those `without`."""
    expected = Expected()
    seen: dict[int, set[str]] = {}
    for path in files_below(folder):
        if path not in without:
            inode, told = os.stat(path).st_ino, fold(content(path), path, line_bytes=line_bytes, host=host)
            expected.add(told if inode not in seen else replace(told, tally=Tally()))  # a hard link is no second file
            ids = set(told.chunks)
            expected.either |= seen.setdefault(inode, ids) ^ ids
    return expected


def committed(state: str) -> Expected:
    """Fold every known file up to its checkpoint."""
    expected = Expected()
    for row in rows_of(state):
        expected.add(fold(content(row["path"]), row["path"], until=_until(row)))
    return expected


@contextmanager
def opened(state: str, location: str = "", model: str = MODEL) -> Iterator[Store]:
    """The store of a state directory that no worker has open: `location`, else where `store_backends` says.

    An answerer that a search left behind is asked to let go of it first.
    """
    _end_answerer(state)
    on_server = not (location or store_backends.embedded(state))
    where = location or (store_backends.SERVER if on_server else "edge")
    settings = store_settings(where, directory=os.path.join(state, "edge"))
    if on_server:
        settings = structs.replace(settings, collection=store_backends.collection_of(state), api_key=store_backends.KEY)
    store = stores.load(settings, model=model, dimension=384, create=False)
    try:
        yield store
    finally:
        store.close()


def _end_answerer(state: str) -> None:
    """Ask the answerer of a state directory, if one runs, to end, and wait until it has."""
    end_s = time.monotonic() + 60
    while (held := lock.holder(state)) is not None and held.command == lock.ANSWERER and time.monotonic() < end_s:
        with suppress(OSError):
            client.ask_daemon(state, client.YIELD, timeout_s=5.0)
        time.sleep(0.05)


def points_of(store: Store) -> list[Point]:
    """Return all points, with their vectors."""
    found: list[Point] = []
    after: str | None = None
    while True:
        page = store.scroll(after, 1000, with_vectors=True)
        found += page.points
        if page.next is None:
            return found
        after = page.next


def rows_of(state: str) -> list[dict[str, Any]]:
    """Return the checkpoints of all files, as they stand in the database: path, device, inode, offset, …"""
    with sqlite3.connect(f"file:{state}/checkpoints.sqlite3?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM files WHERE folder IS NOT NULL")]
    connection.close()
    return [{**row, "path": os.fsdecode(row["folder"] + row["name"])} for row in rows]


def has_begun(state: str) -> bool:
    """Return True once there is a state: a daemon that is killed at once makes none."""
    checkpoints = Checkpoints.peek(f"{state}/checkpoints.sqlite3")
    if checkpoints is not None:
        checkpoints.close()
    return checkpoints is not None


def totals_of(state: str) -> Tally:
    """Return lines and bytes by outcome since the state began."""
    with _peeked(state) as checkpoints:
        return checkpoints.totals()


def rejected_in(state: str) -> set[str]:
    """Return the ids of chunks in quarantine."""
    with _peeked(state) as checkpoints:
        return {row.reject.chunk_id for row in checkpoints.quarantine.page(limit=100_000) if row.reject.chunk_id}


@contextmanager
def _peeked(state: str) -> Iterator[Checkpoints]:
    """Open the state read-only, beside the process that writes it."""
    checkpoints = Checkpoints.peek(f"{state}/checkpoints.sqlite3")
    assert checkpoints is not None, "nothing was ever imported"
    with checkpoints:
        yield checkpoints


def torn_offsets(state: str) -> list[str]:
    """Return committed offsets that do not stand just after a newline of their file (invariant I3)."""
    return torn(rows_of(state))


def torn(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the same for these checkpoints."""
    return [f"{row['path']} at {row['offset']}" for row in rows if not _after_newline(row)]


def _after_newline(row: Mapping[str, Any]) -> bool:
    """Return True if the offset is just after a newline; also for a file that is gone or another one by now."""
    if not row["offset"]:
        return True
    try:
        with open(row["path"], "rb") as file:
            file.seek(row["offset"] - 1)
            before = file.read(1)
            moved = os.fstat(file.fileno()).st_ino != row["inode"]
            return moved or before in {b"\n", b""} or _after_unit(row)
    except FileNotFoundError:
        return True


def _until(row: Mapping[str, Any]) -> int | None:
    """Return up to where a file was committed, in bytes of its lines; a packed file only tells it for all of it."""
    if not row["path"].endswith(".zst"):
        return int(row["offset"])
    return None if row["offset"] == row["size"] else 0


def _after_unit(row: Mapping[str, Any]) -> bool:
    raw = content(row["path"])
    if row["path"].endswith(".zst"):
        return True
    document = formats.document(formats.load(row["format"]), raw[: formats.HEAD_BYTES])
    return document is not None and row["offset"] in {unit.end for unit in units(row["format"], raw)}


def unpaid(state: str, store: Store) -> list[str]:
    """Return closed chunks of committed lines that the store lacks (invariant I3), for files that only grow."""
    return unpaid_of(rows_of(state), store, rejected_in(state))


def unpaid_of(rows: Iterable[Mapping[str, Any]], store: Store, rejected: Collection[str] = ()) -> list[str]:
    """Return the same for these checkpoints."""
    found = []
    for row in rows:
        if not os.path.exists(row["path"]) or os.stat(row["path"]).st_ino != row["inode"]:
            continue
        told = fold(content(row["path"]), row["path"], until=_until(row))
        ids = [one.id for one in told.chunks.values() if not one.holder and one.id not in rejected]
        there = store.lookup(ids)
        found += [f"{row['path']} at {row['offset']}: {one}" for one in ids if one not in there]
    return found
