"""What was forgotten stands in no byte of the state, however the command ended; the rest is as it was."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import sqlite3
from typing import Any

import numpy as np
import oracle
import planted_word
import pytest
from many_stores import make
from planted_word import OTHER, OTHER_SESSION, SECRET_SESSION, WORD, holding
from portions import portion
from processes import Importer, until

from importer.consistency import erase
from importer.consistency.forget import ForgetRule
from importer.service import client
from importer.state import erasure
from importer.state.checkpoints import Checkpoints

RULE = ("--project", "secretproj", "--yes")
DAEMON_SEAMS = ("erase.silenced", "erase.deleted", "erase.scrubbed", "erase.wiped")
WORKER_SEAMS = ("scrub.marked", "scrub.merged", "scrub.rolled")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """A state with both projects in its own embedded store."""
    importer = Importer(tmp_path_factory.mktemp("erase"), embedded=True)
    importer.environ["IMPORTER_WORKER_NICE"] = "0"
    planted_word.write(importer.base / "said")
    done = importer.run("backlog", str(importer.base / "said"))
    assert done.code == 1, done.err  # a line of each is in quarantine
    assert len(holding(importer.state)) > 3
    return importer


@pytest.fixture
def installed(imported: Importer, tmp_path: pathlib.Path) -> Importer:
    """A copy of it for one test."""
    shutil.copytree(imported.state, tmp_path / "state", ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    return Importer(tmp_path, imported.environ, embedded=True)


def stored(importer: Importer) -> dict[str, tuple[Any, bytes]]:
    """Every point's payload and vector."""
    with oracle.opened(importer.state) as store:
        points = store.scroll(limit=10_000, with_vectors=True).points
    return {point.id: (point.payload, np.asarray(point.dense, np.float32).tobytes()) for point in points}


def others(points: dict[str, tuple[Any, bytes]]) -> dict[str, tuple[Any, bytes]]:
    """Those that the other project said."""
    return {id: point for id, point in points.items() if point[0]["metadata"]["project"] == "/home/x/other"}


@pytest.mark.parametrize(
    "rule",
    [
        RULE,
        pytest.param(("--conversation", SECRET_SESSION[:-1], "--yes"), marks=pytest.mark.long),
        ("--path", "-home-x-secretproj", "--yes"),
        ("--project", "/home/x/secretproj", "--before", "2100-01-01", "--yes"),
    ],
    ids=["project", "conversation", "path", "before"],
)
def test_no_byte_of_it_is_left(installed: Importer, imported: Importer, rule: tuple[str, ...]) -> None:
    """By whichever condition; a later import, a longer file and a verification keep it so."""
    before = others(stored(installed))
    done = installed.run("forget", *rule, "--json")
    assert (done.code, done.json["deleted"] > 0, done.json["left"]) == (0, True, []), done.err
    assert holding(installed.state) == []
    assert stored(installed) == before
    assert OTHER in str(before)
    assert installed.run("backlog", str(imported.base / "said")).code == 1
    assert installed.run("verify", "--json").json["ok"]
    assert holding(installed.state) == []
    assert installed.run("failures", "--json").code in {0, 1}


def test_what_is_said_later_stays_out(tmp_path: pathlib.Path) -> None:
    """A forgotten conversation goes on: its open end, title, queue and broken lines are not kept either."""
    importer = Importer(tmp_path, embedded=True)
    said = tmp_path / "said"
    planted_word.write(said, prompts=3)
    importer.run("backlog", str(said))
    assert importer.run("forget", *RULE).code == 0
    path = said / "-home-x-secretproj" / f"{SECRET_SESSION}.jsonl"
    path.write_bytes(b"".join(planted_word.lines("secretproj", SECRET_SESSION, WORD, prompts=9)))
    importer.run("backlog", str(said))
    assert holding(importer.state) == []
    assert set(stored(importer)) == set(others(stored(importer)))


@pytest.mark.parametrize(
    "failpoint", portion([*(f"{seam}=orphan" for seam in WORKER_SEAMS), *(f"{seam}=kill" for seam in DAEMON_SEAMS)], 3)
)
def test_a_kill_at_any_seam_is_made_good(installed: Importer, imported: Importer, failpoint: str) -> None:
    """The next import finishes what was begun; points of the other project are never touched."""
    before = others(stored(installed))
    killed = installed.run("forget", *RULE, IMPORTER_FAILPOINTS=failpoint)
    assert killed.code == -9
    until(lambda: not installed.worker_pids())
    done = installed.run("backlog", str(imported.base / "said"))
    assert done.code == 1, done.err
    assert holding(installed.state) == []
    assert stored(installed) == before
    assert installed.run("verify", "--json").json["ok"]


def test_a_worker_that_dies_is_asked_again(installed: Importer, tmp_path: pathlib.Path) -> None:
    """The command does not end before all is done."""
    done = installed.run("forget", *RULE, IMPORTER_FAILPOINTS=f"scrub.merged=kill%{tmp_path}/once")
    assert done.code == 0, done.err
    assert holding(installed.state) == []


def test_beside_a_daemon_also_after_its_kill(installed: Importer, imported: Importer) -> None:
    """The daemon does it while it answers; a killed one goes on after its restart."""
    source = ("--source", f"claude-code={imported.base}/said")
    with installed.daemon(*source, IMPORTER_FAILPOINTS="erase.deleted=kill") as daemon:
        assert installed.run("forget", *RULE).code != 0
        daemon.wait(30)
    with installed.daemon(*source):
        until(lambda: not tasks(installed))
        assert holding(installed.state) == []
        found = installed.run("search", OTHER, "--mode", "keyword", "--json")
        assert planted_word.hits(found.out) > 0, found.err
        conversation = installed.run("forget", "--conversation", OTHER_SESSION, "--yes", "--json")
        assert (conversation.code, conversation.json["deleted"] > 0) == (0, True), conversation.err
        assert holding(installed.state, OTHER) == []


@pytest.mark.parametrize("seam", portion(DAEMON_SEAMS, 4))
def test_a_daemon_is_idle_only_when_no_byte_is_left(installed: Importer, imported: Importer, seam: str) -> None:
    """Started anew after a kill in the middle, it tells that it erases until all is gone; so does the state alone."""
    source = ("--source", f"claude-code={imported.base}/said")
    with installed.daemon(*source, IMPORTER_FAILPOINTS=f"{seam}=kill") as daemon:
        assert installed.run("forget", *RULE).code != 0
        daemon.wait(30)
    until(lambda: not installed.worker_pids())
    stopped = installed.run("status", "--json").json
    assert (stopped["state"], stopped["erasing"]) == ("stopped", 1)
    with installed.daemon(*source):
        told = set()
        while not told & {"idle", "importing"}:
            told.add(status_of(installed)["state"])
        assert holding(installed.state) == []
        assert told - {"idle", "importing", "degraded"} == {"erasing"}
        assert status_of(installed)["erasing"] == 0


def test_a_copy_of_an_assistant_s_database_goes_too(tmp_path: pathlib.Path) -> None:
    """An idle daemon keeps the last copy that it had to make, in the state's folder, with all that was said in it."""
    path = max(make(tmp_path / "home")["goose"], key=lambda one: one.stat().st_size)
    importer = Importer(tmp_path, embedded=True)
    with contextlib.closing(sqlite3.connect(path)) as owner:  # which leaves a log beside it: it has not ended
        owner.execute("PRAGMA journal_mode = WAL").fetchall()
        owner.execute("CREATE TABLE more (said)")
        with importer.daemon("--source", f"goose={path.parent}"):
            until(lambda: status_of(importer)["state"] == "idle" and status_of(importer)["points"])
            copies = pathlib.Path(importer.state).glob("borrowed-*/x.db")
            assert any(b"mill" in copy.read_bytes() for copy in copies)
            assert importer.run("forget", "--before", "2100-01-01", "--yes").code == 0
            assert list(pathlib.Path(importer.state).glob("borrowed-*")) == []


def status_of(importer: Importer) -> dict[str, Any]:
    """What the daemon tells, asked as often as it answers."""
    found: dict[str, Any] = client.ask_daemon(importer.state, "status")
    return found


def tasks(importer: Importer) -> list[dict[str, str]]:
    """What is noted as to be erased."""
    found = Checkpoints.peek(f"{importer.state}/checkpoints.sqlite3")
    assert found is not None
    with found:
        return erasure.tasks(found)


def test_local_mode_too(tmp_path: pathlib.Path) -> None:
    """qdrant-client's own database has it in no page either."""
    importer = Importer(tmp_path, embedded=True)
    planted_word.write(tmp_path / "said", prompts=5)
    store = ("--store", f"local:{tmp_path}/state/local")
    importer.run(*store, "backlog", str(tmp_path / "said"))
    assert holding(importer.state)
    done = importer.run(*store, "forget", *RULE)
    assert done.code == 0, done.err
    assert holding(importer.state) == []
    assert holding(importer.state, OTHER)


def test_set_aside_databases_go_and_other_stores_are_told(installed: Importer) -> None:
    """What lies beside the state and may hold the text: ours is deleted, a store that was left is named."""
    base = pathlib.Path(installed.state)
    shutil.copy(base / "checkpoints.sqlite3", base / "checkpoints.sqlite3.corrupt-20260101T000000Z")
    (base / "edge" / "former").mkdir()
    done = installed.run("forget", *RULE, "--json")
    assert (done.code, len(done.json["left"])) == (0, 1), done.err
    assert str(base / "edge" / "former") in done.json["left"][0]
    assert holding(installed.state) == []


def test_a_name_that_fits_nothing_is_not_kept(installed: Importer) -> None:
    """It is most likely mistyped: near names are told, and nothing is remembered unless that is wanted."""
    done = installed.run("forget", "--project", "secretprj", "--yes")
    assert done.code == 2
    assert "/home/x/secretproj" in done.err
    assert installed.run("forget", "--conversation", f"{SECRET_SESSION[:-2]}00", "--yes").err.count(SECRET_SESSION) == 1
    assert installed.run("forget", "--list", "--json").json == {"forgotten": []}
    assert installed.run("forget", "--project", "later", "--yes", "--remember").code == 0
    assert [rule["project"] for rule in installed.run("forget", "--list", "--json").json["forgotten"]] == ["later"]


def test_a_task_that_is_taken_back_is_not_done(tmp_path: pathlib.Path) -> None:
    """Written down once with its tombstone, struck out when it is taken back."""
    task = erase.task_of(ForgetRule(project="app"))
    with Checkpoints.open(f"{tmp_path}/state") as checkpoints:
        for _ in range(2):
            erasure.begin(checkpoints, task, ("project", "app"))
        assert (erasure.tasks(checkpoints), len(checkpoints.tombstones())) == ([task], 1)
        erasure.strike_out(checkpoints, task)
        assert erasure.tasks(checkpoints) == []


def test_a_copy_that_a_kill_left_goes_as_well(installed: Importer) -> None:
    """Databases of other programs are copied to be read; the next process that has the state removes what was left."""
    left = pathlib.Path(installed.state) / "borrowed-left"
    left.mkdir()
    (left / "copy.db").write_text(f"SQLite format 3 with {WORD}")
    assert installed.run("forget", *RULE).code == 0
    assert holding(installed.state) == []
