"""Make the turns of Codex's tool calls: the tool and its files, and what people read and say through a call.

A call's key hangs on the chain, but the chain does not go on from it, as with all that may be left out.
"""

from __future__ import annotations

from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared import questions
from importer.formats._shared.own_search import is_own_command, is_own_tool
from importer.formats._shared.shown import shown
from importer.formats._shared.turns import clip, key, once
from importer.formats._shared.words import pieces
from importer.formats.codex import lines
from importer.formats.codex.lines import CodexLine, Item
from importer.formats.codex.threads import Context, alone, beside, digest, passed_over, turn
from importer.protocol.records import Turn

RESULT_CHARS = 2_000  # of each tool result, where those are indexed
OWN_CALLS = 8  # the last calls to our own search, whose results are still to come
ASKS = 2  # the last calls that ask the person, and of how many questions each the names are kept
ASK_QUESTIONS = 4
ASK_BYTES = 60  # encoded, of a question's id or name


def call(context: Context, line: CodexLine, item: Item, options: Options) -> Fed:
    """Take a tool call: its name, the files of a patch, and the questions or the plan that it shows."""
    name = item.name or item.type.removesuffix("_call")  # web_search_call has no name, say
    if is_own_tool(name) or is_own_command(lines.given(item)):
        context = replace(context, own_calls=(*context.own_calls, digest(item.call_id or ""))[-OWN_CALLS:])
    if passed_over(context, options):
        return Fed(context)
    mark = key("call", context.last, item.call_id or _stamp(line))
    tools, files = once([name]), once(lines.patched_files(item))
    turns: tuple[Turn, ...] = (turn(context, line, "assistant", "", mark, tools=tools, files=files),)
    given = item.input if item.arguments is None else item.arguments
    if questions.is_question(name):
        return _asked(context, line, item, questions.asked(given), turns)
    found = shown(name, given)
    if found and found.text:
        turns += (alone(context, line, found.kind, found.text),)
    return Fed(context, turns, found.unknown if found else 0)


def _stamp(line: CodexLine) -> str:
    """Return the time of a line as it stands there."""
    return line.timestamp if isinstance(line.timestamp, str) else ""


def _asked(
    context: Context, line: CodexLine, item: Item, asked: questions.AskedQuestions, turns: tuple[Turn, ...]
) -> Fed:
    """Take the questions of a call as the assistant's text, and remember their names for the answers."""
    named = tuple([(clip(one.id, ASK_BYTES), clip(one.label, ASK_BYTES)) for one in asked.questions[:ASK_QUESTIONS]])
    fed = beside(context, line, f"asked {item.call_id}", asked.text)
    context = replace(context, asks=(*context.asks, (digest(item.call_id or ""), named))[-ASKS:])
    return Fed(context, turns + fed.turns, asked.unknown)


def output(context: Context, line: CodexLine, item: Item, options: Options) -> Fed:
    """Take of what a call gave back a person's words, and the beginning of the rest if that is wanted.

    What our own search answered is never taken, but for why a person refused to have it asked.
    """
    if passed_over(context, options):
        return Fed(context)
    mark = digest(item.call_id or "") if context.asks or context.own_calls else ""
    named = next((named for id_, named in context.asks if id_ == mark), None)
    if named is not None:
        context = replace(context, asks=tuple([ask for ask in context.asks if ask[0] != mark]))
        told = questions.answers(lines.raw_value(item.output))
        if told.pairs or told.unknown:
            fed = beside(context, line, f"answered {item.call_id}", questions.paired(named, told.pairs))
            return replace(fed, unknown=told.unknown)
    elif reason := _refusal(item):
        return beside(context, line, f"refused {item.call_id}", reason, "user")
    if not options.tool_results or mark in context.own_calls:
        return Fed(context)
    return beside(context, line, "aside", "\n".join(pieces(lines.raw_value(item.output)).texts)[:RESULT_CHARS])


def _refusal(item: Item) -> str:
    """Return why a person refused a call, told from the first bytes of its result: it may have a million of them."""
    if not lines.may_refuse(item.output):
        return ""
    return questions.refusal(lines.raw_value(item.output))
