"""Pure: put a table into a TOML text, take out all that belongs to it, or give it other words; the rest stays.

A text is a row of statements, headers and keys, each with the full path that it speaks of. What belongs to a table is
every statement below its path: its header, its keys, those that a person added, and tables inside it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer.assistants.wiring.json_edit import edited
from importer.assistants.wiring.jsonc import BOM

_PIECE = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#[^\n]*|[\[{]|[\]}]|\n|=''', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A header or a key: its full path, the lines it stands on, and where its value stands (nowhere for a header)."""

    path: tuple[str, ...]
    start: int
    end: int
    value: tuple[int, int] | None = None


def insertion(text: str, member: Sequence[str], name: str, entry: Mapping[str, Any]) -> tuple[int, str]:
    """Return where to insert an entry, and what: a table of its own at the end."""
    end = "\r\n" if "\r\n" in text else "\n"
    before = "" if not text or text.endswith("\n") else end
    lines = [f"[{'.'.join([*member, name])}]", *(f"{key} = {written(value)}" for key, value in entry.items())]
    return len(text), f"{before}{end if text.strip() else ''}{end.join(lines)}{end}"


def written(value: Any) -> str:
    """Return a text, a number or a list of texts as TOML and YAML both read it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a text that was parsed before."""
    at, table = int(text.startswith(BOM)), tuple[str, ...]()
    while at < len(text):
        stop, equals, ends = _statement(text, at)
        said = text[at:ends].strip()
        if said.startswith("["):
            table = _path(said)
            yield Statement(table, at, stop)
        elif equals >= 0:
            yield Statement((*table, *_path(f"{text[at:equals]} = 0")), at, stop, _trimmed(text, equals + 1, ends))
        at = stop


def _statement(text: str, at: int) -> tuple[int, int, int]:
    """Return where the line after a statement begins, where its first = stands (-1), and where what it says ends."""
    depth, equals, ends = 0, -1, -1
    for piece in _PIECE.finditer(text, at):
        said = piece[0]
        if said in "[{":
            depth += 1
        elif said in "]}":
            depth -= 1
        elif said == "=" and depth == 0 and equals < 0:
            equals = piece.start()
        elif said.startswith("#") and depth == 0:
            ends = piece.start()
        elif said == "\n" and depth == 0:
            return piece.end(), equals, ends if ends >= 0 else piece.start()
    return len(text), equals, ends if ends >= 0 else len(text)


def _path(statement: str) -> tuple[str, ...]:
    """Return the path that a header, or a key with any value, speaks of."""
    value: Any = tomllib.loads(statement)
    path = list[str]()
    while isinstance(value, dict | list) and value:
        key = next(iter(value)) if isinstance(value, dict) else ""
        path += [key] if isinstance(value, dict) else []
        value = value[key] if isinstance(value, dict) else value[0]
    return tuple(path)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without the blanks at its ends."""
    said = text[start:end]
    return start + len(said) - len(said.lstrip()), start + len(said.rstrip())


def without_table(text: str, path: tuple[str, ...]) -> str:
    """Return the text without all that stands below a path; one empty line before it goes, too."""
    gone = [one for one in statements(text) if one.path[: len(path)] == path]
    edits = list[tuple[int, int, str]]()
    for one in gone:
        joined = edits and not text[edits[-1][1] : one.start].strip()
        first = edits.pop()[0] if joined else one.start
        edits.append((first, one.end, ""))
    headers = {one.start for one in gone if one.value is None}
    return edited(text, [(_empty_line_before(text, at) if at in headers else at, end, "") for at, end, _ in edits])


def _empty_line_before(text: str, at: int) -> int:
    """Return where the empty line before a place begins, the place itself where there is none."""
    lines = text[:at].splitlines(keepends=True)
    return at - len(lines[-1]) if lines and not lines[-1].strip() else at


def with_values(text: str, path: tuple[str, ...], values: Mapping[str, Any]) -> str | None:
    """Return the text with other values for some keys of a table; None where one is not there."""
    spans = {one.path: one.value for one in statements(text) if one.value}
    places = {key: spans.get((*path, key)) for key in values}
    edits = [(*place, written(values[key])) for key, place in places.items() if place is not None]
    return edited(text, edits) if len(edits) == len(values) else None
