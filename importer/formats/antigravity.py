"""Antigravity: `brain/<conversation>/.system_generated/logs/transcript.jsonl`, a step each line.

Beside it may lie `transcript_full.jsonl`, the same steps without cuts: what both say alike is told once. The working
folder stands in neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats._shared.blocks import of_person
from importer.formats._shared.calls import used
from importer.formats._shared.told import (
    ID_BYTES,
    RESULT,
    SUMMARY,
    THOUGHT,
    Context,
    Records,
    Unit,
    lacks,
    objects,
    string,
)
from importer.formats._shared.turns import clip, stem

__all__ = ["EXCLUDE", "NAME", "Context", "begin", "feed", "recognises", "roots", "wanted"]

NAME = "antigravity"
EXCLUDE = ("*/[!.]*", "*/.[!s]*", "*/.system_generated/[!l]*")  # all but the logs of a conversation

FOLDERS = ("antigravity", "antigravity-cli", "antigravity-ide")
LOGS = (b"transcript.jsonl", b"transcript_full.jsonl")
CHECKPOINT = "CHECKPOINT"
SUMMARIES = frozenset((CHECKPOINT, "CONVERSATION_HISTORY"))
EXPLICIT = "USER_EXPLICIT"
MACHINES = ("SYSTEM", "MODEL", "USER_IMPLICIT")  # sources of input that no person typed
GOING_ON = frozenset(("RUNNING", "PENDING", "GENERATING", "IN_PROGRESS", "WAITING"))


def roots(_: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of conversations of each of its programs."""
    return tuple(f"{home}/.gemini/{folder}/brain" for folder in FOLDERS)


def wanted(relative: bytes) -> bool:
    """Return True for a log of steps."""
    return relative.rpartition(b"/")[2] in LOGS


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for a numbered step with a source."""
    return any("step_index" in record and isinstance(record.get("source"), str) for record in records)


def begin(path: bytes) -> Context:
    """Return the context before the first step; the folder that holds everything of a conversation names it."""
    *folders, name = path.decode("utf-8", "replace").split("/")
    at = len(folders) - 3
    named = name.encode() in LOGS and at >= 0 and folders[-2:] == [".system_generated", "logs"]
    return Context(session=clip(folders[at] if named else stem(path), ID_BYTES))


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a step says; one that goes on comes again when it is done."""
    kind, source, content = string(record, "type"), string(record, "source"), record.get("content")
    common: dict[str, Any] = {"id": f"step-{record.get('step_index')}", "at": record.get("created_at")}
    if string(record, "status") in GOING_ON:
        return
    if kind == "USER_INPUT" or source == EXPLICIT:
        text = of_person(content) if source not in MACHINES else ""
        yield Unit(
            role="user" if source in ("", EXPLICIT) else "", text=text, unknown=lacks(record, "content"), **common
        )
    elif kind == "PLANNER_RESPONSE":
        if thought := string(record, "thinking"):
            yield Unit(role="assistant", kind=THOUGHT, text=thought, **common)
        calls = [(one.get("id"), one.get("name"), one.get("args")) for one in objects(record.get("tool_calls"))]
        strange = lacks(record, "content", beside=("thinking", "tool_calls"))
        yield Unit(role="assistant", text=content, unknown=strange, **used(calls), **common)
    elif kind in SUMMARIES:
        strange = lacks(record, "content") if kind == CHECKPOINT else 0  # a history may be empty
        yield Unit(role="assistant", kind=SUMMARY, text=content, unknown=strange, **common)
    elif source == "MODEL":
        yield Unit(role="assistant", kind=RESULT, text=content, **common)
    elif not kind:
        yield Unit(unknown=1)


feed = Records(_said).feed
