"""The health page: what is imported now, what is behind, what went wrong, and the curve."""

from __future__ import annotations

from typing import Any

import pytest

from importer.serve.figures.curve import Curve, curve, scale
from importer.serve.figures.health import health, lasts, size
from importer.service.status.remembered import RememberedMemory

RATE = {"files_per_s": 2.0, "bytes_per_s": 3.4e6, "tokens_per_s": 9000.0}
FOUND: dict[str, Any] = {
    "state": "importing", "reason": "", "rate": RATE, "eta_s": 200.0, "reading": ["/said/<b>now</b>.jsonl"],
    "files": {"known": 120, "complete": 90, "pending": 30, "empty": 1, "unrecognised": 2, "refused": 0},
    "lag": {"bytes": 5_000_000, "oldest_s": 7200.0, "at_least": False}, "lines": {"in_flight": 42},
    "points": 1234, "quarantine": 1, "erasing": 0, "model": "mini", "engine": "onnx",
    "unreadable": {"/said/locked": "no permission"},
    "passed_over": {"/said/odd": "no format recognises it"}, "store": {"kind": "edge", "location": "/s", "why": ""},
    "daemon": {"rss_bytes": 30e6}, "worker": {"rss_bytes": 200e6, "spawns": 3, "recycles": {"files": 1}, "crashes": 1},
}  # fmt: skip
SEEN = RememberedMemory(
    ((1.0, 100.0, 25.0), (61.0, 180.0, 26.0)),
    ({"id": 7, "path": "/said/bad", "offset": 10, "reason": "no JSON", "at": 1.0},),
    ((1.0, "killed by signal 9", 12),),
)


def test_while_it_imports() -> None:
    """Progress, speed, what is left, the files that are read; no text of a path becomes an element."""
    shown = health(FOUND, SEEN)
    for told in ("90 of 120 files", "5.0 MB to go", "3.4 MB/s", "9,000 tokens/s", "3 min left", "42 lines in flight"):
        assert told in shown
    assert '<progress value="90" max="120"' in shown and "&lt;b&gt;now" in shown and "<b>now" not in shown


def test_what_went_wrong() -> None:
    """Set-aside lines, unreadable and unrecognised files and lost workers are listed, each with its reason."""
    shown = health(FOUND, SEEN)
    for told in ("7: no JSON", "/said/locked", "no format recognises it", "killed by signal 9", "importer failures"):
        assert told in shown
    assert 'class="bad">1<' in shown and shown.count("<polyline") == 2


def test_when_nothing_runs() -> None:
    """Nothing is shown of an import, of trouble or of memory where there is none."""
    calm = {**FOUND, "state": "stopped", "quarantine": 0, "unreadable": {}, "passed_over": {}, "rate": None}
    shown = health(calm, RememberedMemory())
    assert "Being erased" not in shown
    assert "Being imported" not in shown and "In quarantine</h2>" not in shown and "Nothing was measured" in shown


def test_what_is_being_erased() -> None:
    """Until the last byte is gone."""
    assert "Being erased" in health({**FOUND, "erasing": 2}, SEEN)


@pytest.mark.parametrize(("most", "end"), [(0.4, 1), (1, 1), (7, 10), (130, 200), (201, 500)])
def test_scales_are_round(most: float, end: float) -> None:
    """A scale ends at 1, 2 or 5 times a power of ten, above what it holds."""
    assert scale(most) == end


def test_one_moment_is_no_curve() -> None:
    """Two lines of a single moment have no length to be drawn in."""
    assert (
        curve([Curve("a", ((1.0, 2.0),)), Curve("b", ((1.0, 3.0),))], "MB", "none yet")
        == '<p class="note">none yet</p>'
    )


def test_units() -> None:
    """Sizes and spans are told in the unit that fits."""
    assert [size(n) for n in (0, 999, 3_400_000, 250e9)] == ["0 B", "999 B", "3.4 MB", "250 GB"]
    assert [lasts(n) for n in (5, 90, 7200, 200_000)] == ["5 s", "2 min", "2 h", "2 days"]
