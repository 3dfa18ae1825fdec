"""What people and the assistant say to each other through calls of tools, for all formats that tell units.

A question belongs to the exchange, and its answer stands behind it there; a message that a call shows likewise. Plans
and documents are texts of their own. The reason of a refusal is a prompt. No key of another turn depends on any.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared import questions
from importer.formats._shared.calls import ASKED, TOLD, Called
from importer.formats._shared.turns import clip, key, moment
from importer.formats._shared.units import ANSWER, RESULT, Ask, Context, Unit, turn
from importer.formats._shared.words import clean, words
from importer.protocol.records import Turn

RESULT_CHARS = 2_000  # of each tool result, where those are indexed
OWN_CALLS = 8  # the last calls to this memory, whose results are still to come
ASKS = 3  # the last calls that ask the person, and of how many questions each the names are kept
ASK_QUESTIONS = 4
ASK_BYTES = 40  # encoded, of a question's id or name
DIGITS = 16  # of the digest of a call's id


def showing(context: Context, unit: Unit, options: Options) -> Fed:
    """Take what the calls of a unit show, and remember those whose results matter."""
    own = [_digest(call.id) for call in unit.calls if call.own]
    asks = [_ask(call) for call in unit.calls if call.kind == ASKED]
    after = replace(context, own=(*context.own, *own)[-OWN_CALLS:], asks=(*context.asks, *asks)[-ASKS:])
    if is_passed_over(context, unit, options):
        return Fed(after)
    turns = tuple([_shown(context, unit, call) for call in unit.calls if call.text])
    return Fed(after, turns, sum([call.unknown for call in unit.calls]))


def answering(context: Context, unit: Unit, options: Options) -> Fed:
    """Take of what a call gave back a person's words, and the beginning of the rest if that is wanted.

    What this memory answered is never taken, but for why a person refused to have it asked.
    """
    mark = _digest(unit.of) if unit.of else ""
    ask = next((one for one in context.asks if one[0] == mark), None)
    if ask is not None:
        context = replace(context, asks=tuple([one for one in context.asks if one[0] != mark]))
    if is_passed_over(context, unit, options):
        return Fed(context)
    if ask is not None or unit.kind == ANSWER:
        told = questions.answers(unit.text, plain=True)
        if told.pairs or told.unknown:
            text = questions.paired(ask[1] if ask else (), told.pairs)
            return Fed(context, _aside(context, unit, "answered", text, "assistant"), told.unknown)
    elif reason := questions.refusal(unit.text):
        return Fed(context, _aside(context, unit, "refused", reason, "user"))
    wanted = options.tool_results and mark not in context.own
    text = clean(words(unit.text).text[:RESULT_CHARS]) if wanted else ""
    at = moment(unit.at)
    mark = key(RESULT, at or unit.id or context.last, text)
    return Fed(context, (turn(context, unit, text, mark, at, role="assistant"),) if text else ())


def is_passed_over(context: Context, unit: Unit, options: Options) -> bool:
    """Return True if a unit is a subagent's and those are not wanted."""
    return bool(unit.agent or context.agent) and not options.subagents


def _digest(id_: str) -> str:
    """Return a short hash of a call's id: the context is small."""
    return key(id_)[:DIGITS]


def _ask(call: Called) -> Ask:
    """Return what is remembered of a call that asks the person."""
    names = [(clip(id_, ASK_BYTES), clip(label, ASK_BYTES)) for id_, label in call.names[:ASK_QUESTIONS]]
    return _digest(call.id), tuple(names)


def _shown(context: Context, unit: Unit, call: Called) -> Turn:
    """Make the turn of what a call shows; a plan or document that is shown again in the same words is the same."""
    within = call.kind in (ASKED, TOLD)
    mark = key(call.kind, call.id or context.last, call.text) if within else key(call.kind, call.text)
    bare = replace(unit, tools=[], files=[])
    return turn(context, bare, call.text, mark, moment(unit.at), role="assistant", kind=call.kind)


def _aside(context: Context, unit: Unit, name: str, text: Any, role: str) -> tuple[Turn, ...]:
    """Make the turn of a person's words in a result."""
    mark = key(name, unit.of or context.last, text)
    return (turn(context, replace(unit, kind=""), text, mark, moment(unit.at), role=role),) if text else ()
