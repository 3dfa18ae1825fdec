"""What is away is waited for, by name and at growing intervals; only a one-shot import gives up."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
from scripted_deliveries import ScriptedDelivery, file_span
from scripted_supervisor import births

from importer.delivery.outage import Outage
from importer.errors import EmbedUnreachable, StoreRefused, StoreUnreachable, WorkerError
from importer.state.checkpoints import Checkpoints

pytestmark = pytest.mark.slow


@pytest.fixture
def checkpoints(tmp_path: pathlib.Path) -> Iterator[Checkpoints]:
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as found:
        yield found


def test_a_store_that_is_away(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """The worker is let go, the wait grows, no chunk is blamed, and then everything is stored in order."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", "away"], ["unreachable"], ["ready"])
    assert played.run(played.batch(file_span("a", "t1")), played.batch(file_span("b", "t2"))) == [("a",), ("b",)]
    waits = [one.wait_s for one in played.told if one.wait_s]
    assert waits == sorted(waits) and len(waits) == 2
    assert (played.rejected(), played.supervisor.stats.crashes) == ({}, 0)


def test_a_wait_says_who_is_away(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Store or embedding provider, at a batch or at the start; the worker's end is counted by the same word."""
    played = ScriptedDelivery(
        tmp_path, checkpoints, ["ready", "throttled"], ["unprovided"], ["ready", "away"], ["ready"]
    )
    assert played.run(played.batch(file_span("a", "t1"))) == [("a",)]
    assert [one.reason for one in played.told if one.wait_s] == [
        "embedding provider unreachable: scripted: throttled",
        "embedding provider unreachable: scripted: unprovided",
        "store unreachable: scripted: away",
    ]
    assert {"provider": 1, "store": 1}.items() <= played.supervisor.stats.recycles.items()
    assert played.delivery.outage == Outage()


@pytest.mark.parametrize(
    ("lives", "kind"),
    [
        ([["ready", "halt"]], StoreRefused),
        ([["unreachable"]], StoreUnreachable),
        ([["ready", "away"]], StoreUnreachable),
        ([["unprovided"]], EmbedUnreachable),
        ([["ready", "throttled"]], EmbedUnreachable),
        ([["refuse"]], WorkerError),
        ([["die"]], WorkerError),
    ],
)
def test_a_one_shot_import_gives_up(
    tmp_path: pathlib.Path, checkpoints: Checkpoints, lives: list[list[str]], kind: type[Exception]
) -> None:
    """A refusal ends it at once, an outage after some tries; nothing is committed and no chunk quarantined."""
    played = ScriptedDelivery(tmp_path, checkpoints, *lives, patience=3)
    with pytest.raises(kind):
        played.run(played.batch(file_span("a", "t1")))
    assert births(tmp_path) == (1 if lives == [["ready", "halt"]] else 3)
    assert (played.committed(), played.rejected()) == ([], {})


def test_a_worker_that_cannot_start_counts_against_no_chunk(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A daemon waits longer each time, and not one chunk stands on record for it."""
    played = ScriptedDelivery(tmp_path, checkpoints, *[["die"]] * 3, ["ready"])
    assert played.run(played.batch(file_span("a", "t1"))) == [("a",)]
    assert [one.wait_s for one in played.told[:3]] == [1.0, 2.0, 4.0]
    assert checkpoints.suspects() == {}


def test_a_one_shot_import_does_not_wait_until_tomorrow() -> None:
    """A day's budget that is used up ends it at once, with what to do; a daemon waits as long as it takes."""
    used_up = EmbedUnreachable("the day's tokens are used up", retry_after_s=40_000.0)
    assert Outage(None).unreachable(used_up).wait_s == 40_000.0
    with pytest.raises(EmbedUnreachable, match="used up") as caught:
        Outage(4).unreachable(used_up)
    assert "goes on later" in caught.value.hint
    assert Outage(4).unreachable(EmbedUnreachable("busy", retry_after_s=60.0)).wait_s == 60.0
