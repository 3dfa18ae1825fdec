"""Files that are written whole, through the pipeline: nothing lost, nothing embedded twice, half of a file waits."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator

import oracle
import pytest
import zstandard
from document_folder import CORPUS, Desk, codex_lines, session, talk

from importer.chunking.fold import Cutting
from importer.reading.gather import Reading
from importer.state.checkpoints import Checkpoints


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Iterator[Desk]:
    (tmp_path / "said").mkdir()
    with Checkpoints.open(str(tmp_path / "checkpoints.sqlite3")) as checkpoints:
        yield Desk(tmp_path / "said", checkpoints)


WHOLE = ["chatgpt", "claude-ai", "gemini", "claude-code", "vscode-chat", "continue-dev", "jsonl-chat"]


@pytest.mark.parametrize("name", WHOLE)
def test_a_rewrite_embeds_nothing(desk: Desk, name: str) -> None:
    """Another layout of the same texts gives the same points."""
    path = next(path for path in sorted((CORPUS / name).rglob("*.json")))
    first = desk.put(path.name, path.read_bytes())
    assert desk.take(first) > 0
    desk.check(first)
    for layout in ({"indent": 4}, {"separators": (",", ":")}):
        desk.put(path.name, json.dumps(json.loads(path.read_bytes()), **layout).encode())
        assert desk.is_behind(first)
        assert desk.take(first) == 0
        desk.check(first)
    assert not desk.is_behind(first)


def test_a_session_that_grows_by_rewriting(desk: Desk) -> None:
    """Fifty rewrites embed one form of the last exchange each, and leave nothing stale."""
    for turns in range(1, 51):
        path = desk.put("session-2026-01-05T09-00-7c1d.json", session(turns))
        assert desk.take(path) == 1
    desk.check(path)


def test_a_newer_export_embeds_what_is_new(desk: Desk) -> None:
    """A newer export under the same name or beside the old one adds only new texts."""
    path = desk.put("conversations.json", [talk(1), talk(2)])
    desk.take(path)
    assert desk.take(desk.put("conversations.json", [talk(1, 6), talk(2)])) == 1
    assert desk.take(desk.put("conversations-000.json", [talk(2), talk(1, 6), talk(3)])) == 2
    desk.check(path, desk.folder / "conversations-000.json")


def test_gemini_s_new_form_gives_the_same_points(desk: Desk) -> None:
    """`.json` beside `.jsonl`, and the latter goes on."""
    said = session(8)
    old = desk.put("session-1.json", said)
    desk.take(old)
    head = {name: value for name, value in said.items() if name != "messages"}
    lines = [json.dumps(one).encode() + b"\n" for one in (head, *session(10)["messages"])]
    new = desk.put("session-1.jsonl", b"".join(lines[:9]))
    assert desk.take(new) == 0
    with new.open("ab") as file:
        file.writelines(lines[9:])
    assert desk.take(new) == 1
    desk.check(old, new)


def test_codex_packs_and_unpacks_its_files(desk: Desk) -> None:
    """`.jsonl`, then `.jsonl.zst`, then `.jsonl` again with a line more."""
    (source,) = (CORPUS / "codex" / "archived_sessions").glob("*.jsonl")
    raw = source.read_bytes()
    assert desk.take(desk.put("rollout-1.jsonl", raw)) > 0
    packed = desk.put("rollout-1.jsonl.zst", zstandard.compress(raw))
    (desk.folder / "rollout-1.jsonl").unlink()
    assert desk.take(packed) == 0
    desk.check(packed)
    payload = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "One thing more."}]}
    more = {"timestamp": "2026-07-01T10:00:00.000Z", "type": "response_item", "payload": payload}
    packed.unlink()
    assert desk.take(desk.put("rollout-1.jsonl", raw + json.dumps(more).encode() + b"\n")) == 1


@pytest.mark.parametrize("laid_out", [None, 2])
def test_a_list_of_messages_says_what_its_lines_say(desk: Desk, laid_out: int | None) -> None:
    """The same keys in either form; a list that grows gives what is new."""
    said = [{"role": "assistant" if at % 2 else "user", "content": f"Message {at}."} for at in range(12)]
    lines = desk.put("chat.jsonl", b"".join(json.dumps(one).encode() + b"\n" for one in said[:10]))
    assert desk.take(lines) == 5
    listed = desk.put("chat.json", json.dumps(said[:10], indent=laid_out).encode())
    assert desk.take(listed) == 0
    desk.put("chat.json", json.dumps(said, indent=laid_out).encode())
    assert desk.take(listed) == 1
    desk.check(lines, listed)


def test_a_chat_that_is_one_object_grows(desk: Desk) -> None:
    """It is one conversation however long it gets, under the name that its head gives."""
    for turns in (2, 4, 6):
        said = [{"role": "assistant" if at % 2 else "user", "content": f"Message {at}."} for at in range(turns)]
        path = desk.put("chat.json", json.dumps({"messages": said, "id": "k7"}, indent=2).encode())
        assert desk.take(path) == 1
    desk.check(path)
    assert {one["metadata"]["conversation_id"] for one in desk.store.points.values()} == {"k7"}


def test_a_session_of_the_web_is_one_of_the_terminal(desk: Desk) -> None:
    """The same lines in a list give the same points."""
    raw = (CORPUS / "claude-code" / "web" / "session-basket.json").read_bytes()
    lines = [json.dumps(line).encode() + b"\n" for line in json.loads(raw)["loglines"]]
    desk.take(desk.put("e11a.jsonl", b"".join(lines)))
    assert desk.take(desk.put("session-basket.json", raw)) == 0


@pytest.mark.parametrize("kills", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_slices_and_kills_change_nothing(desk: Desk, kills: bool, packed: bool) -> None:
    """Each unit is counted once, bytes add up to the file's, and no slice gives more than a span may hold."""
    small = Desk(
        desk.folder, desk.checkpoints, Reading(Cutting(1000, 200), oracle.HOST, slice_bytes=4000, max_chunks=8)
    )
    if packed:
        raw = b"".join(json.dumps(one).encode() + b"\n" for one in codex_lines(300))
        path, size = small.put("rollout-1.jsonl.zst", zstandard.compress(raw)), len(raw)
    else:
        path = small.put("conversations.json", [talk(number, 6, 30) for number in range(40)])
        size = path.stat().st_size
    small.take(path, kills=kills)
    small.check(path)
    told = oracle.fold(oracle.content(str(path)), str(path))
    assert small.checkpoints.totals() == told.tally
    assert told.tally.bytes_read == size
    assert small.most_chunks < 8 + 12
    assert small.checkpoint(path).offset == path.stat().st_size
    assert len(small.store.embedded) == len(set(small.store.embedded))
