"""Agents that write JSON lines, or documents of rows: what of each sample reaches the memory, and their traps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fold_lines import EVERYTHING, PLAIN, turns
from read_units import content, raws

from importer import formats

CORPUS = Path(__file__).parents[1] / "corpus"

SAID: dict[str, list[tuple[str, str, str]]] = {
    "pi/2026-01-01T09-00-00-000Z_0190aa.jsonl": [
        ("0190aa", "user", "Split the wheel module."),
        ("0190aa", "assistant", "It is in two now."),
        ("0190aa", "user", "Or leave it whole?"),
        ("0190aa", "assistant", "Whole is fine, too."),
        ("0190aa", "assistant", "The wheel may be split."),
    ],
    "qwen/-home-ann-mill/chats/5b3c1a2e-0000-4000-8000-000000000001.jsonl": [
        ("5b3c1a2e-0000-4000-8000-000000000001", "user", "Explain sluice.py."),
        ("5b3c1a2e-0000-4000-8000-000000000001", "assistant", "It opens the gate in three stages."),
        ("5b3c1a2e-0000-4000-8000-000000000001", "user", "And the second gate?"),
        ("5b3c1a2e-0000-4000-8000-000000000001", "assistant", "It waits for the first."),
    ],
    "kimi/wd_mill_01/session_k1/agents/main/wire.jsonl": [
        ("session_k1", "user", "List the open sluices."),
        ("session_k1", "assistant", "Two are open."),
        ("session_k1", "user", "Only the northern ones."),
        ("session_k1", "assistant", "Then one is."),
    ],
    "kimi/wd_mill_01/session_k1/agents/agent-1/wire.jsonl": [],
    "kimi/0a1b2c/7d0c/wire.jsonl": [
        ("7d0c", "user", "How deep is the race?"),
        ("7d0c", "assistant", "Two metres."),
    ],
    "antigravity/9f1e/.system_generated/logs/transcript.jsonl": [
        ("9f1e", "user", "Add a dark mode to the dial."),
        ("9f1e", "assistant", "I add a toggle."),
        ("9f1e", "assistant", "The dial has a dark mode."),
    ],
    "droid/3d5e.jsonl": [
        ("3d5e", "user", "Mend the gate of the sluice."),
        ("3d5e", "assistant", "The hinge is new."),
    ],
    "droid/headless.jsonl": [("sid1", "user", "Count the gates."), ("sid1", "assistant", "Three gates.")],
    "vibe/session_20260101_090000_ab12cd34/messages.jsonl": [
        ("session_20260101_090000_ab12cd34", "user", "Write a haiku about mills."),
        ("session_20260101_090000_ab12cd34", "assistant", "Slow wheels, quick water."),
    ],
    "cursor/home-ann-mill/agent-transcripts/7c11/7c11.jsonl": [
        ("7c11", "user", "Why does the wheel stop? It says <b>jam</b>."),
        ("7c11", "assistant", "A stick is in the race."),
    ],
    "cursor/home-ann-mill/agent-transcripts/7c11/subagents/9d22.jsonl": [],
    "cline/1767258000000/ui_messages.json": [
        ("1767258000000", "user", "Add a login test to the mill's site."),
        ("1767258000000", "assistant", "I look at the router first."),
        ("1767258000000", "assistant", "Which framework?\n- vitest"),
        ("1767258000000", "assistant", "vitest"),
        ("1767258000000", "assistant", "Done: three tests."),
    ],
    "jan/t1/messages.jsonl": [("t1", "user", "Why do cats purr?"), ("t1", "assistant", "For several reasons.")],
    "lm-studio/1767258300000.conversation.json": [
        ("1767258300000", "user", "Why do cats purr?"),
        ("1767258300000", "assistant", "For several reasons."),
        ("1767258300000", "user", "Yes."),
    ],
    "cline/s_01/s_01.messages.json": [("s_01", "user", "Add a test."), ("s_01", "assistant", "Added.")],
}
FACTS = {
    "pi/2026-01-01T09-00-00-000Z_0190aa.jsonl": ("/home/ann/mill", "edit", "/home/ann/mill/wheel.py"),
    "qwen/-home-ann-mill/chats/5b3c1a2e-0000-4000-8000-000000000001.jsonl": ("/home/ann/mill", "read_file", ""),
    "kimi/0a1b2c/7d0c/wire.jsonl": ("", "WriteFile", "/home/ann/mill/race.md"),
    "antigravity/9f1e/.system_generated/logs/transcript.jsonl": ("", "write_to_file", "/home/ann/mill/dial.css"),
    "droid/3d5e.jsonl": ("/home/ann/mill", "Edit", "/home/ann/mill/gate.py"),
    "vibe/session_20260101_090000_ab12cd34/messages.jsonl": ("", "write_file", "/home/ann/haiku.md"),
    "cursor/home-ann-mill/agent-transcripts/7c11/7c11.jsonl": ("", "StrReplace", "/home/ann/mill/wheel.py"),
    "cline/1767258000000/ui_messages.json": ("", "editedExistingFile", "/home/ann/mill/login.test.ts"),
}


def of_sample(name: str, options: formats.Options = PLAIN) -> list[Any]:
    """Return the turns of a sample, read under its own path."""
    raw = content(str(CORPUS / name))
    path = b"/home/ann/.tool/" + name.partition("/")[2].encode()
    lines = raws(name.partition("/")[0], raw) if name.endswith(".json") else raw.split(b"\n")
    return turns(name.partition("/")[0], *lines, options=options, path=path)


@pytest.mark.parametrize("name", SAID)
def test_what_each_side_said_and_nothing_else(name: str) -> None:
    """No injected text, no thought, no tool's answer, no subagent, nothing twice; each conversation by its name."""
    assert [(one.conversation_id, one.role, one.text) for one in of_sample(name) if one.text] == SAID[name]


@pytest.mark.parametrize("name", FACTS)
def test_tools_and_edited_files_are_known(name: str) -> None:
    """The calls of a message name its tools; only an editor's path is an edited file."""
    project, tool, edited = FACTS[name]
    found = of_sample(name)
    assert {one.facts.project for one in found} == {project}
    assert tool in {tool for one in found for tool in one.facts.tools}
    assert {path for one in found for path in one.facts.files} == ({edited} if edited else set())


@pytest.mark.parametrize("name", SAID)
def test_options_add_texts_and_change_no_key(name: str) -> None:
    """Thoughts, results and subagents come where they are wanted, beside the same turns."""
    plain, more = {one.key for one in of_sample(name)}, {one.key for one in of_sample(name, EVERYTHING)}
    assert plain <= more
    assert len(more) > len(plain) or name.endswith(("7c11.jsonl", "t1/messages.jsonl")), "neither thoughts nor results"


@pytest.mark.parametrize("name", [name for name in SAID if SAID[name] and name.endswith("l")])
def test_a_fork_repeats_no_turn(name: str) -> None:
    """Copied into another file and conversation, the same words at the same time have the same keys."""
    raw = content(str(CORPUS / name)).replace(b"0190aa", b"0190bb").replace(b"3d5e", b"4d5e")
    format_ = name.partition("/")[0]
    again = [one.key for one in turns(format_, *raw.split(b"\n"), path=b"/elsewhere/fork.jsonl") if one.text]
    assert again == [one.key for one in of_sample(name) if one.text]


def test_a_record_of_another_session_belongs_elsewhere() -> None:
    """Qwen: a file that is called by its session holds a line of another."""
    line = {"uuid": "u", "parentUuid": None, "sessionId": "5b3c1a2e-0000-4000-8000-000000000099", "type": "user"}
    line |= {"timestamp": "2026-01-01T09:00:00.000Z", "message": {"role": "user", "parts": [{"text": "elsewhere"}]}}
    path = b"/q/chats/5b3c1a2e-0000-4000-8000-000000000001.jsonl"
    assert not turns("qwen", line, path=path)
    assert turns("qwen", line, path=b"/q/chats/copy-of-a-chat.jsonl")


def test_what_this_memory_answered_stays_out() -> None:
    """A call of our own search, by tool or command: its result is not indexed even where results are."""
    call = {"type": "toolCall", "id": "t9", "name": "bash", "arguments": {"command": "importer search mills"}}
    at = {"timestamp": "2026-01-01T09:00:00.000Z", "type": "message"}
    asked = {**at, "id": "1", "message": {"role": "assistant", "content": [call]}}
    result = {"role": "toolResult", "toolCallId": "t9", "content": [{"type": "text", "text": "an echo"}]}
    found = turns("pi", asked, {**at, "id": "2", "message": result}, options=EVERYTHING)
    assert [one.text for one in found] == [""]
    other = turns("pi", {**at, "id": "2", "message": {**result, "toolCallId": "t8"}}, options=EVERYTHING)
    assert [one.text for one in other] == ["an echo"]


@pytest.mark.parametrize("place", ["begin", "middle"])
def test_tags_within_a_sentence_are_words(place: str) -> None:
    """People paste tags: only those at the beginning of a text are a program's."""
    text = "what is <user_query>x</user_query> for?" if place == "middle" else "<user_query>\nwhy?\n</user_query>"
    line = {"role": "user", "message": {"content": [{"type": "text", "text": text}]}}
    (turn,) = turns("cursor", line)
    assert turn.text == (text if place == "middle" else "why?")


def test_a_damaged_line_costs_only_itself() -> None:
    """Half a record, and a good one glued behind it."""
    good = '{"role":"user","message":{"content":[{"type":"text","text":"still there"}]}}'
    fed = formats.load("cursor").feed(
        formats.load("cursor").begin(b"/x/a.jsonl"), b'{"role":"user","mess' + good.encode(), PLAIN
    )
    assert [one.text for one in fed.turns] == ["still there"]
    assert fed.problems
