"""Claude.ai's conversations: blocks before text, names of what is attached, ids that last."""

from __future__ import annotations

from typing import Any

import pytest
from fold_lines import EVERYTHING, PLAIN, feed, turns

from importer import formats
from importer.protocol.records import Turn

AT = "2026-05-01T08:00:00.000000Z"


def message(text: str, *blocks: dict[str, Any], uuid: str = "m1", sender: str = "human", **rest: Any) -> dict[str, Any]:
    return {"uuid": uuid, "sender": sender, "text": text, "content": list(blocks), "created_at": AT, **rest}


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def told(*messages: dict[str, Any], options: formats.Options = PLAIN, **fields: Any) -> list[Turn]:
    record = {"uuid": "c1", "name": "Trip", "created_at": AT, "chat_messages": list(messages), **fields}
    return turns("claude-ai", record, options=options)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (message("lossy", words("one"), words("two")), "one\n\ntwo"),
        (message("only the text"), "only the text"),
        (message("the text", {"type": "tool_use", "name": "x"}, words(" ")), "the text"),
        ({"uuid": "m", "sender": "human", "text": "of old"}, "of old"),
        (message("x\0", words("half \ud83d")), "half \ufffd"),
        (message("all wrong", content={"a": 1}, files=7), "all wrong"),
    ],
)
def test_blocks_go_before_text(said: dict[str, Any], expected: str) -> None:
    """The text repeats them or takes their place, never both."""
    assert [turn.text for turn in told(said)] == [expected]


def test_roles_and_times() -> None:
    """A human is the user; messages of other senders give no turns."""
    said = told(message("a"), message("b", sender="assistant", uuid="m2"), message("c", sender="system", uuid="m3"))
    assert [(turn.role, turn.at) for turn in said] == [
        (role, "2026-05-01T08:00:00.000Z") for role in ("user", "assistant")
    ]


def test_of_attachments_the_names() -> None:
    """Only the names are kept: what attachments hold was not written in the conversation."""
    (turn,) = told(
        message("", attachments=[{"file_name": "a.txt", "extracted_content": "X"}], files=[{"file_name": "b"}])
    )
    assert (turn.text, turn.facts.files, turn.facts.title) == ("", ("a.txt", "b"), "Trip")


def test_thinking_and_results_are_options_that_change_no_key() -> None:
    """Options change no key, and our own search is never indexed."""
    found = [{"type": "text", "text": "Kunsthaus"}]
    said = message(
        "",
        {"type": "thinking", "thinking": "Museums."},
        {"type": "tool_result", "name": "web_search", "content": found},
        {"type": "tool_result", "name": "importer:search", "content": found},
        words("Go."),
        sender="assistant",
    )
    (plain,), (full,) = told(said), told(said, options=EVERYTHING)
    assert (plain.text, full.text) == ("Go.", "Museums.\n\nKunsthaus\n\nGo.")
    assert plain.key == full.key


def test_a_newer_export_adds_what_is_new() -> None:
    """Neither the title nor the order of conversations makes a key."""
    (old,) = told(message("a"))
    new = told(message("a"), message("b", uuid="m2"), name="Journey")
    assert (new[0].key, len({turn.key for turn in new})) == (old.key, 2)


def test_empty_conversations_and_strangers() -> None:
    """No messages is nothing; no list of them, and blocks of unknown types, are counted."""
    records = ({"uuid": "c", "chat_messages": []}, {"uuid": "u", "full_name": "Ann"})
    assert [fed.unknown for fed in feed("claude-ai", *records)] == [0, 1]
    record = {"uuid": "c", "chat_messages": [message("a", {"type": "hologram"})]}
    assert [fed.unknown for fed in feed("claude-ai", record)] == [1]
