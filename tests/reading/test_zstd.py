"""Packed lines: the same as unpacked ones, in slices of any size, and in bounded memory for any content."""

from __future__ import annotations

import tracemalloc

import pytest
import zstandard
from read_units import in_memory, units

from importer.formats import load
from importer.protocol.records import Line
from importer.reading import reader, recognition, zstd
from importer.reading.zstd import DAMAGED, ENDLESS, TOO_DENSE
from importer.sources import files

pytestmark = pytest.mark.slow

MIB = 1 << 20
LINES = b"".join(b'{"type":"event_msg","n":%d}\n' % number for number in range(5000))


def pack(*frames: bytes, level: int = 3) -> bytes:
    """Compress each of these as a frame."""
    return b"".join(zstandard.ZstdCompressor(level=level).compress(frame) for frame in frames)


def raws(found: list[Line]) -> list[bytes]:
    return [line.raw for line in found]


@pytest.mark.parametrize("slice_bytes", [1, 5000, 1 << 20])
def test_lines_are_those_that_were_packed(slice_bytes: int) -> None:
    """One frame or several give the same lines, with offsets as if they were not packed."""
    for raw in (pack(LINES), pack(LINES[:777], LINES[777:])):
        found = units("codex", raw, slice_bytes=slice_bytes)
        assert raws(found) == LINES.split(b"\n")[:-1]
        assert [LINES[line.start : line.end] for line in found] == [line.raw + b"\n" for line in found]


def test_a_last_line_needs_no_newline_when_nobody_writes() -> None:
    """It waits until the file is settled, then it is a line."""
    assert raws(units("codex", pack(b"one\ntwo"))) == [b"one", b"two"]
    assert raws(units("codex", pack(b"one\ntwo"), settled=False)) == [b"one"]


@pytest.mark.parametrize("times", [1, 20])
def test_damage_ends_the_file(times: int) -> None:
    """All lines packed before the damage are there, then a problem."""
    raw = pack(LINES * times) + b"no frame at all"
    *good, last = units("codex", raw)
    assert raws(good) == (LINES * times).split(b"\n")[:-1]
    assert last.problem.startswith(DAMAGED)
    assert units("codex", raw, settled=False) == good


def test_a_line_above_the_limit_is_passed_over() -> None:
    """The lines around it are there."""
    raw = pack(b"one\n" + b"x" * 3 * MIB + b"\ntwo\n")
    found = units("codex", raw, max_line_bytes=MIB, slice_bytes=1000)
    assert [(line.end - line.start, line.oversized) for line in found] == [(4, False), (3 * MIB + 1, True), (4, False)]


def test_memory_is_bounded_whatever_is_packed() -> None:
    """A gigabyte without a newline, packed into 90 KB, ends the file as soon as it is clear that it is no line."""
    block = bytes(64 * MIB)
    compressor = zstandard.ZstdCompressor().compressobj()
    raw = b"".join([*(compressor.compress(block) for _ in range(16)), compressor.flush()])
    del block
    tracemalloc.start()
    found = units("codex", raw, max_line_bytes=2 * MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[0].oversized
    assert found[-1].problem == ENDLESS
    assert peak < 8 * MIB


def test_what_is_packed_too_densely_ends_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes that unpack to any number of lines are read to a bound, and the rest is one problem."""
    monkeypatch.setattr(zstd, "DENSE_BYTES", MIB)
    raw = pack(*[b'{"type":"event_msg"}\n' * 50_000] * 40, level=19)  # 40 MB
    last = units("codex", raw, slice_bytes=MIB)[-1]
    assert last.problem == TOO_DENSE
    assert last.end < 4 * MIB


def test_going_on_costs_no_beginning_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same file is unpacked once, however many slices it takes; after two others it is begun again."""
    begun: list[int] = []
    monkeypatch.setattr(zstd, "UnpackedStream", lambda fd: begun.append(fd) or real(fd))
    unpacking = zstd.Unpacker()
    with in_memory(pack(LINES)) as a, in_memory(pack(LINES, b"b\n")) as b, in_memory(pack(LINES, b"cc\n")) as c:
        for fd, offset in ((a, 0), (a, 2000), (b, 0), (a, 4000), (c, 0), (b, 2000), (a, 6000), (a, 100)):
            stat = files.file_stat(b"", zstd.os.fstat(fd))
            part = unpacking.read_slice(fd, stat, offset, 1000, MIB, settled=True)
            assert part.lines[0].raw == LINES[offset:].partition(b"\n")[0]
    assert begun == [a, b, c, b, a, a]


real = zstd.UnpackedStream


def test_a_checkpoint_vouches_for_packed_bytes() -> None:
    """At the end it vouches for all of them, before it for fewer; a caller may stop at any line."""
    with in_memory(pack(LINES)) as fd:
        stat = files.file_stat(b"", zstd.os.fstat(fd))
        part = zstd.Unpacker().read_slice(fd, stat, 0, MIB, MIB, settled=True)
        short = reader.shortened(fd, part, part.lines[9].end)
    assert (part.at_end, part.passed) == (False, stat.size - 1)  # more than one slice has lines
    assert (len(short.lines), short.offset, short.at_end) == (10, part.lines[9].end, False)
    assert short.passed is not None and short.passed < stat.size


def test_it_is_told_by_its_first_bytes() -> None:
    """The file's name plays no part; the lines in it tell the format."""
    head = b'{"timestamp":"t","type":"session_meta","payload":{}}\n'
    with in_memory(pack(head * 5000)) as fd, in_memory(head) as plain:
        assert (zstd.is_packed(fd), zstd.is_packed(plain)) == (True, False)
        assert recognition.head_of(fd)[: len(head)] == recognition.head_of(plain) == head
        assert len(recognition.head_of(fd)) == 64 * 1024
    assert load("codex").wanted(b"a/rollout-1.jsonl.zst")
