"""What is counted of a store: under its tool's version, and by kinds of records that hold nothing of what was said."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest
from document_folder import CORPUS, Desk
from foreign_database import build, members

from importer.protocol.records import Tally
from importer.reading import drift
from importer.service.status.drift import suspicions, words
from importer.sources.databases import tables
from importer.state.checkpoints import Checkpoints


@pytest.mark.parametrize(
    ("record", "version"),
    [
        ({"version": "2.1.9", "type": "user"}, "2.1.9"),
        ({"type": "session_meta", "payload": {"cli_version": "0.44.0"}}, "0.44.0"),
        ({"type": "session.start", "data": {"copilotVersion": "1.0.2"}}, "1.0.2"),
        ({"version": 3}, ""),
        ({"version": "a secret word"}, ""),
        ({"message": {"content": [{"input": {"version": "9.9.9"}}]}}, ""),
        ([1], ""),
    ],
)
def test_the_version_that_a_line_names(record: Any, version: str) -> None:
    """Only where tools write their own; a tool's arguments may name any other."""
    assert drift.version_of(json.dumps(record).encode()) == version


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"type": "hologram", "text": "Where does the heron nest?"}, "hologram"),
        ({"type": "user", "message": {"content": [{"type": "smell"}]}}, "user/smell"),
        ({"type": "Where does the heron nest?"}, "{type}"),
        ({"text": "Where does the heron nest?", "b2": 1, "who": "x"}, "{text,who}"),
        ({"Where does the heron nest?": 1}, "?"),
        ("heron", "?"),
    ],
)
def test_a_kind_holds_no_text(record: Any, kind: str) -> None:
    """Only single words that a record gives as its types."""
    assert drift.kind_of(json.dumps(record).encode()) == kind


def test_any_bytes_have_a_kind() -> None:
    """Damage and depth are no kind."""
    for raw in (b"", b"{", b"\xff", b'{"message":' * 5000, b'{"type":' + b"[" * 5000):
        assert (drift.kind_of(raw), drift.version_of(raw)) == ("?", "")


def test_no_counter_is_nothing() -> None:
    """A slice without lines adds none."""
    assert drift.counters("codex", "", Tally(), 0, {}) == ()


def counted(*versions: tuple[str, int, int]) -> dict[str, int]:
    """Return the counters of a tool whose versions wrote so many lines, so many of them unknown."""
    found = {}
    for version, lines, unknown in versions:
        found |= {f"version/pi/{version}/lines": lines, f"version/pi/{version}/unknown": unknown}
        found |= {f"kind/pi/{version}/hologram": unknown}
    return found


@pytest.mark.parametrize(
    ("versions", "suspicious"),
    [
        ([("1.9.0", 1000, 0), ("1.10.0", 100, 30)], True),
        ([("1.10.0", 1000, 0), ("1.9.0", 100, 30)], False),  # what an old version wrote is no drift
        ([("1.9.0", 1000, 40), ("1.10.0", 100, 5)], False),  # as before
        ([("1.9.0", 1000, 0), ("1.10.0", 10, 9)], False),  # too few lines to judge by
        ([("1.10.0", 100, 40)], True),
        ([("1.10.0", 100, 10)], False),
        ([("", 100, 40)], True),
        ([("", 1000, 0), ("~2026-11", 100, 30)], True),  # a tool that names none
        ([("~2026-09", 1000, 0), ("~2026-11", 100, 30)], True),
        ([("~2026-11", 1000, 0), ("~2026-09", 100, 30)], False),
        ([("1.9.0", 1000, 0), ("~2026-11", 100, 30)], True),  # an update has dropped what named the version
        ([("1.9.0", 1000, 0), ("~2026-11", 100, 1)], False),
        ([], False),
    ],
)
def test_a_share_that_falls_with_the_newest_version_is_suspicious(
    versions: list[tuple[str, int, int]], suspicious: bool
) -> None:
    """Versions are ordered by their numbers."""
    assert bool(suspicions(counted(*versions))) == suspicious


def test_what_is_told_to_the_maintainers() -> None:
    """Format, version, shares and kinds."""
    (one,) = suspicions(counted(("1.9.0", 1000, 0), ("1.10.0", 100, 30)))
    assert words(one) == "pi 1.10.0: 70% of its records are understood, 100% before; unknown: hologram (30)"


def test_a_month_is_told_as_one() -> None:
    """In place of a version."""
    (one,) = suspicions(counted(("~2026-09", 1000, 0), ("~2026-11", 100, 30)))
    assert words(one).startswith("pi, read in 2026-11: 70% of its records are understood, 100% before;")
    assert drift.month_of(1_796_000_000 * 10**9) == "~2026-11"


def test_an_import_counts_by_store_version_and_kind(tmp_path: Any) -> None:
    """In the transaction that commits the lines; reading on adds to them."""
    folder = tmp_path / "said"
    folder.mkdir()
    said = {"uuid": "u", "sessionId": "s", "version": "0.20.0", "timestamp": "2026-06-01T10:00:00.000Z"}
    lines = [
        {**said, "type": "user", "message": {"role": "user", "parts": [{"text": "Where does the heron nest?"}]}},
        {**said, "type": "assistant", "message": {"role": "model", "parts": [{"text": "In the reeds."}]}},
        *({**said, "type": "hologram", "message": {"parts": []}} for _ in range(3)),
    ]
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        desk = Desk(folder, checkpoints)
        path = desk.put("s.jsonl", b"".join(json.dumps(one).encode() + b"\n" for one in lines))
        desk.take(path)
        told = {"files": 1, "lines": 5, "messages": 2, "chunks": 1, "skipped": 3, "quarantined": 0, "unknown": 3}
        assert checkpoints.stores() == {"qwen": told}
        assert checkpoints.named()["kind/qwen/0.20.0/hologram"] == 3
        assert checkpoints.named()["version/qwen/0.20.0/lines"] == 5


def test_names_are_bounded(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file can name as many versions as it likes: what is known goes on to be counted, no more are added."""
    from importer.state import ledger

    monkeypatch.setattr(ledger, "MOST_NAMED", 2)
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints, checkpoints.database.transaction() as one:
        ledger.add_named(one, [("kind/a/1/x", 1), ("kind/a/2/x", 1), ("kind/a/3/x", 1), ("kind/a/1/x", 1)])
        found = dict(one.execute("SELECT name, value FROM counters WHERE name LIKE 'kind/%'").fetchall())
    assert found == {"kind/a/1/x": 2, "kind/a/2/x": 1}


def test_lines_that_come_later_are_of_the_version_at_the_head(tmp_path: Any) -> None:
    """Codex names its version in the first line alone: what a live session appends counts for it, also after a kill."""
    folder = tmp_path / "said"
    folder.mkdir()
    stamp = {"timestamp": "2026-06-01T10:00:00.000Z"}
    head = {**stamp, "type": "session_meta", "payload": {"id": "t1", "cli_version": "0.99.0", "cwd": "/home/ann"}}
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where does it nest?"}]}
    strange = {**stamp, "type": "response_item", "payload": {"type": "hologram", "text": "In the reeds."}}

    def raw(*records: Any) -> bytes:
        return b"".join(json.dumps(one).encode() + b"\n" for one in records)

    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        first = raw(head, {**stamp, "type": "response_item", "payload": item})
        path = Desk(folder, checkpoints).put("s.jsonl", first)
        Desk(folder, checkpoints).take(path)
        for number in range(1, 4):
            Desk(folder, checkpoints).put("s.jsonl", first + raw(*[strange] * 10 * number))
            Desk(folder, checkpoints).take(path)
        named = checkpoints.named()
        assert named["version/codex/0.99.0/lines"] == 32
        assert named["kind/codex/0.99.0/response_item/hologram"] == 30
        assert not [one for one in named if one.startswith(("version/codex//", "kind/codex//"))]
        assert [one["version"] for one in suspicions(named)] == ["0.99.0"]


def test_a_database_tells_the_version_and_the_kind_of_a_part(tmp_path: Any) -> None:
    """A new type of part in OpenCode, of a session that a newer version wrote."""
    (folder := tmp_path / "said").mkdir()
    path = build(CORPUS / "opencode" / "opencode.db.sql", folder)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE session SET version = '1.9.0'")
    connection.execute("""UPDATE part SET data = '{"type": "hologram", "text": "It glows."}' WHERE id = 'prt_01'""")
    connection.commit()
    connection.close()
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        desk = Desk(folder, checkpoints)
        for stat in members(path):
            desk.take(stat.path)
        kinds = [one for one in checkpoints.named() if one.startswith("kind/")]
        assert kinds == ["kind/opencode/1.9.0/user.hologram"]
    tables.KNOWN.release()
