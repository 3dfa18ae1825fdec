"""How several workers share cores and memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from importer.errors import UsageError
from importer.memory.profiles import AGGRESSIVE, BALANCED, CONSERVATIVE, FLOOR_BYTES
from importer.memory.sharing import shared
from importer.protocol.units import MB

ROOMY = replace(BALANCED, soft_limit_mb=16_000)


@pytest.mark.parametrize(("threads", "count"), [(1, 1), (2, 1), (4, 1), (7, 1), (8, 2), (32, 8), (64, 16)])
def test_one_for_every_four_threads(threads: int, count: int) -> None:
    """By cores, where memory is plentiful: small machines stay as they are."""
    assert shared(ROOMY, 0, threads).count == count


@pytest.mark.parametrize(("profile", "count"), [(CONSERVATIVE, 1), (BALANCED, 3), (AGGRESSIVE, 6), (ROOMY, 16)])
def test_no_more_than_memory_allows(profile, count: int) -> None:
    """By memory, where there are 64 cores; all of them together stay within the one limit."""
    share = shared(profile, 0, 64)
    assert share.count == count
    assert share.count * share.profile.soft_limit_mb <= profile.soft_limit_mb


def test_a_larger_model_has_fewer_workers() -> None:
    """By itself no worker comes whose share its model does not fit into; more that are asked for are refused."""
    large = FLOOR_BYTES + 400 * MB
    counts = [shared(replace(BALANCED, soft_limit_mb=mb), 0, 64, floor_bytes=large).count for mb in (900, 1400, 2800)]
    assert counts == [1, 2, 4]
    with pytest.raises(UsageError, match="one needs more than 580 MB"):
        shared(BALANCED, 2, 64, floor_bytes=large)


def test_a_single_worker_has_the_profile_as_it_is() -> None:
    """Nothing changes for it."""
    assert shared(BALANCED, 1, 64).profile is BALANCED


def test_threads_are_shared_too() -> None:
    """Three workers of two threads are slower than three of one, but each has one at least."""
    assert [shared(ROOMY, count, 8).profile.threads for count in (2, 3, 8, 16)] == [4, 2, 1, 1]


def test_too_many_are_refused_with_both_numbers() -> None:
    """What a worker would have, and what it needs."""
    with pytest.raises(UsageError, match=r"8 workers share 900 MB, 112 MB each; one needs more than 180 MB") as refused:
        shared(BALANCED, 8, 8)
    assert refused.value.hint == "worker.count = 3, or raise worker.soft_limit_mb to 2400"
