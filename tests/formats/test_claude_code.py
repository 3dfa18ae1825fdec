"""Claude Code files and damaged lines: each test plants one thing seen in real transcripts and says what comes out."""

from __future__ import annotations

import msgspec
import pytest
from transcripts import OTHER, answer, feed, prompt, queue, raw, result, text, texts, titled, turns

from importer import formats
from importer.formats import claude_code


@pytest.mark.parametrize(
    ("relative", "wanted"),
    [
        (b"-home-ann-app/0f3c1a52-1111-4222-8333-944455556666.jsonl", True),
        (b"one.jsonl", True),
        (b"0f3c/subagents/agent-x.jsonl", True),
        (b"0f3c/subagents/agent-acompact-1.jsonl", False),
        (b"0f3c/subagents/agent-aprompt_suggestion-1.jsonl", False),
        (b"0f3c/subagents/workflows/r/journal.jsonl", False),
        (b"history.jsonl", False),
        (b"-p/sessions-index.json", False),
        (b"0f3c/tool-results/a.jsonl", False),
        (b"0f3c/subagents/agent-x.meta.json", False),
        (b"org/account/local_1/audit.jsonl", False),
        (b"audit.jsonl", True),
    ],
)
def test_wanted_files(relative, wanted):
    """Conversations are wanted in any folder, without copies, journals and spilled results."""
    assert claude_code.wanted(relative) is wanted


def test_roots_follow_the_configured_folders():
    """CLAUDE_CONFIG_DIR replaces the usual places and may list several."""
    assert claude_code.roots({"CLAUDE_CONFIG_DIR": "/a, /b"}, "/home/ann") == ("/a/projects", "/b/projects")
    assert claude_code.roots({}, "/home/ann")[0] == "/home/ann/.claude/projects"


@pytest.mark.parametrize(
    "record",
    [prompt("a"), titled("mode", mode="x"), {"type": "summary", "summary": "s", "leafUuid": "u"}, queue("dequeue")],
)
def test_any_first_line_tells_the_format(record):
    """A file that begins with metadata only is recognised."""
    assert formats.detect(raw(record) + b"\n") == "claude-code"


def test_compaction_summary_is_a_kind_of_its_own():
    """Flagged or recognised by its first words, and droppable."""
    words = "This session is being continued from a previous conversation that ran out of context. …"
    said = turns(prompt(words, isCompactSummary=True), prompt(words, n=2))
    assert [turn.facts.kind for turn in said] == ["summary", "summary"]
    assert texts(prompt(words), options=formats.Options(summaries=False)) == []


def test_replay_after_compaction_keeps_the_keys():
    """Case 5: new uuids, old time and text."""
    one, two = turns(prompt("go"), prompt("go", uuid="u99", parentUuid="u7"))
    assert one.key == two.key


def test_fork_keeps_the_keys_under_its_own_conversation():
    """Case 4: same uuid and time, other session and slug."""
    original = turns(prompt("go"), answer(text("ok")))
    fork = turns(prompt("go", sessionId=OTHER, slug="x"), answer(text("ok"), sessionId=OTHER, slug="x"))
    assert [turn.key for turn in original] == [turn.key for turn in fork]
    assert {turn.conversation_id for turn in fork} == {OTHER}


def test_same_words_at_another_time_are_another_turn():
    """Saying "go" twice is two turns; without a time the uuid tells them apart."""
    one, two = turns(prompt("go", 1), prompt("go", 2))
    assert one.key != two.key
    one, two = turns(prompt("go", 1, timestamp=None), prompt("go", 2, timestamp=None))
    assert one.key != two.key


def test_files_of_metadata_only_give_nothing():
    """Case 9: snapshots and summaries are neither points nor errors."""
    snapshot = {"type": "file-history-snapshot", "messageId": "m", "snapshot": {}, "isSnapshotUpdate": False}
    fed = feed(snapshot, {"type": "summary", "summary": "Fix build", "leafUuid": "x"}, titled("mode", mode="normal"))
    assert [(one.turns, one.unknown, one.problems) for one in fed] == [((), 0, ())] * 3


def test_glued_records_are_both_read():
    """`}{` without a newline between, as a third of all damaged lines."""
    fed = feed(raw(prompt("one")) + raw(prompt("two", 2)))[0]
    assert [turn.text for turn in fed.turns] == ["one", "two"]
    assert fed.problems == ()


def test_only_the_cut_record_is_lost():
    """A record cut off in the middle, with a good one behind it on the same line."""
    whole = raw(prompt([result({"nested": {"a": 1}})]))
    fed = feed(whole[: len(whole) // 2] + raw(prompt("good", 2)))[0]
    assert [turn.text for turn in fed.turns] == ["good"]
    assert len(fed.problems) == 1


@pytest.mark.parametrize("junk", [b"\0" * 4096, b"\xef\xbb\xbf", b"  \t"], ids=["nul", "bom", "blank"])
def test_junk_before_a_record_is_passed_over(junk):
    """Runs of NUL, a byte order mark and blanks cost nothing."""
    fed = feed(junk + raw(prompt("good")) + b"\r")[0]
    assert ([turn.text for turn in fed.turns], fed.problems) == (["good"], ())


def test_strange_characters_are_kept_or_replaced():
    """Emoji, CRLF and U+2028 inside text stay; a lone surrogate and bytes that are no UTF-8 are replaced."""
    assert texts(prompt("a\r\nb \u2028 😀")) == ["a\r\nb \u2028 😀"]
    assert texts(raw(prompt("bad \ud83d end"))) == ["bad \ufffd end"]
    assert texts(raw(prompt("caf?")).replace(b"?", b"\xe9")) == ["caf\ufffd"]


def test_a_field_of_another_type_loses_only_itself():
    """A number where a text was expected does not cost the message."""
    record = prompt([text("kept"), {"type": "text", "text": 7}], cwd=5, gitBranch=["x"], isMeta="no")
    assert texts(record) == ["kept"]
    assert [fed.unknown for fed in feed(record)] == [1]


def test_huge_values_leave_only_their_text():
    """Case 8: 2 MB of base64 and a tool result of 900 KB vanish, the words beside them stay."""
    record = prompt([result("x" * 900_000), text("look")], toolUseResult={"image": "A" * 2_000_000})
    fed = feed(record)[0]
    assert [turn.text for turn in fed.turns] == ["look"]
    assert len(msgspec.json.encode(fed.context)) < 400
