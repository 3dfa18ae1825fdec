"""What Claude Code's fold remembers: project, title and queue of each session, bounded."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from transcripts import OTHER, SESSION, answer, call, feed, line, prompt, queue, result, text, titled, turns

from importer import formats


def test_project_is_the_first_folder_of_each_session():
    """Case 13: two sessions in one file, and a session that moves; metadata lines count as well."""
    other = {"sessionId": OTHER, "cwd": "/home/ann/lib"}
    hook = line("attachment", attachment={"type": "hook_success"}, cwd="/home/ann/top")
    said = turns(hook, prompt("a", cwd="/home/ann/top/sub"), prompt("b", 2, **other), prompt("c", 3, cwd=None))
    assert [turn.facts.project for turn in said] == ["/home/ann/top", "/home/ann/lib", "/home/ann/top"]
    assert [turn.facts.cwd for turn in said] == ["/home/ann/top/sub", "/home/ann/lib", "/home/ann/top/sub"]


def test_windows_folders_are_kept_as_they_are():
    """Case 14: the project is never read from the munged folder's name."""
    assert turns(prompt("a", cwd="D:\\work\\app"))[0].facts.project == "D:\\work\\app"


def test_title_is_the_best_known_so_far():
    """A person's title stays before a generated one, that before a summary; among equals the last wins."""
    generated, custom = titled("ai-title", aiTitle="AI"), titled("custom-title", customTitle="Mine")
    summary = {"type": "summary", "summary": "Sum", "leafUuid": "u1"}
    records = summary, prompt("a"), generated, prompt("b", 2), custom, generated, summary, prompt("c", 3)
    assert [turn.facts.title for turn in turns(*records)] == ["Sum", "AI", "Mine"]
    named = titled("agent-name", agentName="Name")
    assert turns(generated, named, prompt("a"))[0].facts.title == "Name"


def test_lines_without_a_session_belong_to_the_file():
    """Captures of the SDK's stream spell it differently, or not at all."""
    streamed = {"type": "assistant", "session_id": "s9", "message": {"content": [text("hi")]}, "uuid": "u"}
    assert turns(streamed)[0].conversation_id == "s9"
    assert turns({**streamed, "session_id": None})[0].conversation_id == "stem"


def test_context_is_the_same_object_when_nothing_changed():
    """Most lines change nothing, and cost nothing to remember."""
    fed = feed(prompt("a"), answer(text("b")), prompt([result("c")]), line("progress"))
    assert len({id(one.context) for one in fed}) == 1


LONG = st.text(st.characters(codec="utf-8"), max_size=60).map(lambda words: words * 60)
RECORDS = st.one_of(
    st.builds(lambda w, s, c: prompt(w, sessionId=s, cwd=c, gitBranch=c), LONG, LONG, LONG),
    st.builds(lambda w, s: {**queue("enqueue", w), "sessionId": s}, LONG, st.sampled_from([SESSION, OTHER])),
    st.builds(lambda w: titled("custom-title", customTitle=w), LONG),
    st.builds(lambda w: {"type": "summary", "summary": w}, LONG),
    st.builds(lambda w: answer(call("qdrant-find", w), call("mcp__x__qdrant-find", w)), LONG),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=12))
def test_context_is_bounded_whatever_is_said(records):
    """Long sessions, folders, titles and queues: below 4 KiB, and the present session is always remembered."""
    for fed in feed(*records):
        assert len(msgspec.json.encode(fed.context)) < formats.MAX_CONTEXT_BYTES
    last = next((record for record in reversed(records) if record["type"] != "summary"), None)
    assert not last or fed.context.sessions
