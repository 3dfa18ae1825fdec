"""Tell what programs wrote into a text of the user's role from what the person typed.

The tool puts its pieces in front of a prompt or behind it, each in tags that are closed. Only there, and only closed,
are they taken out: a person may write about any tag.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Context beside a prompt; the tool also puts it behind one.
SPANS = (
    "system-reminder",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "uploaded_files",
    "user-prompt-submit-hook",
)
# Further tags of machinery, always in front.
NOTICES = (
    "local-command-caveat",
    "local-command-stdout",
    "local-command-stderr",
    "bash-stdout",
    "bash-stderr",
    "task-notification",
    "teammate-message",
    "agent-message",
    "session-start-hook",
    "tick",
    "goal",
)
# Newer versions bring notices under new names; these endings tell them.
NOTICE_ENDINGS = ("-notification", "-event", "-stdout", "-stderr", "-caveat")
# What the person typed, in tags that the tool puts round it.
COMMAND_TAGS = frozenset(("command-name", "command-message", "command-args", "command-contents"))
# Behind an exclamation mark or a number sign: a command of the shell, and what is to be remembered.
TYPED_TAGS = {"bash-input": "!", "user-memory-input": "#"}

# A text that begins so was not typed, all of it. Only what no person begins with.
PHRASES = (
    "Caveat: The messages below",
    "Stop hook feedback:\n",
    "Operation stopped by hook:",
)
MOST_NESTED = 8  # closings looked at for the one that belongs to an opening: the time stays linear in the text
_skill = re.compile(r"Base directory for this skill: *\S+ *(?:\n|\Z)")
_opening = re.compile(r"\s*<([a-z][a-z0-9_-]*)(?:\s[^<>]*)?>")
# Lines that the tool adds behind a notification.
_trailer = re.compile(r"\s*(?:Read the output file to retrieve|Full transcript available at)\b[^\n]*")
_blank = re.compile(r"\s*")


class SlashCommand(NamedTuple):
    """A slash command as a text has it: its name without the slash (or ! or #), and what the person typed behind it."""

    name: str
    arguments: str


class TypedText(NamedTuple):
    """A text without the pieces of machinery: what commands it holds, and the words that remain."""

    commands: tuple[SlashCommand, ...]
    words: str


class _Block(NamedTuple):
    """A closed tag at a place in a text: its name, what stands in it, and where it ends."""

    tag: str
    inside: str
    end: int


def apart(text: str) -> TypedText:
    """Take the machinery's blocks from the beginning and the end of a text; commands and shell lines are kept.

    A shell line (`!make test`) is a command without a name. Each search goes on where the last one ended, so the time
    is linear in the text.
    """
    text = text.replace("\0", "")
    if "</" not in text:  # one search tells it of most texts
        return TypedText((), "" if is_phrase(text.strip()) else text.strip())
    at, commands = 0, list[SlashCommand]()
    parts: dict[str, str] = {}
    while block := _leading(text, at):
        at = block.end
        if block.tag in COMMAND_TAGS:
            parts.setdefault(block.tag, block.inside.strip())
        elif block.tag in TYPED_TAGS and (typed := block.inside.strip()):
            commands.append(SlashCommand(TYPED_TAGS[block.tag], typed))
    if parts:
        commands.insert(0, SlashCommand(parts.get("command-name", "").lstrip("/"), parts.get("command-args", "")))
    words = text[at : _end_of_words(text, at)].strip()
    return TypedText(tuple(commands), "" if is_phrase(words) else words)


def is_phrase(text: str) -> bool:
    """Return True if a text begins as only texts of machinery do."""
    return text.startswith(PHRASES) or bool(_skill.match(text))


def without_spans(text: str) -> str:
    """Return a tool's result without injected spans, wherever they stand, and without NULs."""
    text = text.replace("\0", "")
    if "</" not in text:
        return text
    for tag in SPANS:
        if f"<{tag}>" in text:
            text = _without(text, f"<{tag}>", f"</{tag}>")
    return text


def _leading(text: str, at: int) -> _Block | None:
    """Return the block of machinery that a text goes on with, None if it goes on with something else."""
    found = _opening.match(text, at)
    if not found or not _is_injected(found[1]):
        return None
    closing = f"</{found[1]}>"
    close = _close(text, found[1], found.end())
    if close < 0:
        return None
    block = _Block(found[1], text[found.end() : close], close + len(closing))
    if _is_quoted(block, text):
        return None
    trailer = _trailer.match(text, block.end) if block.tag.endswith("-notification") else None
    return block._replace(end=trailer.end()) if trailer else block


def _close(text: str, tag: str, start: int) -> int:
    """Return where the tag that opens before `start` is closed, -1 if it is not; a piece may quote others like it.

    Where the tags within do not pair, it is the first closing: one may be named there.
    """
    first = close = text.find(f"</{tag}>", start)
    opened = text.count(f"<{tag}>", start, close) if close >= 0 else 0
    for _ in range(MOST_NESTED):
        if opened == 0:
            return close
        after = text.find(f"</{tag}>", close + 1)
        if after < 0:
            return first
        opened += text.count(f"<{tag}>", close, after) - 1
        close = after
    return first


def _is_injected(tag: str) -> bool:
    """Return True if the tool puts this tag round something."""
    return tag in SPANS or tag in NOTICES or tag in COMMAND_TAGS or tag in TYPED_TAGS or tag.endswith(NOTICE_ENDINGS)


def _is_quoted(block: _Block, text: str) -> bool:
    """Return True if a sentence goes on behind a block of one line: a person names the tag, the tool writes lines."""
    if block.tag.startswith("ide_") or block.tag in COMMAND_TAGS or "\n" in block.inside:
        return False
    blank = _blank.match(text, block.end)
    after = blank.end() if blank else block.end
    return after < len(text) and after > block.end and "\n" not in text[block.end : after]


def _end_of_words(text: str, start: int) -> int:
    """Return where the words end that begin at `start`: before the blocks that the tool puts behind a prompt."""
    end = len(text.rstrip())
    while end > start:
        for tag in SPANS:
            closing = f"</{tag}>"
            if text.endswith(closing, start, end):
                opening = text.rfind(f"<{tag}>", start, end - len(closing))
                break
        else:
            return end
        if opening < 0 or not _is_own_line(text, opening, len(tag) + 2):
            return end
        end = len(text[:opening].rstrip()) if opening > start else start
    return end


def _is_own_line(text: str, opening: int, length: int) -> bool:
    """Return True if an opening tag begins a line or ends one, or follows a word or a full stop without a blank.

    So the tool writes it, and a sentence that names it does not.
    """
    before = text[max(0, opening - 1) : opening]
    after = text[opening + length : opening + length + 1]
    return before in ("", "\n", ".", "?", "!") or before.isalnum() or after == "\n"


def _without(text: str, opening: str, closing: str) -> str:
    """Return the text without its closed spans; an opening without a closing stays.

    Each search goes on where the last one ended, so the time is linear in the text.
    """
    parts, at = [], 0
    while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start)) >= 0:
        parts.append(text[at:start])
        at = end + len(closing)
    return "".join([*parts, text[at:]])
