"""A state directory that an importer wrote before the package was rearranged: today's code goes on with it.

The archive was made by commit f98d475, with the real model, from copies of tests/corpus in the places where the tools
keep them: `.claude`, `.codex`, `.gemini` and `state`, below one home. One line of a file was broken on purpose, and one
conversation was forgotten afterwards. Files that are unpacked get paths, inodes and times of their own, so `at_home`
writes these into the old rows, and nothing else: sizes, offsets, digests, contexts and open chunks stay as they were.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sqlite3
import tarfile
from typing import Any

import pytest
from processes import Importer

ARCHIVE = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "state-before-rooms.tar.xz"
OLD_HOME = b"/tmp/x-old/home"
OLD_HOST = "old-machine"
POINTS, LINES, SIZE_BYTES = 9, 80, 30_269
GROWING = "9ff7fede-945c-4eea-9d2f-a0739a9ac4af"
FORGOTTEN = "c3789b90-d08e-44fe-8e4a-06bce888ede4"
BROKEN = "43cb3f24-9a7d-4681-a299-a130756acf9c"
BROKEN_AT, BROKEN_BYTES = 3707, 92
FOLDERS = {GROWING: "-home-zo--thesis", FORGOTTEN: "-home-ann-infra", BROKEN: "-home-ben-recipes-app"}


@pytest.fixture
def carried(tmp_path: pathlib.Path, model_dir: str) -> Importer:
    """Unpack the home and change no row: to the importer all files stand elsewhere, as on a new disk."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    environ = {"IMPORTER_MODEL_DIR": os.path.dirname(model_dir), "IMPORTER_HOST": OLD_HOST, "HF_HUB_OFFLINE": "1"}
    return Importer(tmp_path, environ, embedded=True)


@pytest.fixture
def old(carried: Importer) -> Importer:
    """Unpack the home as if it had stood here always."""
    at_home(carried)
    return carried


def at_home(installed: Importer) -> None:
    """Write where the files stand now, and their present inodes and times, into the rows that know them."""
    home = os.fsencode(installed.base)
    with contextlib.closing(sqlite3.connect(f"{installed.state}/checkpoints.sqlite3")) as database, database:
        for number, folder, name in database.execute("SELECT id, folder, name FROM files").fetchall():
            here = folder.replace(OLD_HOME, home)
            found = os.stat(here + name)
            seen = (here, found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, number)
            database.execute(
                "UPDATE files SET folder = ?, device = ?, inode = ?, mtime_ns = ?, ctime_ns = ? WHERE id = ?", seen
            )
        for number, key, path in database.execute("SELECT id, key, path FROM quarantine").fetchall():
            moved = (key.replace(OLD_HOME, home), path.replace(OLD_HOME, home), number)
            database.execute("UPDATE quarantine SET key = ?, path = ? WHERE id = ?", moved)


def place(installed: Importer, conversation: str) -> pathlib.Path:
    """Return the file of a conversation."""
    return installed.base / ".claude" / "projects" / FOLDERS[conversation] / f"{conversation}.jsonl"


def exchange(conversation: str, question: str, reply: str) -> bytes:
    """Return two lines as Claude Code writes them: a question and its answer."""
    chain = {"parentUuid": None, "isSidechain": False, "cwd": "/home/zoë/thesis", "sessionId": conversation}
    said = {"role": "user", "content": question}
    answered = {"id": "msg_new", "role": "assistant", "model": "m", "content": [{"type": "text", "text": reply}]}
    lines = (
        {**chain, "type": "user", "uuid": "new-1", "timestamp": "2026-10-22T08:00:00.000Z", "message": said},
        {**chain, "type": "assistant", "uuid": "new-2", "timestamp": "2026-10-22T08:00:09.000Z", "message": answered},
    )
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def append(installed: Importer, conversation: str, added: bytes) -> None:
    """Append bytes to the file of a conversation."""
    with place(installed, conversation).open("ab") as file:
        file.write(added)


def backlog(installed: Importer) -> Any:
    """Import what is pending and return the JSON; the line in quarantine makes the exit code 1."""
    done = installed.run("backlog", "--json")
    assert done.code == 1, done.err
    return done.json


def hits(installed: Importer, mode: str, query: str) -> list[str]:
    """Return the conversations that a search finds, the best first."""
    done = installed.run("search", "--json", "--mode", mode, query)
    assert done.code == 0, done.err
    return [hit["metadata"]["conversation_id"] for hit in done.json["hits"]]


def assert_verified(installed: Importer, points: int) -> None:
    """Fold every file again and compare: the store has exactly these points, all of them as the files say."""
    done = installed.run("verify", "--json")
    found = done.json
    assert (done.code, found["ok"]) == (0, True), found
    assert (found["points"], found["expected"], found["matching"]) == (points, points, points)
    assert (found["files"]["pending"], found["differing"], found["elsewhere"], found["foreign"]) == (0, 0, 0, 0)


def test_unchanged_files_are_not_read_again(old: Importer) -> None:
    """Import nothing: no file is opened, no line read, no token embedded, and the points stay."""
    told = backlog(old)
    assert (told["files"], told["lines"], told["bytes"]) == (0, 0, 0)
    assert (told["chunks"], told["embedded"], told["known"], told["tokens"]) == (0, 0, 0, 0)
    assert (told["points"], told["quarantined"], told["worker"]["crashes"]) == (POINTS, 0, 0)
    assert_verified(old, POINTS)


def test_the_state_keeps_its_numbers(old: Importer) -> None:
    """Show the totals that the old importer counted: files, lines, bytes, workers, quarantine and model."""
    told = old.run("status", "--json").json
    assert (told["files"]["known"], told["files"]["complete"], told["files"]["pending"]) == (5, 5, 0)
    assert told["lines"] == {"read": LINES, "stored": 25, "skipped": 54, "quarantined": 1, "in_flight": 0}
    assert (told["bytes"]["read"], told["messages"], told["lag"]["bytes"]) == (SIZE_BYTES, 25, 0)
    assert (told["points"], told["quarantine"], told["worker"]["recycles"]) == (POINTS, 1, {"stop": 2})
    memory = old.run("status", "--memory", "--hours", "1000000", "--json").json
    assert [one["reason"] for one in memory["recycles"]] == ["stop", "stop"]


def test_a_file_goes_on_from_its_offset(old: Importer) -> None:
    """Read only the appended bytes, embed only the new text, and find old and new text by meaning and by word."""
    added = exchange(GROWING, "How do I cite the zirkonium spectrometer?", "By its serial number and firmware.")
    append(old, GROWING, added)
    told = backlog(old)
    assert (told["files"], told["lines"], told["bytes"]) == (1, 2, len(added))
    assert (told["embedded"], told["points"]) == (1, POINTS + 1)
    assert 0 < told["tokens"] < 40
    assert_verified(old, POINTS + 1)
    assert hits(old, "keyword", "zirkonium") == [GROWING]
    assert hits(old, "dense", "joining two tables takes too much memory")[0] == GROWING
    assert hits(old, "hybrid", "perft count after a double pawn step")[0] == "0195a000-0000-7000-8000-00000000c0de"


def test_an_open_exchange_is_continued(old: Importer) -> None:
    """Add to the answer that stood open at the end: its point is replaced, and still holds the old text."""
    reply = exchange(GROWING, "-", "It also checks rubidium.").splitlines(keepends=True)[1]
    append(old, GROWING, reply)
    told = backlog(old)
    assert (told["lines"], told["bytes"], told["points"]) == (1, len(reply), POINTS)
    found = old.run("search", "--json", "--mode", "keyword", "rubidium").json["hits"]
    assert ["first afternoon in Graz" in hit["document"] for hit in found] == [True]
    assert_verified(old, POINTS)


def test_the_quarantine_is_kept_and_can_be_retried(old: Importer) -> None:
    """Show the broken line with its place and reason; once the file is mended, a retry imports it."""
    told = old.run("failures", "--json").json
    (row,) = told["failures"]
    assert (told["count"], row["path"]) == (1, str(place(old, BROKEN)))
    assert (row["offset"], row["length"], row["stage"], row["status"]) == (BROKEN_AT, BROKEN_BYTES, "parse", "open")
    assert row["reason"].startswith("no JSON")
    content = place(old, BROKEN).read_bytes()
    place(old, BROKEN).write_bytes(content[:BROKEN_AT] + content[BROKEN_AT + BROKEN_BYTES :])
    assert old.run("failures", "retry", str(row["id"])).code == 0
    done = old.run("backlog", "--json")
    assert (done.code, done.json["embedded"], done.json["points"]) == (0, 0, POINTS)
    assert old.run("failures", "--json").json["count"] == 0


def test_what_was_forgotten_stays_away(old: Importer) -> None:
    """List the old rule, import nothing that is appended under it, and import all of it once it is taken back."""
    (rule,) = old.run("forget", "--list", "--json").json["forgotten"]
    assert rule["conversation"] == FORGOTTEN
    append(old, FORGOTTEN, exchange(FORGOTTEN, "And the osmium cluster?", "The same rule there."))
    told = backlog(old)
    assert (told["lines"], told["embedded"], told["points"]) == (2, 0, POINTS)
    assert hits(old, "keyword", "osmium") == hits(old, "keyword", "resolver") == []
    assert old.run("forget", "--conversation", FORGOTTEN, "--undo").code == 0
    assert backlog(old)["points"] == POINTS + 3
    assert hits(old, "keyword", "osmium") == [FORGOTTEN]


def test_a_daemon_goes_on_with_it(old: Importer) -> None:
    """Run a daemon on the old state: it answers a search, ends as asked, and leaves the points as they were."""
    with old.daemon() as process:
        told = old.run("status", "--json").json
        assert told["daemon"]["pid"] == process.pid
        assert hits(old, "keyword", "perft") == ["0195a000-0000-7000-8000-00000000c0de"]
        process.terminate()
        assert process.wait(20) == 0
    assert old.run("status", "--json").json["points"] == POINTS


def test_a_state_that_was_carried_elsewhere(carried: Importer) -> None:
    """Read all files once more under their new names: every chunk is known, so nothing is embedded."""
    told = backlog(carried)
    assert (told["files"], told["lines"], told["bytes"]) == (5, LINES, SIZE_BYTES)
    assert (told["embedded"], told["tokens"], told["points"]) == (0, 0, POINTS)
    assert backlog(carried)["lines"] == 0
    assert hits(carried, "keyword", "resolver") == []
    assert_verified(carried, POINTS)
