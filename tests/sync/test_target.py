"""What becomes of a sync whose target answers badly, was put back from an older copy, or lost points on purpose."""

from __future__ import annotations

import contextlib
import copy
import pathlib
import shutil

import pytest
from scripted_http import Fault
from scripted_qdrant import ScriptedQdrant
from travelling import Machine, point, there_of

from importer.errors import StoreError
from importer.state.sent_points import LOST, PURGED, WHOLE, SentPoints
from importer.sync.travel import Round
from importer.worker import maintenance
from importer.worker.copying import copy_points
from importer.worker.patience import Patience
from importer.worker.session import WorkerSession

pytestmark = pytest.mark.slow


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
