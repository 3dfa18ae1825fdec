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

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared import salvage
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.turns import clip, key, moment, once, stem
from importer.formats._shared.words import MEMBERS, clean, words
from importer.protocol.records import ConversationFacts, Facts, Turn

ID_BYTES = 200  # encoded: it stands in the context, which is bounded
NAME_BYTES = 600
RESULT_CHARS = 2_000  # of each tool result, where those are indexed
OF_PATH = "path"  # the note of a context whose folder the path of a database tells
SUMMARY, PLAN, THOUGHT, RESULT = "summary", "plan", "thought", "result"


class Unit(msgspec.Struct, gc=False, omit_defaults=True):
    """A line. `text` is words in any shape; what cannot be read of them is counted. `kind` is one of those above, ""
    for plain words; `unknown` counts what the format does not know.

    `agent` is the name of a subagent, whose words, and those said to it, are not the person's. `chained`: neither time
    nor id tells its words from others.
    """

    database: str = ""
    conversation: str = ""
    title: str = ""
    cwd: str = ""
    branch: str = ""
    agent: str = ""
    role: str = ""
    text: Any = ""
    id: str = ""
    at: int | float | str | None = None
    kind: str = ""
    model: str = ""
    tools: list[str] = []
    files: list[str] = []
    unknown: int = 0
    problem: str = ""
    note: str = ""
    chained: bool = False


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The conversation as the lines so far tell it; `last` is the key of the last turn, `note` the format's own."""

    session: str = ""
    title: str = ""
    cwd: str = ""
    branch: str = ""
    agent: str = ""
    last: str = ""
    note: str = ""


_lines = Lines(Unit)


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
        fed = Fed(context, (), unknown, problems)
        for record in records:
            for unit in self._said(fed.context, record):
                one = step(fed.context, unit, options)
                fed = Fed(
                    *(one.context, fed.turns + one.turns, fed.unknown + one.unknown),
                    *(fed.problems + one.problems, fed.facts + one.facts),
                )
        return fed


def step(context: Context, unit: Unit, options: Options) -> Fed:
    """Take facts of the conversation, or what was said in it."""
    problems = (unit.problem,) if unit.problem else ()
    if unit.role not in ("user", "assistant"):
        fed = _headed(context, unit)
        return Fed(fed.context, (), unit.unknown, problems, fed.facts)
    text, strange = words(unit.text)
    if unit.kind in (THOUGHT, RESULT):
        return Fed(context, _aside(context, unit, text, options), unit.unknown, problems)
    unit.unknown += strange
    if not (text or any(unit.tools) or any(unit.files)) or (unit.kind == SUMMARY and not options.summaries):
        return Fed(context, (), unit.unknown, problems)
    agent = unit.agent or context.agent
    if agent and not options.subagents:
        return Fed(context, (), unit.unknown, problems)
    at = moment(unit.at)
    anchor = context.last if unit.chained else at or unit.id or context.last
    mark = key(unit.kind, unit.role, anchor, text, *unit.tools, *unit.files)
    turn = _turn(context, unit, text, mark, at)
    last = mark[:16] if text or not unit.chained else context.last
    return Fed(replace(context, last=last), (turn,), unit.unknown, problems)


def _headed(context: Context, unit: Unit) -> Fed:
    """Return the context after a line of facts: what it does not say stays, but for the first line."""
    if unit.database:
        return Fed(Context(clip(unit.conversation, ID_BYTES), cwd=context.cwd if context.note == OF_PATH else ""))
    after = Context(
        clip(unit.conversation, ID_BYTES) or context.session,
        clip(clean(unit.title), NAME_BYTES) or context.title,
        clip(clean(unit.cwd), NAME_BYTES) or context.cwd,
        clip(clean(unit.branch), ID_BYTES) or context.branch,
        clip(clean(unit.agent), ID_BYTES) or context.agent,
        context.last,
        clip(unit.note, NAME_BYTES) or context.note,
    )
    if after == context:
        return Fed(context)
    if (after.title, after.cwd, after.branch) == (context.title, context.cwd, context.branch):
        return Fed(after)
    told = ConversationFacts(after.session, after.title, after.cwd, after.cwd, after.branch)
    return Fed(after, facts=(told,) if after.session and (after.title or after.cwd or after.branch) else ())


def _aside(context: Context, unit: Unit, text: str, options: Options) -> tuple[Turn, ...]:
    """Return the turn of a thought or a tool's result, which are optional: no key of another turn depends on them."""
    wanted = options.thinking if unit.kind == THOUGHT else options.tool_results
    if not (wanted and text) or ((unit.agent or context.agent) and not options.subagents):
        return ()
    text = clean(text[:RESULT_CHARS]) if unit.kind == RESULT else text
    at = moment(unit.at)
    return (_turn(context, unit, text, key(unit.kind, at or unit.id or context.last, text), at),)


def _turn(context: Context, unit: Unit, text: str, mark: str, at: str) -> Turn:
    """Make a turn with what the conversation knows."""
    agent = clip(unit.agent, ID_BYTES) or context.agent
    kind = "subagent" if agent else unit.kind if unit.kind in (SUMMARY, PLAN) else "exchange"
    facts = Facts(
        kind=kind,
        project=context.cwd,
        title=context.title,
        cwd=context.cwd,
        git_branch=context.branch,
        model=unit.model,
        agent=agent,
        tools=once(unit.tools),
        files=once(unit.files),
    )
    return Turn(context.session or "unnamed", unit.id or mark, unit.role, text, at, mark, facts)


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


def text_of(content: Any) -> str:
    """Return the words of content in any shape: a text, blocks of a type, nested ones."""
    return words(content).text


def speech(role: str, content: Any, **common: Any) -> Unit:
    """Return the unit of words in any shape, read: its text is text, and what cannot be read is counted."""
    found = words(content)
    return Unit(role=role, text=found.text, unknown=found.unknown, **common)


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
