"""Read what a person says through a tool call: answers to the assistant's questions, reasons of a refusal, comments.

Such words reach the file as the call's result only. A question belongs to the assistant's visible text, and its answer
stands behind it in the same exchange. A refusal's reason is a prompt.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from importer.formats._shared.words import MEMBERS, Words, beside, clean, listed, pieces, words

_TOOLS = """
    request_user_input ask_user ask_user_question askuserquestion ask_followup_question ask_question ask_questions
    askquestions
"""
TOOLS = frozenset(_TOOLS.split())
QUESTION_MEMBERS = tuple(dict.fromkeys(("question", "prompt", "message", *MEMBERS)))
_ANSWER_MEMBERS = ("answers", "answer", "selected", "labels", "label", "text", "value", "notes", "note", "other")
ANSWER_MEMBERS = tuple(dict.fromkeys((*_ANSWER_MEMBERS, *MEMBERS)))
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


class CallQuestion(NamedTuple):
    """One question of a call: its id there, a short name, and the words a person read."""

    id: str
    label: str
    text: str


class AskedQuestions(NamedTuple):
    """The questions of a call, and how many parts of them could not be read."""

    questions: tuple[CallQuestion, ...] = ()
    unknown: int = 0

    @property
    def text(self) -> str:
        """Return what the person read."""
        return "\n".join([one.text for one in self.questions])


class Answered(NamedTuple):
    """The answers in a call's result, each with its question's id, and how many could not be read."""

    pairs: tuple[tuple[str, str], ...] = ()
    unknown: int = 0


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


def asked(given: Any) -> AskedQuestions:
    """Return the questions of a call, from its arguments: a list of them, one object, or one text."""
    known = arguments(given)
    found = [_question(one, at) for at, one in enumerate(listed(known.get("questions")) or [known or given])]
    whole = tuple([one for one, _ in found if one.text])
    return AskedQuestions(
        whole[:MOST_QUESTIONS], sum([unknown for _, unknown in found]) + max(0, len(whole) - MOST_QUESTIONS)
    )


def _question(one: Any, at: int) -> tuple[CallQuestion, int]:
    """Read one question with the options it offers, and count what cannot be read; without an id it has its place's."""
    if not isinstance(one, dict):
        text, unknown = words(one)
        return CallQuestion(str(at), text, text), unknown
    found = beside([one.get(name) for name in QUESTION_MEMBERS])
    offered = [_option(option) for option in listed(one.get("options"))]
    text = "\n".join(found.texts).strip()
    whole = "\n".join([text, *[f"- {option.text}" for option in offered if option.text]]) if text else ""
    id_, label = one.get("id"), one.get("header")
    question = CallQuestion(
        id_ if isinstance(id_, str) else str(at), label if isinstance(label, str) and label else text, whole
    )
    return question, found.unknown + sum([option.unknown for option in offered]) + (not text)


def _option(option: Any) -> Words:
    """Return an option as text: its label, and what it means."""
    if not isinstance(option, dict):
        return words(option)
    found = beside([option.get(name) for name in ("label", "value", "text", "description")])
    return Words(": ".join([clean(text) for text in found.texts]), found.unknown)


def answers(result: Any, *, plain: bool = False) -> Answered:
    """Return the answers in a call's result, each with its question's id ("" where it names none).

    `plain`: a result that is mere text is an answer, too, unless it says that there is none.
    """
    found: Any = arguments(result)
    told = next((found[name] for name in ("answers", "answer", "response") if found.get(name) is not None), None)
    if told is not None:
        if isinstance(told, dict) and not {"answers", "answer", "text"} & told.keys():
            read = [(str(id_), _answer(one)) for id_, one in told.items()]
        else:
            read = [(str(at), _answer(one)) for at, one in enumerate(told if isinstance(told, list) else [told])]
        pairs = tuple([(id_, one.text) for id_, one in read if one.text])
        return Answered(pairs, sum([one.unknown for _, one in read]))
    text, unknown = words(found or result)
    said = _answered.sub("", text, count=1)
    if not said or said != text or (plain and not _no_answer.match(text)):
        return Answered((("", said),) if said else (), unknown)
    return Answered((), unknown)


def _answer(told: Any) -> Words:
    """Return one answer: a text, several choices, or an object around them; a note without the mark before it."""
    if isinstance(told, dict):
        held = [told[name] for name in ANSWER_MEMBERS if told.get(name) is not None]
        return _answer(held) if held else words(told)
    if isinstance(told, list):
        ones = [_answer(one) for one in told]
        return Words(", ".join([one.text for one in ones if one.text]), sum([one.unknown for one in ones]))
    if isinstance(told, str):
        return Words(clean(_noted.sub("", told)))
    return Words(str(told) if isinstance(told, int | float) else "")


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
    text = "\n".join(pieces(result).texts).strip()
    found = _refused.match(text) or _cancelled.match(text)
    return _reason(found[1]) if found else ""


def _reason(text: str) -> str:
    """Return a reason without what programs write around it."""
    text = _behind.sub("", text).strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].strip()
    return "" if text.lower().rstrip(".") in _NOTHING else text
