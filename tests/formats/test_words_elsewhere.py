"""Words of a person that stand where they are easily lost: put in meanwhile, in place of a call, in a pasted file."""

from __future__ import annotations

import base64
import json

import pytest
from fold_lines import turns
from planted_shapes import Record
from talk_records import crush, hands, kimi, kiro, old_kimi, open_webui, rows, said

ASKED = {"id": "r1", "questions": [{"question": "Which wood?", "options": [{"label": "Elm"}]}]}
PASTE = {"Path": "paste_1.txt", "MIMEType": "text/plain", "Data": base64.b64encode(b"elm is tough").decode()}
OPENED = {"type": "actionRequired", "data": {"actionType": "elicitation", "id": "e", "message": "Which wood?"}}
CLOSED = {
    "type": "actionRequired",
    "data": {"actionType": "elicitationResponse", "id": "e", "user_data": {"wood": "Elm"}},
}
GOOSE = {"message": None, "at": 1767258000, "metadata": None}


def appended(text: str, time: int = 1767258009000) -> list[Record]:
    """Return a message of Kimi's context."""
    return kimi(type="context.append_message", message={**said("user", text), "origin": {"kind": "user"}}, time=time)


def steered(text: str) -> list[Record]:
    """Return words that were put in while Kimi was at work."""
    return kimi(type="turn.steer", input=[{"type": "text", "text": text}], origin={"kind": "user"})


CASES: dict[str, tuple[str, list[Record], list[tuple[str, str]]]] = {
    "put in, and the session ended": ("kimi", steered("Use elm."), [("user", "Use elm.")]),
    "put in, and told again later": (
        "kimi",
        [
            *steered("Use elm."),
            *steered("And oak."),
            *appended("Use elm."),
            *appended("And oak."),
            *appended("Use elm."),
        ],
        [("user", "Use elm."), ("user", "And oak."), ("user", "Use elm.")],
    ),
    "put in by machinery": ("kimi", kimi(type="turn.steer", input="x", origin={"kind": "cron_job"}), []),
    "asked and answered": (
        "kimi",
        [
            *old_kimi("QuestionRequest", ASKED),
            *old_kimi("QuestionResponse", {"request_id": "r1", "answers": {"a": "Elm"}}),
        ],
        [("assistant", "Which wood?\n- Elm"), ("assistant", "Elm")],
    ),
    "answered, the question far away": (
        "kimi",
        old_kimi("QuestionResponse", {"request_id": "r1", "answers": {"a": "Elm"}}),
        [("assistant", "Elm")],
    ),
    "asked beside the work": (
        "kimi",
        [
            *old_kimi("BtwBegin", {"id": "b", "question": "Why elm?"}),
            *old_kimi("BtwEnd", {"id": "b", "response": "Tough."}),
        ],
        [("user", "Why elm?"), ("assistant", "Tough.")],
    ),
    "typed in place of a call": (
        "kiro",
        kiro(user={"content": {"CancelledToolUses": {"prompt": "Use elm.", "tool_use_results": []}}}),
        [("user", "Use elm.")],
    ),
    "a refusal's reason": (
        "openhands",
        hands({"kind": "UserRejectObservation", "id": "e", "rejection_reason": "Use elm."}),
        [("user", "Use elm.")],
    ),
    "a refusal without one": (
        "openhands",
        hands({"kind": "UserRejectObservation", "id": "e", "rejection_reason": "User rejected the action"}),
        [],
    ),
    "a form": (
        "goose",
        rows(
            "goose",
            {**GOOSE, "id": 1, "role": "assistant", "content": json.dumps([OPENED])},
            {**GOOSE, "id": 2, "role": "user", "content": json.dumps([CLOSED])},
        ),
        [("assistant", "Which wood?"), ("assistant", "Elm")],
    ),
    "pasted, as a file": (
        "crush",
        crush([{"type": "text", "data": {"text": "Why?"}}, {"type": "binary", "data": PASTE}]),
        [("user", "Why?\n\nelm is tough")],
    ),
    "a file that was not pasted": (
        "crush",
        crush([{"type": "text", "data": {"text": "Why?"}}, {"type": "binary", "data": {**PASTE, "Path": "a.txt"}}]),
        [("user", "Why?")],
    ),
    "pasted into a browser": (
        "open-webui",
        open_webui(
            {
                "history": {
                    "messages": {
                        "a": {
                            **said("user", "Why?"),
                            "files": [{"name": "Pasted_Text_1.txt", "file": {"data": {"content": "elm is tough"}}}],
                        }
                    }
                }
            }
        ),
        [("user", "Why?\n\nelm is tough")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_told_once(name: str) -> None:
    """What a person said, and nothing else."""
    format_, records, told = CASES[name]
    assert [(turn.role, turn.text) for turn in turns(format_, *records) if turn.text] == told
