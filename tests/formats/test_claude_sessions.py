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


def test_a_summary_titles_the_session_that_holds_its_leaf_and_no_other():
    """It stands in front of the line it names or behind it; the leaf of another file's session titles nothing here."""
    stray = {"type": "summary", "summary": "Stray", "leafUuid": "elsewhere"}
    ahead = {"type": "summary", "summary": "Ahead", "leafUuid": "u2"}
    behind = {"type": "summary", "summary": "Behind", "leafUuid": "u1"}
    fed = feed(stray, ahead, prompt("a", sessionId=OTHER), behind, prompt("b", 2), prompt("c", 3, sessionId=OTHER))
    assert [turn.facts.title for one in fed for turn in one.turns] == ["", "Ahead", "Behind"]
    assert [(fact.conversation_id, fact.title) for one in fed for fact in one.facts] == [
        (OTHER, "Behind"),
        (SESSION, "Ahead"),
    ]


def test_a_title_is_told_of_the_whole_conversation_when_it_comes():
    """Each better title is told once, by a line without a turn too; a worse one and a repetition are not."""
    mine, generated = titled("custom-title", customTitle="Mine"), titled("ai-title", aiTitle="AI")
    again = titled("custom-title", customTitle="Ours")
    fed = feed(prompt("a"), generated, generated, mine, generated, again)
    assert [fact.title for one in fed for fact in one.facts] == ["AI", "Mine", "Ours"]
    assert {fact.conversation_id for one in fed for fact in one.facts} == {SESSION}


def test_a_folder_that_comes_late_is_told_of_the_whole_conversation():
    """What was said before a line named the folder belongs to it, too."""
    fed = feed(prompt("a", cwd=None, gitBranch=None), answer(text("b")), answer(text("c"), n=3))
    (fact,) = (fact for one in fed for fact in one.facts)
    assert (fact.title, fact.project, fact.git_branch) == ("", "/home/ann/app", "main")
    assert not any(one.facts for one in feed(prompt("a"), answer(text("b"))))


def test_lines_without_a_session_belong_to_the_file():
    """Captures of the SDK's stream spell it differently, or not at all."""
    streamed = {"type": "assistant", "session_id": "s9", "message": {"content": [text("hi")]}, "uuid": "u"}
    assert turns(streamed)[0].conversation_id == "s9"
    assert turns({**streamed, "session_id": None})[0].conversation_id == "stem"


def test_context_is_the_same_object_when_nothing_changed():
    """Most lines change nothing, and cost nothing to remember."""
    fed = feed(prompt("a"), answer(text("b")), answer(call("Bash")), prompt([result("c")]), line("progress"))
    assert len({id(one.context) for one in fed[1:]}) == 1


LONG = st.text(st.characters(codec="utf-8"), max_size=60).map(lambda words: words * 60)
RECORDS = st.one_of(
    st.builds(lambda w, s, c: prompt(w, sessionId=s, cwd=c, gitBranch=c), LONG, LONG, LONG),
    st.builds(lambda w, s: {**queue("enqueue", w), "sessionId": s}, LONG, st.sampled_from([SESSION, OTHER])),
    st.builds(lambda w: titled("custom-title", customTitle=w), LONG),
    st.builds(lambda w, u: {"type": "summary", "summary": w, "leafUuid": u}, LONG, st.uuids().map(str)),
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
