"""Junie by JetBrains: `sessions/session-<time>/events.jsonl`; a block of an answer comes again and again as it grows.

The last form of a block counts, in the place of its first, so all of a session is told anew at each change. One that
still grows ends what is told. Prompts that were dropped from the model's view were said all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats._journal import Journal, JournalPieces, opens_object, records
from importer.formats._shared.told import Context, Unit, begin, feed, member, objects, prompt, speech, string, value

__all__ = ["JOURNAL", "NAME", "Context", "begin", "feed", "replayed", "roots", "wanted"]

NAME = "junie"

EVENTS, INDEX = b"events.jsonl", "../index.jsonl"
BLOCKS = {"MarkdownBlockUpdatedEvent": "text", "ResultBlockUpdatedEvent": "result"}
_SILENT = """
    LlmResponseMetadataEvent TerminalBlockUpdatedEvent FileChangesBlockUpdatedEvent PlanUpdatedEvent
    AgentStateUpdatedEvent ToolBlockUpdatedEvent ViewFilesBlockUpdatedEvent SearchBlockUpdatedEvent
    McpBlockUpdatedEvent ThinkingBlockUpdatedEvent StatusUpdatedEvent AgentCurrentStatusUpdatedEvent
"""
SILENT = frozenset(_SILENT.split())
_mark = re.compile(r"\A\s*<!--\s*ANSWER\s*-->\s*")
_kind = re.compile(rb'"kind"\s*:\s*"\w+"')

JOURNAL = Journal(
    lambda path: path.endswith(b"/" + EVENTS) and path.rsplit(b"/", 2)[-2].startswith(b"session-"),
    lambda head: opens_object(head) and bool(_kind.search(head)),
)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of sessions."""
    return (f"{environ.get('JUNIE_HOME') or f'{home}/.junie'}/sessions",)


def wanted(relative: bytes) -> bool:
    """Return True for the events of a session."""
    return relative.rpartition(b"/")[2] == EVENTS


def replayed(pieces: JournalPieces) -> Iterator[Any]:
    """Yield what a session says. Never raises for what is in it."""
    session = pieces.path.decode("utf-8", "replace").rsplit("/", 2)[-2]
    yield Unit(conversation=session)
    for line in pieces.read(INDEX).splitlines():
        if session.encode() in line and string(entry := value(line.decode("utf-8", "replace")), "sessionId") == session:
            yield Unit(title=string(entry, "taskName"), cwd=string(entry, "projectDir"))
    events = list(records(pieces))
    last = {string(one, "event", "agentEvent", "stepId"): one for one in events if _is_block(one)}
    last.pop("", None)  # blocks without an id stand for themselves
    for event in events:
        step = string(event, "event", "agentEvent", "stepId") if _is_block(event) else ""
        if not step:
            yield from _told(event)
        elif (found := last.pop(step, None)) is not None:
            if string(found, "event", "state") == "IN_PROGRESS":
                yield {"held": True, "id": step}
            yield from _told(found)


def _is_block(event: Any) -> bool:
    """Return True for a block of an answer."""
    return string(event, "event", "agentEvent", "kind") in BLOCKS


def _told(event: Any) -> Iterator[Any]:
    """Yield what an event says."""
    kind, at = string(event, "kind"), member(event, "timestampMs")
    agent = member(event, "event", "agentEvent")
    block = string(agent, "kind")
    if isinstance(event, str):
        yield event
    elif kind == "UserPromptEvent":
        shown = member(event, "presentablePrompt") or member(event, "prompt")
        yield prompt(shown, id=string(event, "requestId"), at=at)
    elif kind == "SessionTitleSetEvent":
        yield Unit(title=string(event, "name"))
    elif kind == "SessionA2uxEvent" and block in BLOCKS:
        said = speech("assistant", member(agent, BLOCKS[block]), id=string(agent, "stepId"), at=at)
        said.text = _mark.sub("", said.text)
        yield said
        changed = [string(one, "afterRelativePath") for one in objects(member(agent, "changes"))]
        yield Unit(role="assistant", files=[path for path in changed if path], at=at)
    elif kind == "SessionA2uxEvent" and block == "FileChangesBlockUpdatedEvent":
        changed = [string(one, "afterRelativePath") for one in objects(member(agent, "changes"))]
        yield Unit(role="assistant", files=[path for path in changed if path], id=string(agent, "stepId"), at=at)
    elif kind == "SessionA2uxEvent" and (block in SILENT or not block):
        return
    elif kind not in ("UserMessagesDroppedFromHistory", "SessionStartedEvent", "SessionFinishedEvent"):
        yield Unit(unknown=1)
