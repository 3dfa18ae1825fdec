"""OpenHands: `conversations/<id>/base_state.json`, and a file for each event beside it (`events/event-00000-….json`).

Events are never changed. Their times have no zone, and are taken as UTC. What the program adds to a prompt stands in
`extended_content`; the agent's last words may stand in the action that finishes its work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats._journal import Journal, JournalPieces, opens_object
from importer.formats._shared.calls import used
from importer.formats._shared.told import (
    RESULT,
    THOUGHT,
    Context,
    Unit,
    begin,
    feed,
    inner,
    member,
    prompt,
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
    ConversationStateUpdateEvent AgentErrorEvent TokenEvent ConversationErrorEvent
    LLMCompletionLogEvent
"""
SILENT = frozenset(_SILENT.split())
REFUSED = ("User rejected the action", "User rejected the action.")  # where no reason was given

JOURNAL = Journal(lambda path: path.endswith(b"/" + STATE), opens_object, lambda _: (EVENTS,))


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
    for name in pieces.names(EVENTS):
        if name.startswith("event-") and name.endswith(".json"):
            event = value(pieces.read(f"{EVENTS}/{name}").decode("utf-8", "replace"))
            if not isinstance(event, dict):
                yield f"an event that cannot be read: {name}"
            else:
                yield from _told(event)


def _told(event: dict[str, Any]) -> Iterator[Unit]:
    """Yield what an event says: a message, or a call with the thought before it."""
    kind, source = string(event, "kind"), string(event, "source")
    common: dict[str, Any] = {"id": string(event, "id"), "at": event.get("timestamp")}
    if kind == "MessageEvent":
        role = {"user": "user", "agent": "assistant"}.get(source, "")
        content = inner(event.get("llm_message"), "content")
        said = prompt(content, **common) if role == "user" else speech(role, content, **common)
        said.text = "" if source == "environment" else said.text
        yield said
    elif kind == "ActionEvent":
        action = event.get("action")
        yield Unit(role="assistant", kind=THOUGHT, text=text_of(event.get("reasoning_content")), **common)
        yield speech("assistant", event.get("thought"), **common)
        finishes = string(event, "tool_name") == "finish" or string(event, "action", "kind") == "FinishAction"
        text = inner(action, "message") if finishes else ""
        yield Unit(role="assistant", text=text, **used([(event.get("id"), event.get("tool_name"), action)]), **common)
    elif kind == "ObservationEvent":
        result = member(event, "observation")
        text = text_of(member(result, "content") or member(result, "output"))
        yield Unit(role="assistant", kind=RESULT, text=text, of=string(event, "action_id"), **common)
    elif kind == "UserRejectObservation":
        reason = speech("user", event.get("rejection_reason"), **common)
        reason.text = "" if reason.text in REFUSED else reason.text
        yield reason
    elif kind not in SILENT:
        yield Unit(unknown=1)
