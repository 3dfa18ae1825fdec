"""Tell the blocks that programs put around a person's words: closed elements such as `<environment_context>…`.

Only a block that is well formed counts, and only at an end of the text, where programs put theirs: a tag that is named
in a sentence removes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MOST_OPENINGS = 8  # places looked at for where a block at the end begins

_opening = re.compile(r"<([A-Za-z][\w:.-]*)(\s[^<>]*)?>")
# A person may paste one of these from beginning to end, and no program frames its text with one.
_MARKUP = """
    a article b body button code details div em footer form g h1 h2 h3 h4 h5 h6 head header html i iframe img input
    label li link main meta nav ol option p path picture pre project script section select span strong style summary
    svg table tbody td template textarea th thead title tr ul video xml
"""
MARKUP = frozenset(_MARKUP.split())
# What assistants on the command line call the blocks they add to a prompt: <hook_context>, <system-reminder>…
_framing = re.compile(
    r"(?:system|hook|session|skill|task|agent|ide|editor|environment|loaded|extension|project|global|background|shell)"
    r"[_-](?:context|reminder|notification|event|instructions)\Z|current_datetime\Z|(?:tagged|attached)_files\Z"
)

Names = Callable[[str], bool]
"""Test of an element's name: True if the program at hand frames its own text so."""


def framing(name: str) -> bool:
    """Return True if an assistant on the command line frames its own text with elements of this name."""
    return _framing.match(name) is not None


def named(text: str) -> str:
    """Return the name of the element that a text begins with, "" if it begins with none."""
    found = _opening.match(text)
    return found[1] if found else ""


def closed_at(text: str, at: int = 0) -> int:
    """Return where the element that opens at `at` is closed, -1 if it is not; elements of its own name may nest."""
    found = _opening.match(text, at)
    if found is None:
        return -1
    depth = 0
    for tag in re.compile(rf"<(/?){re.escape(found[1])}(?:\s[^<>]*)?>").finditer(text, at):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return tag.end()
    return -1


def is_element(text: str) -> bool:
    """Return True if a text is one closed element from beginning to end, and no markup as people paste it."""
    text = text.strip()
    return text.endswith(">") and named(text).lower() not in {"", *MARKUP} and closed_at(text) == len(text)


def without(text: str, names: Names) -> str:
    """Return a text without the blocks of these names that it begins or ends with."""
    return _without_last(without_first(text, names), names)


def without_first(text: str, names: Names) -> str:
    """Return a text without the closed blocks of these names that it begins with."""
    text = text.strip()
    while names(named(text)) and (end := closed_at(text)) > 0:
        text = text[end:].lstrip()
    return text


def _without_last(text: str, names: Names) -> str:
    """Return a text without the block it ends with, which begins a line."""
    name = text[text.rfind("</") + 2 : -1] if text.endswith(">") else ""
    if not names(name):
        return text
    openings = re.compile(rf"^<{re.escape(name)}(?=[\s>])", re.MULTILINE).finditer(text)
    for opening, _ in zip(openings, range(MOST_OPENINGS), strict=False):
        if closed_at(text, opening.start()) == len(text):
            return text[: opening.start()].rstrip()
    return text
