r"""Define places of secrets by rows: a kind, markers of which one must occur in the text, and a pattern.

    place("wifi-key", "Key Content", r"Key Content\s{1,20}: (?P<secret>[^\s]{8,64})")

The group `secret` of the pattern is what is masked. Markers are looked for as plain strings: by their stem first, as
most texts hold few of the stems, then whole; only then the pattern is tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from importer.chunking.masking.shapes import compiled
from importer.chunking.masking.spans import SecretSpan, whole_end
from importer.chunking.masking.values import drawn, stands_for_one

STEMS = (  # the first that a marker holds is its own; rare ones, as what nearly every text holds would spare nothing
    "code", "assword", "pass", "key", "ogin", "oken", "ecret", "rase", "red", "uth", "riv", "ession", "://", "@", "pw",
    " as ", "$", "hook", "fi", "FA", "SE", "ct(", "er(", "cc", "Key", "Fi", "IN", "` ",
    "word ", "dmin", "root", "stgres", "rator", "nsert", "emonic", "ecovery", "crypt", "ommunity", "earer", "LA", "AU",
    "CV", "cv", "icense", "API", "ave", "io/", "PI", "ign", "hex", "KE",
    "assw", "verif", "SSW", "ECRET", "jwt", "log", "",
)  # fmt: skip

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


class SecretPlaces:
    """The rows of a table, by the stems of their markers."""

    def __init__(self, rows: tuple[SecretPlace, ...]) -> None:
        self._rows = rows
        numbers: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            for marker in row.markers:
                numbers.setdefault(marker, []).append(number)
        self._by_stem: dict[str, list[str]] = {stem: [] for stem in STEMS}
        self._wide: list[str] = []  # markers with letters beyond ASCII, which most texts have none of
        for marker in numbers:
            stem = next(stem for stem in STEMS if stem in marker)
            (self._by_stem[stem] if marker.isascii() else self._wide).append(marker)
        self._numbers = numbers

    def spans(self, text: str) -> Iterator[SecretSpan]:
        """Yield the secrets of a text in the places whose markers it holds, in the table's order."""
        marked = [] if text.isascii() else [*self._wide]
        for stem, markers in self._by_stem.items():
            if stem in text:
                marked += markers
        standing = {number for marker in marked if marker in text for number in self._numbers[marker]}
        for number in sorted(standing):
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


def each(kind: str, markers: str, pattern: str, values: str, judge: Callable[[str], bool] = drawn) -> SecretPlace:
    """Define a place that holds several values: those of its matches that are judged secret, drawn ones at first."""

    def found(match: re.Match[str]) -> Iterator[tuple[int, int]]:
        for value in compiled(values).finditer(match.string, match.start("all"), match.end("all")):
            if judge(value["secret"]) and not stands_for_one(value["secret"]):
                yield value.span("secret")

    return SecretPlace(kind, tuple(markers.split(", ")), pattern, found)
