"""Changes of the state while a daemon works: nothing is marked beside a batch in flight."""

from __future__ import annotations

import asyncio
import os
import pathlib
from contextlib import ExitStack
from typing import Any

import pytest
from idle_engine import fly, parts
from state_values import commit, reject

from importer.delivery.engine import Engine
from importer.errors import StateUnwritable, StoreUnreachable, TryAgainLater
from importer.protocol.records import Tally
from importer.service.maintenance import Maintenance, when_quiet
from importer.sources.scan import Root
from importer.state import erasure


@pytest.fixture
def engine(tmp_path: pathlib.Path):
    (tmp_path / "r" / "-p").mkdir(parents=True)
    path = os.fsencode(tmp_path / "r" / "-p" / "a.jsonl")
    (tmp_path / "r" / "-p" / "a.jsonl").write_bytes(b"{}\n")
    with ExitStack() as stack:
        found = parts(str(tmp_path / "s"), stack, Root(os.fsencode(tmp_path / "r"), "claude-code")).engine
        found.checkpoints.commit([commit(path, rejects=(reject(0, path), reject(5, path)))])
        yield found


async def never(*_: Any) -> None:
    raise AssertionError("no operation here pauses the import")


async def away(*_: Any, **__: Any) -> None:
    raise StoreUnreachable("the store is away")


async def asked(engine: Engine, op: str, **arguments: Any):
    """Return the daemon's answer, while the engine takes its steps."""
    task = asyncio.ensure_future(Maintenance(engine, never, never, lambda: False).answers()[op](**arguments))
    await asyncio.sleep(0)
    engine._run_idle_actions()
    return await task


def test_a_retry_reads_the_file_again(engine: Engine) -> None:
    """The rows are marked, the file no longer counts as read, and it comes first in the queue."""
    done = asyncio.run(asked(engine, "failures_retry"))
    assert (done["rows"], len(done["paths"])) == (2, 1)
    assert [row.status for row in engine.checkpoints.quarantine.page()] == ["retrying", "retrying"]
    assert engine._queue.has_live
    assert engine.checkpoints.by_path(os.fsencode(done["paths"][0])).mtime_ns == 0


def test_only_the_chosen_rows_are_retried(engine: Engine) -> None:
    """Other rows stay open."""
    assert asyncio.run(asked(engine, "failures_retry", ids=[2]))["rows"] == 1
    assert [row.status for row in engine.checkpoints.quarantine.page()] == ["open", "retrying"]


def test_nothing_is_marked_beside_a_batch(engine: Engine) -> None:
    """The batch's commit would count the rows as done unread; so the operation waits, and in the end says so."""
    fly(engine, Tally())

    async def retry():
        task = asyncio.ensure_future(when_quiet(engine, lambda: 1, timeout_s=0.01))
        await asyncio.sleep(0)
        engine._run_idle_actions()
        await task

    with pytest.raises(TryAgainLater, match="nothing was changed"):
        asyncio.run(retry())
    engine._delivery.queue.clear()
    engine._run_idle_actions()  # an operation that was given up is not done late
    assert [row.status for row in engine.checkpoints.quarantine.page()] == ["open", "open"]


def test_the_command_hears_of_a_full_disk(engine: Engine) -> None:
    """The engine goes on; the command gets the error."""

    def full():
        raise StateUnwritable("disk full")

    async def act():
        task = asyncio.ensure_future(when_quiet(engine, full))
        await asyncio.sleep(0)
        engine._run_idle_actions()
        await task

    with pytest.raises(StateUnwritable, match="disk full"):
        asyncio.run(act())


def test_dropped_rows_are_gone(engine: Engine) -> None:
    """All rows, or the named ones; the file is not read again."""
    assert asyncio.run(asked(engine, "failures_drop", ids=[1])) == {"rows": 1}
    assert asyncio.run(asked(engine, "failures_drop")) == {"rows": 1}
    assert engine.checkpoints.quarantine.count() == 0
    assert not engine.pending_files


def test_a_rule_is_in_force_for_the_next_batch(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `forget` the engine reads without what the rule names; after `unforget` it reads all files again.

    With the store away, what is to be erased is noted until then.
    """
    monkeypatch.setattr(engine, "ask", away)
    path, metadata = b"/any", {"project": "/p"}
    asyncio.run(asked(engine, "forget", project="/p"))
    assert engine.reading.forgotten(path, metadata)
    assert [task["project"] for task in erasure.tasks(engine.checkpoints)] == ["/p"]
    assert asyncio.run(asked(engine, "unforget", project="/p")) == {"files": 1}
    assert not engine.reading.forgotten(path, metadata)
    assert not erasure.tasks(engine.checkpoints)


def test_facts_are_written_at_once(engine: Engine) -> None:
    """A migration's position does not wait for batches in flight."""
    fly(engine, Tally())
    assert asyncio.run(asked(engine, "remember", place="7")) == {}
    assert engine.checkpoints.meta("place") == "7"
