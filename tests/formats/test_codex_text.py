"""What Codex puts in the role user, and what people read and say through its tools."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from codex_lines import answered, asked, envelope, event, head, item
from fold_lines import EVERYTHING, PLAIN, Record, feed, turns

from importer import formats

AGENTS = "# AGENTS.md instructions for /home/ann/app\n\n<INSTRUCTIONS>\nUse tabs.\n</INSTRUCTIONS>"
PLACE = "<environment_context>\n  <cwd>/home/ann/app</cwd>\n</environment_context>"
EDITOR = "# Context from my IDE setup:\n\n## Active file: a.py\n\n## My request for Codex:\nrename the walrus"
HANDOVER = (
    "Another language model started to solve this problem and produced a summary of its thinking process. "
    "Use it: the ferry is painted."
)


def texts(*records: Record, options: formats.Options = PLAIN) -> list[str]:
    return [turn.text for turn in turns("codex", *records, options=options) if turn.text]


@pytest.mark.parametrize(
    "block",
    [
        AGENTS,
        PLACE,
        "<skill>\n<name>knots</name>\nTie it.\n</skill>",
        "<permissions instructions>\nAsk first.\n</permissions instructions>",
        '<hook_prompt hook_run_id="7">the hook says no</hook_prompt>',
        "<brand_new_block><part>one</part><brand_new_block>nested</brand_new_block></brand_new_block>",
        "<environment_context>\n<cwd>/cut/off",
        "<image name=[Image #1]>",
        "</image>",
        "Warning: apply_patch was requested via exec_command. Use the tool.",
    ],
)
def test_blocks_that_codex_adds_are_not_typed(block):
    """A block is known by its mark, or as one closed element; what stands beside it is the prompt."""
    assert texts(asked(block, "real words")) == ["real words"]
    assert texts(asked(block), asked("real words")) == ["real words"]


@pytest.mark.parametrize("block", [AGENTS, PLACE, AGENTS + "\n" + PLACE, "<turn_aborted>\nstopped\n</turn_aborted>"])
def test_the_prompt_behind_a_block_is_kept(block):
    """Only the block goes, in an item and in an event."""
    assert texts(asked(f"{block}\n\npaint the ferry")) == ["paint the ferry"]
    assert texts(event("user_message", f"{block}\n\npaint the ferry")) == ["paint the ferry"]


@pytest.mark.parametrize(
    "words",
    [
        "why is <b>this</b> bold and <i>that</i> not?",
        "<environment_context> shows the wrong folder, why?",
        "what does <skill>x</skill> do",
        "<div class='a'><div>close me</div></div>",
        "# Context from my IDE setup\nis a heading I do not want",
        "<image src='a.png'> is not loaded",
    ],
)
def test_words_with_tags_in_them_are_kept(words):
    """A tag in a sentence and pasted markup remove nothing."""
    assert texts(asked(words)) == [words]


def test_an_element_that_the_event_says_was_typed_is_kept():
    """The item alone cannot tell a pasted element from a block of Codex; the event of the screen can."""
    pasted = "<config_block><port>1</port></config_block>"
    assert texts(asked(pasted)) == []
    assert texts(asked(pasted), event("user_message", pasted)) == [pasted]
    assert texts(event("user_message", pasted), asked(pasted)) == [pasted]


def test_an_editors_context_leaves_the_request():
    """In the item and its event alike, which stay one turn."""
    assert texts(asked(EDITOR), event("user_message", EDITOR)) == ["rename the walrus"]
    assert texts(event("user_message", EDITOR.replace(" for Codex", ""))) == ["rename the walrus"]


def test_old_events_tell_what_codex_wrote():
    """The kind of an event decides before its words."""
    assert texts(event("user_message", "be brief", kind="user_instructions"), event("user_message", "be brief")) == [
        "be brief"
    ]


def test_a_hand_over_is_a_summary():
    """It is no prompt, and an option."""
    (summary,) = turns("codex", asked(HANDOVER))
    assert (summary.facts.kind, "ferry" in summary.text) == ("summary", True)
    assert texts(asked(HANDOVER), options=formats.Options(summaries=False)) == []


def test_keys_behind_a_text_that_is_left_out_stay():
    """The chain goes on as it did when such a text was taken for a prompt."""
    block = "<recommended_plugins>\nmany\n</recommended_plugins>"
    chained = turns("codex", asked("what is new?", n=1), answered("much"))
    behind = turns("codex", asked(block), asked("what is new?"), answered("much"))
    assert [turn.text for turn in behind] == [turn.text for turn in chained]
    assert behind[0].key != chained[0].key  # it hangs on the block, as it was stored


ASK = item(
    "function_call",
    name="request_user_input",
    call_id="c1",
    arguments=json.dumps({"questions": [{"id": "q1", "header": "Paint", "question": "Which paint?"}]}),
)


def told(**answers: list[str]) -> dict[str, Any]:
    output = json.dumps({"answers": {id_: {"answers": texts} for id_, texts in answers.items()}})
    return item("function_call_output", 3, call_id="c1", output=output)


def test_an_answer_stands_behind_its_question():
    """Both belong to the exchange, and neither is a prompt; keys of other turns do not change."""
    said = turns("codex", asked("paint the ferry"), ASK, told(q1=["Other", "user_note: tar, twice"]), answered("Done."))
    assert [turn.text for turn in said if turn.text] == [
        "paint the ferry",
        "Which paint?",
        "Other, tar, twice",
        "Done.",
    ]
    assert [turn.role for turn in said] == ["user", *["assistant"] * 4]
    assert said[-1].key == turns("codex", asked("paint the ferry"), answered("Done."))[-1].key


def test_several_answers_name_their_questions():
    """By the short name; a question without one is named by its words."""
    questions = [{"id": "a", "header": "Hull", "question": "Which hull?"}, {"id": "b", "question": "Which deck?"}]
    ask = item("function_call", name="request_user_input", call_id="c1", arguments={"questions": questions})
    assert texts(ask, told(b=["teak"], a=["steel"])) == ["Which hull?\nWhich deck?", "Which deck?: teak\nHull: steel"]


def test_a_question_that_was_not_answered_has_no_answer():
    """An error of the tool is no person's word."""
    output = item("function_call_output", call_id="c1", output="request_user_input is unavailable in this mode")
    assert texts(ASK, output) == ["Which paint?"]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("exec command rejected by user: use the dry dock", ["use the dry dock"]),
        ({"content": "patch rejected by user, reason: not this file"}, ["not this file"]),
        ("exec command rejected by user", []),
        ("Exit code: 1\nOutput:\nthe request was rejected by user: root", []),
        ("This action was rejected due to unacceptable risk. Reason: it deletes", []),
    ],
)
def test_the_reason_of_a_refusal_is_a_prompt(output, said):
    """A bare refusal says nothing, and a command's output is nothing said."""
    refused = turns("codex", item("function_call_output", call_id="c1", output=output))
    assert [turn.text for turn in refused] == said
    assert {turn.role for turn in refused} <= {"user"}


PLAN = {"explanation": "First the hull.", "plan": [{"step": "scrape", "status": "pending"}, {"step": "paint"}]}


def test_plans_are_chunks_of_their_own():
    """A plan as a call, as an item of the screen, and as a block of an answer; the same plan again is the same."""
    call = item("function_call", name="update_plan", call_id="c1", arguments=json.dumps(PLAN))
    later = {**PLAN, "plan": [{"step": "scrape", "status": "completed"}, {"step": "paint"}]}
    again = item("function_call", name="update_plan", call_id="c2", arguments=json.dumps(later))
    one, two = (turn for turn in turns("codex", call, again) if turn.text)
    assert (one.facts.kind, one.text, one.key) == ("plan", "First the hull.\n\n- scrape\n- paint", two.key)
    shown = event("item_completed", item={"type": "Plan", "id": "p1", "text": "Dock first.\n"})
    block = answered("Here:\n<proposed_plan>\nDock first.\n</proposed_plan>")
    plans = [turn for turn in turns("codex", shown, block) if turn.facts.kind == "plan"]
    assert [(turn.text, turn.key) for turn in plans] == [("Dock first.", plans[0].key)] * 2


@pytest.mark.parametrize(
    "content", ["hello", ["hello"], {"text": "hello"}, [{"type": "input_text", "text": ["hello"]}]]
)
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_content_has_many_shapes(content, role):
    """A string, a list of strings, one block, a list of blocks."""
    assert texts(item("message", role=role, content=content)) == ["hello"]


@pytest.mark.parametrize(
    "record",
    [
        item("message", role="user", content=7),
        item("message", role="assistant", content=[{"type": "hologram", "data": "x"}]),
        item("message", role=["user"], content="hello"),
        item("message", content="hello"),
        event("user_message", message={"odd": "hello"}),
        envelope("event_msg") | {"payload": ["user_message", "hello"]},
        envelope("response_item") | {"payload": "hello"},
    ],
)
def test_words_of_an_unknown_shape_are_counted(record):
    """Nothing is both left out and uncounted."""
    (fed,) = feed("codex", record)
    assert (fed.turns, fed.unknown) == ((), 1)


def test_pictures_are_no_unknown_shape():
    """Blocks known to hold no words count as nothing."""
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
    (fed,) = feed("codex", item("message", role="user", content=[picture, {"type": "input_text", "text": "see"}]))
    assert ([turn.text for turn in fed.turns], fed.unknown) == (["see"], 0)


@pytest.mark.parametrize("stamp", [1782476652, 1782476652000, "2026-06-26T12:24:12Z"])
def test_times_may_be_numbers(stamp):
    """Seconds, milliseconds and texts."""
    (turn,) = turns("codex", asked("why?") | {"timestamp": stamp})
    assert turn.at == "2026-06-26T12:24:12.000Z"


def test_a_new_name_is_a_fact_of_the_thread():
    """The event may name the thread, and names this one if it does not."""
    named, unnamed = (
        event("thread_name_updated", thread_id="t9", thread_name=" Ferry "),
        event("thread_name_updated", thread_name="Barge"),
    )
    facts = [
        fact for fed in feed("codex", head(id="t1"), named, unnamed, event("thread_name_updated")) for fact in fed.facts
    ]
    assert [(fact.conversation_id, fact.title) for fact in facts] == [("t9", "Ferry"), ("t1", "Barge")]
    (glued,) = feed("codex", json.dumps(named) + json.dumps(unnamed))
    assert [fact.title for fact in glued.facts] == ["Ferry", "Barge"]


def test_context_is_bounded_with_questions_open():
    """Long names and questions leave less than 4 KiB to remember."""
    long = "\u20ac\0" * 3000
    questions = [{"id": long, "header": long, "question": long}] * 9
    ask = [
        item("function_call", name="request_user_input", call_id=f"{n}", arguments={"questions": questions})
        for n in "abc"
    ]
    own = [item("function_call", name="importer__search", call_id=f"{n}", arguments="{}") for n in range(9)]
    said = [asked(f"{n}") for n in range(9)]
    start = head(id=long, cwd=long, git={"branch": long}, agent_nickname=long)
    moved = envelope("turn_context", cwd="/" + long, model=long)
    for fed in feed("codex", start, moved, *own, *said, *ask, options=EVERYTHING):
        assert len(msgspec.json.encode(fed.context)) < formats.MAX_CONTEXT_BYTES
