"""How near: a word for every answer, from the best cosine and the share of the question's stems."""

from __future__ import annotations

import pytest

from importer.worker.search.near import near, share


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
