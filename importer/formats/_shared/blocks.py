"""Tell the blocks that programs put around a person's words: closed elements such as `<environment_context>…`.

Only a block that is well formed counts, and only at an end of the text, where programs put theirs: a tag that is named
in a sentence removes nothing. Some programs put a person's words between tags of their own: see `unwrapped`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

MOST_OPENINGS = 8  # places looked at for where a block at the end begins
MOST_NESTED = 8  # closings looked at for the one that belongs to an opening

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

WRAPPERS = ("user_query", "USER_REQUEST", "user_input", "task", "feedback", "answer", "user_message", "user_command")
_DROPPED = """
    environment_details user_info system-reminder system_reminder ADDITIONAL_METADATA USER_SETTINGS_CHANGE mode_notice
    uploaded_files rules always_applied_workspace_rules project_layout attached_files open_and_recently_viewed_files
    git_status agent_transcripts agent_skills mcp_file_system user_rules additional_data timestamp
    qwen:user-prompt-submit-context system-notification system_notification info-msg
"""
DROPPED = frozenset(_DROPPED.split())
_blank = re.compile(r"\s*")
_words_behind = re.compile(r"[ \t]+[^\s<]")

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
    at = _blanks(text, 0)
    while (block := _element(text, at)) and names(block.name):
        at = _blanks(text, block.end)
    return text[at:].rstrip()


class _Element(NamedTuple):
    """A closed element at a place in a text: its name, where its words begin and end, and where it ends."""

    name: str
    begin: int
    close: int
    end: int


def _element(text: str, at: int) -> _Element | None:
    """Return the element that a text goes on with, None where that is none, or a sentence that names its tag.

    Programs write lines: words in the same line behind an element of one line are a sentence's.
    """
    opening = _opening.match(text, at)
    if opening is None:
        return None
    close = _close(text, opening[1], opening.end())
    end = close + len(opening[1]) + 3
    if close < 0 or ("\n" not in text[at:end] and _words_behind.match(text, end)):
        return None
    return _Element(opening[1], opening.end(), close, end)


def _close(text: str, name: str, start: int) -> int:
    """Return where the element that opens before `start` is closed, -1 if it is not; others of its name may nest.

    Where the tags within do not pair, it is the first closing: one may be named there. Few closings are looked at, so
    that the time is linear in the text.
    """
    closing, opening = f"</{name}>", re.compile(rf"<{re.escape(name)}(?:\s[^<>]*)?>")
    first = close = text.find(closing, start)
    depth, at = 1, start
    for _ in range(MOST_NESTED if first >= 0 else 0):
        depth += len(opening.findall(text, at, close)) - 1
        if depth == 0:
            return close
        at, close = close, text.find(closing, close + 1)
        if close < 0:
            break
    return first


def _blanks(text: str, at: int) -> int:
    """Return where the blanks end that stand at a place."""
    found = _blank.match(text, at)
    return found.end() if found else at


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


def unwrapped(text: str, wrappers: Iterable[str] = WRAPPERS) -> str:
    """Return a person's words of a text: what stands between wrappers that it begins with, and behind them.

    Blocks that programs put before, between or behind these are left out.
    """
    kept, at = list[str](), _blanks(text, 0)
    while block := _element(text, at):
        if block.name in wrappers:
            kept.append(text[block.begin : block.close].strip())
        elif not _is_added(block.name):
            break
        at = _blanks(text, block.end)
    return "\n\n".join([one for one in (*kept, _without_last(text[at:].rstrip(), _is_added)) if one])


def of_person(content: Any) -> Any:
    """Return what a person said, without wrappers where it is a text; of any other shape as it is."""
    return unwrapped(content) if isinstance(content, str) else content


def has_wrapper(text: str, wrapper: str) -> bool:
    """Return True if a text has a wrapper's tag at the beginning of a line."""
    return bool(re.search(rf"^[^\S\n]*<{wrapper}[\s>]", text, re.MULTILINE))


def _is_added(name: str) -> bool:
    """Return True for the name of a block that a program puts beside a person's words."""
    return name in DROPPED or framing(name)
