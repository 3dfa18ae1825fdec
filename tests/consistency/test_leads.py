"""Pieces that an earlier version stored are moved to the line of their prompt that says what it is about."""

from __future__ import annotations

import asyncio
import itertools
import json
import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from document_folder import Desk

from importer.chunking.fold import FIRST_LINE, SAYING_LINE
from importer.consistency import leads
from importer.consistency.hands import Hands, at_once
from importer.consistency.refold import fold_state
from importer.errors import StoreUnreachable
from importer.protocol.foreign.arguments import converted
from importer.protocol.records import Chunk, Release
from importer.state.checkpoints import Checkpoints
from importer.state.schema import FIRST_LINES
from importer.worker.voices import conversations

PLAN = "Implement the following plan:\n\n# Move the tides to SQLite\n\nOne row a tide."
ANSWER = " ".join(f"Step {n} of the tides writes harbour {n * 7} behind the lock." for n in range(60))


@dataclass
class Worker:
    """What a worker answers over the store of a desk; `refuses` at the n-th question, as if the store were away."""

    desk: Desk
    refuses: int = 0
    before: Callable[[str], None] = lambda _op: None
    asked: list[str] = field(default_factory=list)

    async def ask(self, op: str, **args: Any) -> Any:
        self.asked.append(op)
        if len(self.asked) == self.refuses:
            raise StoreUnreachable("it is away")
        self.before(op)
        points = self.desk.store.points
        if op == "named_by":
            return {one: list(conversations(points[one]["metadata"])) for one in args["ids"] if one in points}
        if op == "mend":
            releases = [Release(*one) for one in args.get("releases", ())]
            self.desk.store.apply([converted(chunk, Chunk) for chunk in args["chunks"]], releases)
            return {}
        assert op == "erase_ids"
        return sum(points.pop(one, None) is not None for one in args["ids"])

    def catch_up(self, stop: Callable[[], bool] = lambda: False) -> bool:
        hands = Hands(self.desk.checkpoints, self.desk.reading, self.ask, at_once)
        return asyncio.run(leads.catch_up(hands, stop))


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Iterator[Desk]:
    """A desk whose state was made by a version that knew the first line alone."""
    (tmp_path / "said").mkdir()
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        checkpoints.remember(**{FIRST_LINES: "yes"})
        yield Desk(tmp_path / "said", checkpoints)


def line(role: str, text: str, conversation: str = "c") -> bytes:
    return json.dumps({"role": role, "content": text, "conversation_id": conversation}).encode() + b"\n"


def put(desk: Desk, name: str = "c.jsonl", prompt: str = PLAN, conversation: str = "c") -> pathlib.Path:
    """Write and import a conversation with a long answer, one that stands open at its end."""
    lines = line("user", "Good morning.", conversation) + line("assistant", "Hello.", conversation)
    path = desk.put(name, lines + line("user", prompt, conversation) + line("assistant", ANSWER, conversation))
    desk.take(path)
    return path


def say(desk: Desk, path: pathlib.Path, lines: bytes) -> None:
    """Append to a conversation, and import that."""
    with path.open("ab") as file:
        file.write(lines)
    desk.take(path)


def rule(desk: Desk, path: pathlib.Path) -> int:
    return fold_state(desk.checkpoint(path)).leads


def test_what_is_stored_is_moved(desk: Desk) -> None:
    """Only pieces with another text are embedded, the former ones go, and the file is not read again."""
    path, worker = put(desk), Worker(desk)
    before, checkpoint = set(desk.store.points), desk.checkpoint(path)
    assert rule(desk, path) == FIRST_LINE
    desk.store.embedded.clear()
    assert worker.catch_up()
    desk.check(path)
    assert set(desk.store.embedded) == set(desk.store.points) - before
    assert len(desk.store.embedded) == len(set(desk.store.embedded)) > 2
    texts = [point["document"] for point in desk.store.points.values()]
    assert sum(text.startswith("Move the tides to SQLite\n") for text in texts) == len(desk.store.embedded)
    now = desk.checkpoint(path)
    assert (now.offset, now.generation, now.tail_digest) == (checkpoint.offset, 0, checkpoint.tail_digest)
    assert (rule(desk, path), desk.checkpoints.meta(FIRST_LINES)) == (SAYING_LINE, "")


def test_a_prompt_that_says_something_costs_nothing(desk: Desk) -> None:
    """Its pieces stay as they are; the worker is not asked for anything."""
    path, worker = put(desk, prompt="Move the tides to SQLite."), Worker(desk)
    assert worker.catch_up()
    desk.check(path)
    assert (worker.asked, rule(desk, path)) == ([], SAYING_LINE)


def test_a_moved_file_goes_on(desk: Desk) -> None:
    """The open end grows, closes and is continued as if it had been read by today's rule alone."""
    path = put(desk)
    assert Worker(desk).catch_up()
    say(desk, path, line("assistant", ANSWER[::-1]))
    desk.check(path)
    say(desk, path, line("user", "Thanks.") + line("assistant", "Welcome."))
    desk.check(path)


def test_a_file_that_is_not_moved_yet_goes_on_too(desk: Desk) -> None:
    """By its own rule, so that what is stored, the state and the file agree; also when it is read anew."""
    path = put(desk)
    say(desk, path, line("assistant", ANSWER[::-1]))
    desk.checkpoints.reread([bytes(path)])
    assert desk.take(path) == 0
    assert rule(desk, path) == FIRST_LINE
    assert Worker(desk).catch_up()
    desk.check(path)


@pytest.mark.parametrize("grows", [False, True])
def test_it_is_done_again_after_a_refusal_at_any_question(desk: Desk, grows: bool) -> None:
    """However far it came, the next call ends it; nothing is embedded twice, nothing is left of the former pieces."""
    path = put(desk)
    put(desk, "d.jsonl", PLAN.replace("tides", "kites"), "d")
    for refused in itertools.count(1):
        if Worker(desk, refused).catch_up():
            break
        if grows:
            say(desk, path, line("assistant", f"And {refused}: {ANSWER[:300]}"))
    assert refused > 4
    desk.check(path, desk.folder / "d.jsonl")
    if not grows:
        assert len(desk.store.embedded) == len(set(desk.store.embedded))


def test_a_file_that_is_read_on_meanwhile_is_moved_later(desk: Desk) -> None:
    """What it says since is cut by the former rule, and moved with the rest by the next call."""
    path = put(desk)

    def grow(op: str) -> None:
        if op == "erase_ids":
            say(desk, path, line("assistant", ANSWER[::-1]))

    assert not Worker(desk, before=grow).catch_up()
    assert rule(desk, path) == FIRST_LINE
    assert Worker(desk).catch_up()
    desk.check(path)


def test_copies_and_what_is_gone_keep_their_names(desk: Desk) -> None:
    """A point that names a conversation whose file is gone names it still; so do both files of a copy."""
    path = put(desk)
    for point in desk.store.points.values():
        if not point.get("open_by"):
            point["metadata"]["conversations"] = ["c", "gone"]
    assert Worker(desk).catch_up()
    desk.check(path)
    closed = [point for point in desk.store.points.values() if not point.get("open_by")]
    assert {conversations(point["metadata"]) for point in closed} == {("c", "gone")}


def test_it_gives_way_at_any_question(desk: Desk) -> None:
    """What else is to be done comes first; what was done by then is not done again."""
    path = put(desk)
    for most in range(20):
        worker = Worker(desk)
        if worker.catch_up(lambda worker=worker, most=most: len(worker.asked) >= most):
            break
        assert len(worker.asked) <= most
    assert most > 2
    desk.check(path)
    assert len(desk.store.embedded) == len(set(desk.store.embedded))


def test_copies_are_moved_together(desk: Desk) -> None:
    """Their points are the same before and after, whichever of them is moved first."""
    path, copy = put(desk), put(desk, "copy.jsonl")
    desk.store.embedded.clear()
    assert Worker(desk).catch_up()
    desk.check(path, copy)
    assert len(desk.store.embedded) == len(set(desk.store.embedded))
    held = [point["open_by"] for point in desk.store.points.values() if point.get("open_by")]
    assert [len(holders) for holders in held] == [2]


def test_what_is_not_stored_is_not_imported_by_it(desk: Desk) -> None:
    """An exchange of which nothing is stored, as its project is left out, stays away."""
    path = put(desk)
    desk.store.points.clear()
    assert Worker(desk).catch_up()
    assert (desk.store.points, rule(desk, path)) == ({}, SAYING_LINE)


def test_a_file_that_cannot_be_folded_stays_as_it_is(desk: Desk) -> None:
    """One that is gone, and one that was written anew: this one is moved once it has been read."""
    gone, path = put(desk), put(desk, "d.jsonl", PLAN.replace("tides", "kites"), "d")
    gone.unlink()
    before = dict(desk.store.points)
    path.write_bytes(b"\n" + path.read_bytes())
    assert Worker(desk).catch_up()
    assert desk.store.points == before
    desk.take(path)
    assert (rule(desk, path), desk.checkpoints.meta(FIRST_LINES)) == (FIRST_LINE, "yes")
    assert Worker(desk).catch_up()
    assert (rule(desk, path), rule(desk, gone)) == (SAYING_LINE, FIRST_LINE)


def test_a_new_state_begins_with_todays_rule(tmp_path: pathlib.Path) -> None:
    """Nothing is to be moved there."""
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        desk = Desk(tmp_path, checkpoints)
        path, worker = put(desk), Worker(desk)
        assert worker.catch_up()
        desk.check(path)
        assert (worker.asked, rule(desk, path)) == ([], SAYING_LINE)
