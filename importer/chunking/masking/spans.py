"""Tell where the secrets of a text stand: spans are joined, replaced by labels, and put back to the text given."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

LABEL = re.compile(r"\[secret:[a-z0-9-]{1,40}\]")


LONG_CHARS = 100  # of a value that a bounded pattern may have cut
_WORD = re.compile(r"\S+")
_MORE = re.compile(r"[A-Za-z0-9+/=_-]{1,8192}+")


class SecretSpan(NamedTuple):
    """A secret of a text: positions in characters, `text[start:end]`, and its kind as the label says it."""

    start: int
    end: int
    kind: str


def whole_end(text: str, start: int, end: int) -> int:
    """Return where a value ends: patterns are bounded, and of a long one the rest would stay."""
    more = _MORE.match(text, end) if end - start >= LONG_CHARS else None
    return more.end() if more else end


def whole_words(text: str, spans: list[SecretSpan]) -> list[SecretSpan]:
    """Return each span with the whole of the words that it begins and ends in, as far as spaces go."""
    words = [match.span() for match in _WORD.finditer(text)]
    starts = [start for start, _ in words]
    return [
        SecretSpan(_whole(words, starts, start)[0], _whole(words, starts, end)[1], kind) for start, end, kind in spans
    ]


def joined(spans: Iterable[SecretSpan]) -> list[SecretSpan]:
    """Return spans from left to right, those that overlap as one; of two kinds, the one that came first stays."""
    ranked = sorted((span.start, span.end, rank, span.kind) for rank, span in enumerate(spans))
    done: list[tuple[int, int, int, str]] = []
    for start, end, rank, kind in ranked:
        if done and start < done[-1][1]:
            first, reach, surest, its = done[-1]
            surest, its = min((surest, its), (rank, kind))
            done[-1] = (first, max(reach, end), surest, its)
        else:
            done.append((start, end, rank, kind))
    return [SecretSpan(start, end, kind) for start, end, _, kind in done]


def replaced(text: str, spans: list[SecretSpan]) -> str:
    """Return the text with a label in place of each span; spans are as `joined` gives them."""
    if not spans:
        return text
    parts = [text[: spans[0].start]]
    for span, after in pairwise([*spans, SecretSpan(len(text), len(text), "")]):
        parts += (label(span.kind), text[span.end : after.start])
    return "".join(parts)


def label(kind: str) -> str:
    """Return what stands in place of a secret."""
    return f"[secret:{kind}]"


def beside_labels(text: str, spans: list[SecretSpan]) -> list[SecretSpan]:
    """Return the spans that hold more than labels, each with the whole of a label that it holds a part of."""
    if "[secret:" not in text:
        return spans
    labels = [match.span() for match in LABEL.finditer(text)]
    starts = [start for start, _ in labels]
    kept = []
    for span in spans:
        start, end = _whole(labels, starts, span.start)[0], _whole(labels, starts, span.end)[1]
        if LABEL.sub("", text[start:end]):
            kept.append(SecretSpan(start, end, span.kind))
    return kept


def _whole(parts: list[tuple[int, int]], starts: list[int], place: int) -> tuple[int, int]:
    """Return the part (a label, a word) around a place, or the place twice."""
    at = bisect_right(starts, place) - 1
    return parts[at] if at >= 0 and parts[at][0] < place < parts[at][1] else (place, place)


def original(found: list[SecretSpan], more: list[SecretSpan]) -> list[SecretSpan]:
    """Return the positions in a text of spans seen after those `found` in it were replaced by labels."""
    starts, moves, moved = [], [0], 0
    for span in found:
        starts.append(span.start + moved)
        moved += len(label(span.kind)) - (span.end - span.start)
        moves.append(moved)

    def back(place: int, *, end: bool) -> int:
        """Return the place in the text; one within a label becomes the start or end of what the label stands for."""
        at = bisect_right(starts, place) if not end else bisect_right(starts, place - 1)
        if at and place < starts[at - 1] + len(label(found[at - 1].kind)):
            return found[at - 1].end if end else found[at - 1].start
        return place - moves[at]

    return [SecretSpan(back(span.start, end=False), back(span.end, end=True), span.kind) for span in more]
