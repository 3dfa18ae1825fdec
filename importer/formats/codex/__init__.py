"""OpenAI Codex: JSON lines under `~/.codex/sessions/YYYY/MM/DD/rollout-*.jsonl`, archived ones beside them.

Those may be packed (`.jsonl.zst`), and are unpacked again when a conversation goes on.

Codex writes every message twice or more: as an item of the model's history and as an event of the screen. What the
assistant says is taken from the items; what a person says from whichever comes first, and its twin is passed over,
since old files and `codex exec` have no events.

A turn's key is chained: a hash of the key before it, role and text. Forks copy the history under new times and mostly
without ids; the chain keeps the keys of the copied part, while "go on" said twice stays two turns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from importer.formats import Fed, Options
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.turns import clip, stem
from importer.formats.codex.lines import CodexLine
from importer.formats.codex.threads import ID_BYTES, Context, headed, moved
from importer.formats.codex.turns import STEPS, event, named

__all__ = ["NAME", "Context", "begin", "feed", "recognises", "roots", "wanted"]

NAME = "codex"

ENVELOPES = frozenset(("session_meta", "response_item", "event_msg", "turn_context", "compacted"))
# Known to hold nothing that a person or model said; all others count as unknown.
_PASSED_OVER = """
    inter_agent_communication inter_agent_communication_metadata world_state token_usage_record security_risk_score
    retained_context realtime_item tool_search_output image_generation_call compaction ghost_snapshot agent_message
    additional_tools
"""
KNOWN_TYPES = ENVELOPES.union(STEPS, _PASSED_OVER.split())
INDEX = "session_index.jsonl"  # the threads' names, one line for each time that one was given

_lines = Lines(CodexLine)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return `sessions` and `archived_sessions` in CODEX_HOME or `~/.codex`, and the index of names beside them.

    A file moves from the first to the second.
    """
    folder = environ.get("CODEX_HOME") or f"{home}/.codex"
    return (f"{folder}/sessions", f"{folder}/archived_sessions", f"{folder}/{INDEX}")


def wanted(relative: bytes) -> bool:
    """Return True for any `.jsonl`, packed or not, but the prompt history."""
    name = relative.rpartition(b"/")[2].removesuffix(b".zst")
    return name.endswith(b".jsonl") and name != b"history.jsonl"


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for an envelope of a known type with a payload, a legacy head, or a line of the index of names.

    The first line alone may have 20 KB: instructions stand in the head of a session.
    """
    return any(_is_ours(record) for record in records)


def _is_ours(record: Mapping[str, Any]) -> bool:
    """Return True if one record shows the format."""
    if "payload" in record:
        type_ = record.get("type")
        return isinstance(type_, str) and type_ in ENVELOPES
    if "thread_name" in record and "id" in record and "type" not in record:
        return True
    return "instructions" in record and "id" in record and "timestamp" in record and "type" not in record


def begin(path: bytes) -> Context:
    """Return the context before the first line; until a head names the thread, the file's stem does."""
    return Context(thread=clip(stem(path), ID_BYTES))


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of one line, at most one but for glued records, and the context after it. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, line: CodexLine, options: Options) -> Fed:
    """Take one record: remember the thread's head and surroundings, read events and items.

    Roles, injected text and twins are the steps' affair (see `codex.turns`).
    """
    if line.type == "session_meta":
        return Fed(headed(context, line.payload or line, line.timestamp))  # a legacy line is its own payload
    if line.type == "turn_context":
        return Fed(moved(context, line.payload or line))
    if line.type == "event_msg":
        return event(context, line, options)
    if not line.type:
        return _untyped(context, line)
    item = line.payload if line.type == "response_item" else line
    if item is None or item.type not in STEPS:
        return Fed(context, (), int(item is None or item.type not in KNOWN_TYPES))
    return STEPS[item.type](context, line, item, options)


def _untyped(context: Context, line: CodexLine) -> Fed:
    """Take a record without a type: a line of the index of names, a legacy file's head, or its states."""
    if line.thread_name is not None and line.id:
        return named(context, line.id, line.thread_name)
    if line.record_type is None and line.id and line.timestamp:
        return Fed(headed(context, line, line.timestamp))
    return Fed(context, (), int(line.record_type is None))
