"""GitHub Copilot CLI: events as JSON lines, `~/.copilot/session-state/<session>.jsonl` or `<session>/events.jsonl`.

A prompt is `user.message` (its `transformedContent` has injected context around it), an answer `assistant.message`,
whose content is often empty beside tool requests. A turn's key is a hash of role, time (or id) and text.

Of the other events only results of tools can be wanted; hooks, permissions and the system prompt are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from importer.formats import Fed, Options
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.turns import clip
from importer.formats.copilot_cli import turns, workspace
from importer.formats.copilot_cli.events import NAME_BYTES, Context, Details, Event, moved

__all__ = ["NAME", "Context", "begin", "feed", "recognises", "recognises_head", "roots", "wanted"]

NAME = "copilot-cli"

# First words of the types there are; a type of another family counts as unknown.
FAMILIES = ("session", "user", "assistant", "tool", "hook", "permission", "system", "subagent", "skill", "abort")
NAMING = ("session.title_changed", "session.renamed", "session.name_changed", "session.start", "session.resume")

_lines = Lines(Event)


def roots(_: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of all sessions."""
    return (f"{home}/.copilot/session-state",)


def wanted(relative: bytes) -> bool:
    """Return True for any `.jsonl`, and for the sheet that names a session."""
    return relative.endswith(b".jsonl") or relative.rpartition(b"/")[2] == workspace.FILE_NAME


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if the event that starts a session is there."""
    return any(
        record.get("type") == "session.start" and isinstance(data := record.get("data"), dict) and "sessionId" in data
        for record in records
    )


def recognises_head(head: bytes) -> bool:
    """Return True for the sheet that names a session."""
    return workspace.recognises(head)


def begin(path: bytes) -> Context:
    """Return the context before the first line; the file or its folder is called like the session."""
    folder, _, name = path.rpartition(b"/")
    sheet = name == workspace.FILE_NAME
    stem = folder.rpartition(b"/")[2] if sheet or name == b"events.jsonl" else name.removesuffix(b".jsonl")
    return Context(session=clip(stem.decode("utf-8", "replace"), NAME_BYTES), sheet=sheet)


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of one line, at most one but for glued records, and the context after it. Never raises."""
    if context.sheet:
        return workspace.feed(context, raw)
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, event: Event, options: Options) -> Fed:
    """Take one event, by its type."""
    details = event.data or Details()
    context = moved(context, details) if event.type.startswith("session.") else context
    if event.type == "user.message":
        return turns.prompted(context, event, details, options)
    if event.type == "assistant.message":
        fed = turns.answered(context, event, details, options)
        return fed if event.data else Fed(context, (), 1)
    if event.type == "tool.execution_complete":
        return turns.resulted(context, event, details, options)
    if event.type == "exit_plan_mode.requested":
        return turns.planned(context, event, details)
    if event.type in NAMING:
        return turns.named(context, details)
    return Fed(context, (), int(event.type.partition(".")[0] not in FAMILIES))
