"""Histories of batches: what is sent, in which order it is committed, which chunk is blamed. Workers follow scripts."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Sequence

import pytest
from scripted_deliveries import ScriptedDelivery, file_span, many
from scripted_supervisor import births
from state_values import commit

from importer.protocol.records import Batch, Release, Span, Suspect
from importer.reading.batching import BatchLimits
from importer.state.checkpoints import Checkpoints


@pytest.fixture
def checkpoints(tmp_path: pathlib.Path) -> Iterator[Checkpoints]:
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as found:
        yield found


def test_batches_are_committed_in_order(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Each when its receipt came; nothing is left on record."""
    played = ScriptedDelivery(tmp_path, checkpoints)
    spans = [file_span(name, f"text {name}") for name in "abc"]
    assert played.run(*(played.batch(one) for one in spans)) == [("a",), ("b",), ("c",)]
    assert checkpoints.leftovers() == []
    assert checkpoints.totals().lines_stored == 3


def test_nothing_to_store_is_committed_at_once(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A batch of lines that say nothing needs no worker."""
    played = ScriptedDelivery(tmp_path, checkpoints)
    assert played.run(played.batch(file_span("a"))) == [("a",)]
    assert births(tmp_path) == 0


def test_an_urgent_batch_settles_beside_the_others(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """It is committed when its receipt came, also while other batches wait."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", "done", "silent"], ["ready"])
    slow, quick = played.batch(file_span("slow", "s")), played.batch(file_span("quick", "q"), urgent=True)
    played.delivery.deadline_s = lambda _chars: 0.5
    assert played.run(slow, quick) == [("quick",), ("slow",)]


@pytest.mark.parametrize("end", ["die", "vanish", "torn"])
def test_one_death_leaves_no_trace(tmp_path: pathlib.Path, checkpoints: Checkpoints, end: str) -> None:
    """The batch is sent again to a fresh worker, in order with those behind it, and no chunk stays on record."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", end], ["ready"])
    assert played.run(*(played.batch(file_span(name, f"t {name}")) for name in "ab")) == [("a",), ("b",)]
    assert (births(tmp_path), played.rejected(), checkpoints.suspects()) == (2, {}, {})


def test_a_run_that_died_is_retried_smaller(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Half the tokens in a run, because the run may have been too large."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", "die"], ["ready"])
    budgets: list[int] = []
    post = played.supervisor.post

    async def noted(number, message):
        budgets.append(message.token_budget)
        return await post(number, message)

    played.supervisor.post = noted  # type: ignore[method-assign]
    played.run(played.batch(file_span("a", "t1", "t2")))
    assert budgets == [2048, 1024]


@pytest.mark.slow
@pytest.mark.parametrize("bad", [(0,), (100,), (255,), (3, 200), (7, 8)])
def test_poison_is_found_among_256(tmp_path: pathlib.Path, checkpoints: Checkpoints, bad: tuple[int, ...]) -> None:
    """Only what kills the worker is set aside, its file says so, and its neighbours are stored, after few deaths."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", *["poison"] * 300])
    spans = [file_span("a", *many(*bad)), file_span("b", "fine b")]
    committed = played.run(played.batch(spans[0]), played.batch(spans[1]))
    assert (committed[-1], sorted(name for one in committed for name in one)) == (("b",), ["a", "b"])
    assert played.rejected() == {f"c{i}": ("a", "embed") for i in bad}
    assert played.supervisor.stats.crashes <= 6 * len(bad)
    tally = checkpoints.totals()
    assert (tally.lines_stored, tally.lines_quarantined) == (257 - len(bad), len(bad))
    assert checkpoints.suspects() == {}


def test_poison_of_a_death_that_names_no_chunk(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Where it is not known what was in the model, halving finds it."""
    lives = [["ready", *["vanish"] * 9]] * 2
    played = ScriptedDelivery(tmp_path, checkpoints, *lives, ["ready"])
    assert played.run(played.batch(file_span("a", "t1", "t2", "t3"))) == [("a",)]
    assert played.rejected() == {}


def test_poison_behind_a_good_batch(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A suspect waits until what stands before it is committed: it cannot keep others from being so."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", *["poison"] * 300])
    played.run(played.batch(file_span("a", "good a")), played.batch(file_span("b", "poison b", "good c")))
    assert played.committed() == [("a",), ("b",)]
    assert played.rejected() == {"b": ("b", "embed")}


@pytest.mark.slow
def test_a_chunk_that_only_died_near(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """One that is never in the model when workers die is borne with longer than one that is."""
    played = ScriptedDelivery(tmp_path, checkpoints, *[["ready", "vanish"]] * 7, ["ready"])
    assert played.run(played.batch(file_span("a", "t1"))) == [("a",)]
    assert (births(tmp_path), played.rejected()) == (8, {})


def test_a_chunk_in_a_storm_of_kills_is_no_poison(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A chunk that three workers died with, one after the other, is tried again when the next dies of nothing too."""
    played = ScriptedDelivery(tmp_path, checkpoints, *[["ready", "die"]] * 3, ["ready", "die canary"], ["ready"])
    assert played.run(played.batch(file_span("a", "t1"))) == [("a",)]
    assert (births(tmp_path), played.rejected(), checkpoints.suspects()) == (5, {}, {})


def test_chunks_the_store_refuses(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Those it names are set aside at once, the others are stored."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", "reject", "done"])
    assert played.run(played.batch(file_span("a", "t1", "t2", "t3"))) == [("a",)]
    assert played.rejected() == {"t1": ("a", "store")}
    assert checkpoints.totals().lines_quarantined == 1


def test_an_embedding_that_fails_is_narrowed_down(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Once more, then in halves; the chunk that fails alone is set aside with the reason."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", "fail", "fail", "fail", "fail", "done"])
    assert played.run(played.batch(file_span("a", "t1", "t2"))) == [("a",)]
    assert played.rejected() == {"t1": ("a", "embed")}
    assert "scripted: fail" in checkpoints.quarantine.page()[0].reject.reason


def test_a_batch_that_never_ends(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Past its deadline its worker is killed, and another one does it."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", "silent"], ["ready"])
    played.delivery.deadline_s = lambda _chars: 0.5
    assert played.run(played.batch(file_span("a", "t1"))) == [("a",)]
    assert played.supervisor.stats.crashes == 1


def test_an_answer_to_a_former_posting_counts_for_nothing(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """When the first of two batches fails, the second is sent again behind it, and only that answer commits it."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", "fail", "done", "done", "done"])
    a, b = played.batch(file_span("a", "t1")), played.batch(file_span("b", "t2"))
    assert played.run(a, b) == [("a",), ("b",)]
    receipts = [one.receipt for one in played.told if one.receipt is not None]
    assert [(one.points, one.known) for one in receipts] == [(1, 0), (0, 1)]


def test_a_failed_urgent_batch_keeps_its_place(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """It goes to the front, and what was sent behind it is applied again after it."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", "fail", "done", "done", "done"])
    urgent = played.batch(file_span("live", "u1"), urgent=True)
    assert played.run(urgent, played.batch(file_span("b", "t2"))) == [("live",), ("b",)]


def test_a_release_alone_is_sent(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A batch that only lets go of chunks needs the store too."""
    played = ScriptedDelivery(tmp_path, checkpoints)
    letting = Span((), (Release("x", "me"),), commit(b"a"))
    assert played.run(played.batch(letting)) == [("a",)]
    assert births(tmp_path) == 1


def test_a_giant_line_goes_in_parts(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """More chunks than a frame should hold are sent one part after the other; the last one carries the commit."""
    played = ScriptedDelivery(tmp_path, checkpoints)
    played.delivery.limits = BatchLimits(chunks=10)
    assert played.run(played.batch(file_span("a", *many(count=35)))) == [("a",)]
    assert sum(one.receipt.points for one in played.told if one.receipt) == 35


def left_behind(folder: pathlib.Path, checkpoints: Checkpoints, batch: Batch, ids: Sequence[str]) -> None:
    """What a run leaves that went down, worker and all, with these chunks under way."""
    checkpoints.sending(batch.number, ids, alone=len(ids) == 1)
    ScriptedDelivery(folder, checkpoints).delivery.recover()


def test_what_took_an_importer_down_is_narrowed_down(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """With every restart the suspects go in smaller parts, until the one chunk is known and set aside unsent."""
    texts = many(77)
    for _ in range(12):
        played = ScriptedDelivery(tmp_path, checkpoints)
        batch = played.batch(file_span("a", *texts))
        played.delivery.send(batch)
        parts = [flight.batch for flight in played.delivery.queue]
        bad = next(part for part in parts if any(chunk.id == "c77" for chunk in part.chunks))
        if checkpoints.suspects().get("c77", Suspect(0, 0)).alone >= 3:
            break
        left_behind(tmp_path, checkpoints, bad, [chunk.id for chunk in bad.chunks])
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", *["poison"] * 300])
    assert played.run(played.batch(file_span("a", *texts))) == [("a",)]
    assert (played.rejected(), played.supervisor.stats.crashes) == ({"c77": ("a", "embed")}, 0)
    assert checkpoints.suspects() == {}


def test_a_single_kill_of_an_importer_proves_nothing(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """What was under way when it was killed is sent as before, and its record is cleared when it is stored."""
    left_behind(tmp_path, checkpoints, Batch(9, (), (), ()), ["t1", "t2"])
    played = ScriptedDelivery(tmp_path, checkpoints)
    assert played.run(played.batch(file_span("a", "t1", "t2"))) == [("a",)]
    assert (len(played.told), checkpoints.suspects(), checkpoints.leftovers()) == (1, {}, [])
