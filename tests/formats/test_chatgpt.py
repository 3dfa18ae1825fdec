"""ChatGPT's conversations: the active thread of a tree, and of it what was said."""

from __future__ import annotations

from typing import Any

import pytest
from fold_lines import EVERYTHING, PLAIN, feed, turns

from importer import formats
from importer.formats import chatgpt
from importer.formats._shared.turns import key
from importer.protocol.records import ConversationFacts, Turn

AT = 1767258000.0


def node(name: str, parent: str | None, role: str = "user", text: Any = "Hi.", **fields: Any) -> dict[str, Any]:
    """Make a node of the tree; `text` may be a whole content."""
    content = text if isinstance(text, dict) else {"content_type": "text", "parts": [text]}
    author = {"role": role, "name": fields.pop("by", None)}
    said = {"id": name, "author": author, "create_time": AT, "content": content, "recipient": "all", **fields}
    return {"id": name, "parent": parent, "children": [], "message": said}


def talk(*nodes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Make a conversation whose current node is the last one."""
    tree: dict[str, Any] = {"root": {"id": "root", "parent": None, "children": [], "message": None}}
    tree |= {one["id"]: one for one in nodes}
    for one in nodes:
        tree.get(one["parent"], {"children": []})["children"].append(one["id"])
    return {"id": "c1", "title": "Bread", "create_time": AT, "mapping": tree, "current_node": nodes[-1]["id"], **fields}


def told(record: dict[str, Any], options: formats.Options = PLAIN) -> list[Turn]:
    return turns("chatgpt", record, options=options)


def texts(record: dict[str, Any], options: formats.Options = PLAIN) -> list[str]:
    return [turn.text for turn in told(record, options)]


def test_the_active_thread_alone() -> None:
    """What was regenerated stands beside it in the tree; the order is that of the links, not of the file."""
    last = node("a2", "q1", "assistant", "The better answer.")
    record = talk(node("a1", "q1", "assistant", "An answer."), node("q1", "root", text="A question?"), last)
    assert texts(record) == ["A question?", "The better answer."]


@pytest.mark.parametrize("current", [None, "nowhere", 7])
def test_without_a_current_node_the_last_leaf_counts(current: Any) -> None:
    """Exports of other programs name no current node: the thread to the last leaf is read."""
    record = talk(node("q1", "root"), node("a1", "q1", "assistant", "Hello."), current_node=current)
    assert texts(record) == ["Hi.", "Hello."]


def test_a_ring_of_parents_ends() -> None:
    """Each node is visited once, also where parents form a ring."""
    assert texts(talk(node("a", "b", text="one"), node("b", "a", text="two"))) == ["one", "two"]


@pytest.mark.parametrize(
    "skipped",
    [
        node("s", "q", "system", "You are helpful."),
        node("s", "q", "tool", "42", by="python"),
        node("s", "q", text={"content_type": "user_editable_context", "user_profile": "I bake."}),
        node("s", "q", text="I bake.", metadata={"is_user_system_message": True}),
        node("s", "q", text="hidden", metadata={"is_visually_hidden_from_conversation": True}),
        node("s", "q", "assistant", {"content_type": "thoughts", "thoughts": [{"summary": "S", "content": "C"}]}),
        node("s", "q", "assistant", {"content_type": "reasoning_recap", "content": "Thought for 4 s"}),
        node("s", "q", "assistant", {"content_type": "text", "parts": []}),
        node("s", "q", "assistant", {"content_type": "text", "parts": [{"content_type": "image_asset_pointer"}]}),
        {"id": "s", "parent": "q", "children": [], "message": None},
        {"id": "s", "parent": "q", "children": [], "message": {"id": "s"}},
    ],
)
def test_what_nobody_said(skipped: dict[str, Any]) -> None:
    """Systems, tools, instructions, thoughts, pictures and empty places give no turns."""
    fed = feed("chatgpt", talk(node("q", "root"), skipped))
    assert [[turn.text for turn in one.turns] for one in fed] == [["Hi."]]
    assert not any(one.unknown or one.problems for one in fed)


def test_a_call_of_a_tool_is_its_name() -> None:
    """What the assistant tells a tool is no text of the conversation."""
    call = node("a", "q", "assistant", {"content_type": "code", "text": "search('x')"}, recipient="browser")
    assert [(turn.text, turn.facts.tools) for turn in told(talk(node("q", "root"), call))][1:] == [("", ("browser",))]


def test_parts_may_be_words_pictures_and_recordings() -> None:
    """Every kind of content that holds text gives it."""
    parts = ["Look:", {"content_type": "image_asset_pointer"}, {"content_type": "audio_transcription", "text": "there"}]
    assert texts(talk(node("q", "root", text={"content_type": "multimodal_text", "parts": parts}))) == [
        "Look:\n\nthere"
    ]


def test_marks_of_sources_are_cut_out() -> None:
    """Marks of sources are no text: they stand for what only the page can show."""
    said = "Two hours.\ue200cite\ue202turn0search1\ue202turn0search2\ue201 Or three.\ue203"
    assert texts(talk(node("a", "root", "assistant", said))) == ["Two hours. Or three."]


def test_thoughts_and_results_are_options_that_change_no_key() -> None:
    """Options add turns beside what is said; our own search is never among them."""
    thought = {"content_type": "thoughts", "thoughts": [{"summary": "Season", "content": "Winter."}]}
    record = talk(
        node("q", "root"),
        node("t", "q", "assistant", thought),
        node("r", "t", "tool", {"content_type": "execution_output", "text": "42"}, by="python"),
        node("o", "r", "tool", "from memory", by="importer__search"),
        node("a", "o", "assistant", "Wool."),
    )
    assert texts(record, EVERYTHING) == ["Hi.", "Season: Winter.", "42", "Wool."]
    assert {turn.key for turn in told(record)} < {turn.key for turn in told(record, EVERYTHING)}


def test_a_newer_export_adds_what_is_new() -> None:
    """Conversation, message and text make the key: neither the title nor the time of the export does."""
    old = told(talk(node("q", "root"), node("a", "q", "assistant", "Hello.")))
    nodes = (node("q", "root"), node("a", "q", "assistant", "Hello."), node("b", "a", "assistant", "More."))
    new = told(talk(*nodes, title="Rolls", update_time=AT + 9e6))
    assert [turn.key for turn in new][:2] == [turn.key for turn in old]
    assert len({turn.key for turn in new}) == 3


@pytest.mark.parametrize(
    "time", [AT, int(AT), AT * 1000, str(AT), f"{AT * 1000:.0f}", "2026-01-01T09:00:00+00:00", None, {}]
)
def test_times_in_any_form(time: Any) -> None:
    """Seconds, milliseconds, also as text, and ISO 8601; a message without one has its conversation's."""
    first = 1767171600.0 if time else AT
    (turn,) = told(talk(node("q", "root", create_time=time), create_time=first))
    assert turn.at == "2026-01-01T09:00:00.000Z"


@pytest.mark.parametrize(
    ("content", "expected", "unknown"),
    [
        ("one", ["one"], 0),
        (["one", "two"], ["one\n\ntwo"], 0),
        ({"parts": ["one"]}, ["one"], 0),
        ({"content_type": "text", "parts": "one"}, ["one"], 0),
        ({"content_type": "text", "parts": [["one"], {"text": {"parts": ["two"]}}]}, ["one\n\ntwo"], 0),
        ({"content_type": "text", "text": "one", "parts": None}, ["one"], 0),
        ({"content_type": "text", "parts": ["one", 7]}, ["one"], 1),
        ({"content_type": "text", "words": "one"}, [], 1),
        (7, [], 1),
        (None, [], 1),
    ],
)
def test_content_of_any_shape_is_read_or_counted(content: Any, expected: list[str], unknown: int) -> None:
    """A string, a list, an object without a type, parts in parts; what cannot be read is counted."""
    one = node("q", "root")
    one["message"]["content"] = content
    (fed,) = feed("chatgpt", talk(one))
    assert ([turn.text for turn in fed.turns], fed.unknown) == (expected, unknown)


@pytest.mark.parametrize("author", ["user", {"role": "user"}, {"role": "User", "name": None}])
def test_authors_in_any_form(author: Any) -> None:
    """An author is an object or a role; one that is neither side, system nor tool is counted."""
    one = node("q", "root")
    one["message"]["author"] = author
    assert [(turn.role, turn.text) for turn in told(talk(one))] == [("user", "Hi.")]
    assert [fed.unknown for fed in feed("chatgpt", talk(node("q", "root", "guest")))] == [1]


def bare(record: dict[str, Any], *without: str) -> dict[str, Any]:
    """Return the conversation without these members of its nodes, and without a current node."""
    nodes = {name: {k: v for k, v in one.items() if k not in without} for name, one in record["mapping"].items()}
    return {**record, "mapping": nodes, "current_node": None}


@pytest.mark.parametrize("without", [("children",), ("parent",), ("parent", "children")])
@pytest.mark.parametrize("listed", [False, True])
def test_a_tree_is_told_by_either_end_of_its_links(without: tuple[str, ...], listed: bool) -> None:
    """Exports of other programs leave out children, parents or both, and write a list."""
    record = bare(talk(node("q", "root"), node("a", "q", "assistant", "Hello."), node("b", "a", text="Bye.")), *without)
    record["mapping"] = list(record["mapping"].values()) if listed else record["mapping"]
    assert texts(record) == ["Hi.", "Hello.", "Bye."]
    assert texts({**record, "current_node": "b"}) == ["Hi.", "Hello.", "Bye."]


def test_without_links_times_give_the_order() -> None:
    """Where each message has a time, the order of the file does not count."""
    one, two = node("q", "root", create_time=AT), node("a", "q", "assistant", "Hello.", create_time=AT + 5)
    record = {**talk(two, one), "mapping": {"a": {"message": two["message"]}, "q": {"message": one["message"]}}}
    assert texts({**record, "current_node": None}) == ["Hi.", "Hello."]


def test_what_is_no_message_is_counted() -> None:
    """A message that is a string, and a node that is none, count as unknown."""
    lost = {"id": "s", "parent": "q", "children": [], "message": "lost"}
    assert [(len(fed.turns), fed.unknown) for fed in feed("chatgpt", talk(node("q", "root"), lost))] == [(1, 1)]


def test_the_canvas_is_a_turn_of_its_own() -> None:
    """What a call writes on the canvas is the assistant's, told by its kind; the call keeps its key."""
    given = '{"name": "Loaf", "type": "document", "content": "Flour, water."}'
    call = node("a", "q", "assistant", {"content_type": "code", "text": given}, recipient="canmore.create_textdoc")
    change = '{"updates": [{"pattern": ".*", "multiple": false, "replacement": "Flour, water, salt."}]}'
    again = node("b", "a", "assistant", change, recipient="canmore.update_textdoc")
    said = told(talk(node("q", "root"), call, again))[1:]
    assert [(turn.role, turn.facts.kind, turn.text) for turn in said] == [
        ("assistant", "exchange", ""),
        ("assistant", "artifact", "Loaf\n\nFlour, water."),
        ("assistant", "exchange", ""),
        ("assistant", "artifact", "Flour, water, salt."),
    ]
    assert said[0].key == key("c1", "a", "assistant", "", "canmore.create_textdoc")


def test_a_paste_is_what_the_person_said() -> None:
    """The text of an attachment stands behind that of the message, where an export holds it."""
    about = {"attachments": [{"name": "p.txt", "extracted_content": "Rye."}, {"name": "q.png"}]}
    (turn,) = told(talk(node("q", "root", metadata=about)))
    assert (turn.text, turn.key != key("c1", "q", "user", "Hi.", "")) == ("Hi.\n\nRye.", True)
    assert told(talk(node("q", "root")))[0].key == key("c1", "q", "user", "Hi.", "")


def test_a_conversation_tells_its_title() -> None:
    """A newer export may hold another one."""
    (fed,) = feed("chatgpt", talk(node("q", "root"), title="Rye bread"))
    assert fed.facts == (ConversationFacts("c1", "Rye bread"),)


def test_damaged_parts_do_the_others_no_harm() -> None:
    """Wrong types, lone surrogates and NULs in one message leave the others as they are."""
    bad = node("b", "q", text={"content_type": "text", "parts": 7})
    record = talk(node("q", "root", title=5), bad, node("a", "b", "assistant", "half \ud83d of\0 it"), title=["no"])
    assert texts(record) == ["Hi.", "half \ufffd of it"]


def test_unknown_contents_are_counted() -> None:
    """A new type of content, and an object that is no conversation, count as unknown."""
    assert [fed.unknown for fed in feed("chatgpt", talk(node("q", "root", text={"content_type": "smell"})))] == [1]
    assert [fed.unknown for fed in feed("chatgpt", {"shared": True})] == [1]


def test_names() -> None:
    """One file or its numbered parts are wanted, nothing else of an export."""
    for name in (b"conversations.json", b"x/conversations-000.json", b"conversations_12.json"):
        assert chatgpt.wanted(name)
    for name in (b"shared_conversations.json", b"user.json", b"conversations.jsonl", b"conversations-a.json"):
        assert not chatgpt.wanted(name)
