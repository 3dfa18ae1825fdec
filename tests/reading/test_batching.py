"""Packing is the same as applying span after span, and no commit leaves before its chunks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_store import ModelStore
from turn_builders import copied, fold, span, turns

from importer.chunking.fold import Folding
from importer.protocol.records import Batch, Chunk, Release, Span, Tally, Turn
from importer.reading.batching import BatchLimits, carve, drop, full, pack, reject, split, without

PATIENT = settings(deadline=None, max_examples=60)


def chunk(name: str, holder: str = "", text: str = "text") -> Chunk:
    """Make a chunk whose id is its name."""
    return Chunk(name, text, {}, holder)


def standing(store: ModelStore) -> dict[str, Any]:
    """Return ids, texts and holders; the metadata of a fork's copy may be that of either conversation."""
    return {identifier: (point["document"], point.get("open_by")) for identifier, point in store.points.items()}


@st.composite
def read(draw: st.DrawFn) -> list[Span]:
    """Draw spans of a file, of a fork of it and of a fork that goes on differently, in any order of slices."""
    said, more = draw(turns(most=8)), draw(turns(most=4))
    fork = copied(said[: draw(st.integers(0, 8))] + [replace(one, key=f"later {one.key}") for one in more])
    slices = [draw(sliced(path, part)) for path, part in ((b"/a", said), (b"/b", fork), (b"/c", copied(said, "copy")))]
    order = draw(st.permutations([which for which, parts in enumerate(slices) for _ in parts]))
    return [slices[which].pop(0) for which in order]


@st.composite
def sliced(draw: st.DrawFn, path: bytes, said: Sequence[Turn]) -> list[Span]:
    """Return the spans of one file."""
    ends = sorted({0, len(said), *draw(st.lists(st.integers(0, len(said)), max_size=4))})
    folding, spans = Folding(), []
    for start, end in itertools.pairwise(ends):
        folding, chunks, releases = fold(folding, said[start:end], at_end=end == len(said))
        spans.append(span(chunks, releases, path, offset=end, lines=end - start))
    return spans


def batched(spans: Sequence[Span], sizes: Sequence[int]) -> list[Batch]:
    """Pack the spans into consecutive batches of these sizes, and one of the rest."""
    batches, at = [], 0
    for number, size in enumerate([*sizes, len(spans)], 1):
        batches.append(pack(spans[at : at + size], number))
        at += size
    return batches


SIZES = st.lists(st.integers(1, 4), max_size=5)


@PATIENT
@given(read(), SIZES)
def test_batches_end_where_single_spans_end(spans: list[Span], sizes: list[int]) -> None:
    """However spans are grouped, the store ends with the same ids, texts and holders."""
    packed, single = ModelStore(), ModelStore()
    for batch in batched(spans, sizes):
        packed.apply_batch(batch)
    for one in spans:
        single.apply(one.chunks, one.releases)
    assert standing(packed) == standing(single)


@PATIENT
@given(read(), SIZES)
def test_no_checkpoint_before_the_last_of_its_chunks(spans: list[Span], sizes: list[int]) -> None:
    """After any batch, all that its spans and those before gave stands in the store, or was outgrown by then."""
    store, read_spans = ModelStore(), iter(spans)
    due: dict[str, set[str]] = {}
    for batch in batched(spans, sizes):
        store.apply_batch(batch)
        for one in itertools.islice(read_spans, sizes[batch.number - 1] if batch.number <= len(sizes) else None):
            for release in one.releases:
                due.get(release.id, set()).discard(release.holder)
            for given_ in one.chunks:
                due.setdefault(given_.id, set()).add(given_.holder)
        assert {identifier for identifier, holders in due.items() if holders} <= set(store.points)


@PATIENT
@given(read(), SIZES)
def test_commits_add_up(spans: list[Span], sizes: list[int]) -> None:
    """Every line is counted once, each file is committed once a batch, and ends where reading ended."""
    batches = batched(spans, sizes)
    tallies = [commit.tally for batch in batches for commit in batch.commits]
    assert sum(tallies, Tally()) == sum((one.commit.tally for one in spans), Tally())
    for batch in batches:
        paths = [commit.checkpoint.path for commit in batch.commits]
        assert len(paths) == len(set(paths))
    last = {commit.checkpoint.path: commit.checkpoint for batch in batches for commit in batch.commits}
    assert last == {one.commit.checkpoint.path: one.commit.checkpoint for one in spans}


@PATIENT
@given(read())
def test_every_chunk_has_its_owner(spans: list[Span]) -> None:
    """Each chunk's owner is the commit of a file that gave it; a point held or named once is there once."""
    batch = pack(spans, 1)
    gave = {(given_.id, one.commit.checkpoint.path) for one in spans for given_ in one.chunks}
    assert len(batch.owners) == len(batch.chunks)
    for given_, owner in zip(batch.chunks, batch.owners, strict=True):
        assert (given_.id, batch.commits[owner].checkpoint.path) in gave
    names = {(one.id, one.holder, "" if one.holder else one.metadata["conversation_id"]) for one in batch.chunks}
    assert len(names) == len(batch.chunks)


@PATIENT
@given(read(), st.sets(st.integers(0, 20)), st.integers(1, 5))
def test_parts_of_a_batch_do_what_the_batch_does(spans: list[Span], suspected: set[int], most: int) -> None:
    """Split or carved, one part after the other gives the same store; only the last pays and releases."""
    batch = pack(spans, 9)
    suspects = {given_.id for at, given_ in enumerate(batch.chunks) if at in suspected}
    whole = ModelStore()
    whole.apply_batch(batch)
    for parts in (split(batch, suspects, (1, 2)), carve(batch, BatchLimits(chunks=most), itertools.count(1))):
        store = ModelStore()
        for part in parts:
            store.apply_batch(part)
        assert standing(store) == standing(whole)
        assert [(part.commits, part.releases) for part in parts[:-1]] == [((), ())] * (len(parts) - 1)
        assert (parts[-1].commits, parts[-1].releases) == (batch.commits, batch.releases)
    assert all(len(part.chunks) <= most for part in parts)


OPEN, GROWN = chunk("x", "c"), chunk("y", "c")
RULES = [
    ("a later span outgrows it", [span([OPEN]), span([GROWN], [Release("x", "c")])], [GROWN], [Release("x", "c")]),
    ("the same span holds it again", [span([OPEN], [Release("x", "c")])], [OPEN], []),
    ("a later span holds it again", [span([], [Release("x", "c")]), span([OPEN])], [OPEN], []),
    (
        "another holder stays",
        [span([OPEN, chunk("x", "d")]), span([], [Release("x", "d")])],
        [OPEN],
        [Release("x", "d")],
    ),
    ("two holders", [span([OPEN]), span([chunk("x", "d")])], [OPEN, chunk("x", "d")], []),
    ("closed after open", [span([OPEN]), span([chunk("x")])], [chunk("x")], []),
    ("open after closed", [span([chunk("x")]), span([OPEN])], [chunk("x")], []),
    ("closed twice", [span([chunk("x")]), span([chunk("x")])], [chunk("x")], []),
    ("closed, then released", [span([chunk("x")]), span([], [Release("x", "c")])], [chunk("x")], []),
    ("order", [span([chunk("b")]), span([chunk("a"), chunk("c")])], [chunk("b"), chunk("a"), chunk("c")], []),
]


@pytest.mark.parametrize(("rule", "spans", "chunks", "releases"), RULES, ids=[rule for rule, *_ in RULES])
def test_rules_of_packing(rule: str, spans: list[Span], chunks: list[Chunk], releases: list[Release]) -> None:
    """Chunks and releases that meet in one batch leave exactly these."""
    batch = pack(spans, 7, urgent=True)
    assert (list(batch.chunks), list(batch.releases)) == (chunks, releases)
    assert (batch.number, batch.urgent) == (7, True)


def test_generations_of_a_file_are_committed_one_after_the_other() -> None:
    """A truncation in the middle of a batch does not mix what is counted for both."""
    old = span([chunk("a")], offset=90)
    new = replace(old, commit=replace(old.commit, checkpoint=replace(old.commit.checkpoint, generation=1, offset=10)))
    assert [commit.checkpoint.generation for commit in pack([old, new], 1).commits] == [0, 1]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], False),
        ([span([chunk("a")])], False),
        ([span([chunk("a"), chunk("b")]), span([chunk("c")])], True),
        ([span([chunk("a", text="x" * 100)])], True),
        ([span([], [Release("a", "c")] * 5)], True),
        ([span()] * 4, True),
    ],
)
def test_a_batch_is_full_by_any_of_its_limits(spans: list[Span], expected: bool) -> None:
    """Chunks, characters, releases or spans can each fill it."""
    assert full(spans, BatchLimits(chunks=3, chars=100, releases=5, spans=4)) is expected


def test_splitting_without_suspects_halves() -> None:
    """A batch is halved without suspects or with suspects only; a single chunk stays with its commit."""
    batch = pack([span([chunk("a"), chunk("b"), chunk("c")])], 1)
    for suspects in (set[str](), {"a", "b", "c"}):
        first, rest = split(batch, suspects, (2, 3))
        assert ([c.id for c in first.chunks], [c.id for c in rest.chunks]) == (["a"], ["b", "c"])
        assert (first.number, rest.number) == (2, 3)
    assert split(drop(batch, {"a", "b"}), {"c"}, (2, 3))[1].chunks == (chunk("c"),)


def test_a_quarantined_chunk_is_rejected_in_the_commit_of_its_file() -> None:
    """One of its lines moves from stored to quarantined, and what was read stays the same."""
    batch = pack([span([chunk("a")], path=b"/a"), span([chunk("b"), chunk("c")], path=b"/b", lines=3)], 1)
    left = without(batch, {"b"}, "embed", "it kills")
    mine, other = left.commits[1], left.commits[0]
    assert [(entry.path, entry.chunk_id, entry.reason) for entry in mine.rejects] == [(b"/b", "b", "it kills")]
    assert mine.tally == Tally(lines_stored=2, bytes_stored=20, lines_quarantined=1, bytes_quarantined=10)
    assert (other, [c.id for c in left.chunks], left.owners) == (batch.commits[0], ["a", "c"], (0, 1))


def test_a_chunk_of_an_early_part_is_rejected_where_the_commits_are() -> None:
    """The early part has none; the part that carries them says so."""
    batch = pack([span([chunk("a")], path=b"/a"), span([chunk("b")], path=b"/b")], 1)
    early, last = split(batch, {"b"}, (2, 3))
    carrier = reject(last, early, {"b"}, "embed", "it kills")
    assert [len(commit.rejects) for commit in carrier.commits] == [0, 1]
    assert carrier.chunks == (chunk("a"),)


@given(st.integers(0, 5), st.integers(0, 1000), st.integers(1, 8))
def test_quarantine_keeps_the_law(lines: int, odd_bytes: int, bad: int) -> None:
    """However many chunks of however few lines are set aside: sums stay, and nothing is below zero."""
    one = span([chunk(str(number)) for number in range(bad)], lines=lines)
    tally = replace(one.commit.tally, bytes_stored=one.commit.tally.bytes_stored + (odd_bytes if lines else 0))
    batch = pack([replace(one, commit=replace(one.commit, tally=tally))], 1)
    after = without(batch, {str(number) for number in range(bad)}, "store", "refused").commits[0].tally
    assert (after.lines_read, after.bytes_read) == (tally.lines_read, tally.bytes_read)
    assert (after.lines_stored, after.lines_quarantined) == (max(0, lines - bad), min(lines, bad))
    assert (after.bytes_stored == 0) == (after.lines_stored == 0)
