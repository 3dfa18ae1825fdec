"""Facts of conversations join across files: a summary titles that one whose last line it names, in any order."""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from importer.protocol.records import Checkpoint, Commit, ConversationFacts, HeadPrint, SpokenCounts, Tally
from importer.reading.known_facts import KnownFacts
from importer.state import erasure
from importer.state.checkpoints import Checkpoints
from importer.state.conversations import MOST_TIPS

SOURCE = "claude-code"
TIP, OTHER_TIP = ConversationFacts("kiln", leaf="abc"), ConversationFacts("loom", leaf="xyz")
OWN = ConversationFacts("kiln", "Own")
SUMMARY = ConversationFacts("", "Firing plan", leaf="abc")


@pytest.fixture
def state(tmp_path: pathlib.Path) -> Iterator[Checkpoints]:
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as found:
        yield found


def commit(inode: int, facts: tuple[ConversationFacts, ...]) -> Commit:
    head = HeadPrint(0, b"")
    return Commit(Checkpoint(b"/%d" % inode, 1, inode, 0, 9, head, b"", 9, 1, 1, SOURCE), Tally(), (), facts)


def read(state: Checkpoints, *spans: tuple[ConversationFacts, ...], late: bool = False) -> KnownFacts:
    """Take in what spans say; each is committed at once, or all of them `late`, after the last was read."""
    known = KnownFacts(state)
    commits = []
    for inode, span in enumerate(spans, 1):
        commits.append(commit(inode, known.add(SOURCE, span)))
        if not late:
            state.commit(commits[-1:])
            known.settled(commits[-1])
    if late:
        for one in commits:
            state.commit([one])
            known.settled(one)
    return known


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("spans", [*itertools.permutations([(TIP,), (OTHER_TIP,), (SUMMARY,)])])
def test_any_order(state: Checkpoints, spans: tuple[tuple[ConversationFacts, ...], ...], late: bool) -> None:
    """Before and after the file it is about, committed or in flight: that session has the title, and no other."""
    known = read(state, *spans, late=late)
    assert state.conversation(SOURCE, "kiln").title == known.told(SOURCE, "kiln").title == "Firing plan"
    assert state.conversation(SOURCE, "loom").title == ""
    assert (known._news, known._tips, known._summaries) == ({}, {}, {})


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("spans", [*itertools.permutations([(TIP,), (OWN,), (SUMMARY,)])])
def test_a_title_of_its_own(state: Checkpoints, spans: tuple[tuple[ConversationFacts, ...], ...], late: bool) -> None:
    """What the conversation's own file says counts, in any order."""
    read(state, *spans, late=late)
    assert state.conversation(SOURCE, "kiln").title == "Own"


def test_a_killed_process_knows_it_again(state: Checkpoints) -> None:
    """What was not committed is forgotten and read again; what was committed is known to the next process."""
    known = KnownFacts(state)
    known.add(SOURCE, (SUMMARY,))
    known.clear()
    assert read(state, (TIP,)).told(SOURCE, "kiln").title == ""
    assert read(state, (SUMMARY,)).told(SOURCE, "kiln").title == "Firing plan"


def test_points_are_told_titles_alone(state: Checkpoints) -> None:
    """A tip without a title and a summary without its session are no news for the store."""
    known = KnownFacts(state)
    told = [known.add(SOURCE, (one,)) for one in (OTHER_TIP, SUMMARY, TIP)]
    news = [[one for one in facts if one.is_news] for facts in told]
    assert news == [[], [], [ConversationFacts("kiln", "Firing plan", leaf="abc")]]


def test_a_growing_conversation_keeps_a_few_tips(state: Checkpoints) -> None:
    """A summary may name a line that was the last one a while ago; older ones are forgotten."""
    for number in range(3 * MOST_TIPS):
        read(state, (ConversationFacts("kiln", leaf=f"line {number}"),))
    rows = state.database.rows("SELECT count(*) FROM tips")
    assert rows == [(MOST_TIPS,)]
    assert state.conversation_at(SOURCE, f"line {3 * MOST_TIPS - 2}") == "kiln"
    assert state.conversation_at(SOURCE, "line 1") == ""


def said(conversation: str, *lines: str) -> SpokenCounts:
    return SpokenCounts(conversation, len(lines), lines=lines)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("order", [*itertools.permutations(range(4))])
def test_a_summary_may_name_any_line(state: Checkpoints, order: tuple[int, ...], late: bool) -> None:
    """However far back in which file: the first conversation that has the line has the title."""
    kiln, loom = said("kiln", "0123456789ab", "abc", "abd", *map(str, range(40))), said("loom", "abe", "xyz")
    spans = [((), (kiln,)), ((), (loom,)), ((SUMMARY,), ()), ((TIP, OTHER_TIP), (said("kiln", "end"),))]
    known, commits = KnownFacts(state), []
    for number in order:
        facts, held = spans[number]
        made = replace(commit(number + 1, known.add(SOURCE, facts, held)), said=held)
        commits.append(made)
        if not late:
            state.commit([made])
            known.settled(made)
    for made in commits if late else ():
        state.commit([made])
        known.settled(made)
    assert state.conversation(SOURCE, "kiln").title == "Firing plan"
    assert state.conversation(SOURCE, "loom").title == ""
    assert (known._news, known._tips, known._summaries) == ({}, {}, {})


def test_lines_are_kept_once_and_go_with_their_conversation(state: Checkpoints) -> None:
    """Six bytes each, also where a file is read again; one is never found across two others."""
    for _ in range(2):
        state.commit([replace(commit(1, ()), said=(said("kiln", "0123456789ab", "cdef01234567", "odd"),))])
    assert [len(ids) for (ids,) in state.database.rows("SELECT ids FROM lines")] == [18]
    assert state.conversation_at(SOURCE, "cdef01234567") == "kiln"
    assert state.conversation_at(SOURCE, "6789abcdef01") == ""
    assert state.conversation_at("codex", "cdef01234567") == ""
    erasure.silence(state, erasure.Silenced({}, conversations=[(SOURCE, "kiln")]))
    assert state.database.rows("SELECT ids FROM lines") == []
