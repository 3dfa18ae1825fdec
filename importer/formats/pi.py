"""The pi family of agents (pi, omp, Prime, OpenClaw): JSON lines, a tree of entries below a header, all branches in it.

Newer versions of OpenClaw keep the same entries as rows of a database, perhaps packed, and leave the older files.

Going back begins another branch in the same file, a fork is a new file with copied entries: a turn's key is a hash of
role, time and text, so what is copied is known again. All branches are imported.

Left out: what tools answered (but for the option), the person's own shell commands, entries of extensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats import Fed, Options, Tables
from importer.formats._shared import told as plain
from importer.formats._shared.message import spoken
from importer.formats._shared.told import SUMMARY, Context, Records, Unit, begin_by_name, is_told, string, value

__all__ = ["NAME", "TABLES", "Context", "begin", "feed", "recognises", "roots", "told", "wanted"]

NAME = "pi"

_SILENT = """
    model_change thinking_level_change label custom custom_message bashExecution mode_change session_init ttsr_injection
    mcp_tool_selection service_tier_change leaf
"""
SILENT = frozenset(_SILENT.split())
SUMMARIES = frozenset(("compaction", "branch_summary", "compactionSummary", "branchSummary"))
DATABASE = b"openclaw-agent.sqlite"
MACHINERY = frozenset(("subagent", "cron", "hook", "heartbeat"))  # parts of the keys of sessions that no person leads
_MEMBERS = (
    "SELECT session_id, CASE WHEN newest > 100000000000 THEN newest ELSE newest * 1000 END, number, last{more} FROM"
    " (SELECT session_id, count(*) AS number, max(seq) AS last, CAST(max({{transcript_events.created_at}}) AS INTEGER)"
    " AS newest FROM transcript_events GROUP BY session_id) AS events{joined}"
)
_EVENTS = (
    "SELECT seq, {transcript_events.event_json} AS event, {transcript_events.event_zstd} AS packed"
    " FROM transcript_events WHERE session_id = :member ORDER BY seq"
)
_EVENT_TABLE = {"transcript_events": "session_id seq"}
TABLES = (
    Tables(
        {
            **_EVENT_TABLE,
            "session_nodes": "session_key current_session_id",
            "transcript_rewrite_watermarks": "session_id generation",
        },
        _MEMBERS.format(more=", generation", joined=" LEFT JOIN transcript_rewrite_watermarks USING (session_id)"),
        (
            "SELECT session_key AS key, {session_nodes.display_name} AS name, {session_nodes.label} AS label,"
            " {session_nodes.spawned_by} AS parent FROM session_nodes WHERE current_session_id = :member LIMIT 1",
            _EVENTS,
        ),
        ("transcript_events (session_id)", "session_nodes (current_session_id)"),
    ),
    Tables(_EVENT_TABLE, _MEMBERS.format(more="", joined=""), (_EVENTS,), ("transcript_events (session_id)",)),
)
LEFT_OUT = (b".checkpoint.", b".trajectory.", b".reset.", b".deleted.", b".bak")

begin = begin_by_name


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of sessions of each program."""
    agent = environ.get("PI_CODING_AGENT_DIR") or f"{home}/.pi/agent"
    data = environ.get("XDG_DATA_HOME") or f"{home}/.local/share"
    claw = environ.get("OPENCLAW_STATE_DIR") or f"{home}/.openclaw"
    return (
        environ.get("PI_CODING_AGENT_SESSION_DIR") or f"{agent}/sessions",
        *(f"{home}/.omp/agent/sessions", f"{home}/.omp/profiles", f"{data}/omp/sessions"),
        f"{home}/.prime/agent/sessions",
        *(f"{claw}/agents", f"{home}/.clawdbot/agents", f"{home}/.moltbot/agents"),
    )


def wanted(relative: bytes) -> bool:
    """Return True for JSON lines, but for copies that a program keeps of a session, and for the database."""
    name = relative.rpartition(b"/")[2]
    return name == DATABASE or (name.endswith(b".jsonl") and not any(sign in name for sign in LEFT_OUT))


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for a header with an id; a title in a slot of fixed width may stand before it."""
    return any(
        record.get("type") == "session" and isinstance(record.get("id"), str) and "timestamp" in record
        for record in records
    )


def told(row: Mapping[str, Any]) -> Iterator[Unit]:
    """Yield what a row says: what is known of a session, or an entry of it."""
    if "key" in row:
        machinery = MACHINERY & set(string(row, "key").split(":"))
        agent = next(iter(sorted(machinery)), "subagent" if row["parent"] else "")
        yield Unit(title=string(row, "name") or string(row, "label"), agent=agent)
    elif isinstance(entry := value(row["event"] or row["packed"]), dict):
        yield from _said(Context(), entry)
    else:
        yield Unit(problem="an entry that is no JSON object")


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what an entry says."""
    kind = string(record, "type")
    if kind == "session":
        yield Unit(conversation=string(record, "id"), cwd=string(record, "cwd"))
    elif kind in ("title", "session_info"):
        yield Unit(title=string(record, "title") or string(record, "name"))
    elif kind in SUMMARIES:
        yield _summary(record, record.get("summary"))
    elif kind == "message":
        message = record.get("message")
        yield from _message(record, message if isinstance(message, dict) else {})
    elif kind not in SILENT:
        yield Unit(unknown=1)


def _message(record: dict[str, Any], message: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says: a side's words, a thought, a call, a tool's answer."""
    role = string(message, "role")
    common = {"id": string(record, "id"), "at": record.get("timestamp") or message.get("timestamp")}
    if role in SUMMARIES:
        yield _summary(record, message.get("summary") or message.get("content"))
    elif role == "toolResult":
        yield from spoken("assistant", [{**message, "type": role}], common)
    elif role in ("user", "assistant"):
        yield from spoken(role, message.get("content"), {**common, "model": string(message, "model")})
    elif role not in SILENT:
        yield Unit(unknown=1)


def _summary(record: dict[str, Any], text: Any) -> Unit:
    """Return the summary that a compaction wrote."""
    common: dict[str, Any] = {"id": string(record, "id"), "at": record.get("timestamp")}
    return Unit(role="assistant", kind=SUMMARY, text=text, unknown=int(text is None), **common)


_lines = Records(_said)


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of a line of a file, or of one that was told of the database. Never raises."""
    return plain.feed(context, raw, options) if is_told(raw) else _lines.feed(context, raw, options)
