"""DO NOT INDEX THIS CHAT: the conversation is not stored, what was stored goes, and nothing brings it back."""

from __future__ import annotations

import os
import pathlib
import signal
import time
from contextlib import suppress
from typing import Any

import pytest
from codex_lines import THREAD, answered, asked, head
from portions import portion
from processes import Importer
from transcripts import SESSION, answer, prompt, raw, text

WISH = "DO NOT INDEX THIS CHAT"
WORD = b"quokkas"


def write(path: pathlib.Path, *lines: Any, more: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab" if more else "wb") as file:
        file.write(b"".join(raw(line) + b"\n" for line in lines))


def everywhere(state: str, word: bytes) -> list[str]:
    """Return the files of a state that hold a word in their bytes; files may come and go meanwhile."""
    found = []
    for folder, _, names in os.walk(state):
        for name in names:
            with suppress(OSError):
                if word in pathlib.Path(folder, name).read_bytes():
                    found.append(f"{folder}/{name}")
    return found


def claude(importer: Importer) -> pathlib.Path:
    return importer.base / ".claude/projects/-p" / f"{SESSION}.jsonl"


def test_said_at_once(tmp_path: pathlib.Path) -> None:
    """In two formats: nothing of it is stored, and other conversations are."""
    importer = Importer(tmp_path, embedded=True)
    write(claude(importer), prompt("tell me of quokkas", 1), answer(text("they smile"), n=2), prompt(WISH, 3))
    write(
        tmp_path / ".codex/sessions/2026/06/26/rollout-2026-06-26T12-24-00-x.jsonl",
        head(),
        asked(f"quokkas\n{WISH}"),
        answered("yes"),
    )
    write(tmp_path / ".claude/projects/-p/other.jsonl", prompt("what of wombats", 1, sessionId="other"))
    done = importer.run("backlog", "--json")
    assert done.code == 0, done.err
    told = done.json
    assert (told["conversations_left_out"], told["messages"], told["stored"]) == (2, 1, 1)
    assert importer.run("status", "--json").json["conversations_left_out"] == 2
    found = [one["id"] for one in importer.run("list", "--json").json["conversations"]]
    assert found == ["other"]
    assert importer.run("search", "--mode", "keyword", "quokkas", "--json").json["hits"] == []
    assert not everywhere(importer.state, WORD)
    rules = importer.run("forget", "--list").out
    assert SESSION in rules and THREAD in rules
    assert importer.run("verify").code == 0


def test_said_later(tmp_path: pathlib.Path) -> None:
    """What was stored before goes with all its bytes; what is said afterwards stays out, also after a rebuild."""
    importer = Importer(tmp_path, embedded=True)
    write(claude(importer), prompt("tell me of quokkas", 1), answer(text("they smile"), n=2))
    assert importer.run("backlog").code == 0
    assert len(importer.run("search", "--mode", "keyword", "quokkas", "--json").json["hits"]) == 1
    write(claude(importer), prompt(WISH, 3), answer(text("as you wish"), n=4), more=True)
    assert importer.run("backlog").code == 0
    assert not everywhere(importer.state, WORD)
    write(claude(importer), prompt("and their quokkas cubs", 5), answer(text("small"), n=6), more=True)
    assert importer.run("backlog").code == 0
    assert importer.run("rebuild-state", "--yes").code in (0, 2)
    assert importer.run("backlog").code == 0
    assert importer.run("list", "--json").json["conversations"] == []
    assert not everywhere(importer.state, WORD)


def test_taken_back(tmp_path: pathlib.Path) -> None:
    """Who undoes it wants the conversation in spite of its words; it stays in, also when they are read again."""
    importer = Importer(tmp_path, embedded=True)
    write(claude(importer), prompt("tell me of quokkas", 1), answer(text("they smile"), n=2), prompt(WISH, 3))
    assert importer.run("backlog").code == 0
    assert importer.run("forget", "--conversation", SESSION, "--undo").code == 0
    for command in (("backlog",), ("rebuild-state", "--yes"), ("backlog",)):
        assert importer.run(*command).code in (0, 2)
        assert [one["id"] for one in importer.run("list", "--json").json["conversations"]] == [SESSION]
    assert importer.run("forget", "--list", "--json").json["forgotten"] == []
    assert importer.run("status", "--json").json["conversations_left_out"] == 0
    assert importer.run("forget", "--conversation", SESSION, "--yes").code == 0
    assert importer.run("backlog").code == 0
    assert importer.run("list", "--json").json["conversations"] == []


def test_another_tool_has_a_conversation_of_the_same_id(tmp_path: pathlib.Path) -> None:
    """It did not ask for anything, and stays: its points, its title, its place in the list."""
    importer = Importer(tmp_path, embedded=True)
    other = tmp_path / "chats/other.jsonl"
    write(other, {"conversation_id": SESSION, "role": "user", "content": "tell me of wombats"})
    write(claude(importer), prompt("tell me of quokkas", 1), answer(text("they smile"), n=2))
    assert importer.run("backlog", str(other.parent), str(claude(importer))).code == 0
    write(claude(importer), prompt(WISH, 3), more=True)
    assert importer.run("backlog", str(claude(importer))).code == 0
    (found,) = importer.run("list", "--json").json["conversations"]
    assert (found["id"], found["source"], found["title"]) == (SESSION, "jsonl-chat", "tell me of wombats")
    assert importer.run("search", "--mode", "keyword", "wombats", "--json").json["hits"]
    assert not everywhere(importer.state, WORD)
    assert importer.run("verify").code == 0


@pytest.mark.parametrize("seam", portion(["erase.silenced", "erase.deleted", "erase.scrubbed"], 3, 1))
def test_killed_in_between(tmp_path: pathlib.Path, seam: str) -> None:
    """A kill while it is erased: the next import goes on with it."""
    importer = Importer(tmp_path, embedded=True)
    write(claude(importer), prompt("tell me of quokkas", 1), answer(text("they smile"), n=2))
    assert importer.run("backlog").code == 0
    write(claude(importer), prompt(WISH, 3), more=True)
    assert importer.run("backlog", IMPORTER_FAILPOINTS=f"{seam}=kill").code != 0
    assert importer.run("backlog").code == 0
    assert not everywhere(importer.state, WORD)


def test_a_daemon_does_it_too(tmp_path: pathlib.Path) -> None:
    """Said while a daemon follows the conversation: its points go without a command."""
    importer = Importer(tmp_path, embedded=True)
    write(claude(importer), prompt("tell me of quokkas", 1), answer(text("they smile"), n=2))
    with importer.daemon():
        end_s = time.monotonic() + 60
        while (
            not importer.run("search", "--mode", "keyword", "quokkas", "--json").json["hits"]
            and time.monotonic() < end_s
        ):
            time.sleep(0.2)
        write(claude(importer), prompt(WISH, 3), answer(text("as you wish"), n=4), more=True)
        while everywhere(importer.state, WORD) and time.monotonic() < end_s:
            time.sleep(0.3)
        assert not everywhere(importer.state, WORD)
    for pid in importer.worker_pids():
        os.kill(pid, signal.SIGKILL)
