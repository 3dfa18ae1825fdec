"""The shape of a Claude Code line: only the fields that are read, so that all others are skipped at memory speed.

Types are as loose as the format is: a field may be missing or null. What is read only sometimes stays `Raw`, a view of
the line that costs nothing until it is decoded. `gc=False`: the structs of a line hold no cycles, so the garbage
collector need not follow them.
"""

from __future__ import annotations

from typing import Any

import msgspec

EMPTY = msgspec.Raw(b"null")  # decodes as None, like a field that is null


class Input(msgspec.Struct, gc=False):
    """The part of a tool call's input that is read: the files it names, and the command to know our own search by."""

    file_path: Any = None
    notebook_path: Any = None
    path: Any = None
    command: Any = None


class Block(msgspec.Struct, gc=False):
    """A content block of any type: text, thinking, tool_use, tool_result, image …"""

    type: str = ""
    text: str | None = None
    thinking: msgspec.Raw = EMPTY
    id: str | None = None
    name: str | None = None
    input: Input | None = None
    tool_use_id: str | None = None
    is_error: bool | None = None
    content: msgspec.Raw = EMPTY


class Message(msgspec.Struct, gc=False):
    """A message to or from the API; one answer comes as several lines with a block each."""

    content: str | list[Block] | None = None
    model: str | None = None


class PromptOrigin(msgspec.Struct, gc=False):
    """The source of a prompt or a queued command: `human`, or some machinery."""

    kind: str | None = None


class Attachment(msgspec.Struct, gc=False, rename="camel"):
    """An injected piece; only `queued_command` holds something a person said."""

    type: str = ""
    prompt: msgspec.Raw = EMPTY
    command_mode: str | None = None
    origin: PromptOrigin | None = None


class TranscriptLine(msgspec.Struct, gc=False, rename="camel"):
    """One line of a transcript, of any type. `sdk_session` is how captures of the SDK's stream spell it."""

    type: str = ""
    session_id: str | None = None
    sdk_session: str | None = msgspec.field(default=None, name="session_id")
    uuid: str | None = None
    timestamp: str | None = None
    cwd: str | None = None
    git_branch: str | None = None
    is_meta: bool | None = None
    is_sidechain: bool | None = None
    is_compact_summary: bool | None = None
    is_api_error_message: bool | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    team_name: str | None = None
    message: Message | None = None
    attachment: Attachment | None = None
    origin: PromptOrigin | None = None
    operation: str | None = None
    content: msgspec.Raw = EMPTY
    summary: str | None = None
    custom_title: str | None = None
    ai_title: str | None = None


_decode_content = msgspec.json.Decoder(str | list[Block] | None).decode


def texts(raw: msgspec.Raw) -> tuple[str, ...]:
    """Return the texts of content that was left undecoded: a string, or blocks of which those of type text count.

    What decodes as neither has none: results may hold blocks of any shape.
    """
    try:
        content = _decode_content(raw)
    except (ValueError, RecursionError):
        return ()
    if isinstance(content, str):
        return (content,)
    return tuple(block.text for block in content or () if block.type == "text" and block.text)
