"""Waits after failures in a row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from importer.protocol.backoff import backoff_s


@given(st.integers(1, 10_000))
def test_backoff_grows_to_its_limit(failures: int) -> None:
    """A wait never shrinks, never passes the limit, and never overflows."""
    wait_s = backoff_s(failures, first_s=0.5, most_s=60)
    assert 0.5 <= wait_s <= 60
    assert wait_s >= backoff_s(failures - 1, first_s=0.5, most_s=60)


def test_waits_double() -> None:
    """The first wait is the least one, the next ones double; without a failure there is none."""
    assert [backoff_s(failures) for failures in range(8)] == [0, 1, 2, 4, 8, 16, 32, 60]
