"""Find what a person said in the result of a tool call: answers to questions, and why a call was refused.

Such words reach the transcript nowhere else. An answer belongs to the exchange that goes on, behind its question; the
reason of a refusal is a prompt. The structured copy of a result goes before its text.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from importer.formats._shared.words import MEMBERS, beside, listed, pieces
from importer.formats.claude_code import lines
from importer.formats.claude_code.lines import Block, TranscriptLine
from importer.formats.claude_code.text import typed_text

ANSWERED = ("User has answered your questions:", "Your questions have been answered:")
# Why a call was refused, in the wordings of older and newer versions; the last is for a sub-agent's.
REASONS = (
    "To tell you how to proceed, the user said:",
    "The user provided the following reason for the rejection:",
    "The user said:",
)
PLAIN_WORDS = REASONS[-1]  # which follow nothing but the notice in full: any result may say so
REASON_END = "\n\nNote: The user's next message may contain"
REFUSED = ("The user doesn't want to", "Permission for this tool use was denied", "The tool use was rejected")
# A refusal that is the tool's own words round the answers given so far.
UNFINISHED = ("The user wants to clarify these questions", "The user has indicated they have provided enough answers")
BY_PERSON = ("user-rejected", "user_rejected")  # kinds of denial; others are a program's
# The members of an answer that hold what was chosen or typed.
CHOSEN = tuple(dict.fromkeys(("answer", "answers", "selected", "label", "other", "custom", "notes", *MEMBERS)))
NOTICE_CHARS = 400  # what stands in front of the reason is one line, and shorter
HEAD_BYTES = 120  # of a result, to tell whether to look at it

_may_speak = re.compile(
    rb"User has answered your|our questions have been answered|The user doesn.{1,6}t want to|The tool use was rejected"
    rb"|Permission for this tool use was|User has approved your plan|The agent proposed a plan"
)
_given = re.compile(rb'\s*\{\s*"(?:questions|answers|annotations)"\s*:')
_continue = re.compile(r"\.?\s*You can now continue\b[^\n]*\Z")


class Given(msgspec.Struct):
    """The structured result of a question: what was asked, what was answered, and what was noted beside it."""

    questions: Any = None
    answers: Any = None
    annotations: Any = None
    response: Any = None


_decode_given = msgspec.json.Decoder(Given).decode


def may_speak(line: TranscriptLine, block: Block) -> bool:
    """Return True if a tool's result may hold a person's words, from its first bytes or its mark as an error."""
    if block.is_error or _may_speak.search(memoryview(block.content)[:HEAD_BYTES]):
        return True
    return _is_given(line.tool_use_result) or _is_given(line.sdk_result)


def answered(line: TranscriptLine, block: Block) -> str:
    """Return the questions that a result answers, each with the person's answer behind it; "" for none."""
    text = "\n".join(lines.texts(block.content)).strip()
    if block.type != "tool_result":
        return ""
    if block.is_error:
        return _unfinished(text)
    if structured := _structured(line):
        return structured
    start = next((start for start in ANSWERED if text.startswith(start)), None)
    return "" if start is None else _continue.sub("", text.removeprefix(start).strip())


def objection(line: TranscriptLine, block: Block) -> str:
    """Return what a person said when refusing a call, from the call's result; "" for nothing.

    Only the notice of a refusal, at the beginning of the result, is followed by a person's words: other results may
    quote it.
    """
    if block.type != "tool_result" or (line.tool_denial_kind and line.tool_denial_kind not in BY_PERSON):
        return ""
    text = "\n".join(lines.texts(block.content)).strip().removeprefix("Error: ").removeprefix("<tool_use_error>")
    for start in REASONS:
        notice, found, reason = text.partition(start)
        if found and _is_notice(notice, start, block):
            said = typed_text(reason.partition(REASON_END)[0].removesuffix("</tool_use_error>"))
            return "" if said.startswith(UNFINISHED) else said
    return ""


def _is_notice(notice: str, start: str, block: Block) -> bool:
    """Return True if what stands in front of a reason is the notice that its call was refused."""
    if len(notice) > NOTICE_CHARS:
        return False
    return notice.startswith(REFUSED) or (bool(block.is_error) and "\n" not in notice and start != PLAIN_WORDS)


def _is_given(raw: msgspec.Raw) -> bool:
    """Return True if a structured result is that of a question, from its first bytes."""
    return bool(_given.match(memoryview(raw)[:HEAD_BYTES]))


def _structured(line: TranscriptLine) -> str:
    """Return the answers of a structured result as text, "" where it has none."""
    given = _given_in(line)
    return "\n\n".join([*_pairs(given), *pieces(given.response).texts]) if given else ""


def _given_in(line: TranscriptLine) -> Given | None:
    """Return the structured result of a question, None for any other line."""
    raw = line.tool_use_result if _is_given(line.tool_use_result) else line.sdk_result
    try:
        return _decode_given(raw) if _is_given(raw) else None
    except (ValueError, RecursionError):
        return None


def _pairs(given: Given) -> list[str]:
    """Return each question with its answer and the note beside it, whether they stand in a mapping or a list."""
    notes = given.annotations if isinstance(given.annotations, dict) else {}
    if isinstance(given.answers, dict):
        items = [(str(name), answer) for name, answer in given.answers.items()]
        items += [(name, "") for name in notes if name not in given.answers]
    elif isinstance(given.answers, list):
        items = [(str(number), answer) for number, answer in enumerate(given.answers)]
    else:
        items = [("", given.answers)]
    return [text for name, answer in items if (text := _pair(given, name, answer, notes.get(name)))]


def _pair(given: Given, name: str, answer: Any, note: Any) -> str:
    """Return one question with its answer, "" where nothing was answered."""
    chosen = ", ".join(_chosen(answer))
    noted = pieces(note.get("notes")).texts if isinstance(note, dict) else ()
    if not (chosen or noted):
        return ""
    return "\n".join(filter(None, [_question(given, name, answer), chosen, *noted]))


def _question(given: Given, name: str, answer: Any) -> str:
    """Return the question that an answer is named by: its words, or its heading, number or id."""
    if isinstance(answer, dict) and isinstance(answer.get("question"), str):
        return str(answer["question"])
    asked = given.questions if isinstance(given.questions, list) else []
    for number, question in enumerate(asked):
        if isinstance(question, dict) and name in (str(number), question.get("header"), question.get("id")):
            return "\n".join(pieces(question.get("question")).texts)
    return "" if name.isdecimal() else name


def _chosen(answer: Any) -> list[str]:
    """Return the answers chosen or typed: one, several, or objects that hold them."""
    if isinstance(answer, list):
        return [text for item in answer for text in _chosen(item)]
    if isinstance(answer, dict):
        return list(beside([answer.get(name) for name in CHOSEN]).texts)
    return [str(answer)] if isinstance(answer, int | float) else list(pieces(answer).texts)


def unread(line: TranscriptLine) -> int:
    """Count the answers in a structured result that cannot be read."""
    if line.tool_use_result is lines.EMPTY and line.sdk_result is lines.EMPTY:
        return 0
    given = _given_in(line)
    answers = given.answers if given else None
    return sum(map(_unread, answers.values() if isinstance(answers, dict) else listed(answers)))


def _unread(answer: Any) -> int:
    """Count what cannot be read of an answer."""
    if isinstance(answer, dict) and not answer.keys().isdisjoint(CHOSEN):
        return beside([answer.get(name) for name in CHOSEN]).unknown
    return pieces(answer).unknown if isinstance(answer, dict | list) else 0


def _unfinished(text: str) -> str:
    """Return the questions answered before a person broke off answering, each with its answer; "" for none."""
    start = max(text.find(mark, 0, NOTICE_CHARS + len(mark)) for mark in UNFINISHED)
    if start < 0:
        return ""
    listed = text[start:].partition(REASON_END)[0].partition("\n- ")
    asked = [item.partition("\n  Answer: ") for item in listed[2].split("\n- ")]
    return "\n\n".join(
        f"{question.strip().strip(chr(34))}\n{answer.strip()}" for question, _, answer in asked if answer
    )
