"""The pi family of agents (pi, omp, Prime, OpenClaw): JSON lines, a tree of entries below a header, all branches in it.

Going back begins another branch in the same file, a fork is a new file with copied entries: a turn's key is a hash of
role, time and text, so what is copied is known again. All branches are imported.

Left out: what tools answered (but for the option), the person's own shell commands, entries of extensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats._shared.message import spoken
from importer.formats._shared.told import SUMMARY, Context, Records, Unit, begin_by_name, string

__all__ = ["NAME", "Context", "begin", "feed", "recognises", "roots", "wanted"]

NAME = "pi"

_SILENT = """
    model_change thinking_level_change label custom custom_message bashExecution mode_change session_init ttsr_injection
    mcp_tool_selection service_tier_change leaf
"""
SILENT = frozenset(_SILENT.split())
SUMMARIES = frozenset(("compaction", "branch_summary", "compactionSummary", "branchSummary"))
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
    """Return True for JSON lines, but for copies that a program keeps of a session."""
    name = relative.rpartition(b"/")[2]
    return name.endswith(b".jsonl") and not any(sign in name for sign in LEFT_OUT)


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for a header with an id, perhaps behind a title in a slot of fixed width."""
    return any(
        record.get("type") == "session" and isinstance(record.get("id"), str) and "timestamp" in record
        for record in records[:2]
    )


def _said(context: Context, record: dict[str, Any]) -> Iterator[Unit]:
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
        yield from _message(context, record, message if isinstance(message, dict) else {})
    elif kind not in SILENT:
        yield Unit(unknown=1)


def _message(context: Context, record: dict[str, Any], message: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says: a side's words, a thought, a call, a tool's answer."""
    role = string(message, "role")
    common = {"id": string(record, "id"), "at": record.get("timestamp") or message.get("timestamp")}
    if role in SUMMARIES:
        yield _summary(record, message.get("summary") or message.get("content"))
    elif role == "toolResult":
        yield from spoken(context, "assistant", [{**message, "type": role}], common)
    elif role in ("user", "assistant"):
        yield from spoken(context, role, message.get("content"), {**common, "model": string(message, "model")})
    elif role not in SILENT:
        yield Unit(unknown=1)


def _summary(record: dict[str, Any], text: Any) -> Unit:
    """Return the summary that a compaction wrote."""
    return Unit(role="assistant", kind=SUMMARY, text=text, id=string(record, "id"), at=record.get("timestamp"))


feed = Records(_said).feed
