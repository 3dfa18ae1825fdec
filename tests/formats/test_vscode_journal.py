"""VS Code's journal of a chat is replayed: as it grows, is compacted, cut back and damaged."""

from __future__ import annotations

import json
import os
import pathlib
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from document_folder import Desk
from fold_lines import turns

from importer.formats.vscode_chat.journal import replayed
from importer.sources import scan
from importer.sources.databases import tables
from importer.sources.reconcile import behind, wanted
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints

NAME = "5b3c1a2e-0000-4000-8000-00000000000a.jsonl"
DONE = {"value": 1, "completedAt": 1767258009000}


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Iterator[Desk]:
    """Give a pipeline over a window's folder."""
    folder = tmp_path / "workspaceStorage/0a1b"
    (folder / "chatSessions").mkdir(parents=True)
    (folder / "workspace.json").write_text('{"folder":"file:///home/ann/the%20mill"}')
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        yield Desk(tmp_path / "workspaceStorage", checkpoints, late_ns=0)
    tables.KNOWN.release()


def request(number: int, text: str, *answer: str, done: bool = True) -> dict[str, Any]:
    parts = [{"value": one} for one in answer]
    found = {"requestId": f"request_{number}", "timestamp": 1767258000000 + number, "message": {"text": text}}
    return found | {"response": parts, "modelId": "m1"} | ({"modelState": DONE} if done else {})


def whole(*requests: dict[str, Any]) -> dict[str, Any]:
    """Return the line that holds the whole document."""
    head = {"version": 3, "sessionId": NAME[:-6], "requests": list(requests), "inputState": {"inputText": "half typed"}}
    return {"kind": 0, "v": head}


def put(desk: Desk, *entries: Any, half: bytes = b"") -> None:
    """Write a journal that was left alone for a while."""
    path = desk.folder / "0a1b/chatSessions" / NAME
    path.write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in entries) + half)
    desk.written += 1
    os.utime(path, (time.time() - 3600, time.time() - 3600 + desk.written))


def look(desk: Desk) -> list[str]:
    """Read what is behind, and return all texts that are stored."""
    place = Root(bytes(desk.folder))
    for folder in list(scan.scan(place, wanted(place))):
        known = desk.checkpoints.folder(folder.path)
        for stat in folder.files:
            if behind(stat, known.get(stat.path.rpartition(b"/")[2])):
                desk.take(pathlib.Path(stat.path.decode()))
    return sorted(point["document"] for point in desk.store.points.values())


STREAM = [
    whole(),
    {"kind": 2, "k": ["requests"], "v": [request(1, "why is it slow?", done=False)]},
    {"kind": 2, "k": ["requests", 0, "response"], "v": [{"kind": "thinking", "value": "…"}, {"value": "The loop"}]},
    {"kind": 2, "k": ["requests", 0, "response"], "v": [{"value": "The loop is quadratic, use a set."}], "i": 1},
    {"kind": 1, "k": ["requests", 0, "modelState"], "v": DONE},
    {"kind": 1, "k": ["customTitle"], "v": "Slow loop"},
    {"kind": 3, "k": ["requests", 0, "followups"]},
]


def test_an_answer_is_told_as_it_ended(desk: Desk) -> None:
    """Not as it was written bit by bit; with the window's folder, the title, and no text that was not sent."""
    put(desk, *STREAM)
    assert look(desk) == ["why is it slow?\n\nThe loop is quadratic, use a set."]
    (point,) = desk.store.points.values()
    facts = point["metadata"]
    assert (facts["project"], facts["title"], facts["model"]) == ("/home/ann/the mill", "Slow loop", "m1")
    assert facts["conversation_id"] == NAME[:-6]


def test_growing_and_compaction_embed_nothing_twice(desk: Desk) -> None:
    """After each line; then the file shrinks to one line and grows on."""
    for length in range(1, len(STREAM) + 1):
        put(desk, *STREAM[:length])
        look(desk)
    texts = look(desk)
    embedded = len(desk.store.embedded)
    put(desk, whole(request(1, "why is it slow?", "The loop is quadratic, use a set.")))
    assert look(desk) == texts
    assert len(desk.store.embedded) == embedded
    put(desk, whole(request(1, "why is it slow?", "The loop is quadratic, use a set."), request(2, "thanks", "Fine.")))
    assert look(desk) == sorted([*texts, "thanks\n\nFine."])


def test_an_answer_under_way_is_waited_for(desk: Desk) -> None:
    """As long as the file is being written; what was left alone is told as it is."""
    put(desk, *STREAM[:3])
    path = desk.folder / "0a1b/chatSessions" / NAME
    os.utime(path)
    assert look(desk) == []
    os.utime(path, (1, time.time() - 3600))
    assert look(desk) == ["why is it slow?\n\nThe loop"]


def test_what_is_taken_back_stays_said(desk: Desk) -> None:
    """An undo cuts the list of requests; a hidden request was never there."""
    hidden = request(3, "hidden", "x") | {"shouldBeRemovedOnSend": True}
    put(desk, whole(request(1, "one", "first"), request(2, "two", "second"), hidden))
    before = look(desk)
    assert before == ["one\n\nfirst", "two\n\nsecond"]
    put(desk, whole(request(1, "one", "first"), request(2, "two", "second")), {"kind": 2, "k": ["requests"], "i": 1})
    assert look(desk) == before


def test_a_damaged_line_costs_only_itself(desk: Desk) -> None:
    """Half a line at the end, one that is no JSON, and one that leads nowhere."""
    odd = [{"kind": 1, "k": ["requests", 7, "response"], "v": []}, {"kind": 2, "k": [], "v": [1]}, [], {"kind": 9}]
    put(desk, *STREAM, *odd, half=b'{"kind":1,"k":["custom')
    assert look(desk) == ["why is it slow?\n\nThe loop is quadratic, use a set."]


def test_a_document_beside_its_journal_is_stored_once(desk: Desk) -> None:
    """The older form of the same chat, which the editor leaves there."""
    put(desk, whole(request(1, "one", "first")))
    document = json.dumps(whole(request(1, "one", "first"))["v"] | {"requesterUsername": "ann"}, indent=1)
    path = desk.folder / "0a1b/chatSessions" / NAME.replace(".jsonl", ".json")
    path.write_text(document)
    os.utime(path, (1, time.time() - 3600))
    assert look(desk) == ["one\n\nfirst"]
    assert len(desk.store.embedded) == 1


def test_no_journal_raises() -> None:
    """Lines mutated at random, 3,000 times."""
    chance = random.Random(7)
    raw = [json.dumps(one).encode() for one in STREAM]
    for _ in range(3000):
        lines = []
        for one in chance.sample(raw, chance.randrange(1, len(raw) + 1)):
            at = chance.randrange(len(one))
            lines.append(chance.choice((one, one[:at], one[:at] + bytes([chance.randrange(256)]) + one[at + 1 :])))
        units = list(replayed(lines, chance.choice((b"", b"{", b'{"folder":7}'))))
        turns("vscode-chat", *(json.dumps(unit, default=str) for unit in units))


def test_many_lines_take_linear_time() -> None:
    """Ten times the entries take no more than some thirty times as long."""
    took = []
    for count in (1000, 10_000):
        entries = [whole(request(1, "x", "a", done=False))]
        entries += [{"kind": 2, "k": ["requests", 0, "response"], "v": [{"value": "more"}], "i": 1}] * count
        lines = [json.dumps(one).encode() for one in entries]
        began = time.process_time()
        list(replayed(lines))
        took.append(time.process_time() - began)
    assert took[1] < 30 * took[0] + 0.05
