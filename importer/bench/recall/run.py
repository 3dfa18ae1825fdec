"""A whole run: every haystack, imported with every precision into every engine, asked in every mode; and its report."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from importer.bench.recall import measures, trial
from importer.bench.recall.measures import QuestionResult
from importer.bench.recall.questions import Benchmark, Haystack
from importer.bench.recall.trial import TrialEngine

MODES = ("hybrid", "dense", "keyword")


@dataclass(frozen=True, slots=True)
class Setup:
    """One way to import: a precision and an engine, and what makes an `Engine` of it for a state directory."""

    precision: str
    engine: str
    at: Callable[[str, str], TrialEngine]  # of a state directory and a haystack's name


@dataclass(frozen=True, slots=True)
class ModeOutcome:
    """What one mode of one setup found."""

    precision: str
    engine: str
    mode: str
    asked: tuple[QuestionResult, ...]
    chunks: int


def sampled(benchmark: Benchmark, count: int | None, seed: int = 1) -> Benchmark:
    """Return the benchmark with `count` of its questions, drawn by the seed; all of them without a count."""
    keys = [(at, question.id) for at, one in enumerate(benchmark.haystacks) for question in one.questions]
    if count is not None and count < len(keys):
        keys = random.Random(seed).sample(keys, count)  # noqa: S311  # a sample, not keys of a lock
    kept = set(keys)
    haystacks = (
        replace(one, questions=tuple(q for q in one.questions if (at, q.id) in kept))
        for at, one in enumerate(benchmark.haystacks)
    )
    return replace(benchmark, haystacks=tuple(one for one in haystacks if one.questions))


def outcomes(
    benchmark: Benchmark, folder: str, setups: Sequence[Setup], modes: Sequence[str], say: Callable[[str], None]
) -> Iterator[ModeOutcome]:
    """Yield what every mode of every setup finds. Raises WorkerError when an import fails."""
    for setup in setups:
        found: dict[str, list[QuestionResult]] = {mode: [] for mode in modes}
        chunks, embedder = 0, None
        for number, haystack in enumerate(benchmark.haystacks, 1):
            base = os.path.join(folder, f"{setup.precision}-{setup.engine.partition(':')[0]}-{number}")
            say(f"{haystack.name} ({number} of {len(benchmark.haystacks)}), {setup.precision}, {setup.engine}")
            engine = setup.at(os.path.join(base, "state"), f"{number}")
            trial.write(os.path.join(base, "said"), haystack)
            chunks += int(trial.fill(os.path.join(base, "said"), engine)["chunks"])
            if embedder is None and set(modes) != {"keyword"}:
                embedder = trial.load_embedder(engine.told)
            _ask(haystack, engine, embedder, found)
        for mode, asked in found.items():
            yield ModeOutcome(setup.precision, setup.engine, mode, tuple(asked), chunks)


def _ask(haystack: Haystack, engine: TrialEngine, embedder: Any, found: Mapping[str, list[QuestionResult]]) -> None:
    """Ask all questions of a haystack in every mode."""
    with trial.asking(engine, haystack, embedder) as asking:
        for mode, asked in found.items():
            asking.ask(haystack.questions[0], mode)  # what is loaded at the first question is no question's time
            asked.extend(asking.ask(question, mode) for question in haystack.questions)


def result(benchmark: Benchmark, found: Sequence[ModeOutcome], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the run as one JSON object: what was asked of which bytes, by what, the figures, and every rank."""
    return {
        "benchmark": {
            "kind": benchmark.kind,
            "sha256": benchmark.sha256,
            "haystacks": len(benchmark.haystacks),
            "conversations": sum(len(one.sessions) for one in benchmark.haystacks),
        },
        **about,
        "runs": [
            {
                "precision": one.precision,
                "engine": one.engine,
                "mode": one.mode,
                "chunks": one.chunks,
                **measures.figures(one.asked),
                "asked": [asdict(asked) for asked in one.asked],
            }
            for one in found
        ],
    }


def text(said: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a report for people."""
    names = (*measures.MEASURES, *measures.TURN_MEASURES)
    made = said["benchmark"]
    yield f"{made['kind']} ({made['sha256'][:12]}): {made['conversations']} conversations in {made['haystacks']} stores"
    yield "  ".join(("precision engine mode    ", *(f"{name:>9}" for name in names), "p50 ms", "p95 ms"))
    for one in said["runs"]:
        yield from _lines(one, names)
    for name, one in said["runs"][0]["by_category"].items() if said["runs"] else ():
        told = (f"{m} {one[m]:.3f} ({one['intervals'][m][0]:.3f} to {one['intervals'][m][1]:.3f})" for m in names[:2])
        yield f"  {name:26} {one['questions']:5} questions  {'  '.join(told)}"


def _lines(one: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """Yield the lines of one mode."""
    took, absent, pad = one["seconds_a_question"], one["absent"], " " * 25
    head = f"{one['precision']:9} {one['engine'][:6]:6} {one['mode']:8}"
    cells = (f"{one[name]['value']:9.3f}" for name in names)
    yield "  ".join((head, *cells, f"{took['p50'] * 1000:6.1f}", f"{took['p95'] * 1000:6.1f}"))
    between = ", ".join(f"{name} {one[name]['low']:.3f} to {one[name]['high']:.3f}" for name in names[:2])
    yield f"{pad}  {one['questions']} questions; {between}; told nothing: {one['told_nothing']:.3f}"
    if absent["questions"]:
        yield f"{pad}  {absent['questions']} of what is not there; told nothing: {absent['told_nothing']:.3f}"
