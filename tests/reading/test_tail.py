"""tail: an offset is trusted as far as its hashes go; only complete lines count."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from tailing import Tailer, lines, raws, write

from importer.protocol.records import FileStat, Line, Reason
from importer.reading import tail
from importer.sources.files import open_file

MIB = 1 << 20
FIRST, LATER = (1, 1), (2, 2)  # times of the file, in place of those that move in steps


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
    ("cut, one byte between head and tail", OLD + b"half", OLD[:5000] + b"#" + OLD[5001:], Reason.REPLACED),
    ("same size, the last byte before the newline", OLD, OLD[:-2] + b"#\n", Reason.REPLACED),
    ("short file, other contents of the same size", SHORT, lines(3, b"new"), Reason.REPLACED),
    ("emptied of newlines", OLD, OLD.replace(b"\n", b" "), Reason.REPLACED),
]


@pytest.mark.parametrize(("before", "after", "reason"), [row[1:] for row in REWRITES], ids=[row[0] for row in REWRITES])
def test_what_became_of_the_file_tells_where_to_begin(path, before, after, reason):
    """After any change between two looks, every line that stands there is delivered once per generation."""
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
    """A stat that differs in one part is not believed."""
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
    """The sample is the same with any slice size."""
    write(path, b"abcdefgh\nb\n")
    for max_bytes in (3, MIB):
        assert tail.read_slice(fd, 0, max_bytes, 5).lines[0] == Line(0, 9, b"abcdefgh", oversized=True)


@pytest.mark.parametrize(("length", "oversized"), [(999, False), (1000, False), (1001, True)])
def test_the_limit_itself_is_allowed(path, fd, length, oversized):
    """A line as long as the limit is kept; its newline does not count."""
    write(path, b"x" * length + b"\n")
    for max_bytes in (10, MIB):
        assert tail.read_slice(fd, 0, max_bytes, 1000).lines[0].oversized is oversized
