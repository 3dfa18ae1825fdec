"""Conversations with questions about them, read from LoCoMo's and LongMemEval's files or a simple JSON of one's own.

    LoCoMo        [{"sample_id", "conversation": {"speaker_a", "session_1": [{"speaker", "dia_id", "text"}, …],
                  "session_1_date_time", …}, "qa": [{"question", "category", "evidence": ["D1:3"]}, …]}, …]
    LongMemEval   [{"question_id", "question_type", "question", "question_date", "haystack_session_ids",
                  "haystack_dates", "haystack_sessions": [[{"role", "content", "has_answer"?}, …], …],
                  "answer_session_ids"}, …]
    one's own     {"conversations": [{"id", "at"?, "turns": [{"role", "text"}, …]}, …],
                  "questions": [{"question", "right": [conversation id, …], "category"?, "asked"?}, …]}

LongMemEval's questions whose id ends in `_abs`, and those of one's own file with an empty `right`, ask for something
that was never said: only how near the answer is said to be is counted. Other questions without a right conversation in
the haystack are left out, for nothing could be right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from importer.bench.recall import elements
from importer.errors import UsageError

LOCOMO_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "inference", 4: "single-hop", 5: "adversarial"}
_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")
_LOCOMO_TIMES = ("%I:%M %p on %d %B, %Y", "%I:%M %p on %d %b, %Y")
_LONGMEM_TIMES = ("%Y/%m/%d (%a) %H:%M", "%Y/%m/%d %H:%M", "%Y/%m/%d")


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """One turn: `role` is user or assistant; `key` names it where the benchmark points at turns, else ""."""

    role: str
    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation, begun `at` (None if unknown)."""

    id: str
    turns: tuple[SpokenTurn, ...]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the conversations that answer it, and the turns in them that do, as far as these are known."""

    id: str
    text: str
    category: str
    right: frozenset[str]
    turns: tuple[str, ...] = ()
    asked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Haystack:
    """Conversations that are searched together, and the questions put to them."""

    name: str
    sessions: tuple[Session, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One file: what kind it is, the SHA-256 of its bytes, and its haystacks."""

    kind: str
    sha256: str
    haystacks: tuple[Haystack, ...]


def read(path: str) -> Benchmark:
    """Read a benchmark's file. Raises UsageError for a file that is none of the three shapes."""
    try:
        kind, haystacks = _haystacks(elements.elements(path))
        return Benchmark(kind, elements.sha256(path), tuple(haystacks))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name a benchmark's file") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = "LoCoMo's, LongMemEval's, or {conversations, questions}; `importer bench recall --help` has an example"
        raise UsageError(f"{path} is no benchmark that is known: {error!r}", hint=hint) from error


def _haystacks(values: Iterable[Any]) -> tuple[str, Iterable[Haystack]]:
    """Return the kind of a file's values, and their haystacks. Raises ValueError for an unknown shape."""
    values = iter(values)
    first = next(values, None)
    for kind, (field, made) in SHAPES.items():
        if isinstance(first, Mapping) and field in first:
            return kind, (made(one) for one in chain((first,), values))
    raise ValueError("it has none of the fields that tell the shapes apart")


def _locomo(sample: Mapping[str, Any]) -> Haystack:
    """Return one dialogue: its sessions are the haystack."""
    talk, name = sample["conversation"], str(sample["sample_id"])
    numbers = sorted(int(key[8:]) for key in talk if re.fullmatch(r"session_\d+", key))
    sessions = tuple(
        Session(
            f"{name}-{number}",
            tuple(_locomo_turn(turn, talk["speaker_a"]) for turn in talk[f"session_{number}"]),
            _time(talk.get(f"session_{number}_date_time", ""), _LOCOMO_TIMES),
        )
        for number in numbers
    )
    asked = [_locomo_question(name, at, one) for at, one in enumerate(sample["qa"])]
    return Haystack(name, sessions, tuple(one for one in asked if one.right))


def _locomo_turn(turn: Mapping[str, Any], user: str) -> SpokenTurn:
    """Return a turn with its speaker's name, by which the questions ask; the first speaker is the user."""
    role = "user" if turn["speaker"] == user else "assistant"
    return SpokenTurn(role, f"{turn['speaker']}: {turn['text']}", turn["dia_id"])


def _locomo_question(name: str, at: int, one: Mapping[str, Any]) -> Question:
    """Return a question; its evidence is written in several ways, `D8:6; D9:17` and `D:11:26` among them."""
    found = [match for text in one.get("evidence") or () for match in _EVIDENCE.findall(str(text))]
    right = frozenset(f"{name}-{int(session)}" for session, _ in found)
    turns = tuple(dict.fromkeys(f"D{int(session)}:{int(turn)}" for session, turn in found))
    category = LOCOMO_CATEGORIES.get(one["category"], str(one["category"]))
    return Question(f"{name}/{at}", str(one["question"]), category, right, turns)


def _longmemeval(one: Mapping[str, Any]) -> Haystack:
    """Return one question with the haystack of its own."""
    ids = [str(id) for id in one["haystack_session_ids"]]
    dates = one.get("haystack_dates") or [""] * len(ids)
    sessions = tuple(
        Session(id, tuple(_longmem_turn(id, n, turn) for n, turn in enumerate(turns)), _time(str(date), _LONGMEM_TIMES))
        for id, date, turns in zip(ids, dates, one["haystack_sessions"], strict=True)
    )
    name, kind = str(one["question_id"]), str(one["question_type"])
    asked = _time(str(one.get("question_date", "")), _LONGMEM_TIMES)
    if name.endswith("_abs"):  # its `answer_session_ids` are near what is asked for, and do not have it
        return Haystack(name, sessions, (Question(name, str(one["question"]), kind, frozenset(), asked=asked),))
    right = frozenset(str(id) for id in one["answer_session_ids"]).intersection(ids)
    keys = tuple(turn.key for session in sessions for turn in session.turns if turn.key)
    question = Question(name, str(one["question"]), kind, right, tuple(dict.fromkeys(keys)), asked)
    return Haystack(name, sessions, (question,) if right else ())


def _longmem_turn(session: str, number: int, turn: Mapping[str, Any]) -> SpokenTurn:
    """Return a turn, with a key if it has the answer."""
    return SpokenTurn(str(turn["role"]), str(turn["content"]), f"{session}:{number}" if turn.get("has_answer") else "")


def _own(value: Mapping[str, Any]) -> Haystack:
    """Return the haystack of one's own file."""
    sessions = tuple(
        Session(
            str(one["id"]), tuple(SpokenTurn(str(t["role"]), str(t["text"])) for t in one["turns"]), _iso(one.get("at"))
        )
        for one in value["conversations"]
    )
    known = {session.id for session in sessions}
    questions = tuple(
        Question(
            str(at),
            str(one["question"]),
            str(one.get("category", "")),
            _right(one, known),
            asked=_iso(one.get("asked")),
        )
        for at, one in enumerate(value["questions"])
    )
    return Haystack("own", sessions, questions)


def _right(one: Mapping[str, Any], known: set[str]) -> frozenset[str]:
    """Return the right conversations of a question. Raises ValueError for one that is not there."""
    right = frozenset(str(id) for id in one["right"])
    if missing := right - known:
        raise ValueError(f"question {one['question']!r} names the conversation {min(missing)!r}, which is not there")
    return right


def _time(text: str, layouts: Sequence[str]) -> datetime | None:
    """Return a benchmark's time, taken for UTC; None for one that is not given."""
    for layout in layouts if text else ():
        try:
            return datetime.strptime(text, layout).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _iso(text: Any) -> datetime | None:
    """Return an ISO time, taken for UTC where it names no zone."""
    if not text:
        return None
    found = datetime.fromisoformat(str(text))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# The field of the first value that tells a shape, and what makes a haystack of a value.
SHAPES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], Haystack]]] = {
    "own": ("conversations", _own),
    "locomo": ("conversation", _locomo),
    "longmemeval": ("haystack_sessions", _longmemeval),
}
