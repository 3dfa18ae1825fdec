"""Chunks become windows, windows groups of like length, groups model runs, and runs one checked vector per chunk.

One worker owns the store. Where there are several, each of them embeds, and vectors travel as bytes through the daemon
to the one that stores: float32, 1.5 KB for a chunk of the default model. They are checked where they arrive, too.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from importer.errors import PointsRejected
from importer.protocol import wire
from importer.worker import token_budget
from importer.worker.embedders import Embedder
from importer.worker.parallel import Split, Urgent, side_by_side

FLOAT = np.dtype("<f4")  # of a vector that travels


@dataclass(frozen=True, slots=True)
class Embedded:
    """What one model run brought: the chunks it completed, by position, and their vectors (len(indexes), dimension).

    `tokens` are the run's real tokens, `windows` how many there were. A chunk
    whose windows are spread over several runs is completed by the last of them; a run may complete none.
    """

    indexes: tuple[int, ...]
    vectors: NDArray[np.float32]
    tokens: int
    windows: int


class _Assembly:
    """Holds the vectors of a chunk's windows until the last one is there."""

    def __init__(self, owners: Sequence[int]) -> None:
        self._expected = Counter(owners)
        self._parts: dict[int, list[tuple[NDArray[np.float32], int]]] = defaultdict(list)

    def add(self, chunk: int, vector: NDArray[np.float32], weight: int) -> NDArray[np.float32] | None:
        """Return the chunk's vector (dimension,) at its last window; `weight` is its tokens, for the average."""
        self._parts[chunk].append((vector, weight))
        if len(self._parts[chunk]) < self._expected[chunk]:
            return None
        parts = self._parts.pop(chunk)
        if len(parts) == 1:  # at unit length already, as every embedder promises
            return vector
        return token_budget.average(np.stack([vector for vector, _ in parts]), [weight for _, weight in parts])


def embed_chunks(
    embedder: Embedder,
    texts: Sequence[str],
    budget_tokens: int,
    *,
    between: Callable[[Sequence[int]], None],
    split: Split | None = None,
    urgent: Urgent | None = None,
) -> Iterator[Embedded]:
    """Yield one value per model run, until every text has its vector. The order is that of the runs, not of the texts.

    `budget_tokens` is for all runs under way together; an embedder's `lanes` (1 where it names none) says how many.
    `between` is called before each run with the positions of the chunks then in the model, or about to be: they are to
    blame if it never returns. `split` stands in for the embedder's own; what is `urgent` goes ahead while runs are
    under way. Raises VectorsRefused, its `rows` being positions of chunks, and what the embedder raises.
    """
    cut = (split or embedder.split)(texts)
    windows = [window for parts in cut for window in parts]
    owners = [chunk for chunk, parts in enumerate(cut) for _ in parts]
    lengths = [window.tokens for window in windows]
    assembly = _Assembly(owners)
    if reserve := getattr(embedder, "reserve", None):
        reserve(sum(lengths))
    lanes = getattr(embedder, "lanes", 1)

    def run(members: Sequence[int]) -> NDArray[np.float32]:
        return embedder.embed([windows[i] for i in members])

    def before(under_way: Sequence[Sequence[int]]) -> None:
        # Of all lanes: any of them may be to blame.
        between(sorted({owners[i] for members in under_way for i in members}))

    groups = embedder.group(lengths, budget_tokens // lanes)  # each lane holds the tensors of a run
    for members, raw in side_by_side(groups, run, lanes, before=before, urgent=urgent):
        vectors = _checked(raw, embedder.dimension, [owners[i] for i in members])
        added = [(owners[i], assembly.add(owners[i], vectors[k], lengths[i])) for k, i in enumerate(members)]
        done = {chunk: vector for chunk, vector in added if vector is not None}
        # A run may complete nothing, and `stack` takes no empty list.
        whole = np.stack(list(done.values())) if done else np.empty((0, embedder.dimension), np.float32)
        yield Embedded(
            indexes=tuple(done),
            vectors=_checked(whole, embedder.dimension, tuple(done)),  # an average of opposites has no direction
            tokens=sum(lengths[i] for i in members),
            windows=len(members),
        )


def _checked(vectors: NDArray[np.float32], dimension: int, chunks: Sequence[int]) -> NDArray[np.float32]:
    """Return the vectors, one for each of `chunks`. Raises VectorsRefused naming chunks where `check` names rows."""
    try:
        return token_budget.check(vectors, dimension, len(chunks))
    except token_budget.VectorsRefused as error:
        rows = tuple(sorted({chunks[row] for row in error.rows}))
        raise token_budget.VectorsRefused(error.message, rows=rows) from error


def vectors_of(
    embedder: Embedder,
    request: wire.Embed,
    budget: int,
    *,
    between: Callable[[Sequence[int]], None],
    split: Split,
    urgent: Urgent,
) -> wire.Vectors:
    """Return the vectors of all texts; see `embed_chunks` for `between`, `split` and `urgent`.

    Raises PointsRejected, which names the chunks, for vectors that must not be stored.
    """
    started, tokens = time.monotonic(), 0
    made: dict[str, bytes] = {}
    ids = [id for id, _ in request.texts]
    try:
        texts = [text for _, text in request.texts]
        for part in embed_chunks(embedder, texts, budget, between=between, split=split, urgent=urgent):
            tokens += part.tokens
            made |= {ids[at]: part.vectors[k].astype(FLOAT).tobytes() for k, at in enumerate(part.indexes)}
    except token_budget.VectorsRefused as error:
        raise refused(error, ids) from error
    return wire.Vectors(made, tokens, time.monotonic() - started)


def refused(error: token_budget.VectorsRefused, ids: Sequence[str]) -> Exception:
    """Return the error that names the chunks of refused vectors; the error itself if no chunk is to blame."""
    return PointsRejected(error.message, ids=tuple(ids[row] for row in error.rows)) if error.rows else error


def usable(vectors: Mapping[str, bytes], dimension: int) -> dict[str, Any]:
    """Return the vectors that may be stored, by chunk; the chunks of the others are embedded again."""
    rows = {id: np.frombuffer(raw, FLOAT) for id, raw in vectors.items() if len(raw) == dimension * FLOAT.itemsize}
    if not rows:
        return {}
    whole, ids = np.stack(list(rows.values())), list(rows)
    try:
        token_budget.check(whole, dimension, len(ids))
    except token_budget.VectorsRefused as error:
        bad = {ids[row] for row in error.rows}
        return {id: row for id, row in rows.items() if id not in bad}
    return rows
