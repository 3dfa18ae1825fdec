"""Facts of conversations join across files: a summary titles that one whose last line it names, in any order."""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Iterator

import pytest

from importer.protocol.records import Checkpoint, Commit, ConversationFacts, HeadPrint, Tally
from importer.reading.known_facts import KnownFacts
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
