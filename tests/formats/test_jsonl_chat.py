"""Plain chats: four shapes, no ids or times to rely on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fold_lines import PLAIN, Record, feed, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from importer import formats
from importer.formats import jsonl_chat
from importer.protocol.records import ConversationFacts

HELLO, HI = {"role": "user", "content": "hello"}, {"role": "assistant", "content": "Hi."}


def chat(*records: Record, path: bytes = b"/x/stem.jsonl") -> list[Any]:
    return turns("jsonl-chat", *records, options=PLAIN, path=path)


@pytest.mark.parametrize(
    "records",
    [
        [HELLO, HI],
        [{"messages": [{"role": "system", "content": "Be brief."}, HELLO, HI]}],
        [{"conversations": [{"from": "human", "value": "hello"}, {"from": "gpt", "value": "Hi."}]}],
        [{"prompt": "hello", "completion": "Hi."}],
        [{"prompt": "hello", "response": "Hi."}],
        [{"instruction": "hello", "input": "", "output": "Hi."}],
        [{"role": "human", "content": [{"type": "text", "text": "hello"}]}, {"role": "bot", "content": ["Hi."]}],
        [{"role": "user", "content": {"text": "hello"}}, {"role": "model", "parts": [{"text": "Hi."}]}],
        [{"conversation": [{"speaker": "user", "text": "hello"}, {"speaker": "ai", "text": ["Hi."]}]}],
        [{"dialogue": [{"sender": "User", "value": "hello"}, {"author": {"role": "assistant"}, "text": "Hi."}]}],
        [{"author": "user", "content": "hello"}, {"sender": "assistant", "text": "Hi."}],
    ],
)
def test_all_shapes_say_the_same(records):
    """Role and text are found under each of the words for them."""
    assert [(turn.role, turn.text) for turn in chat(*records)] == [("user", "hello"), ("assistant", "Hi.")]
    assert formats.detect(b"".join(msgspec.json.encode(record) + b"\n" for record in records)) == "jsonl-chat"


def test_the_same_words_twice_are_two_turns():
    """Keys are chained where there is neither time nor id."""
    keys = [turn.key for turn in chat(HELLO, HI, HELLO, HI)]
    assert len(set(keys)) == 4


def test_a_copied_file_has_the_same_keys():
    """The chain begins with the conversation, not with the file."""
    assert [turn.key for turn in chat(HELLO, HI)] == [turn.key for turn in chat(HELLO, HI, path=b"/y/copy.jsonl")]


def test_a_time_or_an_id_makes_the_key():
    """Such messages keep their keys with any messages before them."""
    stamped = {**HELLO, "timestamp": "2026-01-01T10:00:00Z"}
    assert chat(stamped)[0].key == chat(HI, stamped)[1].key != chat(HI, HELLO)[1].key


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00.000Z"),
        (1767261660, "2026-01-01T10:01:00.000Z"),
        (1767261665123, "2026-01-01T10:01:05.123Z"),
        (1e300, ""),
        ([], ""),
    ],
)
def test_times_are_text_or_numbers(stamp, at):
    """ISO 8601, seconds and milliseconds give the same time."""
    assert chat({**HELLO, "timestamp": stamp})[0].at == at


def test_conversations_may_alternate():
    """Each conversation has its own chain; without an id the file is the conversation."""
    one, two = ({**HELLO, "conversation_id": id_} for id_ in ("k1", "k2"))
    assert [turn.conversation_id for turn in chat(one, two, one, HELLO)] == ["k1", "k2", "k1", "stem"]
    assert chat(one, two, HI)[0].key == chat(two, one, HI)[0].key


def test_tool_calls_are_named_and_other_roles_skipped():
    """System, tool and function give no turns; null content beside calls carries the tools."""
    calls = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "weather"}}]}
    said = chat(HELLO, calls, {"role": "tool", "content": "12 °C"}, {"role": "developer", "content": "x"})
    assert [(turn.text, turn.facts.tools) for turn in said] == [("hello", ()), ("", ("weather",))]


def test_lines_of_conversations_have_ids_of_their_own():
    """A line's conversation is named by its id, or by what is said in it."""
    first = {"messages": [HELLO, HI]}
    named = chat({**first, "id": "s1"})
    assert {turn.conversation_id for turn in named} == {"s1"}
    assert chat(first)[0].conversation_id == chat(first, path=b"/y/z.jsonl")[0].conversation_id != "s1"


def test_what_is_no_chat_is_counted():
    """A record with neither role nor messages counts as unknown."""
    assert [fed.unknown for fed in feed("jsonl-chat", {"x": 1}, {"messages": ["a", 7]}, HELLO)] == [1, 2, 0]


@pytest.mark.parametrize(
    ("record", "expected", "unknown"),
    [
        ({"role": "user", "content": 7}, [], 1),
        ({"role": "user", "content": {"words": "hello"}}, [], 1),
        ({"role": "user", "content": ["hello", 7]}, ["hello"], 1),
        ({"role": "user", "content": [["hello"], {"content": {"parts": ["there"]}}]}, ["hello\n\nthere"], 0),
        ({"role": "user", "content": "", "text": "hello"}, ["hello"], 0),
        ({"role": "guest", "content": "hello"}, [], 1),
        ({"role": "system", "content": "Be brief."}, [], 0),
        ({"messages": [HELLO, {"role": "assistant", "content": 7}, 7]}, ["hello"], 2),
        ({"prompt": ["hello", 7], "completion": 8, "input": "there"}, ["hello\n\nthere"], 2),
        ({"prompt": ["hello"], "completion": {"text": "Hi."}}, ["hello", "Hi."], 0),
    ],
)
def test_content_of_any_shape_is_read_or_counted(record: Any, expected: list[str], unknown: int) -> None:
    """A string, a list, an object, nested ones; what cannot be read, or that no known side said, is counted."""
    (fed,) = feed("jsonl-chat", record)
    assert ([turn.text for turn in fed.turns], fed.unknown) == (expected, unknown)


def test_titles_are_facts_of_conversations_with_a_name() -> None:
    """A newer file may hold another title; where the name is made of what is said, titles are with the turns alone."""
    line = {"id": "k1", "title": "Greeting", "messages": [HELLO]}
    assert feed("jsonl-chat", line)[0].facts == (ConversationFacts("k1", "Greeting"),)
    assert feed("jsonl-chat", {"title": "Greeting", "messages": [HELLO]})[0].facts == ()
    head, first = feed("jsonl-chat", {"title": "Greeting"}, HELLO)
    assert (head.facts, first.facts) == ((ConversationFacts("stem", "Greeting"),), ())


def test_a_head_names_the_messages_that_follow():
    """A document's other members name it, and so does a first line without messages; later ones do not."""
    head = {"id": "k7", "title": "Greeting", "model": "m", "created": 1767261660}
    (first, second) = chat(head, HELLO, {"id": "k8"}, {**HI, "model": "n"})
    assert (first.conversation_id, first.facts.title, first.facts.model) == ("k7", "Greeting", "m")
    assert (second.conversation_id, second.facts.model, second.at) == ("k7", "n", "2026-01-01T10:01:00.000Z")
    assert [fed.unknown for fed in feed("jsonl-chat", head, HELLO)] == [0, 0]
    assert [first.key, second.key] == [turn.key for turn in chat(HELLO, HI)]


def test_results_of_tools_are_said_by_nobody():
    """Results give no text, also as parts of a user's message."""
    parts = [{"type": "tool_result", "content": "12 °C"}, {"type": "text", "text": "thanks"}]
    assert [turn.text for turn in chat({"role": "user", "content": parts})] == ["thanks"]


def test_contexts_of_older_checkpoints_are_read():
    """Fields that came later are optional."""
    assert msgspec.json.decode(b'{"stem":"s","chains":[["s","k"]]}', type=jsonl_chat.Context).name == ""


@pytest.mark.parametrize("name", [b"chat.json", b"a/my-Conversation-7.json", b"ShareGPT_V3_split.json", b"x.ndjson"])
def test_files_that_are_looked_for(name):
    """JSON lines are wanted, and documents by a name that says what they are."""
    assert jsonl_chat.wanted(name)


@pytest.mark.parametrize("name", [b"package.json", b"chat/tsconfig.json", b"chat.json.bak", b"chat.py"])
def test_files_that_are_passed_over(name):
    """Other files are not looked for; they can be given by path."""
    assert not jsonl_chat.wanted(name)


@pytest.mark.parametrize(
    "record",
    [{"type": "user", **HELLO}, {"payload": {}, **HELLO}, {"sessionId": "s", "projectHash": "p", "messages": [HELLO]}],
)
def test_programs_own_formats_are_not_claimed(record):
    """A role beside a type belongs to another format."""
    assert not jsonl_chat.recognises([record])


LONG = st.text(max_size=60).map(lambda words: words * 60)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(lambda w: {**HELLO, "conversation_id": w, "title": w}, LONG), max_size=20), LONG)
def test_context_is_bounded_whatever_is_said(records, word):
    """Many conversations with long ids leave less than 4 KiB to remember, and so does a long head."""
    head = {"id": word, "title": word, "model": word, "created": "2026-01-01T10:00:00Z"}
    for fed in feed("jsonl-chat", head, *records):
        assert len(msgspec.json.encode(fed.context)) < formats.MAX_CONTEXT_BYTES
