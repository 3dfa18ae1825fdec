"""OpenHands: `conversations/<id>/base_state.json`, and a file for each event beside it (`events/event-00000-….json`).

Events are never changed. Their times have no zone, and are taken as UTC. What the program adds to a prompt stands in
`extended_content`; the agent's last words may stand in the action that finishes its work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats._journal import Journal, JournalPieces
from importer.formats._shared.calls import call_of
from importer.formats._shared.told import (
    RESULT,
    THOUGHT,
    Context,
    Unit,
    begin,
    feed,
    member,
    speech,
    string,
    text_of,
    value,
)

__all__ = ["EXCLUDE", "JOURNAL", "NAME", "Context", "begin", "feed", "replayed", "roots", "wanted"]

NAME = "openhands"
EXCLUDE = ("*/events",)  # events are looked up from the state beside them

STATE, EVENTS = b"base_state.json", "events"
_SILENT = """
    SystemPromptEvent Condensation CondensationEvent CondensationRequest CondensationSummaryEvent PauseEvent
    ConversationStateUpdateEvent AgentErrorEvent TokenEvent UserRejectObservation ConversationErrorEvent
    LLMCompletionLogEvent
"""
SILENT = frozenset(_SILENT.split())

JOURNAL = Journal(
    lambda path: path.endswith(b"/" + STATE), lambda head: head.lstrip().startswith(b"{"), lambda _: (EVENTS,)
)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of conversations."""
    kept = environ.get("OPENHANDS_PERSISTENCE_DIR") or f"{home}/.openhands"
    return (environ.get("OPENHANDS_CONVERSATIONS_DIR") or f"{kept}/conversations",)


def wanted(relative: bytes) -> bool:
    """Return True for the state of a conversation."""
    return relative.rpartition(b"/")[2] == STATE


def replayed(pieces: JournalPieces) -> Iterator[Any]:
    """Yield what a conversation says. Never raises for what is in it."""
    state = value(b"".join(pieces.lines()).decode("utf-8", "replace"))
    session = string(state, "id") or pieces.path.decode("utf-8", "replace").rsplit("/", 2)[-2]
    cwd = string(state, "workspace", "working_dir")
    yield Unit(conversation=session.replace("-", ""), title=string(state, "title"), cwd=cwd)
    own = ""
    for name in pieces.names(EVENTS):
        if name.startswith("event-") and name.endswith(".json"):
            event = value(pieces.read(f"{EVENTS}/{name}").decode("utf-8", "replace"))
            if not isinstance(event, dict):
                yield f"an event that cannot be read: {name}"
            elif string(event, "kind") == "ObservationEvent":
                if string(event, "action_id") != own:
                    yield _result(event)
            else:
                own = string(event, "id") if _call(event).own else own
                yield from _told(event)


def _told(event: dict[str, Any]) -> Iterator[Unit]:
    """Yield what an event says: a message, or a call with the thought before it."""
    kind, source = string(event, "kind"), string(event, "source")
    common: dict[str, Any] = {"id": string(event, "id"), "at": event.get("timestamp")}
    if kind == "MessageEvent":
        role = {"user": "user", "agent": "assistant"}.get(source, "")
        said = speech(role, member(event, "llm_message", "content"), **common)
        said.unknown += not role and source != "environment" and bool(said.text)
        yield said
    elif kind == "ActionEvent":
        call = _call(event)
        yield Unit(role="assistant", kind=THOUGHT, text=text_of(event.get("reasoning_content")), **common)
        yield speech("assistant", event.get("thought"), **common)
        finishes = string(event, "tool_name") == "finish" or string(event, "action", "kind") == "FinishAction"
        text = member(event, "action", "message") if finishes else ""
        yield Unit(role="assistant", text=text, tools=call.tools, files=call.files, **common)
    elif kind not in SILENT:
        yield Unit(unknown=1)


def _call(event: dict[str, Any]) -> Any:
    """Return the call of an action; no call for any other event."""
    return call_of(event.get("tool_name") if event.get("kind") == "ActionEvent" else "", event.get("action"))


def _result(event: dict[str, Any]) -> Unit:
    """Return what a tool answered."""
    text = text_of(member(event, "observation", "content") or member(event, "observation", "output"))
    return Unit(role="assistant", kind=RESULT, text=text, id=string(event, "id"), at=event.get("timestamp"))
