"""Ranking: raw scores become conversations in order, hybrid keeps what its parts are sure of."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.worker.search import ranking
from importer.worker.stores.candidates import Candidate, Candidates

POINTS = 10_000


def order(*found: Candidate, mode: str = "hybrid", stemmed: bool = True) -> list[str]:
    return [one.id for one in ranking.rank(Candidates(found, stemmed), POINTS, mode)]


def chunk(name: str, words: float = 0, stems: float = 0, cosine: float | None = None, at: str = "") -> Candidate:
    """Return a chunk; the letters of its name before the digits are its conversation."""
    return Candidate(name, name.rstrip("0123456789"), at, words, stems, cosine)


CANDIDATES = st.builds(
    chunk,
    st.from_regex(r"[a-f][0-9]{1,2}", fullmatch=True),
    st.floats(0, 40),
    st.floats(0, 40),
    st.none() | st.floats(-0.2, 1),
)
MANY = st.lists(CANDIDATES, max_size=40, unique_by=lambda one: one.id)


def test_an_exact_word_beats_a_vector_that_means_nothing() -> None:
    """With ranks both first places had the same score."""
    assert order(chunk("a1", cosine=0.25), chunk("b1", 14, 14)) == ["b", "a"]


def test_a_near_vector_beats_a_common_word() -> None:
    """A paraphrase shares hardly a word with its question."""
    assert order(chunk("a1", 2, 2, 0.1), chunk("b1", cosine=0.7)) == ["b", "a"]


def test_words_that_say_next_to_nothing_leave_the_first_place_to_the_vector() -> None:
    """One accidental word of six is no evidence; a date is."""
    found = Candidates((chunk("a1", 5, 5, 0.2), chunk("a2", 5, 5, 0.2), chunk("b1", cosine=0.35)))

    def first(terms: int, date: float = 0.0) -> str:
        return ranking.rank(found, POINTS, "hybrid", lambda _at: date, terms)[0].id

    assert (first(1), first(6), first(6, 0.5)) == ("a", "b", "a")


def test_words_that_say_next_to_nothing_hardly_count_in_the_order() -> None:
    """The next ones stand by their vectors, too, but for the best words, which the guard keeps at the third place."""
    found = [chunk("near", cosine=0.6), chunk("next", cosine=0.5), chunk("then", cosine=0.45)]
    found += [chunk(f"common-{name}", words=worth, stems=worth, cosine=0.3) for name, worth in (("a", 9), ("b", 8))]

    def ranked(terms: int) -> list[str]:
        return [one.id for one in ranking.rank(Candidates(tuple(found)), POINTS, "hybrid", terms=terms)]

    assert ranked(9) == ["near", "next", "common-a", "then", "common-b"]
    assert ranked(0) == ranked(1) == ["common-a", "common-b", "near", "next", "then"]


def test_stems_find_what_words_do_not() -> None:
    """Half of the weight and more is theirs."""
    assert order(chunk("a1", 3, 3), chunk("b1", 0, 12)) == ["b", "a"]


def test_words_stand_for_stems_that_are_not_there_yet() -> None:
    """A store of an older version is ranked by all its chunks alike."""
    assert order(chunk("a1", 5), chunk("b1", 4, 9), stemmed=False) == ["a", "b"]


def test_two_chunks_say_more_than_one() -> None:
    """A conversation about the matter has several."""
    assert order(chunk("a1", 10, 10), chunk("b1", 9.5, 9.5), chunk("b2", 9, 9), chunk("b3", 9, 9)) == ["b", "a"]


def test_a_date_that_is_named_decides_between_equals() -> None:
    """It weighs as much as a word that stands nowhere else."""
    found = (chunk("a1", 9, 9, 0.5, "2024-01-01T00:00:00Z"), chunk("b1", 5, 5, 0.5, "2023-05-08T00:00:00Z"))
    ranked = ranking.rank(Candidates(found), POINTS, "hybrid", lambda at: float(at.startswith("2023-05")))
    assert [one.id for one in ranked] == ["b", "a"]
    assert ranked[0].chunks[0].date == 1.0


def test_chunks_of_no_conversation_stand_alone() -> None:
    """Another program's points have none."""
    assert order(Candidate("p1", words=3.0, stems=3.0), Candidate("p2", words=4.0, stems=4.0)) == ["p2", "p1"]


def test_dense_scores_are_cosines() -> None:
    """Nothing else is in them."""
    (best, _) = ranking.rank(Candidates((chunk("a1", 9, 9, 0.4), chunk("b1", cosine=0.6))), POINTS, "dense")
    assert (best.id, best.score) == ("b", 0.6)


@given(MANY)
def test_every_conversation_is_ranked_once(found: list[Candidate]) -> None:
    """None is lost, none invented, and every chunk is in its conversation."""
    for mode in ("hybrid", "dense", "keyword"):
        ranked = ranking.rank(Candidates(tuple(found)), POINTS, mode)
        assert sorted(chunk.id for one in ranked for chunk in one.chunks) == sorted(one.id for one in found)
        assert len({one.id for one in ranked}) == len(ranked)


@given(MANY, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_count(found: list[Candidate], dice: object) -> None:
    """Engines give equal scores in any order."""
    shuffled = list(found)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert order(*found) == order(*shuffled)


@given(MANY.filter(bool))
def test_the_best_of_words_and_of_vectors_stay_near_the_top(found: list[Candidate]) -> None:
    """Neither is voted down: words to place 3 at worst, cosines to 5."""
    ids = order(*found)
    words = max(one.words for one in found)
    cosine = max(one.cosine or 0.0 for one in found)
    if words:
        assert {one.conversation for one in found if one.words == words} & {*ids[: ranking.WORDS_PLACE]}
    if cosine > 0:
        best = {one.conversation for one in found if one.cosine == cosine}
        assert best & {*ids[: ranking.COSINE_PLACE + 1]}


@given(MANY, st.integers(1, 30))
def test_hits_are_grouped_and_of_several_conversations(found: list[Candidate], limit: int) -> None:
    """At most as many as asked, all if there are not more; a conversation's chunks stand together, the best first."""
    ranked = ranking.rank(Candidates(tuple(found)), POINTS, "hybrid")
    hits = ranking.hits(ranked, limit)
    assert len(hits) == min(limit, len(found))
    names = [one.id for one, _ in hits]
    assert list(dict.fromkeys(names)) == [one.id for one in ranked][: len(set(names))]
    assert len([name for name, _ in itertools.groupby(names)]) == len({*names})
    assert len({*names}) >= min(limit, ranking.DISTINCT, len(ranked))
    firsts = {one.id: chunk.id for one, chunk in reversed(hits)}
    assert all(firsts[one.id] == one.chunks[0].id for one in ranked if one.id in firsts)


@pytest.mark.parametrize("limit", [5, 10, 20])
def test_one_conversation_does_not_fill_the_answer(limit: int) -> None:
    """Two chunks more at most, while others have something to say."""
    talk = [chunk(f"a{n}", 20, 20) for n in range(50)] + [chunk(f"{name}1", 5, 5) for name in "bcdefghijklmnopqrstuvw"]
    names = [one.id for one, _ in ranking.hits(ranking.rank(Candidates(tuple(talk)), POINTS, "keyword"), limit)]
    assert names.count("a") == min(3, 1 + limit - max(5, limit // 2))
