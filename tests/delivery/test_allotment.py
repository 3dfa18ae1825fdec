"""Which worker embeds the next batch, and what of it."""

from __future__ import annotations

import pytest

from importer.delivery.allotment import WRITER, WorkerPlace, choose, most_of, to_embed

FREE, HALF, FULL = WorkerPlace(0, 2), WorkerPlace(1, 2), WorkerPlace(2, 2)


@pytest.mark.parametrize(
    ("places", "chosen"),
    [
        ([WorkerPlace(0, 1), FREE, FREE], WRITER),  # a single batch starts no other worker
        ([WorkerPlace(1, 1), FREE, FREE], 1),
        ([WorkerPlace(1, 1), HALF, FREE], 2),
        ([WorkerPlace(1, 1), HALF, HALF], 1),
        ([WorkerPlace(1, 1), FULL, FULL], None),
        ([WorkerPlace(0, 0), FULL, HALF], 2),  # a writer that only stores
        ([WorkerPlace(0, 1, 200, 200), FREE], 1),  # one that has lived long enough
        ([WorkerPlace(1, 1), WorkerPlace(0, 2, rests=True), HALF], 2),  # one that could not be started
        ([WorkerPlace(1, 1), WorkerPlace(0, 2, 200, 200), WorkerPlace(0, 2, rests=True)], None),
    ],
)
def test_the_one_with_least_to_do(places: list[WorkerPlace], chosen: int | None) -> None:
    """The first of those with the least, as long as they have room, life and can be started."""
    assert choose(places) == chosen


def test_a_writer_among_many_only_stores() -> None:
    """What the others embed takes its time."""
    assert [most_of(WRITER, count) for count in (2, 4, 5, 16)] == [1, 1, 0, 0]
    assert most_of(3, 16) == 2


def test_a_worker_without_a_lifetime_is_never_spent() -> None:
    """A lifetime of 0 files is none."""
    assert not WorkerPlace(0, 2, 10**9).is_spent
    assert WorkerPlace(0, 2, 201, 200).is_spent


def test_what_is_in_flight_already_is_embedded_once() -> None:
    """A copy in a later batch waits for the batch that has it, and a chunk held open twice is asked for once."""
    assert to_embed(["a", "b", "a", "c"], {"b"}) == ["a", "c"]
