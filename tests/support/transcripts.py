"""Lines of Claude Code for tests, and the fold over them."""

from __future__ import annotations

from typing import Any

import fold_lines
from fold_lines import PLAIN, Record, raw

from importer import formats
from importer.protocol.records import Turn

__all__ = ["raw"]

SESSION = "0f3c1a52-1111-4222-8333-944455556666"
OTHER = "1e2d3c4b-1111-4222-8333-944455556666"


def line(type_: str, n: int = 1, **fields: Any) -> dict[str, Any]:
    """Make a chain line, number `n` by uuid and second."""
    stamp = f"2026-02-11T20:{n // 60:02}:{n % 60:02}.000Z"
    known = {"parentUuid": None, "isSidechain": False, "cwd": "/home/ann/app", "gitBranch": "main", "version": "2.1.39"}
    return {**known, "sessionId": SESSION, "type": type_, "uuid": f"u{n}", "timestamp": stamp, **fields}


def prompt(content: Any, n: int = 1, **fields: Any) -> dict[str, Any]:
    """Make a person's line, or with blocks as content the results of calls."""
    return line("user", n, message={"role": "user", "content": content}, **fields)


def answer(*blocks: dict[str, Any], n: int = 2, **fields: Any) -> dict[str, Any]:
    """Make one line of a reply; lines of one reply share the message's id."""
    message = {"id": "msg_1", "role": "assistant", "model": "claude-sonnet-5", "content": list(blocks)}
    return line("assistant", n, **{"message": message, **fields})


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(name: str, id_: str = "toolu_1", **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": name, "input": given}


def result(content: Any, id_: str = "toolu_1", **fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, "content": content, **fields}


def queue(operation: str, content: Any = None, n: int = 5) -> dict[str, Any]:
    """Make the line of a prompt typed while the assistant was at work, as it is queued."""
    fields = {} if content is None else {"content": content}
    return {"type": "queue-operation", "operation": operation, "timestamp": f"{n}", "sessionId": SESSION, **fields}


def queued_command(words: str, n: int = 9, **fields: Any) -> dict[str, Any]:
    """Make the line of the same prompt when the assistant takes it up."""
    attachment = {"type": "queued_command", "prompt": words, "commandMode": "prompt", "origin": {"kind": "human"}}
    return line("attachment", n, attachment={**attachment, **fields})


def titled(type_: str, **fields: str) -> dict[str, Any]:
    """Make a line of a type that stands outside the chain."""
    return {"type": type_, "sessionId": SESSION, **fields}


def feed(*records: Record, options: formats.Options = PLAIN) -> list[formats.Fed]:
    """Return what each line gave, folded from the beginning of a file."""
    return fold_lines.feed("claude-code", *records, options=options)


def turns(*records: Record, options: formats.Options = PLAIN) -> list[Turn]:
    """Return all turns of the lines."""
    return fold_lines.turns("claude-code", *records, options=options)


def texts(*records: Record, options: formats.Options = PLAIN) -> list[str]:
    return [turn.text for turn in turns(*records, options=options)]
