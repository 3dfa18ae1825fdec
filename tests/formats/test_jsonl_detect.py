"""Which JSON is taken for a plain chat: told by who speaks, for nearly every word beside it is used for anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from read_units import raws

from importer import formats

HELLO, HI = {"role": "user", "content": "hello"}, {"role": "assistant", "content": "Hi."}
HUMAN, GPT = {"from": "human", "value": "hello"}, {"from": "gpt", "value": "Hi."}
LONG = "word " * 40_000
LAYOUTS = [{"separators": (",", ":")}, {}, {"indent": 1}, {"indent": "\t"}]
ALL_FORMS = [[HELLO, HI], [{"conversations": [HUMAN, GPT]}], [{"messages": [HELLO, HI]}, {"messages": [HELLO, HI]}]]


def heard(text: bytes) -> list[tuple[str, str]]:
    """Return role and text of each turn, as the importer reads a file."""
    format_ = formats.load("jsonl-chat")
    context, said = format_.begin(b"/x/chat.json"), []
    for raw in raws("jsonl-chat", text):
        fed = format_.feed(context, raw, formats.Options())
        assert not fed.problems and not fed.unknown
        context = fed.context
        said += [(turn.role, turn.text) for turn in fed.turns]
    return said


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("value", ALL_FORMS)
def test_lists_are_chats_in_any_layout(value: list[Any], layout: dict[str, Any]) -> None:
    """A list of messages or of conversations is a chat; each element is a unit of its own."""
    text = json.dumps(value, **layout).encode()
    assert formats.claims(text) == ("jsonl-chat",)
    assert set(heard(text)) == {("user", "hello"), ("assistant", "Hi.")}
    units = [raw for raw in raws("jsonl-chat", text) if raw.strip()]
    assert len(units) == len(value)


@pytest.mark.parametrize("members", [{"messages": [HELLO, HI]}, {"conversations": [HUMAN, GPT]}])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_object_is_a_chat_in_any_layout(members: dict[str, Any], layout: dict[str, Any]) -> None:
    """An object over several lines is a document, else a line; both give the same turns."""
    text = json.dumps({"id": "k1", **members, "title": "Greeting"}, **layout).encode() + b"\n"
    assert formats.claims(text) == ("jsonl-chat",)
    assert heard(text) == [("user", "hello"), ("assistant", "Hi.")]
    spread = formats.document(formats.load("jsonl-chat"), text) is not None
    assert spread == ("indent" in layout)


def test_an_object_may_be_laid_out_by_hand() -> None:
    """A message a line, with brackets anywhere, is one document."""
    text = b'{"model": "m", "messages": [\r\n  %s,\r\n  %s\r\n]}' % (
        json.dumps(HELLO).encode(),
        json.dumps(HI).encode(),
    )
    assert formats.claims(text) == ("jsonl-chat",)
    assert heard(text) == [("user", "hello"), ("assistant", "Hi.")]


@pytest.mark.parametrize(
    "value", [[{"role": "user", "content": LONG}], [{"conversations": [{**HUMAN, "value": LONG}]}], [HELLO, HI] * 3000]
)
def test_what_is_longer_than_the_head_is_known_by_its_beginning(value: list[Any]) -> None:
    """A first message that goes on behind the head is recognised."""
    text = json.dumps(value, indent=2).encode()
    assert formats.claims(text[: formats.HEAD_BYTES]) == ("jsonl-chat",)
    assert len(heard(text)) == len(value)


def test_the_first_conversations_may_be_empty() -> None:
    """A collection that begins with empty conversations is recognised."""
    text = json.dumps([{"id": "a", "conversations": []}, {"id": "b", "conversations": [HUMAN, GPT]}]).encode()
    assert formats.claims(text) == ("jsonl-chat",)


ORDINARY = [
    [],
    {},
    [1, 2],
    ["user", "content"],
    {"name": "a", "version": "1.0.0", "scripts": {"test": "x"}, "dependencies": {}},
    [{"role": "admin", "content": "all"}],
    [{"role": "user"}],
    [{"role": {"name": "user"}, "content": "x"}],
    [{"filePath": "a.js", "messages": [{"ruleId": "semi", "message": "Missing."}]}],
    {"name": "Ann", "messages": [{"id": 1, "from": "Ann", "text": "hello"}]},
    {"messages": {"role": "user", "content": "x"}},
    {"messages": ["user", "content"]},
    [{"id": 1, "conversations": [{"id": 2, "subject": "x"}]}],
    [{"sessionId": "s", "messageId": 0, "type": "user", "message": "x"}],
    [{"type": "message", **HELLO}],
    {"tests": [HELLO, HI]},
    [{"input": [HELLO, HI], "output": "x"}],
    {"sessionId": "s", "messages": [HELLO]},
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("value", ORDINARY)
def test_ordinary_json_is_of_no_format(value: Any, layout: dict[str, Any]) -> None:
    """JSON that is no conversation is claimed by no format, in any layout."""
    text = json.dumps(value, **layout).encode()
    assert formats.claims(text) == ()
    assert formats.claims(text + b"\n") == ()


def test_ordinary_json_with_a_message_a_line_is_of_no_format() -> None:
    """What is laid out over several lines is a document or nothing: its lines are not asked about."""
    text = b'{"tests": [\n%s,\n%s\n]}\n' % (json.dumps(HELLO).encode(), json.dumps(HI).encode())
    assert formats.claims(text) == ()


LINE, OTHER = json.dumps(HELLO).encode(), json.dumps(HI).encode()
LINES = [
    b'{"messages":[%s]}\n{"messages":[%s]}\n' % (LINE, OTHER),
    b'{"messages":[{"role":"user","content":"hel\n{"messages":[%s]}\n%s\n' % (LINE, OTHER),
    b"[1]\n%s\n%s\n" % (LINE, OTHER),
]


@pytest.mark.parametrize("text", LINES)
def test_lines_stay_lines(text: bytes) -> None:
    """Several values one after the other are no document, nor is a line that was cut off within a string."""
    assert formats.claims(text) == ("jsonl-chat",)
    assert formats.document(formats.load("jsonl-chat"), text) is None


def test_lists_one_after_the_other_are_no_document() -> None:
    """Two lists are read by lines: as a document, all behind the first would be lost."""
    line = json.dumps([HELLO, HI]).encode() + b"\n"
    assert formats.claims(line) == ("jsonl-chat",)
    assert formats.claims(line * 2) == ()
