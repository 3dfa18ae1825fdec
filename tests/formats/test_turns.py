"""Keys, times and lengths that all formats share."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.formats._shared.turns import MAX_NAME_CHARS, MAX_NAMES, clip, key, moment, once, utc


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2026-02-11T20:31:54.120Z", "2026-02-11T20:31:54.120Z"),
        ("2026-02-11T20:31:54Z", "2026-02-11T20:31:54.000Z"),
        ("2026-02-11T20:31:54.123456789Z", "2026-02-11T20:31:54.123Z"),
        ("2026-02-11T22:31:54.120+02:00", "2026-02-11T20:31:54.120Z"),
        ("2026-02-11T20:31:54.120", "2026-02-11T20:31:54.120Z"),
        ("2026-02-11 20:31:54", "2026-02-11T20:31:54.000Z"),
        ("2026-02-30T20:31:54.120Z", ""),
        ("0001-01-01T00:00:00.000+05:00", ""),
        ("yesterday", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_times_are_utc_with_milliseconds(stamp, at):
    """A time is RFC 3339 in UTC, or ""."""
    assert utc(stamp) == at


@pytest.mark.parametrize("scale", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("as_text", [False, True])
def test_numbers_are_seconds_or_finer(scale, as_text):
    """Told by their size; a truth value is no time."""
    number = 1770841914 * scale
    assert moment(str(number) if as_text else number) == "2026-02-11T20:31:54.000Z"
    assert moment(True) == ""


def test_keys_tell_parts_apart():
    """The same letters cut otherwise are another key; the key is 16 bytes in hex and takes any string."""
    assert key("ab", "c") != key("a", "bc")
    assert key("a", "b") == key("a", "b")
    assert len(key("\ud83d")) == 32


@given(st.text(max_size=400), st.integers(0, 600))
def test_clip_keeps_a_beginning_within_the_bound(text, limit_bytes):
    """The bound is in bytes of JSON, where one character can take six; what fits is not touched."""
    clipped = clip(text, limit_bytes)
    assert text.startswith(clipped)
    assert len(msgspec.json.encode(clipped)) - 2 <= limit_bytes
    assert clipped == text or len(msgspec.json.encode(text)) - 2 > limit_bytes


def test_names_are_bounded_and_given_once():
    """Order stays, empty ones go, and neither number nor length grows without end."""
    assert once(["b", "a", "", "b"]) == ("b", "a")
    assert len(once(str(number) for number in range(100))) == MAX_NAMES
    assert len(once(["x" * 5000])[0]) == MAX_NAME_CHARS
