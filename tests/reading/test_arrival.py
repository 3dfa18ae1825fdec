"""However turns arrive, the store ends with what they say: each point once, none missing, none stale."""

from __future__ import annotations

import itertools
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_store import ModelStore
from turn_builders import EXCHANGE, ORIGIN, SMALL, copied, fold, turns

from importer.chunking.fold import Folding, feed, restart
from importer.chunking.split import plain
from importer.protocol.records import Turn

pytestmark = pytest.mark.slow

NEW = Folding()


def told(*slices: list[Turn], store: ModelStore | None = None, folding: Folding = NEW) -> ModelStore:
    """Return the store after these slices of a file, each applied by itself; the last one reaches the end."""
    store = store or ModelStore()
    for number, part in enumerate(slices, 1):
        folding, chunks, releases = fold(folding, part, at_end=number == len(slices))
        store.apply(chunks, releases)
    return store


def sliced(said: list[Turn], places: list[int]) -> list[list[Turn]]:
    """Cut the turns at these places (modulo their number)."""
    ends = sorted({place % (len(said) + 1) for place in places} | {0, len(said)})
    return [said[start:end] for start, end in itertools.pairwise(ends)]


PATIENT = settings(deadline=None, max_examples=60)  # no time is promised here: machines are shared
PLACES = st.lists(st.integers(0, 50), max_size=6)
TWO = ("one", "two")
MANY = ("one", "two", "three", "four")  # with their subagents more than are remembered


@PATIENT
@given(turns(MANY, most=20), PLACES)
def test_any_slicing_gives_the_same_points(said: list[Turn], places: list[int]) -> None:
    """Byte by byte or in one read: ids, texts, metadata and holders are the same."""
    assert told(*sliced(said, places)).points == told(said).points


@PATIENT
@given(turns(MANY, most=20), st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=1, max_size=12))
def test_lost_checkpoints_leave_nothing_stale(said: list[Turn], reads: list[tuple[int, bool]]) -> None:
    """A batch stored without its checkpoint, and a next read that goes further, give the same points."""
    store, folding, at = ModelStore(), Folding(), 0
    for count, committed in [*reads, (len(said), True)]:
        after, chunks, releases = fold(folding, said[at : at + count])
        store.apply(chunks, releases)
        folding, at = (after, at + count) if committed else (folding, at)
    assert store.points == told(said).points


@PATIENT
@given(turns(TWO), PLACES)
def test_a_lost_state_leaves_nothing_stale(said: list[Turn], places: list[int]) -> None:
    """After the state was lost, reading everything again over what is stored ends in the same points."""
    store = ModelStore()
    for end in sorted(place % (len(said) + 1) for place in places):
        told(said[:end], store=store)
    assert told(said, store=store).points == told(said).points


@PATIENT
@given(turns(), PLACES)
def test_replaying_batches_changes_nothing(said: list[Turn], places: list[int]) -> None:
    """Any number of batches applied once more, from any one on, end in the same points."""
    batches, folding = [], Folding()
    for part in sliced(said, places):
        folding, chunks, releases = fold(folding, part)
        batches.append((chunks, releases))
    for start in range(len(batches)):
        store = ModelStore()
        for chunks, releases in (*batches, *batches[start:]):
            store.apply(chunks, releases)
        assert store.points == told(said).points


@PATIENT
@given(turns(MANY, most=20))
def test_json_between_any_two_turns_changes_nothing(said: list[Turn]) -> None:
    """A fold that goes on from a checkpoint gives what one gives that was never interrupted."""
    whole = resumed = Folding()
    for one in said:
        resumed = msgspec.json.decode(msgspec.json.encode(resumed), type=Folding)
        expected, given_ = feed(whole, one, SMALL, ORIGIN), feed(resumed, one, SMALL, ORIGIN)
        assert given_ == expected
        whole, resumed = expected.folding, given_.folding


@PATIENT
@given(turns())
def test_a_fork_adds_no_points(said: list[Turn]) -> None:
    """The same turns under another conversation are the same points, embedded once."""
    store = told(said)
    known, embedded = set(store.points), list(store.embedded)
    told(copied(said), store=store)
    assert set(store.points) == known
    assert store.embedded == embedded


@PATIENT
@given(turns(), turns(), st.integers(0, 14))
def test_a_fork_that_goes_on_adds_only_what_is_new(said: list[Turn], more: list[Turn], at: int) -> None:
    """Original and fork read in either order: each has exactly the points it has by itself, none is lost."""
    later = [replace(one, key=f"later {one.key}") for one in more]
    fork = copied(said[:at] + later)
    expected = set(told(said).points) | set(told(fork).points)
    assert set(told(fork, store=told(said)).points) == expected
    assert set(told(said, store=told(fork)).points) == expected


@PATIENT
@given(turns(TWO), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=5))
def test_repeated_turns_change_nothing(said: list[Turn], repeats: list[tuple[int, int]]) -> None:
    """Doubled lines and replays, wherever they stand behind the first, are not accepted."""
    longer = [(at, one) for at, one in enumerate(said)]
    for which, where in repeats:
        at = which % len(said)
        place = at + where % (len(said) - at)
        longer.append((place, said[at]))
    longer.sort(key=lambda entry: entry[0])
    assert told([one for _, one in longer]).points == told(said).points


@PATIENT
@given(turns(), turns(), PLACES)
def test_interleaved_conversations_do_not_mix(ones: list[Turn], others: list[Turn], places: list[int]) -> None:
    """Two conversations in one file give the points each gives in a file of its own."""
    twos = [replace(one, key=f"other {one.key}") for one in copied(others, "other")]
    mixed: list[Turn] = []
    for one, two in itertools.zip_longest(sliced(ones, places), sliced(twos, places), fillvalue=[]):
        mixed += one + two
    alone = told(twos, store=told(ones))
    assert told(mixed).points == alone.points


@PATIENT
@given(turns(TWO), turns(TWO), PLACES)
def test_a_new_generation_leaves_no_stale_open_chunk(old: list[Turn], new: list[Turn], places: list[int]) -> None:
    """After a truncation, what stood open and did not come again is gone once the new content was read."""
    folding, chunks, releases = fold(Folding(), old)
    store = ModelStore()
    store.apply(chunks, releases)
    told(*sliced(new, places), store=store, folding=restart(folding))
    closed = {identifier for identifier, payload in told(old).points.items() if "open_by" not in payload}
    assert set(store.points) == closed | set(told(new).points)


@PATIENT
@given(turns(TWO), PLACES)
def test_reading_the_same_content_as_a_new_generation_changes_nothing(said: list[Turn], places: list[int]) -> None:
    """A rewrite with the same bytes ends where it began, without an embedding more at the end of it."""
    folding, chunks, releases = fold(Folding(), said, at_end=True)
    store = ModelStore()
    store.apply(chunks, releases)
    assert told(*sliced(said, places), store=store, folding=restart(folding)).points == told(said).points


@PATIENT
@given(turns(MANY, most=20))
def test_no_text_is_lost_or_empty(said: list[Turn]) -> None:
    """Every visible character of every text stands in some point; no point is empty or has outer whitespace."""
    store = told(said)
    stored = {character for payload in store.points.values() for character in payload["document"]}
    texts = [payload["document"] for payload in store.points.values()]
    assert {character for one in said for character in plain(one.text) if not character.isspace()} <= stored
    assert all(text and text == text.strip() for text in texts)


def test_copies_with_marks_of_their_own_hold_their_own_ends() -> None:
    """Two files with the same conversation: one that goes on does not let go of what the other ends with."""
    store = told(EXCHANGE[:2], folding=Folding(mark="a"))
    told(EXCHANGE[:2], EXCHANGE[2:], store=store, folding=Folding(mark="b"))
    expected = set(told(EXCHANGE[:2]).points) | set(told(EXCHANGE).points)
    assert set(store.points) == expected
