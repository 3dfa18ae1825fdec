"""Small files beside transcripts: titles, folders and branches, each told of the conversation that they belong to."""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import Any

import pytest
from fold_lines import feed
from foreign_database import told
from read_units import in_memory, units

from importer import formats
from importer.reading import recognition

MILL = "/home/ann/mill"
VIBE = {"session_id": "ab12", "environment": {"working_directory": MILL}, "git_branch": "wheel", "title": "Cogs"}
KIMI = {"createdAt": "2026-01-01T09:00:00Z", "title": "Cogs", "isCustomTitle": True, "workDir": MILL, "agents": {}}
OLD_KIMI = {"version": 1, "approval": {"yolo": False}, "custom_title": "Cogs", "worktree_path": None}
INDEXED = {"sessionId": "k1", "sessionDir": "/home/ann/.kimi-code/sessions/wd_mill/session_k1", "workDir": MILL}
JAN = {"id": "t1", "object": "thread", "title": "Cogs", "assistants": [{"assistant_id": "jan"}]}
ROO = {"id": "17", "ts": 17, "task": "Add a test.", "tokensIn": 1, "workspace": MILL}
CLINE = {"version": 1, "session_id": "s_1", "cwd": MILL, "metadata": {"title": "Cogs"}, "messages_path": "/x.json"}
COWORK = {"sessionId": "local_1", "cliSessionId": "0190", "title": "Cogs", "cwd": MILL, "isArchived": False}

TOLD: dict[str, tuple[str, str, dict[str, Any], tuple[str, str, str, str]]] = {
    "Vibe": ("vibe", "session_1_ab/meta.json", VIBE, ("session_1_ab", "Cogs", MILL, "wheel")),
    "a Vibe that has no title yet": (
        "vibe",
        "session_1_ab/meta.json",
        {**VIBE, "title": None, "git_branch": None},
        ("session_1_ab", "", MILL, ""),
    ),
    "Kimi Code": ("kimi", "wd_mill/session_k1/state.json", KIMI, ("session_k1", "Cogs", MILL, "")),
    "kimi-cli": ("kimi", "0a1b/7d0c/state.json", OLD_KIMI, ("7d0c", "Cogs", "", "")),
    "kimi-cli in a worktree": (
        "kimi",
        "0a1b/7d0c/state.json",
        {**OLD_KIMI, "custom_title": None, "worktree_path": "/w/t", "parent_repo_path": MILL},
        ("7d0c", "", MILL, ""),
    ),
    "an early kimi-cli": (
        "kimi",
        "0a1b/7d0c/metadata.json",
        {"session_id": "7d0c", "title": "Cogs", "title_generated": True},
        ("7d0c", "Cogs", "", ""),
    ),
    "Jan": ("jan", "t1/thread.json", JAN, ("t1", "Cogs", "", "")),
    "Roo Code": ("cline", "17/history_item.json", ROO, ("17", "", MILL, "")),
    "Cline": ("cline", "s_1/s_1.json", CLINE, ("s_1", "Cogs", MILL, "")),
    "Claude Desktop": ("claude-code", "x/local_1.json", COWORK, ("0190", "Cogs", MILL, "")),
}


@pytest.mark.parametrize("laid_out", [False, True], ids=["on one line", "over several lines"])
@pytest.mark.parametrize("case", TOLD)
def test_a_sheet_is_wanted_recognised_and_told(case: str, laid_out: bool) -> None:
    """However it is laid out; it holds no words of either side, and nothing of it counts as unknown."""
    name, place, sheet, expected = TOLD[case]
    raw = json.dumps(sheet, indent=2 if laid_out else None).encode()
    assert formats.load(name).wanted(place.encode())
    with in_memory(raw) as fd:
        assert recognition.recognise(fd, 1 << 20) == name
    fed = feed(name, *[unit.raw for unit in units(name, raw)], path=f"/home/ann/{place}".encode())
    assert not any(one.turns or one.unknown or one.problems for one in fed)
    facts = [fact for one in fed for fact in one.facts]
    assert [(one.conversation_id, one.title, one.cwd, one.git_branch) for one in facts] == [expected]
    assert {one.project for one in facts} == {expected[2]}


@pytest.mark.parametrize(
    "place", ["app/meta.json", "build/state.json", "src/metadata.json", "src/src.json", "my_app/my_app.json", "x.json"]
)
def test_files_that_are_only_called_alike_are_not_looked_into(place: str) -> None:
    """Such names are common in other folders, where each file would be named as one that no format knows."""
    assert not any(formats.load(name).wanted(place.encode()) for name in ("vibe", "kimi", "jan", "cline"))


def test_a_sheet_without_news_is_no_stranger() -> None:
    """A session that has no title yet is recognised, and tells nothing."""
    for place, sheet in {
        "state.json": {**OLD_KIMI, "custom_title": None},
        "s/state.json": {**KIMI, "title": ""},
    }.items():
        raw = json.dumps({key: value for key, value in sheet.items() if key != "workDir"}, indent=2).encode()
        assert formats.detect(raw) == "kimi"
        fed = feed("kimi", raw, path=f"/k/0a/7d/{place}".encode())
        assert not any(one.facts or one.unknown or one.problems for one in fed)


@pytest.mark.parametrize("case", TOLD)
def test_a_sheet_that_is_large_or_damaged(case: str) -> None:
    """A long member (what a prompt of the system says) hides nothing; half a sheet raises nothing and tells nothing."""
    name, place, sheet, expected = TOLD[case]
    raw = json.dumps({**sheet, "system_prompt": {"content": "x" * 200_000}}, indent=2).encode()
    with in_memory(raw) as fd:
        assert recognition.recognise(fd, 1 << 20) == name
    told = feed(name, raw, path=f"/home/ann/{place}".encode())
    assert [one.conversation_id for fed in told for one in fed.facts] == [expected[0]]
    for half in (raw[:40], b"{}", b"[]", b"null", b"", *(json.dumps({**sheet, key: 7}).encode() for key in sheet)):
        feed(name, half, path=f"/home/ann/{place}".encode())


def test_an_index_of_sessions_tells_each_its_own_folder() -> None:
    """Of Kimi Code a line for each, of Cline an element; what one does not say is not that of the one before."""
    other = {**INDEXED, "sessionId": "k2", "sessionDir": "C:\\kimi\\session_k2", "workDir": ""}
    third = {**INDEXED, "sessionDir": "", "sessionId": "k3", "workDir": "/home/ann/weir"}
    fed = feed("kimi", INDEXED, other, third, path=b"/home/ann/.kimi-code/session_index.jsonl")
    facts = [(one.conversation_id, one.cwd) for each in fed for one in each.facts]
    assert facts == [("session_k1", MILL), ("k3", "/home/ann/weir")]
    assert formats.detect(json.dumps(INDEXED).encode() + b"\n") == "kimi"
    rows = [{**ROO, "workspace": None, "cwdOnTaskInitialization": MILL}, {**ROO, "id": "18", "workspace": None}]
    raw = json.dumps(rows).encode()
    assert formats.detect(raw) == "cline"
    fed = feed("cline", *[unit.raw for unit in units("cline", raw)], path=b"/x/state/taskHistory.json")
    assert [(one.conversation_id, one.cwd) for each in fed for one in each.facts] == [("17", MILL)]


def test_folders_of_kimi_cli_are_hashes_of_paths(tmp_path: pathlib.Path) -> None:
    """Its `kimi.json` has the paths; on another machine their hashes follow that one's name."""
    other = "/home/ann/weir"
    known = {"work_dirs": [{"path": MILL, "last_session_id": "s1"}, {"path": other, "kaos": "ssh"}, {"path": "/gone"}]}
    (tmp_path / "kimi.json").write_text(json.dumps(known, indent=2))
    for folder, session in ((MILL, "s1"), (MILL, "s2"), (other, "s3")):
        hashed = hashlib.md5(folder.encode(), usedforsecurity=False).hexdigest()
        (tmp_path / "sessions" / f"{'ssh_' * (folder == other)}{hashed}" / session).mkdir(parents=True)
    fed = feed("kimi", *told(tmp_path / "kimi.json").splitlines(), path=bytes(tmp_path / "kimi.json" / "chat"))
    assert not any(one.turns or one.unknown or one.problems for one in fed)
    facts = {(one.conversation_id, one.cwd) for each in fed for one in each.facts}
    assert facts == {("s1", MILL), ("s2", MILL), ("s3", other)}


def test_the_folder_that_kimi_code_binds_within_a_session() -> None:
    """It stands in the wire as well, in two forms."""
    said = {"type": "context.append_message", "message": {"role": "user", "content": "Why?"}, "time": 1767258000000}
    bound = {"type": "environment.set_binding", "environmentId": "local", "cwd": MILL, "time": 1}
    shown = {"type": "config.update", "environmentDisclosure": {"cwd": MILL}, "time": 1}
    for first in (bound, shown):
        (turn,) = [turn for one in feed("kimi", first, said) for turn in one.turns]
        assert (turn.facts.cwd, turn.facts.project) == (MILL, MILL)


def test_what_one_agent_of_vibe_asks_of_another_is_no_prompt_of_a_person() -> None:
    """Such sessions lie in the folder of the one that asked."""
    asked = {"role": "user", "content": "Find the wheel.", "message_id": "m1"}
    path = b"/v/session_1_ab/agents/explore_20260101_090000_cd34/messages.jsonl"
    assert [turn for one in feed("vibe", asked, path=path) for turn in one.turns] == []
    everything = formats.Options(subagents=True)
    (turn,) = [turn for one in feed("vibe", asked, path=path, options=everything) for turn in one.turns]
    assert (turn.facts.kind, turn.facts.agent) == ("subagent", "explore")


def test_lines_beside_a_sheet_stay_lines() -> None:
    """A first line that stands alone is no sheet."""
    line = json.dumps({"role": "user", "content": "Why?", "message_id": "m1", "title": "x", "agents": {}}).encode()
    assert formats.document(formats.load("vibe"), line) is None
    assert formats.document(formats.load("kimi"), b'{"type":"metadata","protocol_version":"1.5"}\n') is None
    assert formats.document(formats.load("kimi"), json.dumps(KIMI).encode() + b"\n{}\n") is None
