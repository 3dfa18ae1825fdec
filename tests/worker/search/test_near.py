"""How near: a word for every answer, from the best cosine and the share of the question's stems."""

from __future__ import annotations

import pytest

from importer.worker.search.near import near, share, strange


@pytest.mark.parametrize(
    ("cosine", "covered", "found", "word"),
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
def test_the_word(cosine: float | None, covered: float, found: bool, word: str) -> None:
    """Without a cosine that is known the share decides; without a hit there is nothing."""
    assert near(cosine, covered, found) == word


def test_the_share_is_that_of_the_best_chunk() -> None:
    """Words that are spread over several chunks do not add up."""
    assert share([1, 2, 3, 4], [[1, 9], [1, 2, 3], [4]]) == 0.75
    assert share([], [[1]]) == share([1], []) == 0.0


def test_a_date_that_fits_speaks_for_a_hit_and_a_strange_name_against_it() -> None:
    """Both are worth less than a word: they decide where cosine and share leave it open."""
    assert near(0.5, 0.3, True) == "weak"
    assert near(0.5, 0.3, True, strange=True) == "nothing"
    assert near(0.48, 0.25, True) == "nothing"
    assert near(0.48, 0.25, True, dated=1.0) == "weak"
    assert near(0.55, 0.3, True, dated=0.5) == "weak"
    assert near(0.55, 0.3, True, dated=0.0) == "nothing"


@pytest.mark.parametrize(
    ("question", "said", "is_strange"),
    [
        ("why did we leave Kafka", "we left RabbitMQ", True),
        ("why did we leave Kafka", "kafka was too much for us", False),
        ("Why was that", "nothing of it", False),
        ("what of src/store.py", "src/other.py", True),
        ("how is Melanie's plan", "melanie had one", False),
        ("How To Build The Thing", "no word of it", False),
        ("why did error 4711 come back", "an error came back", True),
    ],
)
def test_a_name_that_no_hit_has(question: str, said: str, is_strange: bool) -> None:
    """Names are words with a capital behind the first one, numbers and paths; a heading's capitals say nothing."""
    assert strange(question, [said]) is is_strange
