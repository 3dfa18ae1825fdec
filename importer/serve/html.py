"""Build HTML from texts of strangers: every value is escaped, and loses what could command or hide.

`Safe` marks text that is HTML already; every other value is escaped on its way into a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from importer.protocol.foreign.quoting import printable

_FENCE = re.compile(r"^(`{3,})[^\n`]*\n(.*?)(?:^\1`*[ \t]*$|\Z)", re.M | re.S)


class Safe(str):
    """HTML that may go into a page as it is."""

    __slots__ = ()


def tag(name: str, /, *inside: Any, **attributes: Any) -> Safe:
    """Return an element; an attribute that is None or False is left out, `class_` and `for_` stand for their names."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Safe(f"<{name}{told}>{join(inside)}" + ("" if name in ("input", "meta", "link", "br") else f"</{name}>"))


def join(parts: Iterable[Any]) -> Safe:
    """Return parts one after the other, each escaped unless it is HTML."""
    return Safe("".join(part if isinstance(part, Safe) else _escaped(part) for part in parts if part is not None))


def _escaped(value: Any) -> str:
    """Return a value as text of a page."""
    return escape(printable(str(value), keep="\n\t"))


def marked(text: str, marks: Sequence[Sequence[int]]) -> Safe:
    """Return a text with `[start, end)` of the marks highlighted."""
    parts, at = list[Any](), 0
    for start, end in marks:
        parts += [text[at:start], tag("mark", text[start:end])]
        at = end
    return join([*parts, text[at:]])


def spoken(text: str) -> Safe:
    """Return what was said with its code blocks kept as such."""
    parts, at = list[Any](), 0
    for block in _FENCE.finditer(text):
        parts += _prose(text[at : block.start()])
        parts.append(tag("pre", tag("code", block[2])))
        at = block.end()
    return join([*parts, *_prose(text[at:])])


def _prose(text: str) -> list[Safe]:
    """Return the paragraphs of a text."""
    return [tag("p", part) for part in re.split(r"\n\s*\n", text.strip("\n")) if part.strip()]
