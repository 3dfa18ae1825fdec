"""Pure: put a block into a mapping at the top of a YAML text, and take it out; the rest stays.

Only the plain form is edited: `key:` alone on its line, what it holds indented below. Any other is left to its owner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from importer.assistants.wiring.jsonc import UnreadableSettings
from importer.assistants.wiring.toml_edit import written

PLAIN_ONLY = "only a plain block can be added to"


def insertion(text: str, key: str, name: str, entry: Mapping[str, Any], *, there: bool) -> tuple[int, str]:
    """Return where to insert an entry, and what; `there` says whether the text has the key. Raises Unreadable."""
    end = "\r\n" if "\r\n" in text else "\n"
    head = _head(text, key)
    if head is None:
        if there:
            raise UnreadableSettings(f"its {key} is written in another way: {PLAIN_ONLY}")
        before = "" if not text or text.endswith("\n") else end
        return len(text), f"{before}{key}:{end}{_block('  ', name, entry, end)}"
    at = head.end()
    before = "" if text[:at].endswith("\n") else end
    return at, before + _block(_indent(text[at:]) or "  ", name, entry, end)


def _block(indent: str, name: str, entry: Mapping[str, Any], end: str) -> str:
    """Return an entry as lines."""
    lines = [f"{indent}{name}:", *(f"{indent * 2}{key}: {written(value)}" for key, value in entry.items())]
    return end.join(lines) + end


def _head(text: str, key: str) -> re.Match[str] | None:
    """Return the line of a key at the top that holds a block, None where there is not exactly one."""
    found = list(re.finditer(rf"^{re.escape(key)}:[ \t]*(?:#[^\n]*)?(?:\r?\n|\r?\Z)", text, re.MULTILINE))
    return found[0] if len(found) == 1 else None


def _lines(text: str) -> list[str]:
    """Return the lines of a text with their ends, as YAML parts them here."""
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def _indent(text: str) -> str:
    """Return the blanks before the first line that says something."""
    said = next((line for line in _lines(text) if _says(line)), "")
    return said[: len(said) - len(said.lstrip(" "))]


def without_block(text: str, key: str, name: str, made: Sequence[str] = ()) -> str:
    """Return the text without the block of a name; its key goes, too, where it is among `made` and nothing is left."""
    head = _head(text, key)
    if head is None:
        raise UnreadableSettings(f"its {key} is written in another way: {PLAIN_ONLY}")
    above, lines = text[: head.end()], _lines(text[head.end() :])
    indent = _indent("".join(lines))
    opening = re.compile(rf"{indent}[\"']?{re.escape(name)}[\"']?:")
    first = next((at for at, line in enumerate(lines) if opening.match(line)), -1)
    if first < 0 or not indent:
        raise UnreadableSettings(f"its {name} was not found")
    last = _block_end(lines, first, len(indent))
    comments = [line for line in lines[first:last] if line.lstrip().startswith("#")]
    rest = lines[:first] + comments + lines[last:]
    if key in made and not _indent("".join(rest)):
        above = text[: head.start()]
    return above + "".join(rest)


def _block_end(lines: Sequence[str], first: int, width: int) -> int:
    """Return the index behind the last line of a block that begins on a line; what says nothing behind it stays out."""
    last = first + 1
    for at in range(first + 1, len(lines)):
        if not _says(lines[at]):
            continue
        if len(lines[at]) - len(lines[at].lstrip(" ")) <= width:
            break
        last = at + 1
    return last


def _says(line: str) -> bool:
    """Return True for a line that is neither empty nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")
