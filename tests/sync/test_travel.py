"""Two machines and one store between them: an exact union, with the line cut at any moment."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import pytest
from scripted_qdrant import ScriptedQdrant
from travelling import Machine, point, there, there_of

from importer.state.checkpoints import Checkpoints
from importer.state.sent_points import (
    FACT,
    KEPT_S,
    SyncReport,
    noted,
    report_of,
    reports,
)
from importer.sync.travel import Round
from importer.worker import maintenance
from importer.worker.stores import Ownership

pytestmark = pytest.mark.slow


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
