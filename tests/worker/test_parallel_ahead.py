"""The next batch is split while this one is in the model: each text once, with anything in between."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from processes import until
from worker_server import WAIT_S, Gated, Worker, chunk, serving

from importer.errors import EmbedError
from importer.worker.embedders import Window
from importer.worker.parallel import Ahead

RUNS = 5


class Splits:
    """Notes what is split, and refuses what it is told to."""

    def __init__(self, refused: str = "") -> None:
        self.refused = refused
        self.texts: list[tuple[str, ...]] = []

    def __call__(self, texts: Sequence[str]) -> list[list[Window]]:
        self.texts.append(tuple(texts))
        if self.refused in texts:
            raise EmbedError("cannot read it")
        return [[Window(text, len(text))] for text in texts]


def said(found: list[list[Window]]) -> list[str]:
    return [window.text for parts in found for window in parts]


def test_each_text_is_split_once() -> None:
    """Ahead, and then no more; a batch of which the store has a part is asked for in part."""
    splits = Splits()
    ahead = Ahead(splits)
    ahead.begin(1, [chunk(name).text for name in "abc"])
    ahead.begin(1, [chunk(name).text for name in "abc"])
    wanted = [chunk("c").text, chunk("a").text]
    assert said(ahead.windows(1, wanted)) == wanted
    assert len(splits.texts) == 1


def test_a_batch_that_overtakes_leaves_the_other_as_it_is() -> None:
    """What was made for the one that waits is still there when its turn comes."""
    splits = Splits()
    ahead = Ahead(splits)
    ahead.begin(1, [chunk("a").text])
    assert said(ahead.windows(2, ["urgent"])) == ["urgent"]
    assert said(ahead.windows(1, [chunk("a").text])) == [chunk("a").text]
    assert sorted(splits.texts) == [(chunk("a").text,), ("urgent",)]


def test_texts_that_were_not_foreseen_are_split_now() -> None:
    """Also twice the same one, and without anything begun."""
    ahead = Ahead(Splits())
    assert said(ahead.windows(1, ["x", "x"])) == ["x", "x"]
    ahead.begin(2, [chunk("a").text])
    assert said(ahead.windows(2, ["x", chunk("a").text])) == ["x", chunk("a").text]


def test_a_text_that_cannot_be_read_is_told_of_when_its_batch_comes() -> None:
    """Not while another one is in the model; and the next batch is none the worse."""
    ahead = Ahead(Splits(refused=chunk("bad").text))
    ahead.begin(1, [chunk("bad").text])
    with pytest.raises(EmbedError):
        ahead.windows(1, [chunk("bad").text])
    ahead.begin(2, [chunk("good").text])
    assert said(ahead.windows(2, [chunk("good").text])) == [chunk("good").text]


class Laned(Gated):
    """Says which thread splits."""

    def __init__(self, lanes: int) -> None:
        super().__init__()
        self.lanes = lanes
        self.split_on: dict[str, str] = {}

    def split(self, texts: Sequence[str]) -> list[list[Window]]:
        self.split_on |= dict.fromkeys(texts, threading.current_thread().name)
        return super().split(texts)


@pytest.mark.parametrize(("lanes", "thread"), [(2, "ahead_0"), (1, "Thread")])
def test_the_next_batch_is_split_while_this_one_is_in_the_model(lanes: int, thread: str) -> None:
    """Only by an embedder that may be called by several threads at once; either way all is stored."""
    embedder = Laned(lanes)
    embedder.gate = threading.Semaphore(0)
    names, text = [f"a{i}" for i in range(RUNS)], chunk("c", words=16).text
    with serving(Worker(embedder=embedder)) as worker:
        worker.send(1, *(chunk(name, words=16) for name in names))  # too long for two in a run
        assert embedder.running.acquire(timeout=WAIT_S)
        worker.send(2, chunk("c", words=16))
        assert until(worker.inbox.upcoming)
        embedder.gate.release(RUNS + 1)
        assert [type(worker.answer(number)).__name__ for number in (1, 2)] == ["Done", "Done"]
    assert set(worker.store.points) == {*names, "c"}
    assert embedder.split_on[text].startswith(thread)
    assert not any(on.startswith("ahead") for other, on in embedder.split_on.items() if other != text)
