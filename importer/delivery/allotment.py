"""Pure: which of several workers embeds the next batch, and what of it. No clock, no effects.

    place 0, the writer    owns the store; it embeds too, one batch at a time, while there are few workers
    places 1 …             embed only, two batches each: one in the model, one waiting

Batches are stored by the writer in the order of the queue, wherever they are embedded and however long that takes. So
what is allotted here decides speed, never what is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

WRITER = 0
DEPTH = 2  # batches in flight for each worker: one in the model, one waiting
MOST_WITH_EMBEDDING_WRITER = 4  # from five on storing what the others embed takes the writer's time


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """One worker as a batch sees it: `load` batches of at most `most` are with it; `rests` if it cannot be started.

    `files` are those it has embedded or is to embed, of the `lifetime_files` after which it ends (0: no limit).
    """

    load: int
    most: int
    files: int = 0
    lifetime_files: int = 0
    rests: bool = False

    @property
    def is_spent(self) -> bool:
        """Whether it has lived long enough: it takes no other batch. The last one may lead beyond its lifetime."""
        return 0 < self.lifetime_files <= self.files

    @property
    def is_of_use(self) -> bool:
        """Whether it takes batches, now or when it is done with those it has."""
        return self.most > 0 and not self.rests and not self.is_spent


def most_of(place: int, count: int) -> int:
    """Return how many batches the worker at a place may have at once to embed, of `count` workers."""
    if place != WRITER:
        return DEPTH
    return 1 if count <= MOST_WITH_EMBEDDING_WRITER else 0


def choose(places: Sequence[WorkerPlace]) -> int | None:
    """Return the place of the worker with least to do, the first of equals; None when all have enough.

    So a single batch starts no other worker than the writer, which has to be there anyway.
    """
    free = [(place.load, at) for at, place in enumerate(places) if place.is_of_use and place.load < place.most]
    return min(free)[1] if free else None


def to_embed(ids: Iterable[str], earlier: Collection[str]) -> list[str]:
    """Return the ids to ask the store about, each once. `earlier` batches in flight bring theirs: they are stored
    first, and embedded there.
    """
    return [id for id in dict.fromkeys(ids) if id not in earlier]
