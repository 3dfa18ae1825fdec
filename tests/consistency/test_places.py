"""Points that were stored under another project move to today's: payloads change, nothing is embedded."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Mapping
from typing import Any

import oracle
import pytest
from processes import Importer, until
from transcripts import answer, prompt, raw, text

from importer.chunking.fold import Cutting
from importer.consistency import places
from importer.errors import StoreUnreachable
from importer.protocol.records import Checkpoint, Commit, HeadPrint, Tally
from importer.reading.gather import Reading
from importer.state.checkpoints import Checkpoints
from importer.state.folders import MOVED

READING = Reading(Cutting(), "here")


class Shelf:
    """A worker that only has counts of points by project, and moves them a few at a time."""

    def __init__(self, **counts: int) -> None:
        self.counts = dict(counts)
        self.asked: list[Mapping[str, Any]] = []
        self.away = False

    async def ask(self, op: str, **args: Any) -> Any:
        if self.away:
            raise StoreUnreachable("away")
        if op == "facet":
            return {project: count for project, count in self.counts.items() if count}
        assert op == "move_points"
        self.asked.append(args)
        page = min(2, self.counts[args["project"]])
        self.counts[args["project"]] -= page
        self.counts[args["to"]] = self.counts.get(args["to"], 0) + page
        return page


@pytest.fixture
def state(tmp_path: pathlib.Path) -> Checkpoints:
    """Return a state with one imported file, of a chat in the folder `shop-1`."""
    found = Checkpoints.open(str(tmp_path / "state.sqlite3"))
    head = HeadPrint(0, b"")
    found.commit(
        [Commit(Checkpoint(b"/g/tmp/shop-1/chats/a.jsonl", 1, 2, 0, 9, head, b"", 9, 1, 1, "gemini"), Tally())]
    )
    return found


def test_points_move_once(state: Checkpoints) -> None:
    """All points of another spelling move, page by page; then nothing is due until a folder's project is found."""
    shelf = Shelf(**{"c:\\work\\till": 5, "/home/ann/app": 3, "/home/ann/app/.claude/worktrees/x": 1, "notes": 1})
    assert asyncio.run(places.catch_up(shelf.ask, state, READING))
    assert {name: count for name, count in shelf.counts.items() if count} == {
        **{"C:\\work\\till": 5, "/home/ann/app": 4, "notes": 1}
    }
    assert {asked["host"] for asked in shelf.asked} == {"here"}
    asked = len(shelf.asked)
    assert asyncio.run(places.catch_up(shelf.ask, state, READING))
    assert len(shelf.asked) == asked
    state.folder_projects.put("/elsewhere", "/home/ann/app")
    assert state.meta(MOVED) == ""


def test_what_is_hindered_is_tried_again(state: Checkpoints) -> None:
    """A store that is away, and an import that goes on, leave the rest for the next call."""
    shelf = Shelf(**{"c:\\a": 5})
    shelf.away = True
    assert not asyncio.run(places.catch_up(shelf.ask, state, READING))
    shelf.away = False
    assert not asyncio.run(places.catch_up(shelf.ask, state, READING, stop=lambda: True))
    assert shelf.counts == {"c:\\a": 3, "C:\\a": 2}
    assert asyncio.run(places.catch_up(shelf.ask, state, READING))
    assert shelf.counts == {"c:\\a": 0, "C:\\a": 5}


def test_a_name_is_looked_up_beside_its_files(state: Checkpoints) -> None:
    """A project that was a mere name is found by the files that say it, and moves for their source alone."""
    shelf = Shelf(**{"shop-1": 3, "other": 1})
    named = {("shop-1", b"/g/tmp/shop-1/chats/a.jsonl"): "/home/ann/shop"}
    reading = Reading(Cutting(), "here", project_of=lambda folder, path: named.get((folder, path), folder))
    assert asyncio.run(places.catch_up(shelf.ask, state, reading))
    assert shelf.counts == {"shop-1": 0, "/home/ann/shop": 3, "other": 1}
    assert {asked["source"] for asked in shelf.asked} == {"gemini"}


def test_an_empty_state_asks_nothing(tmp_path: pathlib.Path) -> None:
    """Before anything is imported no worker is started for this."""
    shelf = Shelf()
    shelf.away = True
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as state:
        assert asyncio.run(places.catch_up(shelf.ask, state, READING))


def said(folder: pathlib.Path, name: str, cwd: pathlib.Path) -> None:
    """Write a conversation that was held in a folder."""
    lines = [prompt(f"about {name}", cwd=str(cwd), uuid=f"{name}1", sessionId=name)]
    lines += [
        answer(text(f"yes, {name}"), cwd=str(cwd), uuid=f"{name}2", sessionId=name, timestamp="2026-02-12T08:00:00Z")
    ]
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in lines))


def projects(installed: Importer) -> dict[str, str]:
    """Return the project of each conversation in the store."""
    with oracle.opened(installed.state) as store:
        facts = [point.payload["metadata"] for point in oracle.points_of(store)]
    return {known["conversation_id"]: known["project"] for known in facts}


def test_a_repository_that_comes_later(tmp_path: pathlib.Path) -> None:
    """What was stored before moves with the next import, embedded again 0; a deleted folder takes nothing back."""
    installed, folder, shop = Importer(tmp_path), tmp_path / "said", tmp_path / "shop"
    (shop / "src").mkdir(parents=True)
    said(folder, "one", shop / "src")
    assert installed.run("backlog", str(folder)).code == 0
    assert projects(installed) == {"one": str(shop / "src")}
    (shop / ".git").mkdir()
    said(folder, "two", shop / "src")
    done = installed.run("backlog", str(folder), "--json")
    assert (done.code, done.json["embedded"]) == (0, 1), done.err
    assert projects(installed) == {"one": str(shop), "two": str(shop)}
    (shop / ".git").rmdir()
    (shop / "src").rmdir()
    assert installed.run("verify").code == 0
    assert installed.run("rebuild-state", str(folder), "--json").json["embedded"] == 0
    assert (projects(installed), installed.run("verify").code) == ({"one": str(shop), "two": str(shop)}, 0)


def test_a_repair_moves_them_too(tmp_path: pathlib.Path) -> None:
    """`verify --repair` gives points the project that their folder has now, and embeds nothing."""
    installed, folder, shop = Importer(tmp_path), tmp_path / "said", tmp_path / "shop"
    (shop / "src").mkdir(parents=True)
    said(folder, "one", shop / "src")
    assert installed.run("backlog", str(folder)).code == 0
    (shop / ".git").mkdir()
    assert installed.run("verify", "--json").json["differing"] == 1
    repaired = installed.run("verify", "--repair", "--json")
    assert (repaired.code, repaired.json["differing"], repaired.json["imported"]) == (0, 0, 0), repaired.err
    assert projects(installed) == {"one": str(shop)}


def test_a_daemon_moves_them_in_its_rests(tmp_path: pathlib.Path) -> None:
    """A running daemon moves what was stored before, once it has read of a folder that is in a repository now."""
    installed, folder, shop = Importer(tmp_path), tmp_path / "said", tmp_path / "shop"
    (shop / "src").mkdir(parents=True)
    said(folder, "one", shop / "src")
    assert installed.run("backlog", str(folder)).code == 0
    (shop / ".git").mkdir()
    said(folder, "two", shop / "src")
    with installed.daemon("--source", f"claude-code={folder}"):
        words = ("search", "about", "--project", str(shop), "--json")
        until(lambda: len(installed.run(*words).json["hits"]) == 2 if installed.run(*words).code == 0 else False)
