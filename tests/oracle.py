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
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from importer import chunk, formats
from importer.checkpoints import Checkpoints
from importer.chunk import Cutting, Folding, Origin
from importer.records import Chunk, Tally, Turn
from importer.redact import mask
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


def fold(raw: bytes, path: str, *, forms: bool = False, line_bytes: int = LINE_BYTES, host: str = HOST) -> Told:
    """Folds the complete lines of a file's bytes; `forms` also gathers the open forms on the way, which costs."""
    told = Told()
    name = formats.detect(raw[: formats.HEAD_BYTES])
    if name is None:
        return told
    reader, folding, origin = formats.load(name), Folding(), Origin(name, host)
    context = reader.begin(os.fsencode(path))
    for line in raw.split(b"\n")[:-1]:
        if len(line) > line_bytes:
            told.tally += _outcome(line, 0, broken=True)
            continue
        fed = reader.feed(context, line, formats.Options())
        context, said = fed.context, 0
        for turn in fed.turns:
            step = chunk.feed(folding, masked(turn), CUTTING, origin)
            folding = step.folding
            said += step.accepted and bool(turn.text)
            told.chunks.update({one.id: one for one in step.chunks})
        told.tally += _outcome(line, said, broken=bool(fed.problems))
        if forms:
            told.forms.update(one.id for one in chunk.surface(folding, CUTTING, origin).chunks)
    last = chunk.surface(folding, CUTTING, origin, at_end=True)
    told.chunks.update({one.id: one for one in last.chunks if one.id not in told.chunks})
    told.forms.update(told.chunks)
    return told


def masked(turn: Turn) -> Turn:
    """The turn without its secrets, as it is stored."""
    return replace(turn, text=mask(turn.text), facts=replace(turn.facts, title=mask(turn.facts.title)))


def _outcome(line: bytes, said: int, *, broken: bool) -> Tally:
    outcome = "quarantined" if broken else "stored" if said else "skipped"
    return Tally(**{f"lines_{outcome}": 1, f"bytes_{outcome}": len(line) + 1}, messages=said)  # type: ignore[arg-type]


@dataclass
class Expected:
    """What the files of a folder say: by id, every form that a file gives it (several files may share one)."""

    chunks: dict[str, list[Chunk]] = field(default_factory=lambda: defaultdict(list))
    tally: Tally = field(default_factory=Tally)
    files: int = 0

    def add(self, told: Told) -> None:
        """One file more."""
        for one in told.chunks.values():
            self.chunks[one.id].append(one)
        self.tally += told.tally
        self.files += 1


def files_below(folder: str) -> Iterator[str]:
    """Every conversation file, as the importer would find it under the source `auto`."""
    for top, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(top, name)
            if os.path.isfile(path) and not os.path.islink(path) and name.endswith((".jsonl", ".json")):
                yield path


def expect(folder: str, *, without: Collection[str] = (), line_bytes: int = LINE_BYTES, host: str = HOST) -> Expected:
    """Folds every file below the folder but those `without`."""
    expected = Expected()
    for path in files_below(folder):
        if path not in without:
            with open(path, "rb") as file:
                expected.add(fold(file.read(), path, line_bytes=line_bytes, host=host))
    return expected


def committed(state: str) -> Expected:
    """Folds every known file up to its checkpoint."""
    expected = Expected()
    for row in rows_of(state):
        with open(row["path"], "rb") as file:
            expected.add(fold(file.read(row["offset"]), row["path"]))
    return expected


@contextmanager
def opened(state: str, location: str = "edge", model: str = MODEL) -> Iterator[Store]:
    """The store of a state directory that no worker has open."""
    settings = {"directory": os.path.join(state, "edge"), "collection": "conversations"}
    store = stores.load(location, model=model, dimension=384, settings=settings, create=False)
    try:
        yield store
    finally:
        store.close()


def points_of(store: Store) -> list[Point]:
    """All points, with their vectors."""
    found: list[Point] = []
    after: str | None = None
    while True:
        page = store.scroll(after, 1000, with_vectors=True)
        found += page.points
        if page.next is None:
            return found
        after = page.next


@dataclass
class Look:
    """How a store differs from what it should hold; each list is for a person to read."""

    points: int
    missing: list[str]
    extra: list[str]
    twice: list[str]
    unlike: list[str]

    @property
    def wrong(self) -> dict[str, list[str]]:
        """What is not as it should be; empty when all is well."""
        named = {"missing": self.missing, "extra": self.extra, "twice": self.twice, "unlike": self.unlike}
        return {name: found[:5] for name, found in named.items() if found}


def compare(
    expected: Expected,
    store: Store,
    *,
    explained: Collection[str] = (),
    rejected: Collection[str] = (),
    changing: bool = False,
) -> Look:
    """I1 and I2. `explained` ids may be there besides, `rejected` ones are in quarantine.

    With `changing` (files were rewritten) metadata may come from what a file said before.
    """
    points = points_of(store)
    by_id = {point.id: point for point in points}
    missing = [one for one in expected.chunks if one not in by_id and one not in rejected]
    extra = [_shown(point) for one, point in by_id.items() if one not in expected.chunks and one not in explained]
    ids = [point.id for point in points]
    twice = [one for one in by_id if ids.count(one) > 1] if len(ids) != len(by_id) else []
    if store.count() != len(by_id):
        twice.append(f"the store counts {store.count()}, there are {len(by_id)}")
    judge = _unlike if not changing else _unlike_text
    unlike = [f"{one}: {why}" for one, cs in expected.chunks.items() if one in by_id and (why := judge(by_id[one], cs))]
    return Look(len(by_id), [f"{one}: {expected.chunks[one][0].text[:80]!r}" for one in missing], extra, twice, unlike)


def _shown(point: Point) -> str:
    return f"{point.id}: {point.payload.get('open_by')} {str(point.payload.get('document'))[:80]!r}"


def _unlike(point: Point, chunks: list[Chunk]) -> str:
    """Why a point is none of the chunks that files give its id, or ""."""
    if text := _unlike_text(point, chunks):
        return text
    if dict(point.payload["metadata"]) not in [dict(one.metadata) for one in chunks]:
        return f"metadata {point.payload['metadata']} is none of {[dict(one.metadata) for one in chunks]}"
    holders = point.payload.get("open_by", ())
    closed = any(not one.holder for one in chunks)
    wanted = 0 if closed else len(chunks)
    return "" if len(holders) == wanted else f"held open by {holders}, expected {wanted} holders"


def _unlike_text(point: Point, chunks: list[Chunk]) -> str:
    if point.payload["document"] != chunks[0].text:
        return "another text"
    norm = sum(float(x) ** 2 for x in point.dense)
    return "" if abs(norm - 1) < 1e-3 else f"a vector of length {norm}"


def rows_of(state: str) -> list[dict[str, Any]]:
    """The checkpoints of all files, as they stand in the database: path, device, inode, offset, …"""
    with sqlite3.connect(f"file:{state}/checkpoints.sqlite3?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM files WHERE folder IS NOT NULL")]
    connection.close()
    return [{**row, "path": os.fsdecode(row["folder"] + row["name"])} for row in rows]


def totals_of(state: str) -> Tally:
    """Lines and bytes by outcome since the state began."""
    with _peeked(state) as checkpoints:
        return checkpoints.totals()


def rejected_in(state: str) -> set[str]:
    """The ids of chunks in quarantine."""
    with _peeked(state) as checkpoints:
        return {row.reject.chunk_id for row in checkpoints.quarantine.page(limit=100_000) if row.reject.chunk_id}


@contextmanager
def _peeked(state: str) -> Iterator[Checkpoints]:
    checkpoints = Checkpoints.peek(f"{state}/checkpoints.sqlite3")
    assert checkpoints is not None, "nothing was ever imported"
    with checkpoints:
        yield checkpoints


def torn_offsets(state: str) -> list[str]:
    """I3: the committed offsets that do not stand just after a newline of their file."""
    return torn(rows_of(state))


def torn(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The same for these checkpoints."""
    return [f"{row['path']} at {row['offset']}" for row in rows if not _after_newline(row)]


def _after_newline(row: Mapping[str, Any]) -> bool:
    if not row["offset"]:
        return True
    try:
        with open(row["path"], "rb") as file:
            file.seek(row["offset"] - 1)
            before = file.read(1)
            return os.fstat(file.fileno()).st_ino != row["inode"] or before in {b"\n", b""}
    except FileNotFoundError:
        return True


def unpaid(state: str, store: Store) -> list[str]:
    """I3: closed chunks of lines before a committed offset that the store does not have. Only for files that grow."""
    return unpaid_of(rows_of(state), store, rejected_in(state))


def unpaid_of(rows: Iterable[Mapping[str, Any]], store: Store, rejected: Collection[str] = ()) -> list[str]:
    """The same for these checkpoints."""
    found = []
    for row in rows:
        if not os.path.exists(row["path"]) or os.stat(row["path"]).st_ino != row["inode"]:
            continue
        with open(row["path"], "rb") as file:
            told = fold(file.read(row["offset"]), row["path"])
        ids = [one.id for one in told.chunks.values() if not one.holder and one.id not in rejected]
        there = store.lookup(ids)
        found += [f"{row['path']} at {row['offset']}: {one}" for one in ids if one not in there]
    return found


def forms_of(path: str) -> set[str]:
    """Ids of everything this file gives at any of its lines: what may stay when it changes or vanishes."""
    with open(path, "rb") as file:
        return fold(file.read(), path, forms=True).forms
