r"""Define places of secrets by rows: a kind, markers of which one must occur in the text, and a pattern.

    place("wifi-key", "Key Content", r"Key Content\s{1,20}: (?P<secret>[^\s]{8,64})")

The group `secret` of the pattern is what is masked. Markers are plain strings, and nearly no text holds one: a text is
read once, four bytes at each place, for the rarest four bytes of all markers, instead of once for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from importer.chunking.masking.shapes import compiled
from importer.chunking.masking.spans import SecretSpan, whole_end
from importer.chunking.masking.values import drawn, stands_for_one

BEHIND_CHARS = 100
GRAM_BYTES = 4  # of a marker are looked for
# how often characters stand in texts, in a thousand; others are rarer
_OFTEN = {
    ord(sign): often
    for sign, often in zip(
        " etaoinsrlhdcumpfgybwvk",
        (140, 95, 70, 65, 60, 60, 60, 55, 50, 35, 30, 30, 28, 22, 20, 20, 15, 14, 13, 10, 9, 8, 5),
        strict=True,
    )
}
_USUAL = frozenset(  # parts of words that many texts hold
    b"with from code word ring sing read opti ctor rato comp pass sign into prin ific ontr quir alle lock cens".split()
)

Found = Callable[[re.Match[str]], Iterator[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """A place of a secret: `pattern` is tried when a marker occurs; `found` gives the secrets of a match."""

    kind: str
    markers: tuple[str, ...]
    pattern: str
    found: Found

    def spans(self, text: str) -> Iterator[SecretSpan]:
        """Yield the secrets of this kind from left to right."""
        for match in compiled(self.pattern).finditer(text):
            for start, end in self.found(match):
                yield SecretSpan(start, whole_end(text, start, end), self.kind)


class Markers:
    """Plain strings, those of which a text holds are told fast: a text is read once for one part of each."""

    def __init__(self, markers: Iterable[str]) -> None:
        self._short: dict[str, list[str]] = {}  # by their rarest character
        self._by_gram: dict[int, list[str]] = {}
        for marker in dict.fromkeys(markers):
            raw = marker.encode()
            if len(raw) < GRAM_BYTES:
                self._short.setdefault(min(marker, key=lambda sign: _OFTEN.get(ord(sign), 4)), []).append(marker)
            else:
                self._by_gram.setdefault(_rarest_gram(raw), []).append(marker)
        self._grams = frozenset(self._by_gram)

    def standing(self, text: str) -> list[str]:
        """Return the markers that a text holds."""
        raw = memoryview(text.encode("utf-8", "surrogatepass"))
        found: set[int] = set()
        for first in range(min(GRAM_BYTES, len(raw))):
            end = first + (len(raw) - first) // GRAM_BYTES * GRAM_BYTES
            found |= self._grams.intersection(raw[first:end].cast("I"))
        likely = [marker for gram in found for marker in self._by_gram[gram]]
        likely += [marker for sign, markers in self._short.items() if sign in text for marker in markers]
        return [marker for marker in likely if marker in text]


def _rarest_gram(raw: bytes) -> int:
    """Return the four bytes of a marker that fewest texts hold, as one number."""
    starts = range(len(raw) - GRAM_BYTES + 1)
    grams = {raw[start : start + GRAM_BYTES] for start in starts}
    best = min(sorted(grams), key=lambda gram: (gram in _USUAL, sum(_OFTEN.get(code, 4) for code in gram)))
    return memoryview(best).cast("I")[0]


class Row(Protocol):
    """What a row of a table is asked for."""

    @property
    def markers(self) -> tuple[str, ...]:
        """Return strings, one of which a text holds if it holds such a secret."""

    def spans(self, text: str) -> Iterator[SecretSpan]:
        """Yield the secrets of this kind from left to right."""


class SecretPlaces:
    """The rows of a table, by their markers."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self._rows = rows
        self._numbers: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            for marker in row.markers:
                self._numbers.setdefault(marker, []).append(number)
        self._markers = Markers(self._numbers)

    def spans(self, text: str) -> Iterator[SecretSpan]:
        """Yield the secrets of a text in the places whose markers it holds, in the table's order."""
        for number in sorted({number for marker in self._markers.standing(text) for number in self._numbers[marker]}):
            yield from self._rows[number].spans(text)


def place(kind: str, markers: str, pattern: str, *, sure: bool = True) -> SecretPlace:
    """Define a place by its markers, separated by commas; if it is not `sure`, the secret must look drawn."""
    return found_if(bool if sure else drawn, kind, markers, pattern)


def found_if(judge: Callable[[str], bool], kind: str, markers: str, pattern: str) -> SecretPlace:
    """Define a place whose secret is one if it is judged so, and is no placeholder."""

    def found(match: re.Match[str]) -> Iterator[tuple[int, int]]:
        value = match["secret"]
        if not stands_for_one(value) and judge(value):
            yield match.span("secret")

    return SecretPlace(kind, tuple(markers.split(", ")), pattern, found)


def behind(before: str, judge: Callable[[str], bool], kind: str, markers: str, pattern: str) -> SecretPlace:
    """Define a place by what stands right before it too: a pattern that begins with letters is searched for fast."""

    def found(match: re.Match[str]) -> Iterator[tuple[int, int]]:
        value = match["secret"]
        if judge(value) and not stands_for_one(value):
            first = max(0, match.start() - BEHIND_CHARS)
            if compiled(rf"(?:{before})\Z").search(match.string, first, match.start()):
                yield match.span("secret")

    return SecretPlace(kind, tuple(markers.split(", ")), pattern, found)


def each(kind: str, markers: str, pattern: str, values: str, judge: Callable[[str], bool] = drawn) -> SecretPlace:
    """Define a place that holds several values: those of its matches that are judged secret, drawn ones at first."""

    def found(match: re.Match[str]) -> Iterator[tuple[int, int]]:
        for value in compiled(values).finditer(match.string, match.start("all"), match.end("all")):
            if judge(value["secret"]) and not stands_for_one(value["secret"]):
                yield value.span("secret")

    return SecretPlace(kind, tuple(markers.split(", ")), pattern, found)
