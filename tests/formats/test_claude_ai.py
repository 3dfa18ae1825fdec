"""Claude.ai's conversations: blocks before text, names of what is attached, ids that last."""

from __future__ import annotations

from typing import Any

import pytest
from fold_lines import EVERYTHING, PLAIN, feed, turns

from importer import formats
from importer.formats._shared.turns import key
from importer.protocol.records import ConversationFacts, Turn

AT = "2026-05-01T08:00:00.000000Z"


def message(text: str, *blocks: dict[str, Any], uuid: str = "m1", sender: str = "human", **rest: Any) -> dict[str, Any]:
    return {"uuid": uuid, "sender": sender, "text": text, "content": list(blocks), "created_at": AT} | rest


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


def paste(text: Any, name: str = "") -> dict[str, Any]:
    return {"file_name": name, "file_type": "txt", "extracted_content": text}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (message("", attachments=[paste("Rule 4: no bells.")]), "Rule 4: no bells."),
        (message("Odd?", words("Odd?"), attachments=[paste("Rule 4.", "rules.txt")]), "Odd?\n\nRule 4."),
        (message("Odd?", attachments=[paste("Rule 4."), paste(None), paste("Rule 5.")]), "Odd?\n\nRule 4.\n\nRule 5."),
        (message("Odd?", attachments=paste(["Rule 4.", {"text": "Rule 5."}])), "Odd?\n\nRule 4.\n\nRule 5."),
        (message("Odd?", files=[paste("Rule 4.")]), "Odd?\n\nRule 4."),
    ],
)
def test_a_paste_is_what_the_person_said(said: dict[str, Any], expected: str) -> None:
    """The text of attachments stands behind that of the message, or alone."""
    assert [(turn.role, turn.text) for turn in told(said)] == [("user", expected)]


def test_names_of_what_is_attached_are_kept() -> None:
    """Files are named by the turn, whether any text of them is there or not."""
    (turn,) = told(message("", attachments=[paste("X", "a.txt")], files=[{"file_name": "b"}, "c.png"]))
    assert (turn.text, turn.facts.files, turn.facts.title) == ("X", ("a.txt", "b", "c.png"), "Trip")


def test_keys_of_messages_without_a_paste_stay() -> None:
    """Keys were made of conversation, message, role, text, tools and files before pastes and artifacts were read."""
    (turn,) = told(message("a", words("a"), attachments=[{"file_name": "a.txt"}]))
    assert turn.key == key("c1", "m1", "user", "a", "a.txt")
    assert told(message("a", attachments=[paste("X", "a.txt")]))[0].key != turn.key


@pytest.mark.parametrize(
    ("content", "expected", "unknown"),
    [
        ("one", "one", 0),
        (["one", "two"], "one\n\ntwo", 0),
        ({"type": "text", "text": "one"}, "one", 0),
        ([{"type": "text", "text": ["one", {"text": "two"}]}], "one\n\ntwo", 0),
        ([{"text": "one"}], "one", 0),
        ([words("one"), 7], "one", 1),
        ([{"type": "text", "text": {"a": 1}}, words("one")], "one", 1),
    ],
)
def test_content_of_any_shape_is_read_or_counted(content: Any, expected: str, unknown: int) -> None:
    """A string, a list of strings or blocks, one block, and text that is nested."""
    record = {"uuid": "c1", "chat_messages": [{"uuid": "m1", "sender": "human", "content": content}]}
    (fed,) = feed("claude-ai", record)
    assert ([turn.text for turn in fed.turns], fed.unknown) == ([expected], unknown)


def test_messages_by_name_and_strange_ones() -> None:
    """An object of messages is read like a list of them; what is no message, or of an unknown sender, is counted."""
    record = {"uuid": "c1", "chat_messages": {"x": message("a"), "y": message("b", uuid="m2", sender="assistant")}}
    assert [turn.text for turn in turns("claude-ai", record)] == ["a", "b"]
    record = {"uuid": "c1", "chat_messages": ["lost", message("b", sender="guest")]}
    assert [(fed.turns, fed.unknown) for fed in feed("claude-ai", record)] == [((), 2)]


def call(name: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "name": name, "input": given}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (call("artifacts", command="create", title="Timetable", content="Bus at nine."), "Timetable\n\nBus at nine."),
        (call("artifacts", command="update", old_str="nine", new_str="ten"), "ten"),
        (
            call("create_file", path="/m/outputs/t.md", file_text="Bus."),
            "/m/outputs/t.md\n\nBus.",
        ),
        (call("message_compose_v1", variants=[{"body": "Dear Jo,"}, {"body": "Jo!"}]), "Dear Jo,\n\nJo!"),
    ],
)
def test_an_artifact_is_a_turn_of_its_own(block: dict[str, Any], expected: str) -> None:
    """What a call of a tool shows is the assistant's, told by its kind; the message keeps its words and key."""
    said, shown = told(message("", words("Here."), block, sender="assistant"))
    assert (said.text, said.facts.kind, said.facts.tools) == ("Here.", "exchange", (block["name"],))
    assert (shown.role, shown.text, shown.facts.kind, shown.facts.title) == ("assistant", expected, "artifact", "Trip")
    assert said.key == key("c1", "m1", "assistant", "Here.", block["name"])


def test_other_calls_show_nothing() -> None:
    """A search, and a file that the assistant made for itself, are no text of the conversation."""
    blocks = [call("web_search", query="bus"), call("create_file", path="/tmp/try.py", file_text="x = 1")]
    assert [turn.text for turn in told(message("", words("Here."), *blocks, sender="assistant"))] == ["Here."]


def test_a_conversation_tells_its_name() -> None:
    """A newer export may hold another name of the same conversation, and the project it was moved to."""
    (fed,) = feed("claude-ai", {"uuid": "c1", "name": "Bus", "project": {"name": "Travel"}, "chat_messages": []})
    assert fed.facts == (ConversationFacts("c1", "Bus", "Travel"),)
    assert feed("claude-ai", {"uuid": "c1", "name": "", "chat_messages": []})[0].facts == ()


@pytest.mark.parametrize("stamp", [1767258000, 1767258000000, "2026-01-01T09:00:00Z"])
def test_times_in_any_form(stamp: Any) -> None:
    """Seconds, milliseconds and ISO 8601 give the same time."""
    assert told(message("a", created_at=stamp))[0].at == "2026-01-01T09:00:00.000Z"


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
