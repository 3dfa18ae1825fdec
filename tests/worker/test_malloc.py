"""The allocator: what the environment says wins, and off glibc nothing happens."""

from __future__ import annotations

from importer.worker import malloc


def test_settles_what_the_environment_leaves_open() -> None:
    """A threshold given by hand is not overridden; the others get their measured values."""
    asked: list[tuple[int, int]] = []

    def mallopt(number: int, value: int) -> int:
        asked.append((number, value))
        return 1

    done = malloc.settle({"MALLOC_ARENA_MAX": "4"}, mallopt)
    assert done == {"MALLOC_TRIM_THRESHOLD_": 131_072, "MALLOC_MMAP_THRESHOLD_": 131_072}
    assert asked == [(-1, 131_072), (-3, 131_072)]


def test_settle_reports_only_what_was_accepted() -> None:
    """mallopt answers 0 for a value it refuses."""
    assert malloc.settle({}, lambda number, value: int(number == -3)) == {"MALLOC_MMAP_THRESHOLD_": 131_072}


def test_settle_runs_against_the_real_library() -> None:
    """With everything in the environment already, nothing is left to set."""
    assert malloc.settle(dict.fromkeys(malloc.PARAMETERS, "1")) == {}


def test_trim_says_whether_memory_was_given_back() -> None:
    """malloc_trim is called with no padding and answers 1 or 0."""
    padding: list[int] = []
    assert malloc.trim(lambda pad: padding.append(pad) or 1)
    assert not malloc.trim(lambda pad: 0)
    assert padding == [0]


def test_trim_gives_freed_memory_back() -> None:
    """On glibc a heap of small freed blocks shrinks; elsewhere the call says no."""
    blocks = [bytearray(4096) for _ in range(4096)]
    keep = blocks[::64]
    del blocks
    assert malloc.trim() is (malloc.glibc("malloc_trim") is not None)
    assert len(keep) == 64


def test_a_library_without_the_function_is_a_no_op() -> None:
    """musl and macOS have no malloc_trim."""
    assert malloc.glibc("malloc_no_such_function") is None
