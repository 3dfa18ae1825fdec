"""What stands outside the delivery room moves the engine by its methods and sees it through its snapshot."""

from __future__ import annotations

import ast
import asyncio
import os
import pathlib
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from idle_engine import fly, hire, parts

from importer.delivery.engine import Engine
from importer.delivery.policy import Recycle
from importer.protocol.records import Tally
from importer.sources.scan import Root

pytestmark = pytest.mark.slow

PACKAGE = pathlib.Path(__file__).parents[2] / "importer"
OUTSIDE = [path for path in sorted(PACKAGE.rglob("*.py")) if "delivery" not in path.parts]


def chain(node: ast.AST) -> list[str]:
    """Return the names of `a.b.c`, in order; of another expression, what follows it."""
    if isinstance(node, ast.Attribute):
        return [*chain(node.value), node.attr]
    return [node.id] if isinstance(node, ast.Name) else []


def reaches(source: str) -> Iterator[str]:
    """Yield every place that sets an attribute of an engine, or reaches its delivery, supervisor or private parts."""
    for node in ast.walk(ast.parse(source)):
        names = chain(node) if isinstance(node, ast.Attribute) else []
        at = next((at for at, name in enumerate(names[:-1]) if name.strip("_") == "engine"), None)
        if at is None:
            continue
        behind = names[at + 1 :]
        hidden = [name for name in behind if name.startswith("_") or name in {"delivery", "supervisor"}]
        if hidden or isinstance(node.ctx, ast.Store):  # type: ignore[union-attr]
            yield ".".join(names)


def test_nothing_outside_reaches_into_the_engine() -> None:
    """No module sets what belongs to the engine, and none goes through it to the supervisor."""
    found = {str(path.relative_to(PACKAGE)): list(reaches(path.read_text())) for path in OUTSIDE}
    assert not {path: names for path, names in found.items() if names}


@pytest.mark.parametrize(
    "source", ["self.engine.pressed = 'x'", "engine.run.total += 1", "parts._engine.delivery.supervisor.kill()"]
)
def test_a_reach_is_seen(source: str) -> None:
    """Each of these is found by the look above."""
    assert list(reaches(source))


def test_what_was_read_first_is_work(tmp_path: pathlib.Path) -> None:
    """What was read while the worker starts is sent with the rest: not where memory is short, nor after a signal."""
    said = tmp_path / "said.jsonl"
    said.write_text('{"messages": [{"role": "user", "content": "hello"}]}\n')

    async def act(engine: Engine) -> list[object]:
        await engine.reconcile()
        await engine.read_first()
        seen = [engine.pending_files, engine.has_work(), len(engine.snapshot().in_flight)]
        engine.press("memory")
        await engine.step()
        seen += [engine.has_work(), len(engine.snapshot().in_flight)]
        await engine._read_ahead.fill()
        seen += [len(engine.snapshot().in_flight)]
        engine.kill_worker()
        return seen

    async def stopped(engine: Engine) -> list[object]:
        await engine.reconcile()
        await engine.read_first()
        engine.stop()
        await engine.drain()
        return [engine.snapshot().is_unfinished, len(engine.snapshot().in_flight)]

    with ExitStack() as stack:
        engine = parts(str(tmp_path / "state"), stack, Root(os.fsencode(said))).engine
        assert asyncio.run(act(engine)) == [0, True, 0, True, 0, 1]
    with ExitStack() as stack:
        engine = parts(str(tmp_path / "other"), stack, Root(os.fsencode(said))).engine
        assert asyncio.run(stopped(engine)) == [True, 0]


def test_a_snapshot_does_not_change(tmp_path: pathlib.Path) -> None:
    """A snapshot stays as it was when the engine goes on."""
    with ExitStack() as stack:
        engine = parts(str(tmp_path), stack).engine
        before = engine.snapshot()
        fly(engine, Tally(lines_stored=2))
        hire(engine, 1, points=7)
        engine.run.errors[b"/r/a"] = "Permission denied"
        engine.stats.recycles["files"] += 1
        engine.press("memory")
        after = engine.snapshot()
    assert (before.in_flight, before.worker, before.errors, before.pressed) == ((), None, {}, "")
    assert before.stats.recycles == {}
    assert (after.tally_in_flight.lines_read, after.worker and after.worker.points, after.pressed) == (2, 7, "memory")
    assert (after.errors, after.stats.recycles) == ({b"/r/a": "Permission denied"}, {"files": 1})


def test_the_first_reason_ends_the_worker(tmp_path: pathlib.Path) -> None:
    """A reason that is repeated, or another one, does not take its place before the worker has ended."""
    with ExitStack() as stack:
        engine = parts(str(tmp_path), stack).engine
        engine.end_worker(Recycle.GROWTH)
        engine.end_worker(Recycle.RSS)
        assert engine._ending is Recycle.GROWTH
