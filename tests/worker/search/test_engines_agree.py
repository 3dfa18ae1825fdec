"""Every engine gives the same first ten: the embedded one, local mode, a server (a stand-in where none is named)."""

from __future__ import annotations

import os
import pathlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import store_backends
from numbered_points import DIMENSION, MODEL, made, openers, vector
from scripted_qdrant import ScriptedQdrant
from store_questions import found
from worker_told import store_settings

from importer.bench.corpus.talk import Talk
from importer.protocol.query import Query
from importer.worker import stores
from importer.worker.stores import Point, Store

POINTS, QUESTIONS = 240, 200
OTHER_LANGUAGES = 8  # every so many points speak one of these
SPOKEN = tuple(
    line.split("|")
    for path in sorted((pathlib.Path(__file__).parents[2] / "bench" / "tongues").glob("*.txt"))
    for line in path.read_text(encoding="utf-8").splitlines()[::7]
)
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"projects": ("/home/u/p1",)},
    {"since": "2026-01-05T00:00:00Z", "until": "2026-01-20T00:00:00Z"},
    {"source": "claude-code", "without_kind": ("summary",)},
    {"conversation": "c3"},
)
MONTHS = ("January 2026", "8 January", "on 2026-01-15", "in January", "")


@pytest.fixture(scope="module")
def talk() -> list[Point]:
    """Return points of 30 conversations: half of their texts short, half about a chunk long."""
    dice = random.Random(7)
    found = []
    for number in range(POINTS):
        one = Talk(random.Random(f"talk {number // 8}"))
        said = one.asked() if number % 2 else one.answer(dice.randrange(200, 1_200))
        if number % OTHER_LANGUAGES == 0:
            prompt, answer, _ = SPOKEN[number // OTHER_LANGUAGES % len(SPOKEN)]
            said = f"{prompt}\n\n{answer}"
        found.append(made(number, f"{said} {Talk(dice).identifier()}", conversation_id=f"c{number // 8}"))
    return found


@pytest.fixture(scope="module")
def questions(talk: list[Point]) -> list[tuple[Query, np.ndarray]]:
    """Return questions in words of the points, inflected, dated and filtered, in every mode, each with its own vector.

    Every fifth is asked in another language, as people would; its vector is often near what shares no word with it.
    """
    dice = random.Random(11)
    found = []
    for number in range(QUESTIONS):
        words = str(dice.choice(talk).payload["document"]).split()
        start = dice.randrange(len(words))
        text = " ".join([*words[start : start + dice.randrange(1, 9)], MONTHS[number % len(MONTHS)]])
        if number % 5 == 4:
            text = SPOKEN[number // 5 % len(SPOKEN)][2]
        mode = ("hybrid", "hybrid", "keyword", "dense")[number % 4]
        near = vector(dice.randrange(POINTS)) + 0.5 * vector(10_000 + number)
        filters = FILTERS[number // 4 % len(FILTERS)]
        found.append((Query(text, mode=mode, **filters), near / np.linalg.norm(near)))
    return found


@pytest.fixture(scope="module")
def engines(talk: list[Point], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Store]]:
    """Return the three, with the same points; the embedded one is optimised, written to again, and reopened."""
    with ScriptedQdrant() as stand_in:
        location = store_backends.SERVER or stand_in.url
        made_by = {kind: openers(kind, str(tmp_path_factory.mktemp(kind))) for kind in ("edge", "local")}
        found = {kind: next(opener)() for kind, opener in made_by.items()}
        own = f"agree_{store_backends.RUN}_{os.getpid()}"
        settings = store_settings(location, collection=own, api_key=store_backends.KEY)
        found["server"] = stores.load(settings, model=MODEL, dimension=DIMENSION)
        try:
            for store in found.values():
                store.write(talk[:100], {}, [])
                store.optimize()
                store.write(talk[100:], {}, [])
            yield found
        finally:
            found["server"].close()
            for opener in made_by.values():
                next(opener, None)
            if store_backends.SERVER:
                with store_backends.client() as client:
                    client.delete_collection(settings.collection)


def first_ten(store: Store, query: Query, dense: np.ndarray) -> tuple[list[str], list[float], str]:
    answer = found(store, query, None if query.mode == "keyword" else dense.tolist(), judged=True)
    return [hit.id for hit in answer.hits], [hit.score for hit in answer.hits], answer.near


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "every"),
    [
        *(("local", 3), ("server", 1 if store_backends.SERVER else 7)),
        *(pytest.param(other, 1, marks=pytest.mark.long) for other in ("local", "server")),
    ],
)
def test_the_same_first_ten(
    engines: dict[str, Store], questions: list[tuple[Query, np.ndarray]], other: str, every: int
) -> None:
    """Ids, order and how near, for 200 questions; scores to half a percent, for engines count stems differently.

    Local mode and a stand-in are slow: they are asked a part of them, unless there is time for all.
    """
    apart = []
    for query, dense in questions[::every]:
        (ours, scores, near), (theirs, their_scores, their_near) = (
            first_ten(engines[name], query, dense) for name in ("edge", other)
        )
        assert ours or query.mode == "keyword" or query.conversation
        if ours != theirs or near != their_near or scores != pytest.approx(their_scores, rel=0.005, abs=0.005):
            apart.append((query, ours, theirs))
    assert not apart, f"{len(apart)} of {len(questions)}: {apart[:2]}"
