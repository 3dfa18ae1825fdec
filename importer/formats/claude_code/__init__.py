"""Claude Code: JSON lines under `~/.claude/projects/<folder>/<session>.jsonl`, read by the keys that exist.

The vendor calls the line format internal, and it changes between versions: an unknown type or block is skipped and
counted. Order is that of the file, because times step backwards; the project is the first folder a session names,
because the folder's name cannot be turned back into a path.

A turn's key is a hash of role, time stamp and text: forks and replays after a compaction keep all three, often under
new uuids.

Claude Code on the web exports a session as one JSON document, whose units are such lines. Claude Desktop has a sheet
for each session that it runs, `local_<id>.json`, with its title and folder.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from importer.formats import Document, Fed, Options
from importer.formats._retention import Retention
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.turns import clip, stem
from importer.formats.claude_code.lines import TranscriptLine
from importer.formats.claude_code.sessions import (
    ID_BYTES,
    Context,
    claimed,
    described,
    elsewhere,
    news,
    session_of,
    summarised,
    titled,
    with_session,
)
from importer.formats.claude_code.turns import STEPS
from importer.protocol.records import ConversationFacts

__all__ = [
    "DOCUMENT",
    "NAME",
    "SHADOW",
    "Context",
    "begin",
    "feed",
    "recognises",
    "recognises_document",
    "roots",
    "wanted",
]

NAME = "claude-code"
SHADOW = "claude-history"  # the format that repeats prompts of it
MANAGED = "/etc/claude-code/managed-settings.json"  # an organisation's settings win over a user's
DOCUMENT = (Document("loglines"), Document(sheet=("cliSessionId",)))

COWORK = ("Library/Application Support/Claude", ".config/Claude")  # Claude Desktop, by operating system
TITLES = frozenset(("custom-title", "ai-title", "agent-name"))
# Known to hold nothing that a person or model said. Not counted as unknown, which is to tell of new kinds.
_PASSED_OVER = """
    system progress summary last-prompt file-history-snapshot file-history-delta mode permission-mode agent-setting tag
    pr-link bridge-session frame-link content-replacement continued-in init result
"""
KNOWN_TYPES = TITLES.union(STEPS, _PASSED_OVER.split())
# Lines without `sessionId` that are ours nevertheless; the last two come from captures of the SDK's stream.
SESSIONLESS = (
    ("summary", "leafUuid"),
    ("file-history", "messageId"),
    ("system", "session_id"),
    ("assistant", "session_id"),
)
NO_CONVERSATIONS = (b"journal.jsonl", b"history.jsonl", b"sessions-index.json")
COPIES = (b"agent-acompact-", b"agent-aprompt_suggestion")  # they repeat the parent's messages

_lines = Lines(TranscriptLine)
_document = re.compile(rb"session(?:[-_][^/]+)?\.json\Z")
_sheet = re.compile(rb"local_[^/]+\.json\Z")


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return `projects` of each folder in CLAUDE_CONFIG_DIR, or of the usual places and of Claude Desktop."""
    # It replaces the usual places, as it does for Claude Code; several, as other readers of its files take them.
    configured = [folder.strip() for folder in environ.get("CLAUDE_CONFIG_DIR", "").split(",") if folder.strip()]
    if configured:
        return tuple(f"{folder}/projects" for folder in configured)
    desktop = tuple(f"{home}/{place}/local-agent-mode-sessions" for place in COWORK)
    return (f"{home}/.claude/projects", f"{home}/.config/claude/projects", *desktop)


def _settings(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the files that may set how long transcripts are kept."""
    return (
        MANAGED,
        f"{environ.get('CLAUDE_CONFIG_DIR', '').partition(',')[0].strip() or f'{home}/.claude'}/settings.json",
    )


def _kept_days(text: str) -> float | None:
    """Return the days that a settings file sets. Raises ValueError where it is no JSON."""
    found: Any = msgspec.json.decode(text)
    days = found.get("cleanupPeriodDays") if isinstance(found, dict) else None
    return float(days) if isinstance(days, int | float) and not isinstance(days, bool) else None


RETENTION = Retention("Claude Code", 30, '"cleanupPeriodDays": 365', _settings, _kept_days)


def wanted(relative: bytes) -> bool:
    """Return True for any `.jsonl` but journals, prompt histories, spilled tool results and workers' copies.

    Sessions of the web are saved under names of people's own; by themselves are found `session.json`, `session-*.json`.
    """
    *folders, name = relative.split(b"/")
    if _document.match(name) or _sheet.match(name):
        return True
    if not name.endswith(b".jsonl") or name in NO_CONVERSATIONS or name.startswith(COPIES):
        return False
    # Claude Desktop keeps one in the folder of each session (Cowork), which is no conversation.
    audit = name == b"audit.jsonl" and any(folder.startswith(b"local_") for folder in folders)
    return not audit and b"tool-results" not in folders


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for a chain line (uuid and parentUuid), or a known type with a session.

    Summaries and snapshots name no session.
    """
    return any(_is_ours(record) for record in records) and not any(map(_is_of_parts, records))


def _is_of_parts(record: Mapping[str, Any]) -> bool:
    """Return True if a message has parts: Qwen's has, whose records have the same chain."""
    message = record.get("message")
    return isinstance(message, dict) and "parts" in message


def _is_ours(record: Mapping[str, Any]) -> bool:
    """Return True if one record shows the format.

    `uuid` with `parentUuid` is enough, with any type that a newer version gives the line.
    """
    if "parentUuid" in record and "uuid" in record:
        return True
    type_ = record.get("type")
    if not isinstance(type_, str) or type_ not in KNOWN_TYPES:
        return False
    if "sessionId" in record:
        return True
    return any(type_.startswith(start) and mark in record for start, mark in SESSIONLESS)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for a list called `loglines`, or the sheet of a session; no other format uses these names."""
    return not {"loglines", "cliSessionId"}.isdisjoint(keys)


def begin(path: bytes) -> Context:
    """Return the context before the first line; the file's stem names the conversation of lines that name none."""
    return Context(stem=clip(stem(path), ID_BYTES), sheet=bool(_sheet.match(path.rpartition(b"/")[2])))


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of one line, at most one but for glued records, and the context after it. Never raises."""
    return described(context, raw) if context.sheet else _lines.feed(context, raw, options, _step)


def tip(context: Context) -> tuple[ConversationFacts, ...]:
    """Return the last line with words and the session it is of."""
    return (ConversationFacts(context.sessions[0].id, leaf=context.leaf),) if context.sessions and context.leaf else ()


def _step(context: Context, line: TranscriptLine, options: Options) -> Fed:
    """Take one record: what it says of its session, then the turns it holds."""
    if line.type == "summary":  # of any session, perhaps even of another file's
        summary_of, session = summarised(context, line)
        if session is None:
            return Fed(summary_of, by_line=elsewhere(line))
        return Fed(summary_of, facts=(ConversationFacts(session.id, session.title),))
    session = session_of(context, line)
    if line.type in TITLES:
        session = titled(session, line)
    elif context.summaries:
        context, session = claimed(context, session, line)
    known = context.sessions and context.sessions[0] is session  # so it is with nearly every line
    facts = () if known else news(context, session)
    step = STEPS.get(line.type)
    # Meta is what programs wrote into the conversation: commands, bodies of skills, caveats.
    if step is None or line.is_meta:
        return Fed(with_session(context, session), (), int(line.type not in KNOWN_TYPES), facts=facts)
    fed = step(context, session, line, options)
    return msgspec.structs.replace(fed, facts=facts) if facts else fed
