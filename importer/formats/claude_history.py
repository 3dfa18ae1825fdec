"""Claude Code's `history.jsonl`: every prompt ever typed, also of sessions whose transcripts were swept long ago.

{"display":"why do the gulls scream?","pastedContents":{},"timestamp":1780000000000,"project":"/home/ann/pier",
 "sessionId":"0190…"}

A prompt whose transcript is known is not said again (`ORIGINAL`, see `consistency.shadows`), so what this format gives
are prompts alone: their kind says so, and so does their title. Older rows name no session; those of one project and
day are a conversation. A paste stands in the row, or elsewhere under its hash, where it counts as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from importer.formats import Fed, Options
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.turns import clip, key, moment
from importer.formats._shared.words import words
from importer.formats.claude_code.text import pasted_lost, with_pasted
from importer.protocol.records import Facts, Turn

__all__ = ["NAME", "ORIGINAL", "Context", "begin", "feed", "recognises", "roots", "wanted"]

NAME = "claude-history"
ORIGINAL = "claude-code"
HISTORY = b"history.jsonl"
KIND = "prompt"
ID_BYTES, PATH_BYTES, TITLE_BYTES = 100, 512, 120
TITLES = 8  # sessions whose title is remembered: rows of several that run at once take turns
GROUP_CHARS = 8  # of the hash of a project

_command = re.compile(r"/[a-z][\w:-]*(?:\s|\Z)", re.IGNORECASE)


class HistoryRow(msgspec.Struct, rename="camel", gc=False):
    """One row, as far as it is read; each field as loose as the file may be."""

    display: Any = None
    timestamp: Any = None
    project: Any = None
    session_id: str | None = None
    pasted_contents: msgspec.Raw = msgspec.Raw(b"null")


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The titles of the last conversations, least recent first: each is how its first prompt begins."""

    titles: tuple[tuple[str, str], ...] = ()


_rows = Lines(HistoryRow)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the history in each folder of CLAUDE_CONFIG_DIR, or in the usual places."""
    configured = [folder.strip() for folder in environ.get("CLAUDE_CONFIG_DIR", "").split(",") if folder.strip()]
    return tuple(f"{folder}/history.jsonl" for folder in configured or (f"{home}/.claude", f"{home}/.config/claude"))


def wanted(relative: bytes) -> bool:
    """Return True for a file of that name; Codex has one, too, beside transcripts that it never sweeps."""
    *folders, name = relative.split(b"/")
    return name == HISTORY and b".codex" not in folders


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for rows with what was displayed, a time, and where it was typed or what was pasted."""
    return any("display" in one and "timestamp" in one and not one.keys().isdisjoint(_MARKS) for one in records)


_MARKS = frozenset(("project", "pastedContents"))


def begin(_: bytes) -> Context:
    """Return the context before the first row."""
    return Context()


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the prompt of a row, none for a command or a shell line. Never raises."""
    return _rows.feed(context, raw, options, _step)


def _step(context: Context, row: HistoryRow, _: Options) -> Fed:
    """Take one row."""
    shown = words(row.display)
    unknown = shown.unknown + pasted_lost(row.pasted_contents) + (row.display is None)
    if _command.match(shown.text) or shown.text.startswith("!"):
        return Fed(context, (), unknown)
    text = with_pasted(shown.text, row.pasted_contents).replace("\0", "").strip()
    if not text:
        return Fed(context, (), unknown)
    at = moment(row.timestamp)
    project = clip(row.project, PATH_BYTES) if isinstance(row.project, str) else ""
    conversation = clip(row.session_id or "", ID_BYTES) or _group(project, at)
    context, title = _titled(context, conversation, text)
    mark = key("history", conversation, str(row.timestamp), text)
    facts = Facts(kind=KIND, project=project, cwd=project, title=title)
    return Fed(context, (Turn(conversation, mark, "user", text, at, mark, facts),), unknown)


def _group(project: str, at: str) -> str:
    """Return the conversation of rows without a session: what was typed in a project on one day."""
    return f"prompts-{at[:10] or 'undated'}-{key(project)[:GROUP_CHARS]}"


def _titled(context: Context, conversation: str, text: str) -> tuple[Context, str]:
    """Return the title of a conversation, remembered for its next rows."""
    known = dict(context.titles)
    title = known.pop(conversation, "") or clip(f"Prompts alone: {' '.join(text.split())}", TITLE_BYTES)
    return Context((*known.items(), (conversation, title))[-TITLES:]), title
