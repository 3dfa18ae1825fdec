"""Read a text as if nothing were wrapped: without colours and invisible characters, escapes and percent codes undone.

    \\x1b[32mghp_…\\x1b[0m     token%3Dghp_…     {\\"api_key\\":\\"…\\"}

Secrets are looked for in that view too, and found where they stand in the text.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from importer.chunking.masking.spans import SecretSpan

_UNSEEN = "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_WRAP = re.compile(  # begins with one set of characters, which `re` searches for fast
    rf"[\x1b\\%&{_UNSEEN}](?:(?<=[{_UNSEEN}])"
    r"|(?<=\x1b)(?:\[[0-9;:?]{0,40}[ -/]{0,4}[@-~]|\][^\x07\x1b\n]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_])"
    r"|(?<=%)(?:25){0,3}(?P<percent>2[0-9A-Fa-f]|3[A-Fa-f]|40|5[BDFbdf]|7[BDbd]|0[ADad])"
    r"|(?<=\\)\\{0,30}+(?:(?:x1[bB]|u001[bB]|e|033)\[[0-9;]{0,20}[mK]|u(?:200[b-fB-F]|[fF][eE][fF][fF])"
    r"|u00(?P<unicode>[2-7][0-9A-Fa-f])|x(?P<hex>2[0-9a-f]|3[a-f])|(?P<escaped>[\"'`_*=&:~#$!|-])|(?P<white>[nrt]))"
    r"|(?<=&)(?P<entity>quot|apos|amp|lt|gt|nbsp|#3[49]|#61|#x[23][0-9a-dA-D]);)"
)
_COMMON = frozenset(("escaped", "white"))  # the tables read these too, as code is full of them


@dataclass(frozen=True, slots=True)
class View:
    """A part of a text unwrapped, and where its pieces stood: they start at `starts`, and `moves` are to be added."""

    text: str
    starts: list[int]
    moves: list[int]

    def back(self, span: SecretSpan) -> SecretSpan:
        """Return the span in the text that was unwrapped; what surrounds it there stays outside."""
        return SecretSpan(self._place(span.start), self._place(span.end - 1) + 1, span.kind)

    def _place(self, place: int) -> int:
        """Return where a character of the view begins in the text."""
        return place + self.moves[bisect_right(self.starts, place) - 1]


def views(text: str) -> Iterator[View]:
    """Yield the parts of a text that are wrapped, whole lines and those around them, as they read unwrapped."""
    if text.isascii() and not any(sign in text for sign in "\\%&\x1b"):
        return
    wraps = list(_WRAP.finditer(text))
    parts = _parts(text, [wrap for wrap in wraps if wrap.lastgroup not in _COMMON or _nested(wrap)])
    first = 0
    for start, end in parts:
        while wraps[first].start() < start:
            first += 1
        last = first
        while last < len(wraps) and wraps[last].end() <= end:
            last += 1
        yield _view(text, start, end, wraps[first:last])
        first = last - 1


def _parts(text: str, wraps: list[re.Match[str]]) -> list[tuple[int, int]]:
    """Return the lines that hold one of these, with those around them: start and end of each run of lines."""
    parts: list[tuple[int, int]] = []
    line_end = -1
    for wrap in wraps:
        if wrap.end() <= line_end:
            continue
        line_end = text.find("\n", wrap.end())
        line_end = len(text) if line_end < 0 else line_end
        start, end = _line_start(text, wrap.start()), _line_end(text, line_end)
        if parts and start <= parts[-1][1]:
            start = parts.pop()[0]
        parts.append((start, end))
    return parts


def _nested(wrap: re.Match[str]) -> bool:
    """Return True for an escape within an escaped text, and for one of markdown."""
    return (wrap["escaped"] is not None and wrap["escaped"] in "_*=-") or wrap.end() - wrap.start() > 2


def _line_start(text: str, place: int) -> int:
    """Return where the line before the one of a place begins."""
    before = text.rfind("\n", 0, place)
    return text.rfind("\n", 0, before) + 1 if before > 0 else 0


def _line_end(text: str, line_end: int) -> int:
    """Return where the line behind a line ends."""
    end = text.find("\n", line_end + 1)
    return len(text) if end < 0 else end


def _view(text: str, start: int, end: int, wraps: list[re.Match[str]]) -> View:
    """Return a part of a text unwrapped."""
    parts: list[str] = []
    starts, moves = [0], [start]
    done, length = start, 0
    for match in wraps:
        plain = _plain(match)
        parts += (text[done : match.start()], plain)
        length += match.start() - done
        starts += (length, length + len(plain))
        moves += (match.start() - length, match.end() - length - len(plain))
        length += len(plain)
        done = match.end()
    return View("".join([*parts, text[done:end]]), starts, moves)


def _plain(match: re.Match[str]) -> str:
    """Return what a wrapping stands for, at most one character."""
    kind, value = match.lastgroup, match[match.lastgroup] if match.lastgroup else ""
    match kind:
        case "percent" | "unicode" | "hex":
            return chr(int(value, 16))
        case "escaped":
            return value
        case "white":
            return {"n": "\n", "r": "\r", "t": "\t"}[value]
        case "entity":
            return html.unescape(f"&{value};")
    return ""
