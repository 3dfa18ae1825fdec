"""How many requests a command sends to a server: one question is one request, and vectors come only when needed."""

from __future__ import annotations

import pathlib
from typing import Any

from processes import Importer
from scripted_qdrant import ScriptedQdrant
from transcripts import answer, prompt, raw, text

IDS = [f"0f3c1a52-1111-4222-8333-{number:012}" for number in range(3)]
INDEXES = 13
# Each command with the requests it sends at most; the first search opens the store, for the following ones, too.
MOST = [
    (("backlog",), 8 + INDEXES),
    (("backlog",), 4),
    (("search", "kiln"), 4),
    (("search", "kiln"), 1),
    (("search", "--mode", "keyword", "kiln"), 1),
    (("search", "--mode", "dense", "--project", "/home/ann/kilns", "kiln"), 2),
    (("open", IDS[0]), 0),  # the files are there
    (("list",), 0),
    (("status",), 4),
]


def test_each_command_sends_so_many(tmp_path: pathlib.Path) -> None:
    """Of an import, a search, and looks at what is there."""
    folder = tmp_path / ".claude/projects/-p"
    folder.mkdir(parents=True)
    for number, id in enumerate(IDS):
        where = {"sessionId": id, "cwd": "/home/ann/kilns"}
        said = [prompt(f"what of kiln {number}", **where), answer(text(f"kiln {number} is hot"), **where)]
        (folder / f"{number}.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in said))
    asked: list[Any] = []
    with ScriptedQdrant(rule=lambda _method, path, body: asked.append((path, body))) as server:
        importer = Importer(tmp_path)
        importer.environ["QDRANT_URL"] = server.url
        for words, most in MOST:
            asked.clear()
            done = importer.run(*words)
            assert done.code == 0, done.err
            paths = [path for path, _ in asked]
            assert len(paths) <= most, (words, paths)
            assert not any(isinstance(body, dict) and body.get("with_vector") for _, body in asked), words
        assert len(server.points) == len(IDS)
