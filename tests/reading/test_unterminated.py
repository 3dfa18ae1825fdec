"""Files whose last line has no newline: programs forget it, and what was said is imported all the same, once."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Iterator

import pytest
from document_folder import Desk

from importer.consistency.refold import Refold
from importer.reading.pipeline import Pipeline
from importer.sources import census
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Iterator[Desk]:
    folder = tmp_path / "said"
    folder.mkdir()
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        yield Desk(folder, checkpoints)


def said(number: int) -> bytes:
    message = {"role": "user" if number % 2 else "assistant", "content": f"Utterance {number} of the talk."}
    return json.dumps({"messages": [message], "id": "talk"}).encode()


def append(path: pathlib.Path, raw: bytes) -> None:
    with open(path, "ab") as file:
        file.write(raw)


def texts(desk: Desk) -> str:
    return "\n".join(sorted(point["document"] for point in desk.store.points.values()))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_last_line_of_a_settled_file_needs_no_newline(desk: Desk, count: int) -> None:
    """All that was said is stored; folding the file again gives the same."""
    path = desk.put("talk.jsonl", b"\n".join(said(number) for number in range(count)))
    desk.take(path)
    assert all(f"Utterance {number} " in texts(desk) for number in range(count))
    assert desk.checkpoints.totals().lines_stored == count
    assert desk.checkpoint(path).offset == os.path.getsize(path)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_newline_that_comes_later_is_no_line(desk: Desk, newline: bytes) -> None:
    """Each line is counted once, whenever its newline came; nothing is embedded a second time."""
    path = desk.put("talk.jsonl", said(0) + newline + said(1))
    desk.take(path)
    append(path, newline)
    desk.take(path)
    append(path, said(2) + newline)
    desk.take(path)
    tally = desk.checkpoints.totals()
    assert (tally.lines_read, tally.lines_stored, tally.lines_quarantined) == (3, 3, 0)
    assert desk.checkpoint(path).offset == os.path.getsize(path)
    assert "Utterance 2 " in texts(desk)


def test_while_somebody_may_be_writing_it_waits(desk: Desk) -> None:
    """The next look comes back to the line, although nothing has changed."""
    path = desk.put("talk.jsonl", said(0) + b"\n" + said(1))
    os.utime(path)
    desk.late_ns = 0
    desk.take(path)
    assert (desk.checkpoints.totals().lines_stored, desk.is_behind(path)) == (1, True)
    desk.late_ns = 3600 * 10**9
    desk.take(path)
    assert (desk.checkpoints.totals().lines_stored, desk.is_behind(path)) == (2, False)


def test_half_a_line_is_never_taken(desk: Desk) -> None:
    """A line that is no whole record waits, for any length of time."""
    path = desk.put("talk.jsonl", said(0) + b"\n" + said(1)[:-1])
    desk.take(path)
    assert (desk.checkpoints.totals().lines_read, desk.is_behind(path)) == (1, False)
    append(path, said(1)[-1:] + b"\n")
    desk.take(path)
    assert desk.checkpoints.totals().lines_stored == 2


def test_an_import_that_ends_takes_a_whole_last_line(desk: Desk) -> None:
    """No later look would come back to it; a newline or another record behind it makes nothing twice."""
    desk.pipeline = Pipeline(desk.reading, desk.checkpoints, final=True)
    path = desk.put("talk.jsonl", said(0) + b"\n" + said(1))
    desk.take(path)
    assert desk.checkpoints.totals().lines_stored == 2
    append(path, b"\n" + said(2) + b"\n" + said(3)[:-1])
    desk.take(path)
    assert desk.checkpoints.totals().lines_stored == 3
    append(path, said(3)[-1:])
    desk.take(path)
    tally = desk.checkpoints.totals()
    assert (tally.lines_read, tally.lines_stored, tally.lines_quarantined) == (4, 4, 0)
    assert all(f"Utterance {number} " in texts(desk) for number in range(4))


def test_what_waits_is_named(desk: Desk) -> None:
    """Half a line is no trouble; a census names it, with its size."""
    path = desk.put("talk.jsonl", said(0) + b"\n" + said(1)[:-1])
    desk.take(path)
    counted = census.take([Root(bytes(desk.folder))], desk.checkpoints)
    assert (counted.counts, counted.waiting) == ({"imported": 1}, {bytes(path): len(said(1)) - 1})


def test_half_a_document_is_not_taken_for_broken(desk: Desk) -> None:
    """One that is just being written waits, also for an import that ends."""
    desk.pipeline, desk.late_ns = Pipeline(desk.reading, desk.checkpoints, final=True), 0
    whole = json.dumps([{"role": "user", "content": "Is it whole?"}, {"role": "assistant", "content": "Not yet."}])
    path = desk.put("talk.json", whole[:-20].encode())
    os.utime(path)
    desk.take(path)
    assert desk.checkpoints.totals().lines_quarantined == 0


AIDER = b"# aider chat started at 2026-03-01 09:00:00\n\n> Aider v0.80.0  \n\n#### why is the sea salt?  \n\n"
ENDINGS = [
    b"Rivers carry salt.",
    b"Rivers carry salt.\n",
    b"Rivers carry salt.\nThe sun takes\nwater alone.\n",
    b"Rivers carry salt.\r\n\r\nIt stays.\r\n",
    b"Rivers.\n\n#### and the Dead Sea?",
    b"Rivers.\n\n#### and the Dead Sea?  \n#### is it one?  \n",
    b"Rivers.\n\n> a quoted line",
]


def again(desk: Desk, path: pathlib.Path) -> None:
    """Check that folding the file anew gives what is stored, and no more is stored."""
    found = {chunk.id for part in Refold(desk.checkpoint(path), desk.reading) for chunk in part}
    assert found == set(desk.store.points)


@pytest.mark.parametrize("end", ENDINGS)
@pytest.mark.parametrize("more", [b"", b"\n", b"\n\n#### so?\n\nSo.\n\n"])
def test_the_end_of_a_markdown_is_taken(desk: Desk, end: bytes, more: bytes) -> None:
    """A paragraph without a blank line behind it, a line without its newline: once, also when the file grows."""
    path = desk.put("a.aider.chat.history.md", AIDER + end)
    desk.take(path)
    said = [line.strip(b"#> \r").decode() for line in end.split(b"\n")]
    assert all(line in texts(desk) for line in said)
    again(desk, path)
    append(path, more)
    assert desk.take(path, kills=True) <= 2
    assert all(texts(desk).count(line) == 1 for line in said if line)
    again(desk, path)
    fresh = desk.put("fresh.aider.chat.history.md", AIDER + end + more)
    assert desk.take(fresh) == 0


@pytest.mark.parametrize("end", ENDINGS[:4])
@pytest.mark.parametrize("more", [b" Slowly.\n", b"Slowly, over ages.\n\n", b"#hashed\n"])
def test_what_goes_on_with_it_is_joined(desk: Desk, end: bytes, more: bytes) -> None:
    """The file is read anew then, and the store has what a fresh import gives."""
    path = desk.put("a.aider.chat.history.md", AIDER + end)
    desk.take(path)
    append(path, more)
    desk.take(path, kills=True)
    again(desk, path)
    assert texts(desk).count("Rivers carry salt.") == 1
    stored = set(desk.store.points)
    fresh = desk.put("fresh.aider.chat.history.md", AIDER + end + more)
    assert desk.take(fresh) == 0
    assert set(desk.store.points) == stored


def test_a_paragraph_that_is_being_written_waits(desk: Desk) -> None:
    """The next look comes back to it."""
    path = desk.put("a.aider.chat.history.md", AIDER + b"Rivers carry salt.\n")
    os.utime(path)
    desk.late_ns = 0
    desk.take(path)
    assert ("Rivers" in texts(desk), desk.is_behind(path)) == (False, True)
    desk.late_ns = 3600 * 10**9
    desk.take(path)
    assert ("Rivers" in texts(desk), desk.is_behind(path)) == (True, False)
