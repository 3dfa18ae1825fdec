"""Read what an editor asks in the middle of a response, and what the person answers there: forms, dialogs, plans.

Such answers reach the file as a part of the response only. They belong to its exchange, each behind its question.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from importer.formats._shared.words import kind_of, listed, words

DIALOGS = frozenset(("elicitation", "elicitation2", "elicitationSerialized"))
ASKED = frozenset(("id", "title", "message"))
COMMENTS = ("feedback", "feedbackOverall")  # the former holds all comments on a plan in one text


def plan(part: Mapping[str, Any]) -> str:
    """Return a plan that is shown for approval, "" for any other part."""
    return _joined("\n\n", part.get("title"), part.get("content")) if kind_of(part) == "planReview" else ""


def answers(part: Mapping[str, Any]) -> str:
    """Return the questions of a part that a person answered, each with its answer; "" where nothing was said."""
    kind = kind_of(part)
    if kind == "questionCarousel":
        return _carousel(part)
    if kind in DIALOGS:
        told = _flat(part.get("acceptedResult"))
        return _joined("\n", part.get("title"), part.get("message"), *told) if told else ""
    if kind == "planReview" and isinstance(part.get("data"), dict):
        return next((said for name in COMMENTS if (said := words(part["data"].get(name)).text)), "")
    return ""


def unread(part: Mapping[str, Any]) -> int:
    """Count the questions of a form, the texts of a plan and the comments on it that cannot be read."""
    if kind_of(part) == "questionCarousel":
        return sum([not isinstance(one, dict) or ASKED.isdisjoint(one) for one in listed(part.get("questions"))])
    if kind_of(part) != "planReview":
        return 0
    told = part.get("data")
    held = [told.get(name) for name in (*COMMENTS, "value")] if isinstance(told, dict) else [told]
    return words([part.get("title"), part.get("content"), *held]).unknown


def _carousel(part: Mapping[str, Any]) -> str:
    """Return the questions of a form that have an answer, which goes by the question's id."""
    told, asked = part.get("data"), part.get("questions")
    if not isinstance(told, dict):
        return _joined("\n", *_flat(told))
    named = [one for one in asked if isinstance(one, dict)] if isinstance(asked, list) else []
    questions = {one["id"]: one for one in named if isinstance(one.get("id"), str)}
    pairs = [(questions.get(id_, {}), _flat(answer)) for id_, answer in told.items()]
    return "\n\n".join(_joined("\n", one.get("title"), one.get("message"), *said) for one, said in pairs if said)


def _flat(answer: Any) -> list[str]:
    """Return the words of an answer: a text, choices, or an object of them; a choice that was not made is none."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, list):
        return [text for one in answer for text in _flat(one)]
    if isinstance(answer, bool) or answer is None:
        return []
    return [text] if (text := str(answer).strip()) else []


def _joined(between: str, *texts: Any) -> str:
    """Join texts, Markdown among them; the same text twice is once there."""
    return between.join(dict.fromkeys(text for one in texts if (text := words(one).text)))
