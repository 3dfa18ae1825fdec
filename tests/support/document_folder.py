"""An importer of documents at a desk: files are written, rewritten and read, and what is embedded is counted."""

from __future__ import annotations

import json
import os
import pathlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import oracle
from model_store import ModelStore

from importer.chunking.fold import Cutting
from importer.consistency.refold import Refold
from importer.protocol.records import Checkpoint
from importer.reading.gather import Reading
from importer.reading.pipeline import Pipeline
from importer.sources import files
from importer.sources.queue import Pending
from importer.sources.reconcile import behind
from importer.state.checkpoints import Checkpoints

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"
AT = 1767258000.0
LATER_NS = 3600 * 10**9
SETTLED_NS = 60 * 10**9


@dataclass
class Desk:
    """A pipeline over one folder, a store in a dict, real checkpoints; `now_ns` is how late it is, past the clock."""

    folder: pathlib.Path
    checkpoints: Checkpoints
    reading: Reading = field(default_factory=lambda: Reading(Cutting(1000, 200), oracle.HOST))
    store: ModelStore = field(default_factory=ModelStore)
    late_ns: int = LATER_NS
    most_chunks: int = 0
    written: int = 1

    def __post_init__(self) -> None:
        self.pipeline = Pipeline(self.reading, self.checkpoints, now_ns=lambda: time.time_ns() + self.late_ns)

    def step(self, path: pathlib.Path) -> bool:
        """Read, store and commit one slice; return True if there is more."""
        read = self.pipeline.read(Pending(bytes(path), b"", "auto"))
        if read.span is not None:
            self.most_chunks = max(self.most_chunks, len(read.span.chunks))
            self.store.apply(read.span.chunks, read.span.releases)
            self.checkpoints.commit([read.span.commit])
            self.pipeline.settled(read.span.commit)
        return read.more

    def take(self, path: pathlib.Path, *, kills: bool = False) -> int:
        """Read a file to its end, with a kill after every slice if wanted; return how many chunks were embedded."""
        before = len(self.store.embedded)
        while self.step(path):
            if kills:
                self.pipeline.drop_cursors()
        return len(self.store.embedded) - before

    def put(self, name: str, raw: bytes | Any) -> pathlib.Path:
        """Write a file whole."""
        path = self.folder / name
        path.write_bytes(raw if isinstance(raw, bytes) else json.dumps(raw).encode())
        later = os.stat(path).st_mtime_ns + self.written * 10**9  # never within one tick of the clock
        os.utime(path, ns=(later, later))
        self.written += 1
        return path

    def checkpoint(self, path: pathlib.Path) -> Checkpoint:
        found = self.checkpoints.by_path(bytes(path))
        assert found is not None
        return found

    def is_behind(self, path: pathlib.Path) -> bool:
        """Return True if the next look puts the file on the queue again."""
        known = self.checkpoints.folder(bytes(path.parent))[path.name.encode()]
        return behind(files.file_stat(bytes(path), os.stat(path)), known)

    def check(self, *paths: pathlib.Path) -> None:
        """Check that the store holds what these files say, and that folding them again gives it, too."""
        expected = {one for path in paths for one in oracle.fold(oracle.content(str(path)), str(path)).chunks}
        assert expected == set(self.store.points)
        again = {chunk.id for path in paths for part in Refold(self.checkpoint(path), self.reading) for chunk in part}
        assert again == expected


def talk(number: int, turns: int = 4, words: int = 10, sources: int = 0) -> dict[str, Any]:
    """Make a ChatGPT conversation of so many turns."""
    nodes: dict[str, Any] = {"root": {"id": "root", "parent": None, "children": ["n0"], "message": None}}
    for at in range(turns):
        text = f"Turn {at} of talk {number}. " + " ".join(f"word{number}x{at}x{n}" for n in range(words))
        said = {
            "id": f"n{at}",
            "author": {"role": "assistant" if at % 2 else "user"},
            "create_time": AT + at,
            "content": {"content_type": "text", "parts": [text]},
            "metadata": {"sources": [{"url": "https://example.org/"}] * sources},
        }
        children = [f"n{at + 1}"] if at < turns - 1 else []
        nodes[f"n{at}"] = {
            "id": f"n{at}",
            "parent": f"n{at - 1}" if at else "root",
            "children": children,
            "message": said,
        }  # type: ignore[dict-item]
    return {"id": f"c{number}", "title": f"Talk {number}", "mapping": nodes, "current_node": f"n{turns - 1}"}


def session(turns: int) -> dict[str, Any]:
    """Make an older Gemini session of so many turns."""
    said = [
        {
            "id": f"m{at}",
            "timestamp": f"2026-01-05T09:{at:02}:00.000Z",
            "type": "gemini" if at % 2 else "user",
            "content": f"Message {at} of the session.",
        }
        for at in range(turns)
    ]
    head = {"sessionId": "7c1d", "projectHash": "app", "startTime": "2026-01-05T09:00:00.000Z"}
    return {**head, "lastUpdated": f"2026-01-05T09:{turns:02}:00.000Z", "messages": said}


def codex_lines(count: int) -> Iterator[dict[str, Any]]:
    yield {"timestamp": "2026-05-02T10:00:00.000Z", "type": "session_meta", "payload": {"id": "t1", "cwd": "/home/ann"}}
    for number in range(count):
        text = f"Line {number}. " + " ".join(f"word{number}x{n}" for n in range(40))
        role = "assistant" if number % 2 else "user"
        payload = {"type": "message", "role": role, "content": [{"type": "output_text", "text": text}]}
        yield {"timestamp": f"2026-05-02T10:{number % 60:02}:00.000Z", "type": "response_item", "payload": payload}
