"""Model runs side by side: never more than the lanes, each told before it begins, none left behind."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.worker.parallel import READY, Urgent, side_by_side

WAIT_S = 10.0


@given(st.lists(st.integers(), max_size=12), st.integers(1, 4))
@settings(max_examples=40)
def test_each_work_has_its_result(works: list[int], lanes: int) -> None:
    """They may end in any order, and `before` has named each as the last of those under way or waiting."""
    told: list[Sequence[int]] = []
    found = list(side_by_side(works, lambda work: work * 2, lanes, before=told.append))
    assert sorted(found) == sorted((work, work * 2) for work in works)
    assert [one[-1] for one in told] == works
    assert all(len(one) <= lanes + READY * (lanes > 1) for one in told)


def test_lanes_work_at_once() -> None:
    """Two runs that wait for each other both end; a third is told with them, and begins when one of them has ended."""
    meeting, told, begun = threading.Barrier(2, timeout=WAIT_S), [], []

    def run(work: str) -> str:
        begun.append(work)
        if work != "c":
            meeting.wait()
        return work

    stream = side_by_side("abc", run, 2, before=lambda under_way: told.append("".join(under_way)))
    assert sorted(work for work, _ in stream) == ["a", "b", "c"]
    assert told[:2] == ["a", "ab"]
    assert told[2] in {"c", "ac", "bc", "abc"}
    assert begun[-1] == "c"


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_an_error_comes_out_after_the_others_have_ended(lanes: int) -> None:
    """Nothing goes on behind the back of the code that handles it."""
    going, ended = threading.Semaphore(0), []

    def run(work: int) -> int:
        if work == 1:
            going.release(3)
            raise ValueError(str(work))
        if lanes > 1:
            going.acquire(timeout=WAIT_S)
        ended.append(work)
        return work

    with pytest.raises(ValueError, match="1"):
        list(side_by_side([0, 1, 2, 3], run, lanes, before=lambda _under_way: None))
    assert 0 in ended
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lane")]


def test_who_stops_listening_leaves_nothing_running() -> None:
    """A stream that is closed early waits for what is under way."""
    stream = side_by_side(range(10), lambda work: work, 3, before=lambda _under_way: None)
    next(stream)
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lane")]


def test_a_run_that_waits_for_a_lane_never_begins_once_nobody_listens() -> None:
    """Both lanes are taken when the stream is closed, so the one that waits is given up."""
    begun, let_go = [], threading.Event()

    def run(work: int) -> int:
        begun.append(work)
        if work:
            let_go.wait(WAIT_S)
        return work

    stream = side_by_side(range(9), run, 2, before=lambda _under_way: None)
    assert next(stream) == (0, 0)
    threading.Timer(0.1, let_go.set).start()
    stream.close()
    assert sorted(begun) == [0, 1, 2]


def test_a_lane_is_free_while_questions_come() -> None:
    """As long as they do: an engine that computes in both would have a question wait for a run."""
    told: list[int] = []
    urgent = Urgent(Future, lambda: None, lambda: 3 <= len(told) < 6)
    found = list(side_by_side(range(9), str, 2, before=lambda under_way: told.append(len(under_way)), urgent=urgent))
    assert sorted(found) == [(work, str(work)) for work in range(9)]
    assert told[:6] == [1, 2, 3, 1, 1, 1]
