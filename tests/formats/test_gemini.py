"""Gemini's lines: each message once, however often it is appended or repeated (planted case 18)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fold_lines import EVERYTHING, PLAIN, Record, feed, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from importer import formats
from importer.formats import gemini

HEAD = {"sessionId": "7c1d", "projectHash": "app", "startTime": "2026-03-01T09:00:00.000Z", "kind": "main"}
CALL = {"id": "rf", "name": "read_file", "args": {"file_path": "a.go"}}
RESULT = [{"functionResponse": {"id": "rf", "name": "read_file", "response": {"output": "package a"}}}]


def message(type_: str, content: Any, n: int = 1, **fields: Any) -> dict[str, Any]:
    return {"id": f"m{n}", "timestamp": f"2026-03-01T09:00:{n:02}.000Z", "type": type_, "content": content, **fields}


def texts(*records: Record, options: formats.Options = PLAIN) -> list[str]:
    return [turn.text for turn in turns("gemini", *records, options=options)]


@pytest.mark.parametrize("content", ["list the files", [{"text": "list the files"}], {"text": "list the files"}])
def test_content_is_text_or_parts(content):
    """A string, a part and a list of parts give the same text."""
    assert texts(HEAD, message("user", content), message("gemini", "Here.", 2)) == ["list the files", "Here."]


def test_what_the_user_saw_goes_before_what_the_model_got():
    """Referenced files are pasted into the content only."""
    assert texts(message("user", "see a.go\n(12 KB)", displayContent="see @a.go")) == ["see @a.go"]


def test_a_message_appended_again_is_one_turn():
    """Its token count changes nothing; its tool calls come as a turn without text."""
    first = message("gemini", "Here.")
    said = turns(
        "gemini",
        first,
        {**first, "tokens": {"total": 13}},
        {**first, "toolCalls": [CALL]},
        {**first, "toolCalls": [CALL]},
    )
    assert [(turn.text, turn.facts.tools, turn.facts.files) for turn in said] == [
        ("Here.", (), ()),
        ("", ("read_file",), ("a.go",)),
    ]


def grown(*contents: str, n: int = 2, **fields: Any) -> list[dict[str, Any]]:
    return [message("gemini", content, n, **fields) for content in contents]


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (["partial", "partial grown"], ["partial", "grown"]),
        (["a", "a\n\nb", "a\n\nb\n\nc"], ["a", "b", "c"]),
        (["a", "a b", "a", "a b"], ["a", "b"]),
        (["partial", "other words"], ["partial", "other words"]),
        (["other words", "grown", "grown more"], ["other words", "grown", "more"]),
        (["partial", "part"], ["partial", "part"]),
        (["", "partial"], ["partial"]),
    ],
)
def test_of_a_message_that_has_grown_the_rest_is_said(contents, expected):
    """A fold only appends: what was said stays, what is new comes to it."""
    assert texts(HEAD, *grown(*contents)) == expected


def test_a_message_may_grow_behind_another():
    """Each by its id; of the same words under another id all is said."""
    one, two = grown("a", "a b", n=1), grown("a", "a c", n=2)
    assert texts(one[0], two[0], one[1], two[1]) == ["a", "a", "b", "c"]
    assert texts({**one[0], "id": None}, {**one[1], "id": None}) == ["a", "a b"]
    assert texts(HEAD, one[0], {**HEAD, "sessionId": "7c1e"}, one[1]) == ["a", "a b"]


def test_the_same_words_at_another_time_are_said_once():
    """The id says that it is the same message; its tool calls are new."""
    later = {**message("gemini", "a", 2), "timestamp": "2026-03-01T09:30:00.000Z"}
    assert texts(message("gemini", "a", 2), later) == ["a"]
    said = turns("gemini", message("gemini", "a", 2), {**later, "toolCalls": [CALL]})
    assert [(turn.text, turn.facts.tools) for turn in said] == [("a", ()), ("", ("read_file",))]


def test_the_rest_is_known_by_all_that_is_said():
    """A file with the whole message at once gives the same key, so a repeat stays one."""
    whole, (_, rest) = turns("gemini", *grown("partial grown")), turns("gemini", *grown("partial", "partial grown"))
    assert [turn.key for turn in whole] == [rest.key]
    assert texts(*grown("partial", "partial grown", "partial grown", "partial")) == ["partial", "grown"]


def test_contexts_of_older_checkpoints_are_read():
    """Older contexts do not know what was said, so all of it is said as before."""
    old = msgspec.json.decode(b'{"session":"7c1d","recent":["0123456789ab"]}', type=gemini.Context)
    fed = gemini.feed(old, msgspec.json.encode(message("gemini", "partial grown", 2)), PLAIN)
    assert [turn.text for turn in fed.turns] == ["partial grown"]
    assert len(fed.context.told) == 1


def test_a_repeated_list_gives_what_is_new_only():
    """`$set.messages` replaces all messages; at the head of a resumed chat all of it is new."""
    one, two = message("user", "a"), message("gemini", "b", 2)
    assert texts(HEAD, one, {"$set": {"messages": [one, two]}}, {"$set": {"messages": [one]}}) == ["a", "b"]
    assert texts(HEAD, {"$set": {"messages": [one, two]}}, two) == ["a", "b"]


def test_a_resumed_chat_has_the_keys_of_the_old_one():
    """The same messages in another file, under another name."""
    one, other = (
        [turn.key for turn in turns("gemini", HEAD, message("user", "a"), path=path)] for path in (b"/a.jsonl", b"/b")
    )
    assert one == other


def test_rewinds_and_notices_say_nothing():
    """What was taken back was said nevertheless; infos, errors and warnings were not."""
    notices = [message(type_, "Request cancelled.", 3) for type_ in ("info", "error", "warning")]
    assert texts(message("user", "a"), {"$rewindTo": "m1"}, *notices, {"$set": {"lastUpdated": "x"}}) == ["a"]


def test_project_is_a_readable_name_or_nothing():
    """Old folders are hashes, which give no project."""
    assert turns("gemini", HEAD, message("user", "a"))[0].facts.project == "app"
    assert turns("gemini", {**HEAD, "projectHash": "e3b0c442" * 8}, message("user", "a"))[0].facts.project == ""


def test_subagents_are_an_option():
    """The head tells which chats are a subagent's."""
    head = {**HEAD, "kind": "subagent"}
    assert texts(head, message("user", "a")) == []
    assert turns("gemini", head, message("user", "a"), options=EVERYTHING)[0].facts.kind == "subagent"


def test_thoughts_and_results_are_options_that_change_no_key():
    """Options add their texts around what is said."""
    record = message(
        "gemini",
        "Here.",
        thoughts=[{"subject": "Plan", "description": "Use ls."}],
        toolCalls=[{**CALL, "result": RESULT}],
    )
    (plain,), (full,) = turns("gemini", record), turns("gemini", record, options=EVERYTHING)
    assert (plain.text, full.text) == ("Here.", "Plan: Use ls.\n\nHere.\n\npackage a")
    assert plain.key == full.key


@pytest.mark.parametrize(
    "call", [{"name": "importer__search"}, {"name": "run_shell_command", "args": {"command": "importer search x"}}]
)
def test_results_of_our_own_search_are_never_indexed(call):
    """What the memory answered must not go into the memory again."""
    assert texts(message("gemini", "Ok.", toolCalls=[{**call, "result": RESULT}]), options=EVERYTHING) == ["Ok."]


def test_unknown_types_are_counted():
    """A new type of message counts as unknown."""
    assert [fed.unknown for fed in feed("gemini", HEAD, message("hologram", "a"))] == [0, 1]


LONG = st.text(max_size=60).map(lambda words: words * 60)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(lambda w: [{**HEAD, "sessionId": w, "projectHash": w}, message("user", w, id=w)], LONG)))
def test_context_is_bounded_whatever_is_said(groups):
    """Long ids and texts leave less than 4 KiB to remember."""
    for fed in feed("gemini", *[record for group in groups for record in group]):
        assert len(msgspec.json.encode(fed.context)) < formats.MAX_CONTEXT_BYTES


def test_files_and_roots():
    """Chats of all projects are found and wanted."""
    assert gemini.wanted(b"app/chats/session-2026-03-01T09-00-7c1d0000.jsonl")
    assert not gemini.wanted(b"app/logs.json")
    assert gemini.roots({}, "/home/ann") == ("/home/ann/.gemini/tmp",)
