"""How near: a word for every answer, from the best cosine, and what the first chunks say of the question."""

from __future__ import annotations

import pytest

from importer.worker.search.near import Evidence, near


def said(share: float, **more: float | bool) -> Evidence:
    """Return the evidence of a question with a name, whose words stand in one line."""
    return Evidence(**{"line": share, "chunk": share, "named": True, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cosine", "share", "found", "word"),
    [
        (0.7, 0.9, True, "strong"),
        (0.5, 0.5, True, "weak"),
        (0.4, 0.3, True, "nothing"),
        (0.1, 1.0, True, "weak"),
        (0.9, 1.0, False, "nothing"),
        (None, 1.0, True, "strong"),
        (None, 0.5, True, "weak"),
        (None, 0.1, True, "nothing"),
    ],
)
def test_the_word(cosine: float | None, share: float, found: bool, word: str) -> None:
    """Without a cosine that is known the words decide; without a hit there is nothing."""
    assert near(cosine, said(share), found) == word


def test_a_date_that_fits_speaks_for_a_hit_and_a_missing_name_against_it() -> None:
    """Both are worth less than all words together: they decide where cosine and share leave it open."""
    assert near(0.53, said(0.3), True) == "weak"
    assert near(0.53, said(0.3, missing=0.5), True) == "nothing"
    assert near(0.5, said(0.25), True) == "nothing"
    assert near(0.5, said(0.25), True, dated=1.0) == "weak"
    assert near(0.55, said(0.3), True, dated=0.0) == "nothing"


@pytest.mark.parametrize("cosine", [0.5, None])
def test_a_missing_name_counts_in_every_mode(cosine: float | None) -> None:
    """Also where words alone decide: half of the words are weak, without the name that is asked for nothing."""
    assert near(cosine, said(0.5), True) == "weak"
    assert near(cosine, said(0.5, missing=1.0), True) == "nothing"


def test_words_that_are_spread_over_a_chunk_are_less() -> None:
    """They count by the best line; only a chunk that has all of them is never nothing."""
    assert near(0.47, said(0.5), True) == "weak"
    assert near(0.47, said(0.25, chunk=0.75), True) == "nothing"
    assert near(0.2, said(0.25, chunk=1.0), True) == "weak"


def test_words_and_vectors_that_agree() -> None:
    """The conversation with the best words ranks first: that decides what is just below the limit."""
    assert near(0.45, said(0.4), True) == "nothing"
    assert near(0.45, said(0.4), True, agreed=True) == "weak"


def test_a_question_without_a_name_may_be_a_paraphrase() -> None:
    """A good cosine is enough for it, though no word is the same; where a name is asked for it is not."""
    assert near(0.45, said(0.0, named=False), True) == "weak"
    assert near(0.4, said(0.0, named=False), True) == "nothing"
    assert near(0.45, said(0.0), True) == "nothing"
