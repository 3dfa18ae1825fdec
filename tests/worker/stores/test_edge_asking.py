"""What the embedded store chooses by int8 copies, and ranks by whole vectors, is what an exact search finds."""

from __future__ import annotations

import numpy as np
import pytest
from numbered_points import MODEL, identity
from worker_told import store_settings

from importer.worker import stores
from importer.worker.stores import Lookup, Point, Scope

pytestmark = pytest.mark.slow

DIMENSION, SEGMENTS, EACH, DEPTH = 64, 3, 1000, 20


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Unit vectors: of each segment, and of some points that are in none yet."""
    rng = np.random.default_rng(7)
    made = rng.standard_normal((SEGMENTS * EACH + 50, DIMENSION)).astype(np.float32)
    unit: np.ndarray = made / np.linalg.norm(made, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, vectors: np.ndarray) -> stores.Store:
    settings = store_settings(f"edge:{tmp_path_factory.mktemp('edge')}", optimise_every_points=EACH)
    made = stores.load(settings, model=MODEL, dimension=DIMENSION)
    for first in range(0, len(vectors), EACH):
        metadata = {"source": "codex" if first == EACH else "claude-code", "conversation_id": f"c{first}"}
        payload = {"document": "said", "metadata": metadata}
        made.write(
            [Point(identity(first + n), one, payload) for n, one in enumerate(vectors[first : first + EACH])], {}, []
        )
        if made.pending_optimize:
            made.optimize()
    return made


@pytest.mark.parametrize("source", ["", "codex"])
def test_candidates_are_those_of_an_exact_search(store: stores.Store, vectors: np.ndarray, source: str) -> None:
    """In their order, with the cosines of the whole vectors, within a scope as well."""
    allowed = np.arange(len(vectors))
    allowed = allowed[allowed // EACH == 1] if source else allowed
    asked = np.random.default_rng(8).standard_normal((25, DIMENSION)).astype(np.float32)
    for one in asked / np.linalg.norm(asked, axis=1, keepdims=True):
        found = store.candidates(Lookup("", one.tolist(), Scope(source=source), depth=DEPTH)).found
        cosines = vectors[allowed] @ one
        best = np.argsort(-cosines)[:DEPTH]
        assert [chunk.id for chunk in found] == [identity(int(n)) for n in allowed[best]]
        assert [chunk.cosine for chunk in found] == pytest.approx(cosines[best].tolist(), abs=1e-6)
        assert {chunk.conversation for chunk in found} <= {f"c{first}" for first in range(0, len(vectors), EACH)}
