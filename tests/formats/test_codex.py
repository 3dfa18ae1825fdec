"""Codex's lines: every text once, though Codex writes it up to four times (planted case 16)."""

from __future__ import annotations

import json

import msgspec
from codex_lines import THREAD, answered, asked, envelope, event, head, item
from fold_lines import EVERYTHING, PLAIN, Record, feed, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from importer import formats
from importer.formats import codex


def texts(*records: Record, options: formats.Options = PLAIN) -> list[str]:
    return [turn.text for turn in turns("codex", *records, options=options)]


def test_each_text_counts_once():
    """Event and item, last message of a task, and the history a compaction replaces: one turn each."""
    copy = envelope(
        "compacted", message="", replacement_history=[{"type": "message", "role": "user", "content": "why?"}]
    )
    records = asked("why?"), event("user_message", "why?"), event("agent_message", "because"), answered("because")
    assert texts(*records, event("task_complete", last_agent_message="because"), copy) == ["why?", "because"]


def test_the_order_of_the_twins_does_not_matter():
    """Item or event may come first; saying the same again later is another turn."""
    assert texts(event("user_message", "go on"), asked("go on")) == ["go on"]
    assert texts(*[asked("go on"), event("user_message", "go on")] * 2) == ["go on", "go on"]


def test_without_events_the_items_speak():
    """`codex exec` and old files write no events."""
    assert texts(asked("why?"), answered("because")) == ["why?", "because"]


def test_instructions_are_skipped():
    """Messages of the roles developer and system give no turns."""
    assert texts(item("message", role="developer", content=[{"type": "input_text", "text": "obey"}])) == []


def test_facts_come_from_head_and_context():
    """Thread, project, branch and model; a later folder is where the turn was, not the project."""
    moved = envelope("turn_context", cwd="/home/ann/app/web", model="gpt-5.3-codex")
    question, answer = turns("codex", head(), asked("why?"), moved, answered("because", id="msg_1"))
    assert (question.conversation_id, question.facts.project, question.facts.git_branch) == (
        THREAD,
        "/home/ann/app",
        "main",
    )
    assert (answer.facts.project, answer.facts.cwd) == ("/home/ann/app", "/home/ann/app/web")
    assert (answer.facts.model, answer.turn_id, answer.at) == ("gpt-5.3-codex", "msg_1", "2026-06-26T12:24:02.000Z")


def test_a_fork_repeats_its_parents_keys():
    """New head, the parent's head and turns under new times: the same keys, then others."""
    parent = turns("codex", head(), asked("why?"), answered("because"), asked("go on", n=3))
    copied = asked("why?", n=40), answered("because", n=41)
    fork = turns("codex", head(id="fork", forked_from_id=THREAD), head(), *copied, asked("instead", n=50))
    assert [turn.key for turn in fork[:2]] == [turn.key for turn in parent[:2]]
    assert fork[2].key not in {turn.key for turn in parent}
    assert {turn.conversation_id for turn in fork} == {"fork"}


def test_same_words_later_are_another_turn():
    """Keys are chained, for there are no ids."""
    one, two = turns("codex", asked("go on"), asked("go on"))
    assert one.key != two.key


def test_calls_carry_tools_and_patched_files():
    """A patch names its files, as input of its own tool or inside a shell command."""
    patch = "*** Begin Patch\n*** Update File: a.py\n@@\n*** Add File: dir/b.py\n*** End Patch"
    own = item("custom_tool_call", name="apply_patch", input=patch, call_id="c1")
    shell = item("function_call", name="shell", arguments=json.dumps({"command": ["apply_patch", patch]}), call_id="c2")
    facts = [turn.facts for turn in turns("codex", own, shell, item("web_search_call"))]
    assert [one.tools for one in facts] == [("apply_patch",), ("shell",), ("web_search",)]
    assert [one.files for one in facts] == [("a.py", "dir/b.py"), ("a.py", "dir/b.py"), ()]


def test_thoughts_and_results_are_options():
    """Off by default; on, they change no key of what is said."""
    summary = item("reasoning", summary=[{"type": "summary_text", "text": "**Thinking**"}], encrypted_content="x")
    result = item("function_call_output", call_id="c1", output="y" * 5_000)
    records = asked("why?"), summary, result, answered("because")
    assert texts(*records) == ["why?", "because"]
    assert texts(*records, options=EVERYTHING) == ["why?", "**Thinking**", "y" * 2_000, "because"]
    assert turns("codex", *records)[1].key == turns("codex", *records, options=EVERYTHING)[3].key


def test_results_of_our_own_search_are_never_indexed():
    """Our own search is known by the tool's name or by the command."""
    tool = item("function_call", name="importer__search", arguments="{}", call_id="c1")
    command = item("function_call", name="exec_command", arguments='{"cmd":"importer search x"}', call_id="c2")
    results = [item("function_call_output", call_id=id_, output="old story") for id_ in ("c1", "c2")]
    assert "old story" not in texts(tool, command, *results, options=EVERYTHING)


def test_subagents_are_an_option():
    """A subagent's head tells that it is one; its turns are of a kind of their own."""
    subagent = head(source={"subagent": "review"}, agent_nickname="Ada")
    assert texts(subagent, asked("review it")) == []
    (turn,) = turns("codex", subagent, asked("review it"), options=EVERYTHING)
    assert (turn.facts.kind, turn.facts.agent) == ("subagent", "Ada")


def test_legacy_files_have_no_envelopes():
    """The head's time stands for all, and the folder is told in the surroundings."""
    start = {"id": "old", "timestamp": "2025-07-01T10:00:00.000Z", "instructions": None, "git": {"branch": "main"}}
    place = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "<environment_context>\n<cwd>/a</cwd>"}],
    }
    words = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
    (turn,) = turns("codex", start, {"record_type": "state"}, place, words)
    assert (turn.conversation_id, turn.at, turn.text) == ("old", "2025-07-01T10:00:00.000Z", "hello")
    assert turn.facts.project == "/a"


def test_unknown_types_are_counted():
    """New envelopes and new items count as unknown."""
    fed = feed(
        "codex", envelope("hologram"), item("dream"), envelope("world_state"), {"record_type": "state"}, {"x": 1}
    )
    assert [one.unknown for one in fed] == [1, 1, 0, 0, 1]


LONG = st.text(max_size=60).map(lambda words: words * 60)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(lambda w: [head(id=w, cwd=w), asked(w), item("function_call", name="importer__x", call_id=w)], LONG)
    )
)
def test_context_is_bounded_whatever_is_said(groups):
    """Long ids, folders and texts leave less than 4 KiB to remember."""
    for fed in feed("codex", *[record for group in groups for record in group]):
        assert len(msgspec.json.encode(fed.context)) < formats.MAX_CONTEXT_BYTES


def test_files_and_roots():
    """Live and archived sessions are wanted, and the index of names, without the prompt history."""
    assert codex.wanted(b"2026/06/26/rollout-2026-06-26T12-20-52-019f.jsonl")
    assert codex.wanted(b"a/rollout-1.jsonl.zst")
    assert codex.wanted(b"session_index.jsonl")
    assert not any(map(codex.wanted, (b"history.jsonl", b"a/rollout-1.zst")))
    assert codex.roots({"CODEX_HOME": "/c"}, "/home/ann") == (
        "/c/sessions",
        "/c/archived_sessions",
        "/c/session_index.jsonl",
    )


def test_the_index_names_threads():
    """Each line is a fact of the thread it names, and the last one holds; a line without a name says nothing."""
    lines = [
        {"id": "t1", "thread_name": name, "updated_at": "2026-06-26T12:24:12Z"} for name in ("Ferry", "Barge", " ")
    ]
    fed = feed("codex", *lines, {"id": "t2", "thread_name": "Dock"}, path=b"/c/session_index.jsonl")
    facts = [(fact.conversation_id, fact.title) for one in fed for fact in one.facts]
    assert facts == [("t1", "Ferry"), ("t1", "Barge"), ("t2", "Dock")]
    assert not any(one.turns or one.unknown for one in fed)
