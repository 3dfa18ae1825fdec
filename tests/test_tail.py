"""tail: an offset is trusted as far as its hashes go; only complete lines count; memory does not grow with a line."""

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
from tailing import Tailer

from importer import tail
from importer.opening import open_file
from importer.records import FileStat, Line, Reason

MIB = 1 << 20
FIRST, LATER = (1, 1), (2, 2)  # times of the file, in place of those that move in steps


@pytest.fixture
def path(tmp_path):
    return os.fsencode(tmp_path / "f.jsonl")


def write(path: bytes, content: bytes, mode: str = "wb") -> None:
    with open(path, mode) as file:
        file.write(content)


def lines(count: int, word: bytes = b"line", first: int = 0) -> bytes:
    """Numbered lines of 20 bytes."""
    return b"".join(b"%-12s%07d\n" % (word, number) for number in range(first, first + count))


def raws(tailer: Tailer) -> bytes:
    return b"".join(line.raw + b"\n" for line in tailer.lines)


@pytest.fixture
def fd(path):
    """An open descriptor of a file that the test fills through its path."""
    write(path, b"")
    opened = open_file(path)
    yield opened.fd
    os.close(opened.fd)


# ------------------------------------------------------------------------------------------------ where to begin

OLD = lines(500)  # 10,000 bytes: head and tail are different pages
SHORT = lines(3)

REWRITES = [
    ("written again, or merely touched", OLD, OLD, Reason.REPLACED),
    ("appended", OLD, OLD + b"more\n", Reason.RESUME),
    ("appended to a short file, whose head print grows", SHORT, SHORT + lines(400, b"more"), Reason.RESUME),
    ("cut to nothing", OLD, b"", Reason.TRUNCATED),
    ("cut by a line", OLD, lines(499), Reason.TRUNCATED),
    ("grown past the offset with another beginning", OLD, lines(900, b"new"), Reason.REPLACED),
    ("grown past the offset, the first page the same", OLD, OLD[:4096] + lines(600, b"new"), Reason.REPLACED),
    ("same size, other contents", OLD, lines(500, b"new"), Reason.REPLACED),
    ("same size, one byte between head and tail", OLD, OLD[:5000] + b"#" + OLD[5001:], Reason.REPLACED),
    ("same size, the last byte before the newline", OLD, OLD[:-2] + b"#\n", Reason.REPLACED),
    ("short file, other contents of the same size", SHORT, lines(3, b"new"), Reason.REPLACED),
    ("emptied of newlines", OLD, OLD.replace(b"\n", b" "), Reason.REPLACED),
]


@pytest.mark.parametrize(("before", "after", "reason"), [row[1:] for row in REWRITES], ids=[row[0] for row in REWRITES])
def test_what_became_of_the_file_tells_where_to_begin(path, before, after, reason):
    """Whatever happened while nobody looked, every line that stands there is delivered once per generation."""
    write(path, before)
    tailer = Tailer(path, max_bytes=MIB, max_lines=10_000)
    assert tailer.visit(FIRST) is Reason.NEW
    write(path, after)
    assert tailer.visit(LATER) is reason
    assert raws(tailer) == after[: after.rfind(b"\n") + 1]
    assert tailer.checkpoint.generation == (reason is not Reason.RESUME)


def test_an_unchanged_stat_is_believed_without_reading(path):
    """A closed descriptor would fail if it were read."""
    write(path, OLD)
    tailer = Tailer(path)
    tailer.visit(FIRST)
    opened = open_file(path)
    os.close(opened.fd)
    stat = replace(opened.stat, ctime_ns=1, mtime_ns=1)
    assert tail.unchanged(stat, tailer.checkpoint)
    assert tail.start(stat, tailer.checkpoint, opened.fd).reason is Reason.UNCHANGED


def test_an_unchanged_stat_says_nothing_of_a_file_not_read_to_its_end(path):
    """A restart between two slices reads on, although the file has not changed since the first."""
    write(path, OLD)
    tailer = Tailer(path)
    tailer.visit(FIRST, slices=1)
    assert tailer.visit(FIRST) is Reason.RESUME
    assert raws(tailer) == OLD


def test_another_inode_at_the_same_path_is_another_generation(path):
    """Replaced by renaming, with the same contents: reading it again stores nothing new, skipping it could lose."""
    write(path, OLD)
    tailer = Tailer(path)
    tailer.visit()
    write(path + b".new", OLD)
    os.rename(path + b".new", path)
    assert tailer.visit() is Reason.REPLACED
    assert raws(tailer) == OLD


@pytest.mark.parametrize("field", ["device", "inode", "size", "mtime_ns", "ctime_ns"])
def test_each_part_of_a_stat_counts(path, field):
    """A stat that differs in one of them is not believed."""
    write(path, OLD)
    tailer = Tailer(path)
    tailer.visit(FIRST)
    at = tailer.checkpoint
    stat = FileStat(path, at.device, at.inode, at.size, at.mtime_ns, at.ctime_ns)
    assert tail.unchanged(stat, at)
    assert not tail.unchanged(replace(stat, **{field: 99}), at)


def test_an_unsettled_time_is_equal_to_nothing(path):
    """Two looks within one tick of the file's clock: the second one reads again."""
    write(path, OLD)
    tailer = Tailer(path)
    tailer.visit((1, 0))
    write(path, lines(500, b"new"))
    assert tailer.visit((1, 0)) is Reason.REPLACED


def test_an_append_caught_between_its_new_time_and_its_new_size_is_no_rewriting(path):
    """The stat was taken while the write was under way; by now the file has grown."""
    write(path, OLD)
    tailer = Tailer(path)
    tailer.visit(FIRST)
    opened = open_file(path)
    write(path, b"more\n", "ab")
    stat = replace(opened.stat, mtime_ns=2, ctime_ns=2)
    assert tail.start(stat, tailer.checkpoint, opened.fd).reason is Reason.RESUME
    os.close(opened.fd)


def test_half_a_line_may_be_written_over(path):
    """Nothing of it was delivered, so there is nothing to begin anew."""
    write(path, b"half.")
    tailer = Tailer(path)
    tailer.visit(FIRST)
    write(path, b"full\n")
    assert tailer.visit(LATER) is Reason.RESUME
    assert (raws(tailer), tailer.checkpoint.generation) == (b"full\n", 0)


def test_a_reused_inode_is_told_by_the_contents(path):
    """ext4 gives the inode of a deleted file to the next one made; here the checkpoint claims just that."""
    write(path, OLD)
    tailer = Tailer(path)
    tailer.visit(FIRST)
    os.remove(path)
    write(path, lines(900, b"heir"))
    found = os.stat(path)
    tailer.checkpoint = replace(tailer.checkpoint, device=found.st_dev, inode=found.st_ino)
    assert tailer.visit(LATER) is Reason.REPLACED
    assert raws(tailer) == lines(900, b"heir")


def test_a_renamed_file_is_read_on(path):
    """The path is no part of a file's identity."""
    write(path, OLD)
    tailer = Tailer(path)
    tailer.visit(FIRST)
    os.rename(path, path + b".1")
    write(path + b".1", b"more\n", "ab")
    tailer.path = path + b".1"
    assert tailer.visit(LATER) is Reason.RESUME
    assert raws(tailer) == OLD + b"more\n"


def test_a_change_of_the_times_of_the_inode_alone_is_no_rewriting(path):
    """chmod, a rename or a hard link move the ctime; the contents are verified and left alone."""
    write(path, OLD)
    tailer = Tailer(path)
    tailer.visit((1, 1))
    assert tailer.visit((1, 2)) is Reason.RESUME
    assert raws(tailer) == OLD


def test_a_checkpoint_without_times_claims_nothing_about_them(path):
    """Zero times mark a file to be looked at again; they are no sign that it was rewritten."""
    write(path, OLD)
    tailer = Tailer(path)
    tailer.visit(FIRST)
    tailer.checkpoint = replace(tailer.checkpoint, mtime_ns=0, ctime_ns=0)
    assert tailer.visit(LATER) is Reason.RESUME


def test_fifty_files_with_one_head_are_fifty_files(tmp_path):
    """Sessions of one project begin with the same records; what follows is each one's own."""
    for number in range(50):
        path = os.fsencode(tmp_path / f"{number}")
        write(path, OLD + b"%d\n" % number)
        tailer = Tailer(path, max_bytes=MIB, max_lines=1000)
        tailer.visit()
        assert raws(tailer) == OLD + b"%d\n" % number


# ------------------------------------------------------------------------------------------------ which lines


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"half", []),
        (b"a\n", [b"a"]),
        (b"a\nhalf", [b"a"]),
        (b"a\r\n\r\n", [b"a\r", b"\r"]),
        (b"\n\na\n", [b"", b"", b"a"]),
        (b"\0\0\0{}\n", [b"\0\0\0{}"]),
        ("\u2028 \u0085 \ud800\n".encode("utf-8", "surrogatepass"), [b"\xe2\x80\xa8 \xc2\x85 \xed\xa0\x80"]),
        (b"\xff\xfe\x0b\x0c\x1c\n", [b"\xff\xfe\x0b\x0c\x1c"]),
    ],
)
@pytest.mark.parametrize("max_bytes", [1, 2, MIB])
def test_a_line_ends_with_a_newline_and_with_nothing_else(path, fd, content, expected, max_bytes):
    """Everything but the final newline belongs to the line; a line without one waits."""
    write(path, content)
    tailer = Tailer(path, max_bytes=max_bytes)
    tailer.visit()
    assert [line.raw for line in tailer.lines] == expected
    assert tailer.checkpoint.offset == content.rfind(b"\n") + 1


@pytest.mark.parametrize("max_bytes", [1, 19, 20, 21, 4096, MIB])
@pytest.mark.parametrize("max_lines", [1, 7, 1000])
def test_lines_follow_each_other_whatever_the_slices(path, fd, max_bytes, max_lines):
    """Offsets are contiguous, the digests those of the file, slices as large as they may be."""
    write(path, OLD)
    offset = count = 0
    while not (part := tail.read_slice(fd, offset, max_bytes, max_lines=max_lines)).at_end:
        assert len(part.lines) == min(max_lines, max(1, max_bytes // 20), 500 - count)
        assert part.lines[0].start == offset
        assert OLD[offset : part.offset] == b"".join(line.raw + b"\n" for line in part.lines)
        assert part.tail_digest == tail.tail_digest(fd, part.offset)
        assert part.head == tail.head_print(fd, part.offset)
        offset, count = part.offset, count + len(part.lines)
    assert part.offset == len(OLD)


def test_an_unterminated_line_waits_and_is_read_whole(path):
    """Half a record is never delivered, not even after a restart."""
    tailer = Tailer(path)
    for piece, expected in [
        (b"a\n{ha", b"a\n"),
        (b"lf", b"a\n"),
        (b"}\nb", b"a\n{half}\n"),
        (b"\n", b"a\n{half}\nb\n"),
    ]:
        write(path, piece, "ab")
        tailer.visit()
        assert raws(tailer) == expected


def test_an_oversized_line_is_passed_and_its_neighbours_stand(path, fd):
    """Its place and its beginning are all that is kept."""
    write(path, b"a\n" + b"x" * 1000 + b"\nb\n")
    for max_bytes in (10, 100, MIB):
        tailer = Tailer(path, max_bytes=max_bytes, max_line_bytes=999)
        tailer.visit()
        assert tailer.lines == (
            Line(0, 2, b"a"),
            Line(2, 1003, b"x" * tail.SAMPLE_BYTES, oversized=True),
            Line(1003, 1005, b"b"),
        )


def test_the_sample_of_an_oversized_line_ends_with_the_line(path, fd):
    """Whatever the limit."""
    write(path, b"abcdefgh\nb\n")
    for max_bytes in (3, MIB):
        assert tail.read_slice(fd, 0, max_bytes, 5).lines[0] == Line(0, 9, b"abcdefgh", oversized=True)


@pytest.mark.parametrize(("length", "oversized"), [(999, False), (1000, False), (1001, True)])
def test_the_limit_itself_is_allowed(path, fd, length, oversized):
    """The newline does not count."""
    write(path, b"x" * length + b"\n")
    for max_bytes in (10, MIB):
        assert tail.read_slice(fd, 0, max_bytes, 1000).lines[0].oversized is oversized


# ------------------------------------------------------------------------------------------------ long lines


def sparse(path: bytes, *newlines: int, size: int = 0) -> None:
    """A file of NULs with newlines here and there; it takes no room on the disk."""
    with open(path, "wb") as file:
        file.truncate(size)
        for at in newlines:
            file.seek(at)
            file.write(b"\n")


def drain(fd: int, **limits: int) -> tuple[list[Line], int]:
    """All lines without keeping what they hold, and in how many slices."""
    found, offset, mark, slices = [], 0, None, 0
    while True:
        part = tail.read_slice(fd, offset, scanned_to=mark, **limits)
        found += [replace(line, raw=line.raw[:1]) for line in part.lines]
        offset, mark, slices = part.offset, part.scanned_to, slices + 1
        if part.at_end:
            return found, slices


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
    [(MANY, GROWN, 10), (MANY, GROWN, 5000), (LONG, GROWN, 100), (LONG, b"short\n", 100), (LONG, LONG[:7000], 100)],
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
    """Cut the file and let it grow again, until told to stop; what stands there at last. Every line is unique."""
    for number in numbers:
        write(path, lines(250, b"g%d" % number))
        write(path, lines(50, b"h%d" % number), "ab")
        if stop.is_set():
            return lines(250, b"g%d" % number) + lines(50, b"h%d" % number)
    raise AssertionError("numbers do not end")


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
