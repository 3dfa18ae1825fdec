"""The shape of a Codex line: an envelope with a typed payload, or, before autumn 2025, the bare payload itself.

Only fields that are read are named; the decoder skips the others. What is read now and then stays `Raw`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from importer.formats._shared.words import pieces

EMPTY = msgspec.Raw(b"null")  # decodes as None, like a field that is null

# Headers of apply_patch. Inside JSON a name ends where an escape or the quote begins.
_patched = re.compile(r"\*\*\* (?:Add|Update|Delete) File: ([^\n\\\"]+)")
REFUSAL_BYTES = 16_384
NOTICE_BYTES = 512  # at the beginning of a result: a notice in front of a person's reason is a sentence
# Two wordings of the environment block, by version.
_cwd = re.compile(r"<cwd>([^<\n]+)</cwd>|Current working directory: ([^\n]+)")


class Git(msgspec.Struct, gc=False):
    """The repository, as Codex notes it."""

    branch: str | None = None


class Item(msgspec.Struct, gc=False):
    """Any payload: a session's head, a message, a tool call or its output, an event."""

    type: str = ""
    id: str | None = None
    role: str | None = None
    content: Any = None
    message: Any = None
    cwd: str | None = None
    model: str | None = None
    git: Git | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: Any = None
    input: Any = None
    output: msgspec.Raw = EMPTY
    summary: msgspec.Raw = EMPTY
    source: Any = None
    agent_nickname: str | None = None
    timestamp: Any = None
    kind: Any = None
    item: Any = None
    thread_id: str | None = None
    thread_name: str | None = None


class CodexLine(Item, gc=False):
    """An envelope with `payload`; in legacy files the line is the item."""

    payload: Item | None = None
    record_type: str | None = None


def raw_value(raw: msgspec.Raw) -> Any:
    """Return content that was left undecoded."""
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return None


def may_refuse(raw: msgspec.Raw) -> bool:
    """Return True if a result may be a refusal: a short text that soon says so."""
    if len(raw) > REFUSAL_BYTES:
        return False
    notice = bytes(memoryview(raw)[:NOTICE_BYTES]).lower()
    return b"rejected" in notice or b"denied" in notice or b"declined" in notice or b"refused" in notice


def given(item: Item) -> str:
    """Return what a tool call was given, as text: JSON arguments or raw input.

    Neither is parsed: patches and commands are found in them by their words.
    """
    text = item.arguments if isinstance(item.arguments, str) else item.input
    return text if isinstance(text, str) else ""


def patched_files(item: Item) -> list[str]:
    """Return the files that a patch names, whether it is the call's input or stands inside a shell command."""
    text = given(item)
    return [path.strip() for path in _patched.findall(text)] if "*** " in text else []


def folder_told(item: Item) -> str:
    """Return the working directory that an environment block tells, the only place where legacy files have it."""
    for text in pieces(item.content).texts:
        if "<environment_context>" in text and (found := _cwd.search(text)):
            return (found[1] or found[2]).strip()
    return ""
