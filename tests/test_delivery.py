"""Histories of batches: what is sent, in which order it is committed, who is blamed. Workers follow scripts."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Iterator, Sequence

import pytest
from said import span
from scripted import births, supervisor
from states import commit

from importer.batch import Limits, pack
from importer.checkpoints import Checkpoints
from importer.delivery import Delivery
from importer.errors import StoreRefused, StoreUnreachable, WorkerError
from importer.parcel import Settled
from importer.policy import Recycle, Suspect
from importer.records import Batch, Chunk, Release, Span, Tally


@pytest.fixture
def checkpoints(tmp_path: pathlib.Path) -> Iterator[Checkpoints]:
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as found:
        yield found


def file_span(name: str, *texts: str) -> Span:
    """A span of the file of that name; each text is a chunk with the text's last word as its id."""
    chunks = [Chunk(text.split()[-1], text, {}) for text in texts]
    made = span(chunks, lines=len(texts))
    inode = int.from_bytes(name.encode(), "big")
    tally = Tally(lines_stored=len(texts), bytes_stored=10 * len(texts))
    return Span(made.chunks, (), commit(name.encode(), inode, tally))


class Played:
    """A delivery with scripted workers, driven until all is settled; `told` is what `settle` gave, in order."""

    def __init__(
        self, folder: pathlib.Path, checkpoints: Checkpoints, *lives: Sequence[str], patience: int | None = None
    ):
        self.folder = folder
        self.checkpoints = checkpoints
        self.supervisor = supervisor(folder, *lives)
        self.delivery = Delivery(self.supervisor, checkpoints, 2048, Limits(), patience)
        self.told: list[Settled] = []

    def batch(self, *spans: Span, urgent: bool = False) -> Batch:
        return pack(spans, self.supervisor.number(), urgent=urgent)

    def run(self, *batches: Batch, most: int = 200) -> list[tuple[str, ...]]:
        """Sends the batches at once; the files committed by each settled batch, in order."""

        async def drive() -> None:
            for one in batches:
                self.delivery.send(one)
            wake = asyncio.Event()
            for _ in range(most):
                if not self.delivery.busy:
                    return
                self.told.append(await asyncio.wait_for(self.delivery.settle(wake, 1.0), 60))
            raise AssertionError(f"never done: {self.told[-5:]}")

        async def run() -> None:
            try:
                await drive()
            finally:
                await self.supervisor.recycle(Recycle.STOP)

        asyncio.run(run())
        return self.committed()

    def committed(self) -> list[tuple[str, ...]]:
        settled = [one.batch for one in self.told if one.batch is not None and one.batch.commits]
        return [tuple(c.checkpoint.path.decode() for c in batch.commits) for batch in settled]

    def rejected(self) -> dict[str, tuple[str, str]]:
        """Chunk id -> its file and the stage it was set aside at."""
        rows = self.checkpoints.quarantine.page()
        return {row.reject.chunk_id: (row.reject.path.decode(), row.reject.stage) for row in rows}


def many(*bad: int, count: int = 256) -> list[str]:
    return [f"{'poison' if i in bad else 'harmless'} c{i}" for i in range(count)]


def test_batches_are_committed_in_order(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Each when its receipt came; nothing is left on record."""
    played = Played(tmp_path, checkpoints)
    spans = [file_span(name, f"text {name}") for name in "abc"]
    assert played.run(*(played.batch(one) for one in spans)) == [("a",), ("b",), ("c",)]
    assert checkpoints.leftovers() == []
    assert checkpoints.totals().lines_stored == 3


def test_nothing_to_store_is_committed_at_once(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A batch of lines that say nothing needs no worker."""
    played = Played(tmp_path, checkpoints)
    assert played.run(played.batch(file_span("a"))) == [("a",)]
    assert births(tmp_path) == 0


def test_an_urgent_batch_settles_beside_the_others(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """It is committed when its receipt came, whatever waits."""
    played = Played(tmp_path, checkpoints, ["ready", "done", "silent"], ["ready"])
    slow, quick = played.batch(file_span("slow", "s")), played.batch(file_span("quick", "q"), urgent=True)
    played.delivery.deadline_s = lambda _chars: 0.5
    assert played.run(slow, quick) == [("quick",), ("slow",)]


@pytest.mark.parametrize("end", ["die", "vanish", "torn"])
def test_one_death_is_nothing(tmp_path: pathlib.Path, checkpoints: Checkpoints, end: str) -> None:
    """The batch is sent again to a fresh worker, in order with those behind it, and nobody stays on record."""
    played = Played(tmp_path, checkpoints, ["ready", end], ["ready"])
    assert played.run(*(played.batch(file_span(name, f"t {name}")) for name in "ab")) == [("a",), ("b",)]
    assert (births(tmp_path), played.rejected(), checkpoints.suspects()) == (2, {}, {})


def test_a_run_that_died_is_retried_smaller(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Half the tokens in a run, because the run may have been too large."""
    played = Played(tmp_path, checkpoints, ["ready", "die"], ["ready"])
    budgets: list[int] = []
    post = played.supervisor.post

    async def noted(number, message):
        budgets.append(message.token_budget)
        return await post(number, message)

    played.supervisor.post = noted  # type: ignore[method-assign]
    played.run(played.batch(file_span("a", "t1", "t2")))
    assert budgets == [2048, 1024]


@pytest.mark.parametrize("bad", [(0,), (100,), (255,), (3, 200), (7, 8)])
def test_poison_is_found_among_256(tmp_path: pathlib.Path, checkpoints: Checkpoints, bad: tuple[int, ...]) -> None:
    """Only what kills the worker is set aside, its file says so, and its neighbours are stored, after few deaths."""
    played = Played(tmp_path, checkpoints, ["ready", *["poison"] * 300])
    spans = [file_span("a", *many(*bad)), file_span("b", "fine b")]
    committed = played.run(played.batch(spans[0]), played.batch(spans[1]))
    assert (committed[-1], sorted(name for one in committed for name in one)) == (("b",), ["a", "b"])
    assert played.rejected() == {f"c{i}": ("a", "embed") for i in bad}
    assert played.supervisor.record.crashes <= 6 * len(bad)
    tally = checkpoints.totals()
    assert (tally.lines_stored, tally.lines_quarantined) == (257 - len(bad), len(bad))
    assert checkpoints.suspects() == {}


def test_poison_whose_death_names_nobody(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Where it is not known what was in the model, halving finds it."""
    lives = [["ready", *["vanish"] * 9]] * 2
    played = Played(tmp_path, checkpoints, *lives, ["ready"])
    assert played.run(played.batch(file_span("a", "t1", "t2", "t3"))) == [("a",)]
    assert played.rejected() == {}


def test_poison_behind_a_good_batch(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A suspect waits until what stands before it is committed: it cannot keep others from being so."""
    played = Played(tmp_path, checkpoints, ["ready", *["poison"] * 300])
    played.run(played.batch(file_span("a", "good a")), played.batch(file_span("b", "poison b", "good c")))
    assert played.committed() == [("a",), ("b",)]
    assert played.rejected() == {"b": ("b", "embed")}


def test_a_chunk_that_only_died_near(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """One that is never in the model when workers die is borne with longer than one that is."""
    played = Played(tmp_path, checkpoints, *[["ready", "vanish"]] * 7, ["ready"])
    assert played.run(played.batch(file_span("a", "t1"))) == [("a",)]
    assert (births(tmp_path), played.rejected()) == (8, {})


def test_chunks_the_store_refuses(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Those it names are set aside at once, the others are stored."""
    played = Played(tmp_path, checkpoints, ["ready", "reject", "done"])
    assert played.run(played.batch(file_span("a", "t1", "t2", "t3"))) == [("a",)]
    assert played.rejected() == {"t1": ("a", "store")}
    assert checkpoints.totals().lines_quarantined == 1


def test_an_embedding_that_fails_is_narrowed_down(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Once more, then in halves; the chunk that fails alone is set aside with the reason."""
    played = Played(tmp_path, checkpoints, ["ready", "fail", "fail", "fail", "fail", "done"])
    assert played.run(played.batch(file_span("a", "t1", "t2"))) == [("a",)]
    assert played.rejected() == {"t1": ("a", "embed")}
    assert "scripted: fail" in checkpoints.quarantine.page()[0].reject.reason


def test_a_store_that_is_away(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """The worker is let go, the wait grows, nobody is blamed, and then everything is stored in order."""
    played = Played(tmp_path, checkpoints, ["ready", "away"], ["unreachable"], ["ready"])
    assert played.run(played.batch(file_span("a", "t1")), played.batch(file_span("b", "t2"))) == [("a",), ("b",)]
    waits = [one.wait_s for one in played.told if one.wait_s]
    assert waits == sorted(waits) and len(waits) == 2
    assert (played.rejected(), played.supervisor.record.crashes) == ({}, 0)


@pytest.mark.parametrize(
    ("lives", "kind"),
    [
        ([["ready", "halt"]], StoreRefused),
        ([["unreachable"]], StoreUnreachable),
        ([["ready", "away"]], StoreUnreachable),
        ([["refuse"]], WorkerError),
        ([["die"]], WorkerError),
    ],
)
def test_a_one_shot_import_gives_up(
    tmp_path: pathlib.Path, checkpoints: Checkpoints, lives: list[list[str]], kind: type[Exception]
) -> None:
    """A refusal ends it at once, an outage after some tries; nothing is committed and nobody set aside."""
    played = Played(tmp_path, checkpoints, *lives, patience=3)
    with pytest.raises(kind):
        played.run(played.batch(file_span("a", "t1")))
    assert births(tmp_path) == (1 if lives == [["ready", "halt"]] else 3)
    assert (played.committed(), played.rejected()) == ([], {})


def test_a_worker_that_cannot_start_is_nobody_s_fault(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A daemon waits longer each time, and not one chunk stands on record for it."""
    played = Played(tmp_path, checkpoints, *[["die"]] * 3, ["ready"])
    assert played.run(played.batch(file_span("a", "t1"))) == [("a",)]
    assert [one.wait_s for one in played.told[:3]] == [1.0, 2.0, 4.0]
    assert checkpoints.suspects() == {}


def test_a_batch_that_never_ends(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Past its deadline its worker is killed, and another one does it."""
    played = Played(tmp_path, checkpoints, ["ready", "silent"], ["ready"])
    played.delivery.deadline_s = lambda _chars: 0.5
    assert played.run(played.batch(file_span("a", "t1"))) == [("a",)]
    assert played.supervisor.record.crashes == 1


def test_an_answer_to_a_former_posting_counts_for_nothing(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """When the first of two batches fails, the second is sent again behind it, and only that answer commits it."""
    played = Played(tmp_path, checkpoints, ["ready", "fail", "done", "done", "done"])
    a, b = played.batch(file_span("a", "t1")), played.batch(file_span("b", "t2"))
    assert played.run(a, b) == [("a",), ("b",)]
    receipts = [one.receipt for one in played.told if one.receipt is not None]
    assert [(one.points, one.known) for one in receipts] == [(1, 0), (0, 1)]


def test_a_failed_urgent_batch_keeps_its_place(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """It goes to the front, and what was sent behind it is applied again after it."""
    played = Played(tmp_path, checkpoints, ["ready", "fail", "done", "done", "done"])
    urgent = played.batch(file_span("live", "u1"), urgent=True)
    assert played.run(urgent, played.batch(file_span("b", "t2"))) == [("live",), ("b",)]


def test_a_release_alone_is_sent(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A batch that only lets go of chunks needs the store too."""
    played = Played(tmp_path, checkpoints)
    letting = Span((), (Release("x", "me"),), commit(b"a"))
    assert played.run(played.batch(letting)) == [("a",)]
    assert births(tmp_path) == 1


def test_a_giant_line_goes_in_parts(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """More chunks than a frame should hold are sent one part after the other; the last one carries the commit."""
    played = Played(tmp_path, checkpoints)
    played.delivery.limits = Limits(chunks=10)
    assert played.run(played.batch(file_span("a", *many(count=35)))) == [("a",)]
    assert sum(one.receipt.points for one in played.told if one.receipt) == 35


def left_behind(folder: pathlib.Path, checkpoints: Checkpoints, batch: Batch, ids: Sequence[str]) -> None:
    """What a run leaves that went down, worker and all, with these chunks under way."""
    checkpoints.sending(batch.number, ids, alone=len(ids) == 1)
    Played(folder, checkpoints).delivery.recover()


def test_what_took_an_importer_down_is_narrowed_down(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """With every restart the suspects go in smaller parts, until the one chunk is known and set aside unsent."""
    texts = many(77)
    for _ in range(12):
        played = Played(tmp_path, checkpoints)
        batch = played.batch(file_span("a", *texts))
        played.delivery.send(batch)
        parts = [parcel.batch for parcel in played.delivery.queue]
        bad = next(part for part in parts if any(chunk.id == "c77" for chunk in part.chunks))
        if checkpoints.suspects().get("c77", Suspect(0, 0)).alone >= 3:
            break
        left_behind(tmp_path, checkpoints, bad, [chunk.id for chunk in bad.chunks])
    played = Played(tmp_path, checkpoints, ["ready", *["poison"] * 300])
    assert played.run(played.batch(file_span("a", *texts))) == [("a",)]
    assert (played.rejected(), played.supervisor.record.crashes) == ({"c77": ("a", "embed")}, 0)
    assert checkpoints.suspects() == {}


def test_a_single_kill_of_an_importer_proves_nothing(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """What was under way when it was killed is sent as before, and its record is cleared when it is stored."""
    left_behind(tmp_path, checkpoints, Batch(9, (), (), ()), ["t1", "t2"])
    played = Played(tmp_path, checkpoints)
    assert played.run(played.batch(file_span("a", "t1", "t2"))) == [("a",)]
    assert (len(played.told), checkpoints.suspects(), checkpoints.leftovers()) == (1, {}, [])
