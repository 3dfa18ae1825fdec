"""The worker's loop over streams in memory: receipts after durable writes, urgent things first, failures told."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from processes import until
from worker_server import WAIT_S, Worker, chunk, serving

from importer.errors import EmbedError, StoreUnreachable
from importer.protocol import wire
from importer.protocol.records import ConversationFacts, Release
from importer.worker import store_writer
from importer.worker.embedders import Window


@pytest.fixture
def worker() -> Iterator[Worker]:
    with serving(Worker()) as one:
        yield one


def test_a_receipt_follows_the_durable_write(worker: Worker) -> None:
    """The receipt counts what was embedded, and is sent when the store has it, not before."""
    worker.send(1, chunk("a"), chunk("b"))
    receipt = worker.answer(1).receipt
    assert (receipt.batch, receipt.points, receipt.known, receipt.total, receipt.tokens) == (1, 2, 0, 2, 10)
    assert worker.store.events[-2:] == [("written", ("a", "b")), ("Done", 1)]


@pytest.mark.parametrize("error", [None, StoreUnreachable("the disk is full")])
def test_upkeep_does_not_wait_for_a_pause(worker: Worker, error: Exception | None) -> None:
    """A backlog makes none: it is done behind the receipt of the batch that made it due, and cannot fail that batch."""
    worker.store.optimise_error = error
    worker.store.pending_optimize = True
    for number in range(1, 4):
        worker.send(number, chunk(f"c{number}"))
    worker.answer(3)
    events = [event for event in worker.store.events if event[0] != "Working"]
    assert events[:3] == [("written", ("c1",)), ("Done", 1), ("optimised", ())]
    assert events[-1] == ("Done", 3)


def test_an_error_nobody_thought_of_is_told(worker: Worker) -> None:
    """It fails the batch; the thread that stores goes on."""
    worker.store.errors.append(MemoryError("no more"))
    worker.send(1, chunk("a"))
    worker.send(2, chunk("b"))
    assert isinstance(worker.answer(1), wire.Failed)
    assert isinstance(worker.answer(2), wire.Done)


def test_what_stands_is_not_embedded_again(worker: Worker) -> None:
    """A batch sent twice writes nothing the second time."""
    worker.send(1, chunk("a"), chunk("b"))
    worker.send(2, chunk("a"), chunk("b"), chunk("c"))
    receipt = worker.answer(2).receipt
    assert (receipt.points, receipt.known, receipt.total) == (1, 2, 3)
    assert worker.store.embedded == ["a", "b", "c"]


def test_it_says_what_is_in_the_model(worker: Worker) -> None:
    """Before each run the chunks in it are named, after the last one none is: no chunk is to blame for a death then."""
    worker.send(1, chunk("a", words=15), chunk("b", words=15))
    worker.answer(1)
    named = [reply.ids for _, reply in worker.replies if isinstance(reply, wire.Working)]
    assert sorted(named[:-1]) == [("a",), ("b",)]
    assert named[-1] == ()


def test_a_question_is_answered_between_two_runs(worker: Worker) -> None:
    """A search does not wait for the batch that is being embedded."""
    worker.embedder.gate = threading.Semaphore(0)
    worker.send(1, chunk("a", words=15), chunk("b", words=15))
    assert worker.embedder.running.acquire(timeout=WAIT_S)
    worker.post(2, wire.Ask("search", {"text": "x", "mode": "keyword"}))
    until_read(worker)
    worker.embedder.gate.release(2)
    assert worker.answer(2) == wire.Answer({"near": "nothing", "hits": []})
    worker.answer(1)
    assert worker.order() == [2, 1]


def test_a_question_is_answered_while_lanes_have_runs_under_way(worker: Worker) -> None:
    """It waits for none of them; one that waits for writes does."""
    worker.embedder.lanes, worker.embedder.gate = 2, threading.Semaphore(0)
    worker.send(1, *(chunk(name, words=15) for name in "abcd"))
    for _ in range(2):
        assert worker.embedder.running.acquire(timeout=WAIT_S)
    worker.post(2, wire.Ask("count", {}))
    worker.post(3, wire.Ask("search", {"text": "x", "mode": "keyword"}))
    until_read(worker)
    worker.embedder.gate.release(1)
    worker.answer(2)
    worker.post(4, wire.Ask("search", {"text": "x", "mode": "keyword"}))
    worker.answer(4)
    assert not worker.finals(1)
    worker.embedder.gate.release(9)
    worker.answer(1)
    assert worker.order() == [2, 3, 4, 1]


def until_read(worker: Worker) -> None:
    """Until everything sent is in the inbox: the pipe is empty, and its reader waits for more."""
    until(lambda: worker.reading.is_set() and not select.select([worker.pipe[0]], [], [], 0)[0])


@pytest.mark.parametrize(("shared", "order"), [("z", [3, 1, 2]), ("b", [1, 3, 2])])
def test_an_urgent_batch_goes_ahead(worker: Worker, shared: str, order: list[int]) -> None:
    """Before the next run of the batch in the model, unless they share a point; always before batches that wait."""
    worker.embedder.gate = threading.Semaphore(0)
    worker.send(1, chunk("a", words=15), chunk("b", words=15))
    worker.send(2, chunk("c"))
    assert worker.embedder.running.acquire(timeout=WAIT_S)
    worker.send(3, chunk(shared), urgent=True)
    until_read(worker)
    worker.embedder.gate.release(10)
    for number in (1, 2, 3):
        worker.answer(number)
    assert worker.order() == order


def test_batches_are_acknowledged_in_order(worker: Worker) -> None:
    """Ordinary batches are stored one after the other, as they were sent."""
    for number in range(1, 9):
        worker.send(number, *(chunk(f"{number}-{i}") for i in range(number % 3)))
    worker.answer(8)
    assert worker.order() == list(range(1, 9))


def test_an_open_chunk_gives_way(worker: Worker) -> None:
    """What one batch stored open, the next one releases, though both may be under way at once."""
    worker.send(1, chunk("a", "me"))
    worker.send(2, chunk("b"), releases=[Release("a", "me")])
    assert worker.answer(2).receipt.total == 1
    assert set(worker.store.points) == {"b"}


def test_the_model_does_not_wait_for_a_write(worker: Worker) -> None:
    """A batch that lets go of what the one before left open is embedded while that is being written."""
    worker.store.gate = threading.Semaphore(0)
    worker.send(1, chunk("a", "me"))
    worker.send(2, chunk("b"), releases=[Release("a", "me")])
    for _ in range(2):
        assert worker.embedder.running.acquire(timeout=WAIT_S)
    assert not worker.store.points
    worker.store.gate.release(2)
    assert worker.answer(2).receipt.total == 1
    assert set(worker.store.points) == {"b"}


def test_what_news_may_change_comes_last(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new point is embedded while news are being told; one that is stored is looked at when they are."""
    worker.store.points["old"] = {"document": "", "metadata": {"chunk": 0}, "open_by": ["you"]}

    def tell(store: Any, _source: str, facts: ConversationFacts) -> None:
        store.points["old"]["metadata"] = {"chunk": 0, "title": facts.title}

    monkeypatch.setattr(store_writer, "retell", tell)
    worker.store.gate = threading.Semaphore(0)
    worker.post(1, wire.Import((chunk("a"),), (), 20, False, (("codex", ConversationFacts("c", title="Blue")),)))
    worker.send(2, chunk("old", "me"), chunk("new"))
    for _ in range(2):
        assert worker.embedder.running.acquire(timeout=WAIT_S)
    worker.store.gate.release(2)
    assert (worker.answer(2).receipt.points, worker.answer(2).receipt.known) == (1, 1)
    assert worker.store.points["old"]["metadata"] == {"chunk": 0, "title": "Blue"}
    assert worker.store.points["old"]["open_by"] == ["me", "you"]


def test_an_embedding_that_fails_is_told(worker: Worker) -> None:
    """Nothing of the batch is acknowledged or stored, and the next one is served."""

    def refuse(windows: Sequence[Window], vectors: Any) -> Any:
        if "text-of-bad" in windows[0].text:
            raise EmbedError("not this one", hint="leave it")
        return vectors

    worker.embedder.spoil = refuse
    worker.send(1, chunk("bad"))
    worker.send(2, chunk("good"))
    failed = worker.answer(1)
    worker.answer(2)
    assert (failed.failure.stage, failed.failure.kind, failed.failure.message) == (
        "embed",
        "EmbedError",
        "not this one",
    )
    assert (failed.exit_code, failed.hint) == (4, "leave it")
    assert set(worker.store.points) == {"good"}


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.0, 3.0])
def test_vectors_that_must_not_be_stored_are_named(worker: Worker, wrong: float) -> None:
    """NaN, infinite, zero or too long: the chunk is named, and nothing of the batch is stored."""

    def spoil(windows: Sequence[Window], vectors: Any) -> Any:
        return np.where([["text-of-bad" in window.text] for window in windows], np.float32(wrong), vectors)

    worker.embedder.spoil = spoil
    worker.send(1, chunk("good"), chunk("bad"))
    failure = worker.answer(1).failure
    assert (failure.kind, failure.ids) == ("PointsRejected", ("bad",))
    assert not worker.store.points


def test_a_wrong_dimension_is_nobody_s_fault(worker: Worker) -> None:
    """All vectors are refused together."""
    worker.embedder.spoil = lambda _windows, vectors: vectors[:, :-1]
    worker.send(1, chunk("a"), chunk("b"))
    failure = worker.answer(1).failure
    assert "shape" in failure.message
    assert not worker.store.points


def test_a_store_that_is_away_is_told(worker: Worker) -> None:
    """With its own wish when to come back; the same batch again is then stored, without a trace of the first try."""
    worker.store.errors.append(StoreUnreachable("gone", retry_after_s=7.0))
    worker.send(1, chunk("a"))
    failed = worker.answer(1)
    assert (failed.failure.stage, failed.exit_code, failed.failure.retry_after_s) == ("store", 75, 7.0)
    worker.send(2, chunk("a"))
    assert worker.answer(2).receipt.total == 1


def test_an_unknown_question_is_told(worker: Worker) -> None:
    """A daemon of another version learns that there is no such answer, and is served on."""
    worker.post(1, wire.Ask("divine", {}))
    worker.post(2, wire.Ask("count", {}))
    assert "divine" in worker.answer(1).failure.message
    assert worker.answer(2) == wire.Answer(0)


def test_the_end_of_its_input_ends_it() -> None:
    """What is in the model by then is stored."""
    worker = Worker()
    with serving(worker):
        worker.embedder.gate = threading.Semaphore(0)
        worker.send(1, chunk("a"))
        worker.send(2, chunk("b"))
        assert worker.embedder.running.acquire(timeout=WAIT_S)
    assert "a" in worker.store.points


def test_garbage_on_its_input_ends_it() -> None:
    """What follows a torn frame cannot be trusted."""
    worker = Worker()
    with serving(worker):
        os.write(worker.pipe[1], b"garbage that is no frame at all")
        worker.send(1, chunk("a"))
    assert not worker.store.points
