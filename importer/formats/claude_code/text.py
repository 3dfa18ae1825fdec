"""Find what a person typed in texts of Claude Code, without what programs wrote into them.

About nine of ten `user` lines are tool results, and of the rest many carry reminders, editor context, command output or
notices. The marks are those seen in real transcripts of versions 1.0 to 2.1.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from importer.formats._shared.words import MEDIA, MEMBERS, kind_of, listed, pieces
from importer.formats.claude_code import lines
from importer.formats.claude_code.notices import SlashCommand, apart

SUMMARY_START = "This session is being continued from a previous conversation"
INTERRUPTED = "[Request interrupted by user"
NO_CONTENT = "(no content)"  # what an empty answer is written as

# Arguments of these are a choice, or a place, or become a title; those of any other command are the person's words.
_SETTING_UP = """
    add-dir cd clear color config effort exit export fast ide login logout mcp model output-style permissions plugin
    quit rename resume tag theme upgrade vim
"""
SETTING_UP = frozenset(_SETTING_UP.split())

_typed_command = re.compile(r"/([a-z][\w:-]*)(?:\s+(.*))?\Z", re.DOTALL | re.IGNORECASE)
_pasted = re.compile(r"\[Pasted text #(\d+)[^\]\n]{0,40}\]")


def typed_text(text: str) -> str:
    """Return what a person typed of this text, "" for nothing."""
    if text.lstrip().startswith(INTERRUPTED):
        text = text.partition("]")[2]  # the mark has variants within its brackets
    said = apart(text)
    if not said.commands:
        return said.words
    return "\n\n".join(filter(None, [*map(_command_text, said.commands), said.words]))


def queued_text(text: str) -> str:
    """Return what a person typed of a text from the queue, where commands stand as typed and tasks as JSON.

    Unlike a user line, the queue has a command as it was typed (`/fix the build`), not in tags.
    """
    text = typed_text(text)
    if text.startswith('{"task_id"') and text.endswith("}"):
        return ""
    command = _typed_command.match(text)
    return request(command[1], command[2] or "") if command else text


def answer_text(text: str) -> str:
    """Return what the assistant said, without blanks around it and NULs in it; "" for a placeholder."""
    text = text.replace("\0", "").strip()
    return "" if text == NO_CONTENT else text


def request(command: str, arguments: str) -> str:
    """Return the request in a slash command: its arguments, unless it is a command that sets up the tool."""
    return "" if command.lower() in SETTING_UP else arguments.strip()


def is_summary(text: str) -> bool:
    """Return True if a user text is the summary that compaction wrote; old versions do not flag it."""
    return text.lstrip().startswith(SUMMARY_START)


def with_pasted(text: str, raw: msgspec.Raw) -> str:
    """Return a text with what was pasted into it: in place of its mark where it has one, else behind the text."""
    pasted = _pasted_texts(lines.loose(raw)) if raw is not lines.EMPTY else {}
    if not pasted:
        return text
    text = _pasted.sub(lambda mark: pasted.pop(mark[1], mark[0]), text)
    return "\n\n".join(filter(None, [text, *pasted.values()]))


def pasted_lost(raw: msgspec.Raw) -> int:
    """Count what was pasted and is neither text nor a picture."""
    if raw is lines.EMPTY:
        return 0
    pasted = _pastes(lines.loose(raw)).values()
    said = [item.get("text") if isinstance(item, dict) and kind_of(item) in MEDIA else item for item in pasted]
    return pieces(said).unknown


def _pasted_texts(value: Any) -> dict[str, str]:
    """Return the pasted texts by their numbers."""
    found = {str(number): "\n\n".join(pieces(item).texts) for number, item in _pastes(value).items()}
    return {number: text for number, text in found.items() if text}


def _pastes(value: Any) -> dict[str, Any]:
    """Return what was pasted by its numbers: a mapping from them, a list in their order, or one text."""
    if isinstance(value, dict) and value.keys().isdisjoint(MEMBERS):
        return value
    return {str(number): item for number, item in enumerate(listed(value), 1)}


def _command_text(command: SlashCommand) -> str:
    """Return what the person typed of a command; a shell line is typed behind an exclamation mark, a note behind #."""
    if command.name == "#":
        return f"# {command.arguments}"
    if command.name in ("", "!") and command.arguments:
        return f"!{command.arguments}"
    return request(command.name, command.arguments)
