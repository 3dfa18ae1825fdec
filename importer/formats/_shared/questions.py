"""Read what a person says through a tool call: answers to the assistant's questions, reasons of a refusal, comments.

Such words reach the file as the call's result only. A question belongs to the assistant's visible text, and its answer
stands behind it in the same exchange. A refusal's reason is a prompt.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from importer.formats._shared.blocks import unwrapped
from importer.formats._shared.words import MEMBERS, Pieces, Words, beside, clean, kind_of, listed, pieces, words

_TOOLS = """
    requestuserinput getuserinput userinput askuser askuserquestion askuserquestions askuserinput askfollowupquestion
    askfollowupquestions askquestion askquestions askhuman askclarification question questions clarify followup
"""
TOOLS = frozenset(_TOOLS.split())  # as `bare` gives their names
QUESTION_MEMBERS = tuple(dict.fromkeys(("question", "prompt", "message", "questionnaire", *MEMBERS)))
OPTION_LISTS = ("options", "choices", "suggestions", "suggest", "follow_up")
OPTION_MEMBERS = tuple(f"option{number}" for number in range(1, 10))
_ANSWER_MEMBERS = """
    answers answer user_response userResponse response selected selectedOptions selected_options selectedOptionIds
    selected_option_ids labels label text value freeformText freeform customText custom notes note other
"""
ANSWER_MEMBERS = tuple(dict.fromkeys((*_ANSWER_MEMBERS.split(), *MEMBERS)))
RESULT_MEMBERS = ("answers", "answer", "user_response", "userResponse", "response", "selected")
MOST_QUESTIONS = 16  # of one call

_noted = re.compile(r"\A(?:user_note|note|other):\s*", re.IGNORECASE)
_answered = re.compile(
    r"\A(?:the )?user(?:'s)? (?:has )?(?:selected|responded|answered|chose|replied|provided|response|answers?)"
    r"[^\n:\"]{0,40}:\s*",
    re.IGNORECASE,
)
_no_answer = re.compile(
    r"\A(?:the )?(?:user|questions?) (?:has |was |were )?(?:dismissed|skipped|cancel|did not|declined|is not|rejected)"
    r"|\A(?:error|failed):|\Afailed to |\A\[(?:operation|user|the user|request|question|no |tool|error|cancel)",
    re.IGNORECASE,
)
_refused = re.compile(
    r"""\A(?:the\ )?(?:user|plan|tool\ call|exec\ command|command|patch|edit)\b[^\n:]{0,60}?
    \b(?:rejected|denied|declined|refused|approved)\b[^\n:]{0,80}?
    (?:\b(?:feedback|reason|comments?|message|note|said)\b\ ?:|(?<=by\ user):|(?<=by\ the\ user):)\s*(.+)\Z""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
# As Claude Code words it, in older and newer versions, and what was made after it.
_said = re.compile(
    r"\A(?:The user doesn.t want to|The tool use was rejected|Permission for this tool use was denied)[^\n]{0,400}?"
    r"(?:the user said:|reason for the rejection:)\s*(.+)\Z",
    re.IGNORECASE | re.DOTALL,
)
# In front of a notice, where a program tells it as an error.
_marked = re.compile(r"\A(?:<tool(?:_use)?_error>\s*|\w{0,40}Error:\s*)+", re.IGNORECASE)
_REFUSALS = ("reject", "denied", "declined", "refused", "approved", "cancelled", "want to")
NOTICE_CHARS = 600  # within which a notice says that it is one
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
    return bare(tool) in TOOLS


@lru_cache(maxsize=256)
def bare(tool: str) -> str:
    """Return a tool's name without the server it comes from, in small letters without hyphens."""
    return re.split(r"__|[./:]", tool)[-1].lower().replace("_", "").replace("-", "")


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
    found = [_question(one, at) for at, one in enumerate(listed(_decoded(known.get("questions"))) or [known or given])]
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
    options = [option for name in OPTION_LISTS for option in listed(_decoded(one.get(name)))]
    offered = [_option(option) for option in (*options, *[one[name] for name in OPTION_MEMBERS if one.get(name)])]
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
    found = beside([option.get(name) for name in ("label", "answer", "value", "text", "description")])
    return (
        Words(": ".join([clean(text) for text in found.texts]), found.unknown) if found != Pieces() else words(option)
    )


def answers(result: Any, *, plain: bool = False) -> Answered:
    """Return the answers in a call's result, each with its question's id ("" where it names none).

    `plain`: a result that is mere text is an answer, too, unless it says that there is none.
    """
    result = _decoded(result)
    found: Any = result if isinstance(result, dict) else {}
    told = next((found[name] for name in RESULT_MEMBERS if found.get(name) is not None), None)
    if isinstance(result, list) and not _are_blocks(result):
        told = result
    if told is not None:
        if isinstance(told, dict) and not {"answers", "answer", "text"} & told.keys():
            read = [(str(id_), _answer(one)) for id_, one in told.items()]
        else:
            read = [(str(at), _answer(one)) for at, one in enumerate(told if isinstance(told, list) else [told])]
        pairs = tuple([(id_, one.text) for id_, one in read if one.text])
        return Answered(pairs, sum([one.unknown for _, one in read]))
    text, unknown = words(found or result)
    if text != result and not isinstance(inner := _decoded(text), str):
        return answers(inner, plain=plain)
    text = unwrapped(text)
    said = _answered.sub("", text, count=1)
    if not said or said != text or (plain and not _no_answer.match(text)):
        return Answered((("", said),) if said else (), unknown)
    return Answered((), unknown)


def _decoded(told: Any) -> Any:
    """Return what a result is as JSON, an object or a list; anything else as it is."""
    if isinstance(told, str) and told.lstrip().startswith(("[", "{")):
        with suppress(ValueError, RecursionError):
            return msgspec.json.decode(told)
    return told


def _are_blocks(result: list[Any]) -> bool:
    """Return True for a list of blocks, in which a text stands as a message's does."""
    return any(isinstance(one, dict) and (kind_of(one) or {"text", "content"} & one.keys()) for one in result)


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
        result = next((known[name] for name in ("error", "output", "message", "content") if known.get(name)), known)
    text = "\n".join(pieces(result).texts).strip()
    notice = text[:NOTICE_CHARS].lower()
    if not any(word in notice for word in _REFUSALS):  # nearly all results
        return ""
    text = _marked.sub("", text, count=1)
    found = _refused.match(text) or _cancelled.match(text) or _said.match(text)
    return _reason(found[1]) if found else ""


def _reason(text: str) -> str:
    """Return a reason without what programs write around it."""
    text = unwrapped(_behind.sub("", text).strip())
    for end in ("</tool_use_error>", "</tool_error>"):
        text = text.removesuffix(end).strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].strip()
    return "" if text.lower().rstrip(".") in _NOTHING else text
