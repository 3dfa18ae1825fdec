"""tail at its limits: endless lines in bounded memory, files that are rewritten while they are read."""

from __future__ import annotations

import itertools
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from tailing import Tailer, lines, raws, write

from importer.protocol.records import Line
from importer.reading import tail
from importer.sources.files import open_file

MIB = 1 << 20


@pytest.fixture
def path(tmp_path):
    return os.fsencode(tmp_path / "f.jsonl")


@pytest.fixture
def fd(path):
    """An open descriptor of a file that the test fills through its path."""
    write(path, b"")
    opened = open_file(path)
    yield opened.fd
    os.close(opened.fd)


# ------------------------------------------------------------------------------------------------ long lines


def sparse(path: bytes, *newlines: int, size: int = 0) -> None:
    """Write a file of NULs with newlines here and there; it takes no room on the disk."""
    with open(path, "wb") as file:
        file.truncate(size)
        for at in newlines:
            file.seek(at)
            file.write(b"\n")


def drain(fd: int, **limits: int) -> tuple[list[Line], int]:
    """Read all lines without keeping their bytes; return them and the number of slices."""
    found, offset, mark, slices = [], 0, None, 0
    while True:
        part = tail.read_slice(fd, offset, scanned_to=mark, **limits)
        found += [replace(line, raw=line.raw[:1]) for line in part.lines]
        offset, mark, slices = part.offset, part.scanned_to, slices + 1
        if part.at_end:
            return found, slices


@pytest.mark.slow
@pytest.mark.parametrize(
    ("newlines", "size", "peak_mib"),
    [
        ((200 * MIB, 200 * MIB + 5), 0, 2),  # one line of 200 MB, and one after it
        ((1024 * MIB,), 0, 2),
        ((), 1024 * MIB, 2),  # never ends
        ((31 * MIB,), 0, 34),  # below the limit: kept, once
    ],
    ids=["200MB", "1GB", "endless", "31MB"],
)
def test_memory_is_bounded_whatever_the_line(path, fd, newlines, size, peak_mib):
    """A line above the limit is read in constant memory, one below it is held once."""
    sparse(path, *newlines, size=size)
    tracemalloc.start()
    found, _ = drain(fd)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [line.end - 1 for line in found] == list(newlines)
    assert [line.end for line in found if line.oversized] == [end + 1 for end in newlines[:1] if end > 32 * MIB]
    assert peak < peak_mib * MIB


def test_seeking_a_newline_is_bounded_too(path, fd):
    """What has no newline is sought through in steps, each a fraction of a second."""
    sparse(path, size=10 * tail.SCAN_BYTES)
    assert drain(fd) == ([], 10)


def test_an_endless_line_is_not_read_again_when_it_grows(path, fd):
    """With the mark of the last look, only what was added is searched; proof: a newline before it goes unseen."""
    write(path, b"x" * 5000)
    first = tail.read_slice(fd, 0, 100)
    assert first.at_end and first.scanned_to.offset == 5000
    write(path, b"\n" + b"x" * 4999 + b"yy\nz")  # the newline lies before what the mark's digest covers
    part = tail.read_slice(fd, 0, 100, 50, first.scanned_to)
    assert part.lines[0].end == 5003


@pytest.mark.parametrize(
    "after",
    [b"y" * 4000 + b"\n" + b"y" * 2000, b"short\n", b"z\n" + b"x" * 2998, b"z\n" + b"x" * 4998],
    ids=["longer", "short", "shorter", "same size"],
)
def test_a_mark_is_not_believed_in_a_rewritten_line(path, fd, after):
    """An unterminated line that was cut and grown again is sought through from its beginning."""
    write(path, b"x" * 5000)
    mark = tail.read_slice(fd, 0, 100).scanned_to
    write(path, after)
    part = tail.read_slice(fd, 0, 100, scanned_to=mark)
    assert part.lines[0].raw == after.partition(b"\n")[0]


def test_a_newline_before_a_mark_still_ends_the_line_that_is_kept(path, fd):
    """Beyond what the mark's digest covers a rewriting shows only when the line is read; then it is sought anew."""
    write(path, b"x" * 5000)
    mark = tail.read_slice(fd, 0, 100).scanned_to
    write(path, b"z\n" + b"x" * 4998 + b"\n")
    part = tail.read_slice(fd, 0, 100, scanned_to=mark)
    assert (part.lines, part.offset, part.at_end, part.scanned_to) == ((), 0, False, None)


def test_half_a_line_of_ordinary_size_leaves_no_mark(path, fd):
    """It costs nothing to read it again, and something to remember it."""
    write(path, b"a\n" + b"x" * 50)
    assert tail.read_slice(fd, 0).scanned_to is None
    assert tail.read_slice(fd, 2).scanned_to is None


# ------------------------------------------------------------------------------------------------ torn reads


def test_what_was_rewritten_since_the_last_slice_is_torn(path, fd):
    """Nothing is taken, nothing claimed; `start` then finds out what happened."""
    write(path, lines(10))
    part = tail.read_slice(fd, 0, max_lines=5)
    write(path, lines(10, b"new"))
    torn = tail.read_slice(fd, part.offset, expected=part.tail_digest)
    assert torn.torn and torn.at_end
    assert (torn.lines, torn.offset) == ((), part.offset)


def test_a_slice_can_be_shortened_to_an_earlier_line(path, fd):
    """It is as if no more had been asked for; torn if the file was rewritten since."""
    write(path, lines(300))
    part = tail.read_slice(fd, 20)
    assert tail.shortened(fd, part, 5000) == tail.read_slice(fd, 20, 4980)
    write(path, lines(310, b"new"))
    torn = tail.shortened(fd, part, 5000)
    assert (torn.torn, torn.at_end, torn.lines, torn.offset) == (True, True, (), 20)


class Meddler:
    """`os` with another process in it: before the `turn`-th read, the file is rewritten."""

    def __init__(self, turn: int, meddle: Callable[[], None]) -> None:
        self.reads = 0
        self._turn, self._meddle = turn, meddle

    def __getattr__(self, name: str) -> Any:
        if name in ("pread", "preadv"):
            self.reads += 1
            if self.reads == self._turn:
                self._meddle()
        return getattr(os, name)


MANY = lines(300)
LONG = lines(290) + b"x" * 9000 + b"\nlast\n"
GROWN = b"".join(b"new line %d\n" % number for number in range(900))


@pytest.mark.parametrize(
    ("old", "new", "max_bytes"),
    [(MANY, GROWN, 40), (MANY, GROWN, 5000), (LONG, GROWN, 100), (LONG, b"short\n", 100), (LONG, LONG[:7000], 100)],
    ids=["small slices", "one slice", "a long line", "a long line, cut to little", "a long line, cut within"],
)
def test_whenever_a_file_is_rewritten_nothing_is_lost_and_nothing_made_up(path, monkeypatch, old, new, max_bytes):
    """Between any two reads of a visit: lines come from one generation, and the next visit ends with the other whole.

    The lines of the new contents end elsewhere, so a slice that mixed both would hold a line that stood in neither.
    """
    stood = {*old.split(b"\n"), *new.split(b"\n")}
    for turn in itertools.count(1):
        write(path, old[:5800])
        tailer = Tailer(path, max_bytes, max_lines=1000)
        tailer.visit()
        write(path, old[5800:], "ab")
        meddler = Meddler(turn, lambda: write(path, new))
        with monkeypatch.context() as patch:
            patch.setattr(tail, "os", meddler)
            tailer.visit()
        assert {line.raw for line in tailer.lines} <= stood
        if meddler.reads < turn:
            break
        tailer.visit()
        assert raws(tailer) == new[: new.rfind(b"\n") + 1]
    assert turn >= 8


def churn(path: bytes, numbers: Iterator[int], stop: threading.Event) -> bytes:
    """Cut the file and let it grow again, until told to stop; return its last content. Every line is unique."""
    for number in numbers:
        write(path, lines(250, b"g%d" % number))
        write(path, lines(50, b"h%d" % number), "ab")
        if stop.is_set():
            return lines(250, b"g%d" % number) + lines(50, b"h%d" % number)
    raise AssertionError("numbers do not end")


@pytest.mark.slow
@pytest.mark.parametrize("max_lines", [40, 1000])
def test_a_file_rewritten_while_it_is_read_ends_up_whole(path, max_lines):
    """Cut and grown again at any moment of a read: no checkpoint vouches for what was not consumed, so none is lost."""
    write(path, b"")
    tailer = Tailer(path, max_bytes=4000, max_lines=max_lines)
    numbers = itertools.count()
    with ThreadPoolExecutor(1) as threads:
        for _ in range(200):
            stop = threading.Event()
            writer = threads.submit(churn, path, numbers, stop)
            for _ in range(20):
                tailer.visit()
            stop.set()
            last = writer.result()
            tailer.visit()
            assert raws(tailer) == last
