"""What one Claude Code line says: prompts, answers, tool calls and results, sub-agents."""

from __future__ import annotations

import pytest
from transcripts import SESSION, answer, call, feed, line, prompt, result, text, texts, turns

from importer import formats


def test_a_prompt_and_its_answer():
    """Content is a string or a list of blocks, and both are the same."""
    assert texts(prompt("why?"), answer(text("because"))) == ["why?", "because"]
    assert texts(prompt([text("why?")]), answer(message={"content": "because"})) == ["why?", "because"]


def test_blocks_of_one_answer_over_several_lines_all_count():
    """Case 1: four blocks of one message with a tool result between, in order, none replaced by a later one."""
    blocks = [
        answer({"type": "thinking", "thinking": "hm"}, n=2),
        answer(text("First."), n=3),
        answer(call("Bash"), n=4),
    ]
    said = turns(prompt("go"), *blocks, prompt([result("ok")], n=5), answer(text("Done."), n=6))
    assert [turn.text for turn in said] == ["go", "First.", "", "Done."]
    assert said[2].facts.tools == ("Bash",)


def test_several_blocks_in_one_line_are_joined():
    """Hand-made and gateway files put a whole message into one line."""
    said = turns(answer(text("One."), call("Read", file_path="/a.py"), text("Two.")))
    assert [turn.text for turn in said] == ["One.\n\nTwo."]
    assert said[0].facts.files == ("/a.py",)


def test_what_stands_around_a_turn():
    """Identity, time and facts come from the line."""
    turn = turns(prompt("hi"), answer(text("hello")))[1]
    assert (turn.conversation_id, turn.turn_id, turn.role, turn.at) == (
        SESSION,
        "u2",
        "assistant",
        "2026-02-11T20:00:02.000Z",
    )
    facts = turn.facts
    assert (facts.kind, facts.project, facts.cwd, facts.git_branch) == (
        "exchange",
        "/home/ann/app",
        "/home/ann/app",
        "main",
    )
    assert facts.model == "claude-sonnet-5"


def test_tools_and_files_come_without_text():
    """A line that only calls tools carries them on a turn without text; where a search looks is no file."""
    calls = [call("Edit", file_path="/a.py"), call("NotebookEdit", notebook_path="/n.ipynb"), call("Grep", path="/src")]
    (turn,) = turns(answer(*calls))
    assert turn.text == ""
    assert turn.facts.tools == ("Edit", "NotebookEdit", "Grep")
    assert turn.facts.files == ("/a.py", "/n.ipynb")


def test_two_calls_in_one_millisecond_are_two_turns():
    """Without text, what was called tells turns with the same time apart."""
    one, two = turns(answer(call("Read", file_path="/a")), answer(call("Read", file_path="/b")))
    assert one.key != two.key


@pytest.mark.parametrize(
    "fields", [{"isApiErrorMessage": True}, {"message": {"model": "<synthetic>", "content": [text("x")]}}]
)
def test_messages_claude_code_wrote_itself_are_skipped(fields):
    """API errors are not something the assistant said."""
    assert texts(answer(text("API Error: 529"), **fields)) == []


def test_a_picture_is_a_placeholder_only():
    """No base64 in any text; a prompt that is nothing but a picture is still a prompt."""
    picture = {"type": "image", "source": {"type": "base64", "data": "iVBOR" * 400_000}}
    assert texts(prompt([picture]), prompt([picture, text("what is it?")], n=2)) == ["[image]", "what is it?"]


def test_thinking_is_an_option():
    """Off by default; an empty thought (only a signature) is nothing."""
    thought, empty = ({"type": "thinking", "thinking": words, "signature": "Eq"} for words in ("Check it.", ""))
    assert texts(answer(thought), answer(empty)) == []
    assert texts(answer(thought), answer(empty), options=formats.Options(thinking=True)) == ["Check it."]


def test_unknown_types_and_blocks_are_counted():
    """What a later version adds is skipped and counted, never fatal."""
    fed = feed(line("hologram"), answer({"type": "dream"}, text("x")), line("progress", data={"type": "bash_progress"}))
    assert [one.unknown for one in fed] == [1, 1, 0]
    assert [one.problems for one in fed] == [(), (), ()]


# Tool results


def test_tool_results_are_an_option_and_cut():
    """Off by default; on, the beginning of a result is the assistant's side of the exchange, without reminders."""
    record = prompt([result("error: no foo.h\n<system-reminder>x</system-reminder>" + "y" * 9_000)])
    assert texts(record) == []
    (turn,) = turns(record, options=formats.Options(tool_results=True))
    assert turn.role == "assistant"
    assert turn.text.startswith("error: no foo.h\ny")
    assert len(turn.text) == 2_000


@pytest.mark.parametrize(
    "ours",
    [
        call("mcp__importer__search"),
        call("mcp__memory__qdrant-find"),
        call("Bash", command="cd x; importer search --json y"),
    ],
    ids=["mcp", "qdrant", "command"],
)
def test_results_of_our_own_search_are_never_indexed(ours):
    """What the memory answered must not go into the memory again."""
    records = answer(ours), prompt([result("old story")])
    assert texts(*records, options=formats.Options(tool_results=True)) == [""]


def test_a_refusal_with_words_is_something_a_person_said():
    """Feedback typed while refusing a tool call stands in the call's result only."""
    words = (
        "no. To tell you how to proceed, the user said:\nuse the fixture\n\nNote: The user's next message may contain"
    )
    (turn,) = turns(prompt([result(words, is_error=True)]))
    assert (turn.role, turn.text) == ("user", "use the fixture")
    assert texts(prompt([result("Error: exit 1", is_error=True)])) == []


def test_a_late_result_and_an_orphan_call_hold_nothing_up():
    """Case 15: each line gives its turn at once, even if the answer comes twelve hours later or never."""
    fed = feed(answer(call("Bash")), answer(text("waiting"), n=3), prompt([result("done")], n=43_200 % 3_600))
    assert [len(one.turns) for one in fed] == [1, 1, 0]


def test_subagents_are_an_option_with_their_own_conversation():
    """Off by default; on, kind and conversation keep them out of the parent's exchange."""
    record = prompt("find all callers", isSidechain=True, agentId="a7c41e9")
    assert texts(record) == []
    (turn,) = turns(record, options=formats.Options(subagents=True))
    assert (turn.conversation_id, turn.facts.kind, turn.facts.agent) == (f"{SESSION}/a7c41e9", "subagent", "a7c41e9")


def test_team_members_are_subagents():
    """A line of an agent team was typed by no person, whether flagged as side chain or not."""
    assert texts(prompt("do it", teamName="crew", agentName="bob"), prompt("x", origin={"kind": "hook"})) == []
