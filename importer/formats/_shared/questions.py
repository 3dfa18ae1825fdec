"""Read what a person says through a tool call: answers to the assistant's questions, reasons of a refusal, comments.

Such words reach the file as the call's result only. A question belongs to the assistant's visible text, and its answer
stands behind it in the same exchange. A refusal's reason is a prompt.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from importer.formats._shared.spoken import words

_TOOLS = """
    request_user_input ask_user ask_user_question askuserquestion ask_followup_question ask_question ask_questions
    askquestions
"""
TOOLS = frozenset(_TOOLS.split())
MOST_QUESTIONS = 16  # of one call

_noted = re.compile(r"\A(?:user_note|note|other):\s*", re.IGNORECASE)
_answered = re.compile(
    r"\A(?:the )?user(?:'s)? (?:selected|responded|answered|chose|replied|response|answer)(?: with)?:\s*",
    re.IGNORECASE,
)
_no_answer = re.compile(
    r"\A(?:the )?user (?:dismissed|skipped|cancel|did not|declined|is not|rejected)|\A(?:error|failed|\[)",
    re.IGNORECASE,
)
_refused = re.compile(
    r"""\A(?:the\ )?(?:user|plan|tool\ call|exec\ command|command|patch|edit)\b[^\n:]{0,60}?
    \b(?:rejected|denied|declined|refused|approved)\b[^\n:]{0,80}?
    (?:\b(?:feedback|reason|comments?|message|note|said)\b\ ?:|(?<=by\ user):|(?<=by\ the\ user):)\s*(.+)\Z""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_cancelled = re.compile(
    r"\A\[Operation Cancelled\] Reason:\s*(?!\s|(?:the )?user |request )(.+)\Z", re.IGNORECASE | re.DOTALL
)
# What programs write behind a person's comment.
_behind = re.compile(
    r"\n\n(?:The plan is stored at|Revise the plan|Please revise|Note: The user's next message).*\Z"
    r"|\s+You are still in plan mode\b.*\Z",
    re.DOTALL,
)
_NOTHING = frozenset(("", "(none)", "none", "no feedback provided", "n/a"))


class Question(NamedTuple):
    """One question of a call: its id there, a short name, and the words a person read."""

    id: str
    label: str
    text: str


def is_question(tool: str) -> bool:
    """Return True if a tool of this name asks the person something."""
    return re.split(r"__|[./:]", tool)[-1].lower() in TOOLS


def arguments(given: Any) -> dict[str, Any]:
    """Return the arguments of a call, an object or its JSON text; {} for anything else."""
    if isinstance(given, str) and given.lstrip().startswith("{"):
        try:
            given = msgspec.json.decode(given)
        except (ValueError, RecursionError):
            return {}
    return given if isinstance(given, dict) else {}


def asked(given: Any) -> tuple[Question, ...]:
    """Return the questions of a call, from its arguments: a list of them, one object, or one text."""
    known = arguments(given)
    listed = known.get("questions")
    if listed is None:
        listed = [known]
    elif isinstance(listed, dict | str):
        listed = [listed]
    found = [_question(one, at) for at, one in enumerate(listed)] if isinstance(listed, list) else []
    return tuple([one for one in found if one.text])[:MOST_QUESTIONS]


def _question(one: Any, at: int) -> Question:
    """Read one question; without an id it is known by its place."""
    if not isinstance(one, dict):
        text = "\n".join(words(one).texts).strip()
        return Question(str(at), text, text)
    texts = [one[name] for name in ("question", "prompt", "message", "text") if one.get(name)]
    text = "\n".join(words(texts[0]).texts).strip() if texts else ""
    id_, label = one.get("id"), one.get("header")
    return Question(id_ if isinstance(id_, str) else str(at), label if isinstance(label, str) and label else text, text)


def answers(result: Any, *, plain: bool = False) -> tuple[tuple[str, str], ...]:
    """Return the answers in a call's result, each with its question's id ("" where it names none).

    `plain`: a result that is mere text is an answer, too, unless it says that there is none.
    """
    found: Any = arguments(result)
    if found:
        told = next((found[name] for name in ("answers", "answer", "response") if found.get(name) is not None), None)
        if isinstance(told, dict) and not {"answers", "answer", "text"} & told.keys():
            pairs = [(str(id_), _answer(one)) for id_, one in told.items()]
        else:
            pairs = [(str(at), _answer(one)) for at, one in enumerate(told if isinstance(told, list) else [told])]
        return tuple([(id_, text) for id_, text in pairs if text])
    text = "\n".join(words(result).texts).strip()
    said = _answered.sub("", text, count=1)
    if not said or said != text or (plain and not _no_answer.match(text)):
        return (("", said),) if said else ()
    return ()


def _answer(told: Any) -> str:
    """Return one answer: a text, several choices, or an object around them; a note without the mark before it."""
    if isinstance(told, dict):
        names = ("answers", "answer", "selected", "labels", "label", "text", "value", "notes", "note", "other")
        told = [told[name] for name in names if told.get(name) is not None]
    if isinstance(told, list):
        return ", ".join([text for one in told if (text := _answer(one))])
    return _noted.sub("", told).strip() if isinstance(told, str) else str(told) if isinstance(told, int | float) else ""


def paired(questions: tuple[tuple[str, str], ...], told: tuple[tuple[str, str], ...]) -> str:
    """Return the answers as text; of several questions, each answer stands behind its question's id or short name."""
    labels = dict(questions)
    if len(told) == 1 and len(questions) <= 1:
        return told[0][1]
    return "\n".join([f"{labels[id_]}: {text}" if labels.get(id_) else text for id_, text in told])


def refusal(result: Any) -> str:
    """Return what a person said when refusing a call or judging a plan, from the call's result; "" for nothing."""
    known = arguments(result)
    if known:
        if isinstance(known.get("approved"), bool) and isinstance(known.get("feedback"), str):
            return _reason(known["feedback"])
        result = next((known[name] for name in ("error", "output", "message", "content") if known.get(name)), None)
    text = "\n".join(words(result).texts).strip()
    found = _refused.match(text) or _cancelled.match(text)
    return _reason(found[1]) if found else ""


def _reason(text: str) -> str:
    """Return a reason without what programs write around it."""
    text = _behind.sub("", text).strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].strip()
    return "" if text.lower().rstrip(".") in _NOTHING else text
