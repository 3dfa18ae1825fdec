"""`importer sync`: the points of this machine in a store that another one has, too, and searches of both."""

from __future__ import annotations

import json
import os
import pathlib

from processes import Importer
from transcripts import answer, prompt, raw, text

from importer.state.checkpoints import Checkpoints


def _searched_beside(home: pathlib.Path, target: str) -> None:
    """Check that another machine finds and opens what the target has, beside its own, and that none away is missed."""
    folder = home / ".claude/projects/-q"
    folder.mkdir(parents=True)
    said = [prompt("what of the kiln here"), answer(text("the kiln here is cold"))]
    (folder / "q.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in said))
    other = Importer(home, embedded=True)
    other.environ["IMPORTER_HOST"] = "other"
    assert other.run("backlog").code == 0
    assert len(other.run("search", "--mode", "keyword", "kiln", "--json").json["hits"]) == 1
    both = other.run("--also", target, "search", "--mode", "keyword", "kiln", "--json").json
    assert len(both["hits"]) == 3
    assert len({hit["metadata"]["host"] for hit in both["hits"]}) == 2
    (hit, *_) = (hit for hit in both["hits"] if hit["metadata"]["host"] != "other")
    assert "is hot" in other.run("--also", target, "open", hit["metadata"]["conversation_id"]).out
    listed = other.run("--also", target, "list", "--json").json["conversations"]
    assert [one["host"] for one in listed].count("other") == 1
    assert len(listed) == len({one["id"] for one in listed}) == 3
    (row,) = other.run("--also", target, "projects", "--project", hit["metadata"]["project"], "--json").json["projects"]
    assert row["conversations"] == 3
    for words in (["search", "--mode", "keyword", "kiln"], ["list"]):
        alone = other.run("--also", "http://127.0.0.1:9", *words)
        assert alone.code == 0
        assert "127.0.0.1:9 is not among what was read" in alone.err


def test_the_command(tmp_path: pathlib.Path) -> None:
    """Killed or not, the command brings all points once; forgotten ones leave the target."""
    folder = tmp_path / ".claude/projects/-p"
    folder.mkdir(parents=True)
    for n in range(3):
        where = {"sessionId": f"0f3c1a52-1111-4222-8333-{n:012}"}
        said = [prompt(f"what of kiln {n}", **where), answer(text(f"kiln {n} is hot"), **where)]
        (folder / f"{n}.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in said))
    importer = Importer(tmp_path, embedded=True)
    assert importer.run("backlog").code == 0
    target = f"edge:{tmp_path}/target"
    killed = importer.start("sync", "--to", target)
    killed.kill()
    killed.communicate()
    first = importer.run("sync", "--to", target, "--json").json
    assert first["points"] == 3
    assert importer.run("sync", "--to", target, "--json").json["sent"] == 0
    assert importer.run("forget", "--conversation", "0f3c1a52-1111-4222-8333-000000000000", "--yes").code == 0
    assert importer.run("sync", "--to", target, "--json").json["removed"] == 1
    (told,) = importer.run("status", "--json").json["syncs"]
    assert (told["to"], told["rounds"], told["points"], told["removed"]) == (target, 3, 2, 1)
    assert "2 points brought" in importer.run("status").out
    with Checkpoints.open(f"{importer.state}/checkpoints.sqlite3") as checkpoints:
        checkpoints.remember(points_shrank="9 2")
    assert "nothing is taken out there" in importer.run("sync", "--to", target, "--json").err
    ledgers = [name for name in os.listdir(importer.state) if name.startswith("sync-")]
    assert [oct(os.stat(f"{importer.state}/{name}").st_mode & 0o777) for name in ledgers] == ["0o600"]
    _searched_beside(tmp_path / "other", target)  # first: a search of the target keeps it open for a minute
    found = importer.run("--store", target, "search", "--mode", "keyword", "kiln", "--json")
    assert len(json.loads(found.out)["hits"]) == 2
    assert importer.run("sync", "--to", target, "--every", "soon").code == 2
