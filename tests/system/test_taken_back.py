"""What was said is taken back, the daemon is killed before it has committed that, and then it is said again."""

from __future__ import annotations

import json
import pathlib
import sqlite3

import oracle
import pytest
from many_stores import make
from processes import Importer, until


def documents(importer: Importer) -> list[str]:
    """Return all that is stored."""
    with oracle.opened(importer.state) as store:
        return sorted(point.payload["document"] for point in oracle.points_of(store))


def cut_back(path: pathlib.Path) -> None:
    """Take all back but what was said first."""
    if path.suffix == ".jsonl":
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: len(lines) // 2]))
    elif path.suffix == ".json":
        told = json.loads(path.read_bytes())
        path.write_text(json.dumps({**told, "messages": told["messages"][:1]}))
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM messages WHERE rowid > (SELECT min(rowid) FROM messages)")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["claude-code", "amp", "goose"])
def test_what_is_said_again_is_stored(tmp_path: pathlib.Path, name: str) -> None:
    """The store held what came after, and the checkpoint what was before and is again: both agree in the end."""
    path = max(make(tmp_path / "home")[name], key=lambda one: one.stat().st_size)
    whole, importer = path.read_bytes(), Importer(tmp_path, embedded=True)
    assert importer.run("backlog", str(path)).code == 0
    said = documents(importer)
    cut_back(path)
    assert importer.run("backlog", str(path), IMPORTER_FAILPOINTS="received=kill").code == -9
    until(lambda: not importer.worker_pids())  # its worker ends by itself, and has the store open until then
    assert documents(importer) != said
    path.write_bytes(whole)
    assert importer.run("backlog", str(path)).code == 0
    assert documents(importer) == said
