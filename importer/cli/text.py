"""Text for people, pure: numbers, sizes, times and foreign text as a terminal shows them.

A number that is not known is shown as "unknown", never as a made-up zero.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from importer.protocol.foreign.quoting import printable

UNKNOWN = "unknown"
_SIZES = ((1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))
_SPANS = ((86_400, "d"), (3600, "h"), (60, "min"))


def number(value: float | None) -> str:
    """Return a number as 1,234; a fraction keeps one digit while it is below 100."""
    if value is None:
        return UNKNOWN
    return f"{value:,.1f}" if isinstance(value, float) and abs(value) < 100 and value != int(value) else f"{value:,.0f}"


def size(count_bytes: float | None) -> str:
    """Return bytes in the unit that leaves one to four digits."""
    if count_bytes is None:
        return UNKNOWN
    for unit, name in _SIZES:
        if count_bytes >= unit:
            return f"{count_bytes / unit:.1f} {name}" if count_bytes < 10 * unit else f"{count_bytes / unit:.0f} {name}"
    return f"{count_bytes:.0f} bytes"


def duration(seconds: float | None) -> str:
    """Return seconds, minutes, hours or days, with the next smaller unit where it is not 0."""
    if seconds is None:
        return UNKNOWN
    for place, (unit, name) in enumerate(_SPANS):
        if seconds >= unit:
            rest = int(seconds % unit // _SPANS[place + 1][0]) if place + 1 < len(_SPANS) else 0
            return f"{int(seconds // unit)} {name}" + (f" {rest} {_SPANS[place + 1][1]}" if rest else "")
    return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"


def columns(text: str) -> int:
    """Return the columns of a terminal that a text takes: ideographs and emoji two each, accents none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF") for one in text)


def cut(text: str, room: int) -> str:
    """Return a text that fits into so many columns: its beginning with a mark, where it does not."""
    if columns(text) <= room:
        return text
    while text and columns(text) > room - 1:
        text = text[: max(0, min(len(text) - 1, room - 1))]
    return f"{text}…"


def fitted(text: str, room: int) -> str:
    """Return a text that takes exactly so many columns."""
    shown = cut(text, room)
    return shown + " " * (room - columns(shown))


def brief(text: str) -> str:
    """Return a reason on one line: of several lines the first and the last, where a traceback says what happened.

    It is meant for terminals; logs and JSON have the whole reason.
    """
    lines = [printable(line.strip()) for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return "".join(lines)
    return f"{lines[0].removesuffix('Traceback (most recent call last):').rstrip(' :')}: {lines[-1]}"


def when(at: float) -> str:
    """Return a time of UTC seconds as local time, to the second; `clock.zone_name` tells the zone once for all."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


STORE_COUNTS = ("messages", "chunks", "skipped", "unknown")
"""What the text tells of an assistant's store beside its files; `skipped` are lines in which nothing is said."""


def counted(store: Mapping[str, int] | None) -> list[str]:
    """Return what was read of an assistant's store, in the order of STORE_COUNTS; dashes for None."""
    return [number(store[name]) if store else "-" for name in STORE_COUNTS]


def stores(found: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Give a table of what was read of each assistant's store, with a line of titles; nothing for no store."""
    rows = [[name, number(one["files"]), *counted(one)] for name, one in found.items()]
    if rows:
        yield from table([["", "files", *STORE_COUNTS], *rows], left=(0,))


def table(rows: Sequence[Sequence[str]], left: Sequence[int]) -> Iterator[str]:
    """Give the lines of a table of equally long rows; the columns `left` begin below each other, others end so."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            f"{cell:{'<' if at in left else '>'}{width}}"
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
