"""Two machines and one store between them: an exact union, with the line cut at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import pathlib
import shutil
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import oracle
import pytest
from scripted_http import Fault
from scripted_qdrant import ScriptedQdrant
from worker_told import store_settings

from importer.consistency import redact_stored
from importer.errors import StoreError
from importer.protocol.worker_settings import CopyTarget
from importer.state.checkpoints import Checkpoints
from importer.state.sent_points import (
    FACT,
    KEPT_S,
    LOST,
    PURGED,
    WHOLE,
    SentPoints,
    SyncReport,
    noted,
    report_of,
    reports,
)
from importer.sync.travel import Journey, Round, travel
from importer.worker import maintenance, stores
from importer.worker.copying import copy_points
from importer.worker.copying.sync_points import SYNC_QUESTIONS
from importer.worker.patience import Patience
from importer.worker.session import WorkerSession
from importer.worker.stores import Ownership, Point, Store

pytestmark = pytest.mark.slow

DIMENSION = 384


def point(name: str, holders: tuple[str, ...] = (), host: str = "north", title: str = "") -> Point:
    vector = np.random.default_rng(abs(hash(name)) % 1000).standard_normal(DIMENSION).astype(np.float32)
    known = {"source": "claude-code", "conversation_id": f"c-{name}", "host": host, "project": f"/p/{name}"}
    payload: dict[str, Any] = {"document": f"what {name} said", "metadata": known | ({"title": title} if title else {})}
    if holders:
        payload["open_by"] = list(holders)
    return Point(
        f"00000000-0000-0000-0000-{int.from_bytes(name.encode()):012d}",
        (vector / np.linalg.norm(vector)).tolist(),
        payload,
    )


def opened(location: str) -> Store:
    return stores.load(store_settings(location), model=oracle.MODEL, dimension=DIMENSION)


class Machine:
    """A store of its own, a ledger, and the way to the common store; `cut` makes the n-th question fail."""

    def __init__(self, base: pathlib.Path, name: str, common: str, cut: int = -1, *, after: bool = False) -> None:
        self.base, self.name, self.cut, self.after = base, name, cut, after
        self.session = WorkerSession(
            opened(f"edge:{base}/{name}"), lambda: pytest.fail("embeds nothing"), token_budget=0
        )
        self.to = msgspec.to_builtins(CopyTarget(store=store_settings(common), embed=None))
        self.fingerprint = copy_points.migrate_open(self.session, self.to)["fingerprint"]
        self.sent: list[int] = []
        self.shrank = False

    async def _ask(self, op: str, **args: Any) -> Any:
        self.cut -= 1
        if self.cut == 0 and not self.after:
            raise ConnectionError("the line is cut before")
        found = {**SYNC_QUESTIONS, "documents": maintenance.documents}[op](self.session, **args)
        if op == "sync_send":
            self.sent.append(len(args["sent"]))
        if self.cut == 0:
            raise ConnectionError("the line is cut behind")
        return msgspec.json.decode(msgspec.json.encode(found))

    def sync(self, *leave_out: str) -> Round:
        with SentPoints(f"{self.base}/{self.name}.sqlite3", self.fingerprint) as ledger:
            journey = Journey(self.to, self.name, leave_out, redact_stored.is_exposed, self.shrank)
            return asyncio.run(travel(self._ask, ledger, journey))

    def close(self) -> None:
        copy_points.migrate_close(self.session, self.to)
        self.session.store.close()


def there(location: str) -> dict[str, Mapping[str, Any]]:
    store = opened(location)
    try:
        return {one.payload["document"]: one.payload for one in store.scroll(limit=4096).points}
    finally:
        store.close()


def test_an_exact_union(tmp_path: pathlib.Path) -> None:
    """Both machines' points are there once each, and a round without news sends nothing."""
    common = f"edge:{tmp_path}/common"
    for name, others in (("north", "ab"), ("south", "bc")):
        machine = Machine(tmp_path, name, common)
        machine.session.store.write([point(one, host=name) for one in others], {}, ())
        done = machine.sync()
        assert (done.seen, done.sent) == (2, 2 if name == "north" else 1)
        machine.sent.clear()
        assert machine.sync() == Round(seen=2) and not machine.sent
        machine.close()
    assert sorted(there(common)) == ["what a said", "what b said", "what c said"]


def test_what_grows_is_replaced_and_what_is_forgotten_leaves(tmp_path: pathlib.Path) -> None:
    """An open form goes with its last holder; a point of another host stays; a new title travels."""
    common = f"edge:{tmp_path}/common"
    north = Machine(tmp_path, "north", common)
    store = north.session.store
    store.write([point("open", ("h1",)), point("own"), point("other", host="south"), point("told")], {}, ())
    north.sync()
    grown, own, other, told = (point(one).id for one in ("open", "own", "other", "told"))
    store.write(
        [point("grown", ("h1",))],
        {told: Ownership((), point("told", title="Kilns").payload["metadata"])},
        [grown, own, other],
    )
    done = north.sync()
    assert (done.sent, done.changed, done.removed) == (1, 1, 2)
    north.close()
    left = there(common)
    assert sorted(left) == ["what grown said", "what other said", "what told said"]
    assert left["what told said"]["metadata"]["title"] == "Kilns"


def test_what_would_be_masked_today_stays(tmp_path: pathlib.Path) -> None:
    """An older version stored it; masked, it travels, and what had travelled before it was known as a secret leaves."""
    common = f"edge:{tmp_path}/common"
    north = Machine(tmp_path, "north", common)
    plain, exposed = point("a"), point("a").payload | {"document": "the key is sk-ant-api03-" + "Qz7x" * 24}
    store, secret = north.session.store, replace(plain, payload=exposed)
    store.write([secret, point("b")], {}, ())
    done = north.sync()
    assert (done.sent, done.held) == (1, 1)
    assert north.sync() == Round(seen=2, held=1)
    store.write([plain], {}, ())
    assert north.sync() == Round(seen=2, sent=1)
    assert sorted(there_of(north, common)) == ["what a said", "what b said"]
    store.write([secret], {}, ())
    done = north.sync()
    assert (done.held, done.removed) == (1, 1)
    assert sorted(there_of(north, common)) == ["what b said"]
    north.close()


def there_of(machine: Machine, common: str) -> dict[str, Mapping[str, Any]]:
    """Return what is there while a machine goes on: the embedded store has one opener."""
    copy_points.migrate_close(machine.session, machine.to)
    found = there(common)
    copy_points.migrate_open(machine.session, machine.to)
    return found


def test_two_hosts_hold_one_point_open(tmp_path: pathlib.Path) -> None:
    """It stays until both have let go of it; closed by one, it is closed."""
    common = f"edge:{tmp_path}/common"
    hosts = {}
    for name in ("north", "south"):
        hosts[name] = Machine(tmp_path, name, common)
        hosts[name].session.store.write([point("x", (f"h-{name}",)), point("y", (f"h-{name}",))], {}, ())
        hosts[name].sync()
        hosts[name].close()
    assert there(common)["what x said"]["open_by"] == ["h-north", "h-south"]
    north = Machine(tmp_path, "north", common)
    north.session.store.write([], {point("y").id: Ownership((), point("y").payload["metadata"])}, [point("x").id])
    north.sync()
    north.close()
    left = there(common)
    assert left["what x said"]["open_by"] == ["h-south"] and "open_by" not in left["what y said"]


def test_projects_stay_here(tmp_path: pathlib.Path) -> None:
    """What is left out does not travel, and what was brought before is not taken for forgotten."""
    common = f"edge:{tmp_path}/common"
    north = Machine(tmp_path, "north", common)
    north.session.store.write([point("a"), point("b")], {}, ())
    assert north.sync("/p/a").sent == 1
    north.close()
    assert list(there(common)) == ["what b said"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 6])
def test_a_cut_at_every_seam(tmp_path: pathlib.Path, cut: int, after: bool) -> None:
    """Before or behind any question the line is cut: the next round makes the union exact."""
    common = f"edge:{tmp_path}/common"
    north = Machine(tmp_path, "north", common)
    north.session.store.write([point("a"), point("b", ("h",))], {}, ())
    north.sync()
    north.session.store.write([point("c")], {}, [point("b").id])
    north.cut, north.after = cut, after
    if cut < 6:
        with pytest.raises(ConnectionError):
            north.sync()
    north.cut = -1
    north.sync()
    north.close()
    assert sorted(there(common)) == ["what a said", "what c said"]


def test_a_target_that_was_made_anew_gets_all_again(tmp_path: pathlib.Path) -> None:
    """A ledger speaks of one collection only."""
    common = f"edge:{tmp_path}/common"
    for _ in range(2):
        north = Machine(tmp_path, "north", common)
        north.session.store.write([point("a")], {}, ())
        assert north.sync().sent == 1
        north.close()
        shutil.rmtree(tmp_path / "common")


BACK = {
    "the first copy": lambda copies: copies[0],
    "the last copy but one": lambda copies: copies[-2],
    "the last copy": lambda copies: copies[-1],
    "emptied": lambda copies: {name: {**one, "points": {}} for name, one in copies[-1].items()},
    "without what came first": lambda copies: {
        name: {**one, "points": dict(list(one["points"].items())[1:])} for name, one in copies[-1].items()
    },
}


@pytest.mark.parametrize("back", BACK)
def test_a_target_put_back_from_an_older_copy_gets_what_it_lacks(tmp_path: pathlib.Path, back: str) -> None:
    """It is the same collection by all that it tells; two machines make the union exact again."""
    with ScriptedQdrant() as server:
        machines = [Machine(tmp_path, name, server.url) for name in ("north", "south")]
        copies = []
        for number in range(3):
            for one in machines:
                one.session.store.write([point(f"{one.name[0]}{number}", host=one.name), point(f"b{number}")], {}, ())
                one.sync()
            copies.append(copy.deepcopy(server.collections))
        whole = set(server.points)
        server.collections = copy.deepcopy(BACK[back](copies))
        lost = len(whole - set(server.points))
        again = [one.sync().again for one in machines * 2]
        assert set(server.points) == whole
        assert sum(again) == lost
        assert [one.sync() for one in machines] == [Round(seen=6)] * 2
        for one in machines:
            one.close()


def test_a_target_counts_as_put_back_until_a_round_came_by_all_points(tmp_path: pathlib.Path) -> None:
    """One that was cut off has brought what is looked for in the next one."""
    path = str(tmp_path / "ledger.sqlite3")
    with SentPoints(path, "t") as ledger:
        ledger.note([(name, "p", ()) for name in "abc"], sent="abc")
        assert ledger.judge([], 3, 0) == WHOLE
        ledger.end_round()
        assert ledger.judge(["c"], 9, 0) == LOST
        assert ledger.judge(["c"], 9, 1) == LOST
    with SentPoints(path, "t") as ledger:
        assert ledger.judge([], 9, 0) == LOST
        ledger.end_round()
        assert ledger.judge([], 9, 0) == WHOLE
        assert ledger.judge([], 2, 1) == PURGED
        ledger.stay_away(["b"])
        assert ledger.judge([], 2, 1) == WHOLE
        assert ledger.last() == ["a", "c"]


@pytest.mark.parametrize("common", ["edge", "server"])
def test_what_was_forgotten_there_stays_away(tmp_path: pathlib.Path, common: str) -> None:
    """Also when it came last; what is lost by a copy that is put back afterwards is brought again."""
    with ScriptedQdrant() as server:
        north = Machine(tmp_path, "north", server.url if common == "server" else f"edge:{tmp_path}/common")
        north.session.store.write([point("a"), point("b"), point("c")], {}, ())
        north.sync()
        target = copy_points.target_of(north.session, north.to).store
        south = WorkerSession(target, lambda: pytest.fail("embeds nothing"), token_budget=0)
        assert maintenance.erase_ids(south, [point("b").id]) == 1
        assert north.sync() == Round(seen=3) == north.sync()
        north.session.store.write([point("d")], {}, ())
        assert north.sync() == Round(seen=4, sent=1)
        target.write([], {}, [point("a").id])
        assert north.sync().again == 1
        assert north.sync() == Round(seen=4)
        north.close()


@pytest.mark.parametrize("first", ["north", "south"])
def test_two_machines_into_each_other(tmp_path: pathlib.Path, first: str) -> None:
    """Both become the union; what one of them forgets leaves the other, whichever of them travels first then."""
    ways = {"north": "south", "south": "north"}
    order = [first, ways[first]]

    def travels(name: str, *, makes: str = "", forgets: str = "") -> Round:
        machine = Machine(tmp_path, name, f"edge:{tmp_path}/{ways[name]}")
        if makes:
            machine.session.store.write([point(one, host=name) for one in makes], {}, ())
        if forgets:
            maintenance.erase_ids(machine.session, [point(forgets).id])
        done = machine.sync()
        machine.close()
        return done

    assert [travels(name, makes=name[0] + name[1]).sent for name in order] == [2, 1]
    travels(order[0], forgets="n" if first == "north" else "")
    travels(order[1], forgets="n" if first == "south" else "")
    for name in order:
        travels(name)
    assert [travels(name) for name in order] == [Round(seen=2)] * 2
    for name in order:
        assert sorted(there(f"edge:{tmp_path}/{name}")) == ["what o said", "what s said"]


def test_a_store_that_lost_points_takes_none_from_the_target(tmp_path: pathlib.Path) -> None:
    """They were not forgotten: what is left stays, and is taken out once the loss is settled."""
    common = f"edge:{tmp_path}/common"
    north = Machine(tmp_path, "north", common)
    north.session.store.write([point("a"), point("b")], {}, ())
    north.sync()
    north.session.store.write([], {}, [point("a").id])
    north.shrank = True
    assert north.sync() == Round(seen=1)
    assert sorted(there_of(north, common)) == ["what a said", "what b said"]
    north.shrank = False
    assert north.sync() == Round(seen=1, removed=1)
    north.close()


def test_what_the_target_refuses_is_tried_again_and_the_others_travel(tmp_path: pathlib.Path) -> None:
    """One bad point is no end of a round, and no part of what was sent."""
    with ScriptedQdrant(refused_words=("what b said",)) as server:
        north = Machine(tmp_path, "north", server.url)
        north.session.store.write([point("a"), point("b"), point("c")], {}, ())
        assert north.sync() == Round(seen=3, sent=2, refused=1)
        assert north.sync() == Round(seen=3, refused=1)
        server.refused_words = ()
        assert north.sync() == Round(seen=3, sent=1)
        assert north.sync() == Round(seen=3)
        north.close()


HOSTILE = {
    "it hangs up before": Fault("/points", how="reset"),
    "it hangs up behind": Fault("/points", how="reset", applied=True),
    "it answers half": Fault("/points", how="half", applied=True),
    "it says done later": Fault("/points", how="wait_timeout"),
    "a proxy's page": Fault("/points", 502, body=b"<html>Bad Gateway</html>"),
    "a page of the network's": Fault("/points", 200, body=b"<html>sign in</html>"),
    "too large": Fault("/points", 413, body=b"<html>Request Entity Too Large</html>"),
    "no room": Fault("/points", 507, body=b'{"status":{"error":"Disk usage is over its quota"}}'),
    "the key is old": Fault("/points", 401, body=b'{"status":{"error":"Invalid API key or JWT"}}'),
    "the search is cut": Fault("/points/count", how="half"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("often", [False, pytest.param(True, marks=pytest.mark.long)])
def test_what_a_target_answers_in_the_middle(tmp_path: pathlib.Path, case: str, often: bool) -> None:
    """Once or as often as it is tried: in the end the target has each point once, and the ledger tells it."""
    with ScriptedQdrant() as server:
        north = Machine(tmp_path, "north", server.url)
        north.session.store.write([point(name) for name in "abc"], {}, ())
        north.sync()
        north.session.store.write([point("d"), point("e", ("h",))], {}, [point("a").id])
        fault = HOSTILE[case]
        server.faults.extend([fault] * (Patience().tries if often else 1))
        told = contextlib.suppress(StoreError)
        with told:
            north.sync()
        server.faults.clear()
        with told:
            north.sync()
        assert north.sync() == Round(seen=4)
        assert {one["payload"]["document"] for one in server.points.values()} == {f"what {n} said" for n in "bcde"}
        north.close()


def test_only_what_is_new_is_on_the_line(tmp_path: pathlib.Path) -> None:
    """All requests of a round together are hardly more than the new points."""
    with ScriptedQdrant() as server:
        north = Machine(tmp_path, "north", server.url)
        names = [f"{number}" for number in range(400)]
        north.session.store.write([point(name) for name in names[:340]], {}, ())
        assert north.sync().sent == 340
        north.session.store.write([point(name) for name in names[340:]], {}, ())
        server.received.clear()
        assert north.sync().sent == 60
        points = server.received["PUT points"]
        assert server.received.total() <= 1.2 * points
        assert points < 60 * 16_000
        server.received.clear()
        assert north.sync() == Round(seen=400)
        assert server.received.total() < 2000  # whether what was sent last is there still
        north.close()


def test_how_a_sync_goes_on_is_told(tmp_path: pathlib.Path) -> None:
    """Its last round, the tries that failed since, and when it is late."""
    report = SyncReport("http://a", "c", every_s=600.0, at=1000.0, points=9, sent=2, sent_total=9, rounds=3)
    assert report_of(noted(report)) == report
    assert report_of(noted(report)[:-1] + ', "of_a_later_version": 1}') == report
    assert report_of("") is None
    assert [report.is_late(now) for now in (1000.0, 2800.0, 2801.0)] == [False, False, True]
    with Checkpoints.open(str(tmp_path / "checkpoints.sqlite3")) as checkpoints:
        checkpoints.remember(**{FACT + "a": noted(report), "another": "fact"})
        assert reports(checkpoints, 2000.0) == [report]
        assert reports(checkpoints, 1000.0 + KEPT_S) == []
    assert reports(None, 0.0) == []
