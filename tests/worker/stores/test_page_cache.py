"""What the page cache is filled with for questions to the embedded store: whole files, as far as memory goes."""

from __future__ import annotations

import os
import pathlib
import threading
from collections.abc import Sequence

import pytest

from importer.protocol.system.capabilities import has
from importer.worker.stores.edge import page_cache
from importer.worker.stores.edge.page_cache import PIECE_BYTES, PageCache

COPIES, WORDS, IDS, PAYLOADS = (
    "vector_storage-fast-a/quantized.data", "payload_index/x-words-text/postings.dat", "id_tracker.i2e",
    "payload_storage/page_0.dat",
)  # fmt: skip
VECTORS = "vector_storage-fast-a/matrix.dat"
SIZES = {COPIES: 3 * PIECE_BYTES + 1, WORDS: 100, IDS: 50, PAYLOADS: 1000, VECTORS: 10_000}

pytestmark = pytest.mark.skipif(not has("fadvise"), reason="this system takes no hints")


def segment(shard: pathlib.Path, name: str) -> None:
    """Write a segment's files."""
    for path, size in SIZES.items():
        file = shard / "segments" / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """The hints given to the kernel: file, place and length."""
    given: list[tuple[str, int, int]] = []

    def hint(descriptor: int, at: int, count: int, advice: int) -> None:
        assert advice == page_cache.WILL_NEED
        given.append((os.readlink(f"/proc/self/fd/{descriptor}"), at, count))

    monkeypatch.setattr(page_cache, "_advise", hint)
    return given


def filled(cache: PageCache) -> None:
    """Fill it, and wait for the thread that it started."""
    cache.fill()
    for thread in (one for one in threading.enumerate() if one.name == "page-cache"):
        thread.join()


def names(asked: Sequence[tuple[str, int, int]]) -> set[str]:
    """Return the names of the files below their segments."""
    return {path.split("/segments/")[1].partition("/")[2] for path, _, _ in asked}


def test_whole_files_are_asked_for_and_the_vectors_never(
    tmp_path: pathlib.Path, asked: list[tuple[str, int, int]]
) -> None:
    """The kernel takes a megabyte or so of one hint, so a file takes several."""
    segment(tmp_path, "one")
    filled(PageCache(str(tmp_path), most_bytes=1 << 20))
    assert names(asked) == {COPIES, WORDS, IDS, PAYLOADS}
    pieces = [(at, count) for path, at, count in asked if path.endswith(COPIES)]
    assert pieces == [(n * PIECE_BYTES, PIECE_BYTES) for n in range(4)]
    assert asked[0][0].endswith(COPIES)


@pytest.mark.parametrize(
    ("most_bytes", "expected"),
    [
        (0, {COPIES}),
        (299, {COPIES}),
        (300, {COPIES, WORDS, IDS}),
        (2299, {COPIES, WORDS, IDS}),
        (2300, {*SIZES} - {VECTORS}),
    ],
)
def test_what_would_not_stay_is_left(
    tmp_path: pathlib.Path, asked: list[tuple[str, int, int]], most_bytes: int, expected: set[str]
) -> None:
    """The files of all segments count, also of those that were read before."""
    cache = PageCache(str(tmp_path), most_bytes)
    segment(tmp_path, "one")
    segment(tmp_path, "two")
    filled(cache)
    assert names(asked) == expected


def test_only_new_segments_are_read(tmp_path: pathlib.Path, asked: list[tuple[str, int, int]]) -> None:
    """The others were, and an optimisation takes some away."""
    cache = PageCache(str(tmp_path), most_bytes=1 << 20)
    segment(tmp_path, "one")
    filled(cache)
    asked.clear()
    filled(cache)
    assert not asked
    segment(tmp_path, "two")
    filled(cache)
    assert {path.split("/segments/")[1].partition("/")[0] for path, _, _ in asked} == {"two"}


def test_it_is_only_a_hint(tmp_path: pathlib.Path) -> None:
    """A shard without segments, and a file that is gone, raise nothing."""
    PageCache(str(tmp_path), most_bytes=1 << 20).fill()
    page_cache._read([str(tmp_path / "gone")])
