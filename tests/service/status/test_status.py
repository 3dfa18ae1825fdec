"""`status --json` is true and conserves lines, and it has null where a value is unknown."""

from __future__ import annotations

import os
import pathlib
from contextlib import ExitStack
from typing import Any

import pytest
from idle_engine import fly, hire, parts
from state_values import commit, reject

from importer.delivery.engine import Engine
from importer.delivery.outage import PROVIDER, STORE
from importer.delivery.progress import Rates
from importer.protocol.records import Tally
from importer.service.status import status
from importer.service.status.lag import Lag
from importer.service.status.store_location import Location, Probe
from importer.settings.schema import EmbedGroup
from importer.sources.events import Mode
from importer.sources.queue import Pending
from importer.sources.scan import Root
from importer.state import erasure
from importer.state.history import WorkerEnding
from importer.state.lock import Holder

EVENTS = Mode("events")
WHERE = Location("edge", "/s/edge", "conversations")
CONTRACT = {
    "state": str,
    "files": {"known", "complete", "pending", "quarantined"},
    "lag": {"bytes", "oldest_s"},
    "lines": {"read", "stored", "skipped", "quarantined", "in_flight"},
    "worker": {"pid", "rss_bytes", "files", "spawns", "recycles", "crashes"},
    "daemon": {"pid", "rss_bytes"},
    "store": {"kind", "location", "reachable"},
    "model": str,
}


@pytest.fixture
def engine(tmp_path: pathlib.Path):
    with ExitStack() as stack:
        yield parts(str(tmp_path), stack, Root(b"/r", "claude-code")).engine


def of_state(checkpoints: Any = None, **more: Any):
    return status.of_state(checkpoints, Lag(), WHERE, Probe(True, 3), embed=EmbedGroup(model="m"), **more)


def of_daemon(engine: Engine, now: float | None = None):
    return status.of_daemon(engine.snapshot(), engine.checkpoints, EVENTS, now=now)


def busy(engine: Engine):
    engine._queue.backlog(Pending(b"/r/b", b"/r", "auto", 12, 3_000_000_000))


@pytest.mark.parametrize("name", CONTRACT)
def test_both_ways_give_the_contract(engine: Engine, name: str) -> None:
    """A running daemon and a stopped one have the same fields."""
    for found in (of_daemon(engine), of_state(engine.checkpoints)):
        if isinstance(CONTRACT[name], set):
            assert CONTRACT[name] <= set(found[name])
        else:
            assert isinstance(found[name], CONTRACT[name])
        assert found.keys() == of_state().keys()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ("importing", "")),
        ({"paused_by": "on battery"}, ("paused", "on battery")),
        ({"pressed": "5 % of the memory is free"}, ("paused", "memory: 5 % of the memory is free")),
        ({"holding": "store unreachable"}, ("degraded", "store unreachable")),
        ({"waits_for": "there is no model"}, ("degraded", "there is no model")),
        ({"stopping": True}, ("importing", "draining before the end")),
    ],
)
def test_what_keeps_it_from_importing_is_said(engine: Engine, change: dict[str, Any], expected: Any) -> None:
    """The state is one word of the contract, and the reason explains it."""
    busy(engine)
    engine.press(change.get("pressed", ""))
    engine.is_stopping, engine.run.holding = change.get("stopping", False), change.get("holding", "")
    assert status.state_of(engine.snapshot(), change.get("paused_by", ""), change.get("waits_for", "")) == expected


def test_nothing_to_do_is_idle(engine: Engine) -> None:
    """Without work the state is idle, without a reason."""
    assert status.state_of(engine.snapshot(), "") == ("idle", "")


def test_what_is_to_be_erased_is_told_until_it_is_struck_out(engine: Engine) -> None:
    """Idle means that nothing of it is left; a pause and an outage are told before it, and the number always."""
    task = {"kind": "forget", "project": "/home/x"}
    erasure.begin(engine.checkpoints, task)
    found = of_daemon(engine)
    assert (found["state"], found["erasing"], of_state(engine.checkpoints)["erasing"]) == ("erasing", 1, 1)
    assert status.state_of(engine.snapshot(), "on battery", erasing=1)[0] == "paused"
    erasure.strike_out(engine.checkpoints, task)
    assert (of_daemon(engine)["state"], of_daemon(engine)["erasing"], of_state()["erasing"]) == ("idle", 0, 0)


def test_lines_and_bytes_are_conserved(engine: Engine) -> None:
    """Read = stored + skipped + quarantined + in flight, with a batch that has no receipt yet."""
    engine.checkpoints.commit([commit(tally=Tally(3, 4, 1, 300, 400, 10), rejects=(reject(),))])
    fly(engine, Tally(lines_stored=2, bytes_stored=50), Tally(lines_skipped=5, bytes_skipped=60))
    found = of_daemon(engine)
    assert found["lines"] == {"read": 15, "stored": 3, "skipped": 4, "quarantined": 1, "in_flight": 7}
    assert found["bytes"] == {"read": 820, "stored": 300, "skipped": 400, "quarantined": 10, "in_flight": 110}
    assert found["quarantine"] == found["files"]["quarantined"] == 1


def test_the_worker_is_measured_now(engine: Engine) -> None:
    """Its memory is measured from its process, not taken from an old receipt."""
    hire(engine, os.getpid(), points=12, files=4)
    found = of_daemon(engine)
    assert (found["worker"]["pid"], found["worker"]["files"], found["points"]) == (os.getpid(), 4, 12)
    assert found["worker"]["rss_bytes"] == pytest.approx(found["daemon"]["rss_bytes"], rel=0.1)


def test_without_a_worker_nothing_is_made_up(engine: Engine) -> None:
    """There is no process and no memory, and points only if they were counted."""
    found = of_daemon(engine)
    assert (found["worker"]["pid"], found["worker"]["rss_bytes"], found["points"]) == (None, None, None)
    engine.checkpoints.remember(points="41")
    assert of_daemon(engine)["points"] == 41
    engine.run.total = 42
    assert of_daemon(engine)["points"] == 42


def test_the_store_is_as_reachable_as_the_last_contact(engine: Engine) -> None:
    """It is unknown before the first contact, and not reachable while deliveries fail."""
    assert of_daemon(engine)["store"]["reachable"] is None
    hire(engine, os.getpid())
    assert of_daemon(engine)["store"]["reachable"] is True
    engine._delivery.outage.away, engine.run.holding = STORE, "store unreachable: refused"
    store = of_daemon(engine)["store"]
    assert (store["reachable"], store["why"]) == (False, "store unreachable: refused")


def test_a_provider_that_is_away_is_not_the_store(engine: Engine) -> None:
    """The importer is degraded and names the provider; the store keeps its last known value."""
    hire(engine, os.getpid())
    engine._delivery.outage.away, engine.run.holding = PROVIDER, "embedding provider unreachable: openai answers 429"
    found = of_daemon(engine)
    assert (found["state"], found["reason"]) == ("degraded", "embedding provider unreachable: openai answers 429")
    assert (found["store"]["reachable"], found["store"]["why"]) == (True, "")


@pytest.mark.parametrize(
    ("lag", "rates", "expected"),
    [
        (Lag(bytes=1000), Rates(60, 1, 1, 100.0, 1, 1), 10.0),
        (Lag(bytes=1000), Rates(60, 1, 1, 0.0, 1, 1), None),
        (Lag(bytes=1000), None, None),
        (Lag(bytes=1000, at_least=True), Rates(60, 1, 1, 100.0, 1, 1), None),
    ],
)
def test_the_time_left_is_told_only_when_it_is_known(lag: Any, rates: Any, expected: Any) -> None:
    """It is bytes behind by bytes a second, and never a guess."""
    assert status.eta_s(lag, rates) == expected


def test_the_age_of_the_oldest_line(engine: Engine) -> None:
    """It is the seconds since its file was written; 0 when nothing is behind, null when unknown."""
    assert of_daemon(engine)["lag"] == {"bytes": 0, "oldest_s": 0.0, "at_least": False}
    busy(engine)
    assert of_daemon(engine, now=10.0)["lag"] == {"bytes": 12, "oldest_s": 7.0, "at_least": False}
    assert status._oldest_s(Lag(bytes=5), 10.0) is None


def test_a_stopped_importer_tells_how_its_workers_ended(engine: Engine) -> None:
    """The history gives planned endings by reason; all others are crashes."""
    for reason in ("files", "idle", "files", "crash: signal 9"):
        engine.checkpoints.history.ended(WorkerEnding(1.0, reason, 1, 2, 300, 4.0))
    worker = of_state(engine.checkpoints)["worker"]
    assert (worker["spawns"], worker["recycles"], worker["crashes"]) == (4, {"files": 2, "idle": 1}, 1)
    assert of_state()["state"] == "stopped"


def test_another_process_at_work_is_named(engine: Engine) -> None:
    """A `backlog` holds the state, and the lines it has in flight are unknown."""
    found = of_state(engine.checkpoints, holder=Holder(os.getpid(), 1.0, "importer backlog"))
    assert (found["state"], found["daemon"]["pid"]) == ("importing", os.getpid())
    assert found["lines"]["in_flight"] is None
    assert found["daemon"]["rss_bytes"] > 0
