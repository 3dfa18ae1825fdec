"""Continue's sessions: documents of a history of messages."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fold_lines import EVERYTHING, feed, turns

from importer import formats
from importer.formats import continue_dev
from importer.protocol.records import ConversationFacts

ID = b"0a1b2c3d-0000-4000-8000-000000000001.json"
SESSION = {"sessionId": "s2", "title": "Clock", "workspaceDirectory": "file:///home/ann/my%20app"}


def item(role: str, content: Any, **fields: Any) -> dict[str, Any]:
    return {"message": {"role": role, "content": content, **fields}, "contextItems": []}


def test_a_history() -> None:
    """Text or parts give the words, calls the tools, the head the folder."""
    call = [{"function": {"name": "read_file", "arguments": "{}"}}]
    said = turns(
        "continue-dev",
        SESSION,
        item("user", [{"type": "text", "text": "why?"}, {"type": "imageUrl"}]),
        item("assistant", "", toolCalls=call),
        item("tool", "contents"),
        item("assistant", "Because."),
    )
    assert [(turn.text, turn.facts.tools) for turn in said] == [("why?", ()), ("", ("read_file",)), ("Because.", ())]
    assert {(turn.conversation_id, turn.facts.project, turn.facts.title) for turn in said} == {
        ("s2", "/home/ann/my app", "Clock")
    }


@pytest.mark.parametrize(
    ("content", "expected", "unknown"),
    [
        ("why?", ["why?"], 0),
        (["why", "now?"], ["why\n\nnow?"], 0),
        ({"type": "text", "text": "why?"}, ["why?"], 0),
        ([{"type": "text", "text": ["why", "now?"]}, {"type": "imageUrl", "imageUrl": {}}], ["why\n\nnow?"], 0),
        ([{"type": "text", "words": "why?"}], [], 1),
        (7, [], 1),
    ],
)
def test_content_of_any_shape_is_read_or_counted(content: Any, expected: list[str], unknown: int) -> None:
    """A string, strings, one part, nested parts; what cannot be read is counted."""
    for one in (item("user", content), {"role": "user", "content": content}):
        _, fed = feed("continue-dev", SESSION, one)
        assert ([turn.text for turn in fed.turns], fed.unknown) == (expected, unknown)


def test_what_is_no_message_is_counted() -> None:
    """An item whose message is mere text says of no side that it was theirs."""
    assert [fed.unknown for fed in feed("continue-dev", SESSION, {"message": "why?"})] == [0, 1]


def test_context_items_are_no_prompt() -> None:
    """What the editor adds to a message stands beside it, and is not what the person wrote."""
    (turn,) = turns("continue-dev", SESSION, {**item("user", "why?"), "contextItems": [{"content": "a whole file"}]})
    assert turn.text == "why?"


def test_a_summary_is_a_turn_of_its_own() -> None:
    """What stands for the conversation before it is told by its kind, is an option, and changes no key."""
    items = [{**item("user", "why?"), "conversationSummary": "They asked why."}, item("assistant", "Because.")]
    said = turns("continue-dev", SESSION, *items)
    assert [(turn.facts.kind, turn.text) for turn in said][:2] == [("exchange", "why?"), ("summary", "They asked why.")]
    without = turns("continue-dev", SESSION, *items, options=formats.Options(summaries=False))
    assert [turn.key for turn in without] == [said[0].key, said[2].key]


def test_a_session_tells_its_title_and_folder() -> None:
    """A document that was rewritten may hold another title of the same session."""
    folder = "/home/ann/my app"
    assert feed("continue-dev", SESSION)[0].facts == (ConversationFacts("s2", "Clock", project=folder, cwd=folder),)


def test_keys_are_chained() -> None:
    """The same words twice are two turns; options change no key."""
    items = [SESSION, item("user", "go on"), item("tool", "x"), item("thinking", "y"), item("user", "go on")]
    plain, full = turns("continue-dev", *items), turns("continue-dev", *items, options=EVERYTHING)
    assert len({turn.key for turn in plain}) == 2
    assert [turn.text for turn in full] == ["go on", "x", "y", "go on"]
    assert {turn.key for turn in plain} < {turn.key for turn in full}


OWN = {"id": "c1", "function": {"name": "importer__search", "arguments": "{}"}}
OWN_COMMAND = {"id": "c1", "function": {"name": "run_terminal_command", "arguments": '{"command":"importer search x"}'}}
OTHER = {"id": "c2", "function": {"name": "read_file", "arguments": '{"filepath":"importer/search.py"}'}}


def result(text: str, id_: str | None = None) -> dict[str, Any]:
    return item("tool", text, **({"toolCallId": id_} if id_ else {}))


def heard(*items: dict[str, Any]) -> list[str]:
    said = turns("continue-dev", SESSION, *items, options=EVERYTHING)
    return [turn.text for turn in said if turn.text]


OWN_CALLS = [
    OWN,
    OWN_COMMAND,
    {"id": "c1", "function": {"name": "my_importer_search"}},
    {"id": "c1", "function": {"name": "mem_qdrant-find"}},
    {"id": "c1", "function": {"name": "sh", "arguments": {"command": "importer search x"}}},
    {"id": "c1", "function": {"name": "sh", "arguments": '{"command":"importer search x'}},
]


@pytest.mark.parametrize("own", OWN_CALLS)
@pytest.mark.parametrize("order", [1, -1])
def test_results_of_our_own_search_are_never_indexed(own: dict[str, Any], order: int) -> None:
    """What the memory answered must not go into the memory again, with any calls beside it."""
    calls, results = [own, OTHER][::order], [result("from memory", "c1"), result("contents", "c2")]
    assert heard(item("assistant", "Ok.", toolCalls=calls), *results) == ["Ok.", "contents"]
    assert heard(item("assistant", "Ok.", toolCalls=calls), *results[::-1]) == ["Ok.", "contents"]


def test_a_result_may_come_after_other_calls() -> None:
    """Our own search's result is known by its call's id."""
    items = [item("assistant", "", toolCalls=[OWN]), item("assistant", "", toolCalls=[OTHER])]
    assert heard(*items, result("contents", "c2"), result("from memory", "c1")) == ["contents"]


@pytest.mark.parametrize("order", [1, -1])
def test_results_without_ids(order: int) -> None:
    """Beside a call to our own search all results are passed over: none can be told apart."""
    nameless = [{"function": call["function"]} for call in (OWN, OTHER)][::order]
    assert heard(item("assistant", "", toolCalls=nameless), result("a"), result("b", "c9")) == []
    assert heard(item("assistant", "", toolCalls=[OWN, OTHER]), result("a"), result("b")) == []
    later = item("assistant", "", toolCalls=[OTHER])
    assert heard(item("assistant", "", toolCalls=nameless), later, result("contents")) == ["contents"]


def test_contexts_of_older_checkpoints_are_read() -> None:
    """A context of one remembered tool still decodes."""
    old = b'{"session":"s2","last":"k","tool":"read_file"}'
    assert msgspec.json.decode(old, type=continue_dev.Context) == continue_dev.Context("s2", last="k")


def test_where_sessions_are() -> None:
    """Sessions are known by their ids, beside a list of them that is none."""
    assert continue_dev.wanted(b"sessions/" + ID)
    assert not continue_dev.wanted(b"sessions/sessions.json")
    assert continue_dev.roots({"CONTINUE_GLOBAL_DIR": "/c"}, "/home/ann") == ("/c/sessions",)
