"""The end of a JSON value too long for one read, looked for in bounded steps."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

from importer.formats._values import QUOTE, Within, begin, search

BLOCK_BYTES = 256 * 1024
SCAN_BYTES = 4 * 1024 * 1024  # how far one call looks: 50 ms, for which the loop stands still


@dataclass(frozen=True, slots=True)
class Seeking:
    """How far was looked: at `offset` the text is `within` the value."""

    offset: int
    within: Within

    @classmethod
    def of(cls, value: bytes, at: int) -> Self:
        """At the beginning of a value, which stands at `at`."""
        begun, within = begin(value, 0)
        return cls(at + begun, within)


def begins(value: bytes) -> bool:
    """Whether this is the beginning of a value that has an end of its own: an object, a list or a string."""
    return value[:1] in (b"{", b"[", QUOTE)


def seek(fd: int, size: int, seeking: Seeking) -> tuple[int | None, Seeking]:
    """Where the value ends, None if not within reach of this call; and how far was looked. Raises OSError."""
    at, within = seeking.offset, seeking.within
    reach = min(size, at + SCAN_BYTES)
    while at < reach and (block := os.pread(fd, min(BLOCK_BYTES, reach - at), at)):
        passed, inside = search(block, 0, within)
        if inside is None:
            return at + passed, Seeking(at + passed, within)
        if passed == 0:  # a lone backslash: what it escapes is out of reach
            break
        at, within = at + passed, inside
    return None, Seeking(at, within)
