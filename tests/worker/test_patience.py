"""Patience in place: blips pass unseen, outages are handed on, and a server that names a time is believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from importer.errors import StoreRefused, StoreUnreachable
from importer.worker.patience import Patience, patiently


class Flaky:
    """Fails with each given error once, then answers "done"."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def __call__(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def patience(slept: list[float]) -> Patience:
    return Patience(tries=4, first_s=1.0, longest_s=5.0, sleep=slept.append, jitter=lambda: 0.0)


def test_blips_are_waited_out_longer_each_time() -> None:
    """Doubling from the first wait."""
    slept: list[float] = []
    assert patiently(Flaky(*[StoreUnreachable("x")] * 3), patience(slept)) == "done"
    assert slept == [1.0, 2.0, 4.0]


def test_the_last_failure_is_handed_on() -> None:
    """The daemon has the longer patience."""
    slept: list[float] = []
    with pytest.raises(StoreUnreachable):
        patiently(Flaky(*[StoreUnreachable("x")] * 4), patience(slept))
    assert len(slept) == 3


def test_a_server_that_hangs_costs_one_time_out() -> None:
    """Four would be longer than a worker may take to start, which would be blamed for it."""
    times = iter((0.0, 30.0))
    slept: list[float] = []
    hanging = replace(patience(slept), clock=lambda: next(times))
    with pytest.raises(StoreUnreachable):
        patiently(Flaky(StoreUnreachable("timed out")), hanging)
    assert not slept


def test_a_server_that_names_a_short_time_is_obeyed() -> None:
    """To the second."""
    slept: list[float] = []
    assert patiently(Flaky(StoreUnreachable("x", retry_after_s=3.5)), patience(slept)) == "done"
    assert slept == [3.5]


def test_a_long_time_is_handed_on_at_once() -> None:
    """With the server's wish in it."""
    slept: list[float] = []
    with pytest.raises(StoreUnreachable) as caught:
        patiently(Flaky(StoreUnreachable("x", retry_after_s=60)), patience(slept))
    assert caught.value.retry_after_s == 60
    assert slept == []


def test_a_refusal_is_never_retried() -> None:
    """It would be the same again."""
    slept: list[float] = []
    with pytest.raises(StoreRefused):
        patiently(Flaky(StoreRefused("x")), patience(slept))
    assert slept == []


def test_jitter_takes_up_to_half() -> None:
    """So that many importers do not come back at once."""
    assert Patience(first_s=1.0, jitter=lambda: 1.0).wait_s(2, 0.0) == 1.0
