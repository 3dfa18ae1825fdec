"""Documents that are half written, damaged, huge, or changed under the reader's hands."""

from __future__ import annotations

import json
import pathlib
import tracemalloc
from collections.abc import Iterator

import oracle
import pytest
import store_diff
import zstandard
from document_folder import LATER_NS, SETTLED_NS, Desk, codex_lines, session, talk
from processes import Importer

from importer.chunking.fold import Cutting
from importer.protocol.records import Tally
from importer.reading.gather import Reading
from importer.state.checkpoints import Checkpoints


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Iterator[Desk]:
    (tmp_path / "said").mkdir()
    with Checkpoints.open(str(tmp_path / "checkpoints.sqlite3")) as checkpoints:
        yield Desk(tmp_path / "said", checkpoints)


def test_half_a_document_waits_for_the_rest(desk: Desk) -> None:
    """What is whole is there at once; what was committed before stays until the new form is complete."""
    desk.late_ns = 0  # just written
    path = desk.put("conversations.json", [talk(1), talk(2)])
    desk.late_ns = LATER_NS
    desk.take(path)
    before = set(desk.store.points)
    desk.late_ns = 0
    whole = json.dumps([talk(1, 6), talk(2), talk(3)]).encode()
    desk.put("conversations.json", whole[: len(whole) * 2 // 5])
    desk.take(path)
    assert before <= set(desk.store.points)
    assert desk.is_behind(path)
    assert not desk.checkpoints.quarantine.count()
    desk.put("conversations.json", whole)
    desk.late_ns = LATER_NS
    desk.take(path)
    desk.check(path)
    assert not desk.is_behind(path)


def test_half_a_session_gives_nothing_yet(desk: Desk) -> None:
    """It is read as soon as it is whole, though nothing but time has passed between two looks."""
    raw = json.dumps(session(6)).encode()
    desk.late_ns = 0
    path = desk.put("session-1.json", raw[: len(raw) * 3 // 4])
    assert desk.take(path) == 0
    assert desk.is_behind(path)
    desk.put("session-1.json", raw)
    assert desk.take(path) == 3
    assert desk.checkpoints.totals().lines_quarantined == 0


@pytest.mark.parametrize("name", ["session-1.json", "conversations.json", "rollout-1.jsonl.zst"])
def test_half_a_file_that_is_left_alone(desk: Desk, name: str) -> None:
    """The rest is set aside with its place, all that is whole is imported, and the file is not read for ever."""
    raw = {
        "session-1.json": json.dumps(session(6)).encode(),
        "conversations.json": json.dumps([talk(1), talk(2)]).encode(),
        "rollout-1.jsonl.zst": b"".join(json.dumps(one).encode() + b"\n" for one in codex_lines(9)),
    }[name]
    half = raw[: len(raw) * 4 // 5]
    desk.late_ns = 0
    path = desk.put(name, zstandard.compress(half) if name.endswith(".zst") else half)
    desk.take(path)
    assert (desk.is_behind(path), desk.checkpoints.quarantine.count()) == (True, 0)
    desk.late_ns = SETTLED_NS
    desk.take(path)
    assert not desk.is_behind(path)
    (row,) = desk.checkpoints.quarantine.page()
    assert row.reject.offset + row.reject.length == len(half)
    assert desk.store.points
    desk.check(path)


def test_a_damaged_archive_is_set_aside_once(desk: Desk) -> None:
    """New times with the same contents set nothing aside again."""
    raw = b"".join(json.dumps(one).encode() + b"\n" for one in codex_lines(9))
    path = desk.put("rollout-1.jsonl.zst", zstandard.compress(raw) + b"no frame at all")
    desk.take(path)
    tally = desk.checkpoints.totals()
    path.chmod(0o600)
    assert desk.is_behind(path)
    desk.take(path)
    assert not desk.is_behind(path)
    assert desk.checkpoints.totals() == tally
    assert (desk.checkpoints.quarantine.count(), tally.lines_quarantined) == (1, 1)


def test_rewritten_between_two_slices(desk: Desk) -> None:
    """It is begun again, and the store ends with what the new form says besides what was stored."""
    small = Desk(desk.folder, desk.checkpoints, Reading(Cutting(1000, 200), oracle.HOST, slice_bytes=4000))
    path = small.put("conversations.json", [talk(number) for number in range(20)])
    assert small.step(path) and small.step(path)
    stored = set(small.store.points)
    assert stored
    small.put("conversations.json", [talk(number) for number in range(10, 40)])
    small.take(path)
    told = oracle.fold(path.read_bytes(), str(path))
    assert set(told.chunks) <= set(small.store.points) <= set(told.chunks) | stored
    assert small.checkpoint(path).generation == 1


def test_good_conversations_beside_rubbish(desk: Desk) -> None:
    """What is no conversation is set aside or skipped by itself."""
    raw = json.dumps([talk(1), "nul!", {"id": "x"}, talk(2)]).replace('"nul!"', "nul!").encode()
    path = desk.put("conversations.json", raw)
    desk.take(path)
    assert desk.checkpoints.totals().lines_stored == 2
    (row,) = desk.checkpoints.quarantine.page()
    assert raw[row.reject.offset :][: row.reject.length].strip(b", ") == b"nul!"
    desk.check(path)


def test_a_bad_unit_is_mended_by_a_rewrite(desk: Desk) -> None:
    """A retry of what was set aside is done when the file was read to its end, wherever its parts are now."""
    path = desk.put("conversations.json", b"[" + json.dumps(talk(1)).encode() + b", nul!]")
    desk.take(path)
    assert desk.checkpoints.quarantine.count() == 1
    desk.put("conversations.json", [talk(1)])
    desk.checkpoints.quarantine.retry()
    desk.take(path)
    assert desk.checkpoints.quarantine.count() == 0


def test_memory_is_bounded_by_a_conversation(desk: Desk) -> None:
    """An export of 7 MB on one line is read in 3 MB; with one of 300 MB the daemon's peak was 36 MB."""
    said = [talk(number, sources=1000) for number in range(48)]
    desk.take(desk.put("conversations.json", said[:1]))  # imports what is imported late
    path = desk.put("conversations-001.json", said)
    assert path.stat().st_size > 6 << 20
    del said
    tracemalloc.start()
    desk.take(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 << 20


def test_killed_in_the_middle_of_an_export(tmp_path: pathlib.Path) -> None:
    """Through real processes: the next run goes on behind what is stored, and verify finds nothing wrong."""
    installed = Importer(tmp_path)
    installed.environ["MEMORY_BATCH_SIZE"] = "32"
    said = tmp_path / "said"
    said.mkdir()
    (said / "conversations.json").write_text(json.dumps([talk(number, 8, 60) for number in range(60)]))
    killed = installed.run("backlog", str(said), IMPORTER_FAILPOINTS="committed=kill@2")
    (row,) = oracle.rows_of(installed.state)
    assert (killed.code, 0 < row["offset"] < row["size"]) == (-9, True)
    assert not oracle.torn_offsets(installed.state)
    assert installed.run("backlog", str(said)).code == 0
    expected = oracle.expect(str(said))
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(expected, store).wrong
    assert oracle.totals_of(installed.state) == expected.tally != Tally()
    verified = installed.run("verify", "--json").json
    assert (verified["ok"], verified["matching"]) == (True, len(expected.chunks))
