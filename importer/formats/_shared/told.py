"""The fold over units that say plainly what was said: formats tell their rows, or their records, in this one shape.

    {"database": "goose", "conversation": "20260601_1"}                         the first line
    {"title": "Fix CI", "cwd": "/home/ann/app"}                                 of the conversation from here on
    {"role": "user", "text": "why is CI red?", "id": "msg_x", "at": 1780000000} something said

A turn's key is a hash of role, time and text, or of the id where there is no time: what a fork copies under new ids
is known again. Words that have neither are chained: each key is a hash of the one before it in the conversation.

A format of JSON lines makes units of each record, by a function that `Records` is given; a format of a database does so
with each row (`told`), and its units arrive here as lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared import salvage
from importer.formats._shared.blocks import unwrapped
from importer.formats._shared.dialogue import RESULT_CHARS, answering, is_passed_over, showing
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.turns import clip, key, moment, stem
from importer.formats._shared.units import (
    ABOUT,
    ANSWER,
    ID_BYTES,
    NAME_BYTES,
    PLAN,
    RESULT,
    SUMMARY,
    THOUGHT,
    Context,
    Unit,
    turn,
)
from importer.formats._shared.words import MEMBERS, Words, clean, words
from importer.protocol.records import ConversationFacts, Turn

__all__ = [
    "ABOUT",
    "ANSWER",
    "ID_BYTES",
    "NAME_BYTES",
    "OF_PATH",
    "PLAN",
    "RESULT",
    "RESULT_CHARS",
    "SUMMARY",
    "THOUGHT",
    "Context",
    "Records",
    "Unit",
    "begin",
    "begin_by_name",
    "feed",
    "inner",
    "is_told",
    "lacks",
    "member",
    "objects",
    "parted",
    "prompt",
    "speech",
    "step",
    "string",
    "text_of",
    "value",
    "wordy",
]

OF_PATH = "path"  # the note of a context whose folder the path of a database tells

_lines = Lines(Unit)
_sentence = re.compile(r"[^\W\d_] [^\W\d_]")


def begin(_path: bytes) -> Context:
    """Return the context before the first line, which names the conversation."""
    return Context()


def is_told(raw: bytes) -> bool:
    """Return True for a line that was told of a database: it ends with a digest."""
    return raw.endswith(b'"}') and b',"chain":"' in raw[-64:]


def begin_by_name(path: bytes) -> Context:
    """Return the context before the first line of a file that is named after its conversation."""
    return Context(session=clip(stem(path), ID_BYTES))


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turn of a line. Never raises."""
    return _lines.feed(context, raw, options, step)


class Records:
    """The fold of a format of JSON lines, whose `said` makes units of a record and what was known before it."""

    def __init__(self, said: Callable[[Context, dict[str, Any]], Iterable[Unit]]) -> None:
        self._said = said
        self._decode = msgspec.json.Decoder(dict[str, Any]).decode

    def feed(self, context: Context, raw: bytes, options: Options) -> Fed:
        """Return the turns of a line, or of a document's unit. Never raises."""
        try:
            records = [self._decode(raw)]
            problems: tuple[str, ...] = ()
            unknown = 0
        except (ValueError, RecursionError):
            whole = salvage.whole(raw)
            problems, unknown, records = whole.problems, whole.strangers, []
            for part in whole.parts:
                with suppress(ValueError, RecursionError):
                    records.append(self._decode(part))
        turns, more, facts = list[Turn](), list(problems), list[ConversationFacts]()
        for record in records:
            for unit in self._said(context, record):
                one = step(context, unit, options)
                context, unknown = one.context, unknown + one.unknown
                turns += one.turns
                more += one.problems
                facts += one.facts
        return Fed(context, tuple(turns), unknown, tuple(more), tuple(facts))


def step(context: Context, unit: Unit, options: Options) -> Fed:
    """Take facts of the conversation, or what was said in it; words without a side are counted."""
    problems = (unit.problem,) if unit.problem else ()
    if unit.role not in ("user", "assistant"):
        fed, lost = _headed(context, unit), bool(unit.text) and words(unit.text) != Words()
        return Fed(fed.context, (), unit.unknown + lost, problems, fed.facts)
    fed = answering(context, unit, options) if unit.kind in (RESULT, ANSWER) else _spoken(context, unit, options)
    if unit.calls:
        shown = showing(fed.context, unit, options)
        fed = Fed(shown.context, fed.turns + shown.turns, fed.unknown + shown.unknown)
    return Fed(fed.context, fed.turns, fed.unknown + unit.unknown, problems)


def _spoken(context: Context, unit: Unit, options: Options) -> Fed:
    """Take the words of a side, or a thought; and what tools were used."""
    text, strange = words(unit.text)
    if unit.kind == THOUGHT:
        return Fed(context, _thought(context, unit, text, options))
    if not (text or any(unit.tools) or any(unit.files)) or (unit.kind == SUMMARY and not options.summaries):
        return Fed(context, (), strange)
    if is_passed_over(context, unit, options):
        return Fed(context, (), strange)
    at = moment(unit.at)
    anchor = context.last if unit.chained else at or unit.id or context.last
    mark = key(unit.kind, unit.role, anchor, text, *unit.tools, *unit.files)
    last = mark[:16] if text or not unit.chained else context.last
    return Fed(replace(context, last=last), (turn(context, unit, text, mark, at),), strange)


def _headed(context: Context, unit: Unit) -> Fed:
    """Return the context after a line of facts: what it does not say stays, but for the first line.

    What a sheet tells goes to the conversation that it names, and to no other one that is told of after it.
    """
    if unit.kind == ABOUT:
        return Fed(context, facts=_facts(replace(Context(session=context.session), **_named(unit))))
    if unit.database:
        return Fed(Context(clip(unit.conversation, ID_BYTES), cwd=context.cwd if context.note == OF_PATH else ""))
    after = replace(context, **_named(unit))
    if after == context:
        return Fed(context)
    if (after.title, after.cwd, after.branch) == (context.title, context.cwd, context.branch):
        return Fed(after)
    return Fed(after, facts=_facts(after))


def _named(unit: Unit) -> dict[str, str]:
    """Return what a line of facts says of a conversation, by the members of its context."""
    found = {
        "session": clip(unit.conversation, ID_BYTES),
        "title": clip(clean(unit.title), NAME_BYTES),
        "cwd": clip(clean(unit.cwd), NAME_BYTES),
        "branch": clip(clean(unit.branch), ID_BYTES),
        "agent": clip(clean(unit.agent), ID_BYTES),
        "note": clip(unit.note, ID_BYTES),
    }
    return {name: text for name, text in found.items() if text}


def _facts(known: Context) -> tuple[ConversationFacts, ...]:
    """Return the facts of a conversation, if there are any."""
    told = ConversationFacts(known.session, known.title, known.cwd, known.cwd, known.branch)
    return (told,) if known.session and (known.title or known.cwd or known.branch) else ()


def _thought(context: Context, unit: Unit, text: str, options: Options) -> tuple[Turn, ...]:
    """Return the turn of a thought, which is optional: no key of another turn depends on it."""
    if not (options.thinking and text) or is_passed_over(context, unit, options):
        return ()
    at = moment(unit.at)
    return (turn(context, unit, text, key(unit.kind, at or unit.id or context.last, text), at),)


def value(text: Any) -> Any:
    """Return the value of a JSON text; of a damaged one the first object that is whole, None without one."""
    if not isinstance(text, str):
        return text
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        parts = salvage.whole(text.encode("utf-8", "replace")).parts
        return msgspec.json.decode(parts[0]) if parts else None


def member(held: Any, *names: str) -> Any:
    """Return what stands at a path of members, None where one is missing or is no object."""
    for name in names:
        held = held.get(name) if isinstance(held, Mapping) else None
    return held


def lacks(held: Any, *names: str, beside: Iterable[str] = ()) -> int:
    """Return 1 for an object that has none of the members where its words stand.

    Where it has one of those that may stand `beside` no words, such as calls, only if another one holds a sentence.
    """
    if not isinstance(held, Mapping) or not set(names).isdisjoint(held):
        return 0
    others = [one for name, one in held.items() if name not in beside]
    return int(len(others) == len(held) or any(isinstance(one, str) and _sentence.search(one) for one in others))


def inner(held: Any, *names: str) -> Any:
    """Return the first of these members that an object has; what has none is given as it is, to be read or counted."""
    known = [name for name in names if name in held] if isinstance(held, Mapping) else []
    return held[known[0]] if known else held


def text_of(content: Any) -> str:
    """Return the words of content in any shape: a text, blocks of a type, nested ones."""
    return words(content).text


def speech(role: str, content: Any, **common: Any) -> Unit:
    """Return the unit of words in any shape, read: its text is text, and what cannot be read is counted."""
    found = words(content)
    return Unit(role=role, text=found.text, unknown=found.unknown, **common)


def prompt(content: Any, **common: Any) -> Unit:
    """Return the unit of a person's words, without the blocks that an agent puts around them."""
    said = speech("user", content, **common)
    said.text = unwrapped(said.text)
    return said


def parted(held: Any) -> tuple[list[dict[str, Any]], int]:
    """Return the objects of a list, or in an object's members, and how many others may say something: marks do not."""
    ones = list(held.values()) if isinstance(held, dict) else held if isinstance(held, list) else [held]
    return [one for one in ones if isinstance(one, dict)], sum(map(_may_say, ones))


def wordy(block: Any) -> Any:
    """Return what holds the words of a block: one member alone, or all that may; anything but an object as it is."""
    held = {name: block[name] for name in MEMBERS if name in block} if isinstance(block, dict) else {}
    return next(iter(held.values())) if len(held) == 1 else held or block


def _may_say(one: Any) -> bool:
    """Return True for a text or a list that is not empty."""
    return isinstance(one, str | list) and bool(one)


def string(held: Any, *names: str) -> str:
    """Return the text at a path of members, "" where there is none."""
    found = member(held, *names)
    return found if isinstance(found, str) else ""


def objects(held: Any) -> Iterable[dict[str, Any]]:
    """Return the objects of a list; nothing of anything else."""
    return [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []
