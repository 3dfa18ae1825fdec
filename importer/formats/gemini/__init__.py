"""Gemini CLI: JSON lines under `~/.gemini/tmp/<project>/chats/`, a line of metadata and then messages with ids.

Older versions wrote the same as one JSON document, rewritten at each change: its units are its messages.

A message is appended again under its id when its tool calls arrive, `$set.messages` repeats the whole list, and
`$rewindTo` takes messages back. For a memory each message counts once, as it was first said; of one that has grown
since, what is new is a turn more. Rewinds are ignored.

A turn's key is a hash of role, message id, time and text: a resumed chat repeats them in another file, and the newer
form of an older chat, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from importer.formats import Document, Fed, Options
from importer.formats._retention import FOREVER, Retention, age_days
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.told import member
from importer.formats._shared.turns import clip, stem
from importer.formats.gemini import turns
from importer.formats.gemini.lines import NAME_BYTES, ChatLine, Context, StateChange, listed

__all__ = ["DOCUMENT", "NAME", "Context", "begin", "feed", "recognises", "recognises_document", "roots", "wanted"]

NAME = "gemini"
DOCUMENT = Document("messages", head=True)

_hash = re.compile(r"[0-9a-f]{64}\Z")
_document = re.compile(rb"session-[^/]+\.json\Z")

_lines = Lines(ChatLine)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of all projects' chats."""
    return (f"{environ.get('GEMINI_CLI_HOME') or home}/.gemini/tmp",)


def _settings(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the files that may set how long sessions are kept."""
    own = f"{environ.get('GEMINI_CLI_HOME') or home}/.gemini/settings.json"
    return environ.get("GEMINI_CLI_SYSTEM_SETTINGS_PATH") or "/etc/gemini-cli/settings.json", own


def _kept_days(text: str) -> float | None:
    """Return the days that a settings file sets. Raises ValueError where it is no JSON."""
    general = member(msgspec.json.decode(text), "general", "sessionRetention")
    if member(general, "enabled") is False:
        return FOREVER
    return age_days(member(general, "maxAge"))


RETENTION = Retention("Gemini CLI", 30, '"general": {"sessionRetention": {"maxAge": "365d"}}', _settings, _kept_days)


def wanted(relative: bytes) -> bool:
    """Return True for any `.jsonl`, and `session-*.json`.

    Chats lie in `<project>/chats/`, those of subagents one folder deeper.
    """
    return relative.endswith(b".jsonl") or bool(_document.match(relative.rpartition(b"/")[2]))


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if the metadata of the first line is there."""
    return any("sessionId" in record and "projectHash" in record for record in records)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for the metadata beside the list of messages."""
    return {"sessionId", "projectHash"} <= set(keys)


def begin(path: bytes) -> Context:
    """Return the context before the first line, which names the session."""
    return Context(session=clip(stem(path), NAME_BYTES))


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of one line, many if it repeats the list, and the context after it. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, line: ChatLine, options: Options) -> Fed:
    """Take one line: the chat's head, a change, or a message."""
    if line.session_id:  # messages do not name it
        fed = turns.named(_headed(context, line), line.title, line.summary)
        return replace(fed, unknown=fed.unknown + turns.says(line))
    if context.subagent and not options.subagents:
        return Fed(context)
    if not isinstance(line.change, StateChange) and line.change is not None:
        return Fed(context, (), 1)
    if line.change:
        name = turns.named(context, line.change.title, line.change.summary)
        messages, unknown = listed(line.change.messages)
        fed = turns.replayed(name.context, messages, options)
        return Fed(fed.context, fed.turns, fed.unknown + unknown, facts=name.facts)
    return turns.message(context, line, options)


def _headed(context: Context, line: ChatLine) -> Context:
    """Return the context after the line of metadata."""
    # The project is a readable name only in newer versions; a hash tells a reader nothing.
    project = line.project_hash or ""
    return replace(
        context,
        session=clip(line.session_id or "", NAME_BYTES),
        project="" if _hash.match(project) else clip(project, NAME_BYTES),
        subagent=line.kind == "subagent",
    )
