"""The worker's own look at its memory: the floor once, the most between two receipts."""

from __future__ import annotations

from importer.protocol.outcome import MemoryTaken
from importer.worker.gauge import Gauge, own_bytes


def test_what_is_allocated_is_seen() -> None:
    """Pages that were written count; a peak is kept until it is told, and not longer."""
    gauge = Gauge()
    gauge.loaded()
    block = b"x" * (64 << 20)
    gauge.look()
    del block
    told = gauge.told(None)
    assert told.peak_bytes >= told.floor_bytes + (60 << 20) > 60 << 20
    assert gauge.told(None).peak_bytes <= told.peak_bytes - (50 << 20)


def test_the_floor_is_taken_once() -> None:
    """With the model loaded, before its first run."""
    gauge = Gauge(floor_bytes=5)
    gauge.loaded()
    assert gauge.floor_bytes == 5


def test_an_embedder_may_say_nothing_of_its_runs() -> None:
    """A plug-in's, or one that runs elsewhere."""
    told = Gauge(floor_bytes=1).told(None)
    assert (told.token_bytes, told.square_bytes, told.window_tokens, told.lanes) == (0, 0, 0, 1)
    assert told.pid and own_bytes() > 0 and MemoryTaken().pid == 0
