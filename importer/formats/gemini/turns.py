"""Make the turns of a Gemini message: what it says, and what people read and say through its tool calls.

A message comes again, and in lists: each text counts once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared import questions
from importer.formats._shared.own_search import is_own_command, is_own_tool
from importer.formats._shared.shown import shown
from importer.formats._shared.turns import clip, key, moment, once
from importer.formats._shared.words import Pieces, beside, joined, pieces
from importer.formats.gemini import appended
from importer.formats.gemini.lines import NAME_BYTES, Context, GeminiCall, GeminiMessage, sent
from importer.formats.gemini.text import is_summary, typed
from importer.protocol.records import ConversationFacts, Facts, Turn

ROLES = {"user": "user", "gemini": "assistant", "model": "assistant", "assistant": "assistant"}
KNOWN_TYPES = frozenset((*ROLES, "info", "error", "warning"))
RESULT_CHARS = 2_000  # of each tool result, where those are indexed
RECENT = 32  # messages known again; one that is repeated later is known by its time


def named(context: Context, title: Any, summary: Any) -> Fed:
    """Take the chat's name: a title that a person gave it, or the summary that Gemini made."""
    found = [one.strip() for one in (title, summary) if isinstance(one, str) and one.strip()]
    given = isinstance(title, str) and bool(title.strip())
    if not found or (context.named and not given):
        return Fed(context)
    facts = ConversationFacts(context.session, clip(found[0], 4 * NAME_BYTES))
    return Fed(replace(context, named=True) if given else context, facts=(facts,))


def replayed(context: Context, messages: Sequence[GeminiMessage], options: Options) -> Fed:
    """Take from a list that replaces all messages those newer than any seen.

    Compared by time, not by `recent`, which a long list would exceed. A message without a time counts as seen.
    """
    turns: tuple[Turn, ...] = ()
    before, unknown = context.latest, 0
    for one in messages:
        if not before or moment(one.timestamp) > before:
            fed = message(context, one, options)
            unknown += not (one.id or one.type or says(one))
            context, turns, unknown = fed.context, turns + fed.turns, unknown + fed.unknown
    return Fed(context, turns, unknown)


def message(context: Context, message: GeminiMessage, options: Options) -> Fed:
    """Make the turns of a message, none of what was said before."""
    role = ROLES.get(message.type)
    if role is None:
        # What says nothing and has no type is a change of the state.
        silent = message.type in KNOWN_TYPES or (not message.type and not says(message))
        return Fed(context, (), int(not silent))
    seen, given = pieces(message.display_content), sent(message)
    texts = seen.texts or given.texts
    unknown = given.unknown + seen.unknown + is_wordless(message)
    if role == "user":
        whole = joined(texts)
        if is_summary(whole):
            return _summed_up(context, message, whole, options)
        texts = (typed(whole),)
    context, turns = _said(context, message, role, texts, options)
    for call in message.tool_calls or ():
        fed = _called(context, message, call)
        context, turns, unknown = fed.context, turns + fed.turns, unknown + fed.unknown
    return Fed(context, turns, unknown)


def is_wordless(message: GeminiMessage) -> bool:
    """Return True if a message has no member where words would stand; with calls and thoughts alone it is empty."""
    held = (message.display_content, message.content, message.parts, message.message, message.text)
    return all(one is None for one in held)


def says(message: GeminiMessage) -> bool:
    """Return True if a message holds anything where words stand."""
    held = (message.display_content, message.content, message.parts, message.message, message.text)
    return beside(held) != Pieces()


def _said(
    context: Context, message: GeminiMessage, role: str, texts: Sequence[str], options: Options
) -> tuple[Context, tuple[Turn, ...]]:
    """Make the turn of what a message says itself, none if it says nothing that was not said before.

    A message that is here again with its tool calls gives a turn without text. The key is by all that it says, also
    where only the rest is new: another fold that sees this form first gives the same key.
    """
    text, stamp = _text(message, texts, options), _stamp(message)
    calls = message.tool_calls or ()
    tools, files = once([call.name or "" for call in calls]), once([path for call in calls for path in _paths(call)])
    mark = key(role, message.id or "", stamp, joined(tuple(texts)))
    if text and mark[:12] not in context.recent:
        context, text = _news(context, message.id or "", text)
    else:
        text = ""
    if not text:  # here again with its tool calls, or with its token count only
        mark = key("tools", message.id or "", stamp, *tools, *files)
    if mark[:12] in context.recent or not (text or tools or files):
        return context, ()
    turn = _turn(context, message, role, text, mark)
    return _remembered(context, turn), (_with_calls(turn, tools, files),)


def _summed_up(context: Context, message: GeminiMessage, text: str, options: Options) -> Fed:
    """Take the snapshot that a compression wrote."""
    mark = key("summary", text)
    if not options.summaries or mark[:12] in context.recent:
        return Fed(context)
    turn = _turn(context, message, "user", text, mark, kind="summary")
    return Fed(_remembered(context, turn), (turn,))


def _called(context: Context, message: GeminiMessage, call: GeminiCall) -> Fed:
    """Take what a call shows and what a person says through it: each once, for the message comes again with it."""
    found, unknown = _told(call)
    turns: tuple[Turn, ...] = ()
    for role, kind, text in found:
        mark = key(kind, text) if kind in ("plan", "artifact") else key(kind, message.id or "", call.id or "", text)
        if text and mark[:12] not in context.recent:
            turn = _turn(context, message, role, text, mark, kind=kind if kind in ("plan", "artifact") else "")
            context, turns = _remembered(context, turn), (*turns, turn)
    return Fed(context, turns, unknown)


def _told(call: GeminiCall) -> tuple[list[tuple[str, str, str]], int]:
    """Return the texts of a call by role and kind, and how many parts cannot be read.

    Those are its questions with their answers, a plan, a refusal's reason.
    """
    name, results = call.name or "", _results(call)
    if questions.is_question(name):
        asked = questions.asked(call.args)
        found = [questions.answers(one) for one in results]
        told = next((one.pairs for one in found if one.pairs), ())
        answer = questions.paired(tuple([(one.id, one.label) for one in asked.questions]), told)
        unknown = asked.unknown + sum([one.unknown for one in found])
        return [("assistant", "asked", asked.text), ("assistant", "answered", answer)], unknown
    made = shown(name, call.args)
    texts = [("assistant", made.kind, made.text)] if made else []
    reason = next((said for one in results if (said := questions.refusal(one))), "")
    return [*texts, *([("user", "refused", reason)] if reason else [])], made.unknown if made else 0


def _turn(context: Context, message: GeminiMessage, role: str, text: str, mark: str, *, kind: str = "") -> Turn:
    """Make a turn with all that the chat knows."""
    facts = Facts(
        kind="subagent" if context.subagent else kind or "exchange",
        project=context.project,
        model=message.model or "",
        agent="subagent" if context.subagent else "",
    )
    text = text.replace("\0", "").strip()
    return Turn(context.session, message.id or mark, role, text, moment(message.timestamp), mark, facts)


def _with_calls(turn: Turn, tools: tuple[str, ...], files: tuple[str, ...]) -> Turn:
    """Return a turn with the tools and files of its calls."""
    if not (tools or files):
        return turn
    return dataclasses.replace(turn, facts=dataclasses.replace(turn.facts, tools=tools, files=files))


def _remembered(context: Context, turn: Turn) -> Context:
    """Return the context that knows a turn, by 12 hex digits, for it is small; times may step back."""
    recent = (*context.recent, turn.key[:12])[-RECENT:]
    return replace(context, recent=recent, latest=max(context.latest, turn.at))


def _stamp(message: GeminiMessage) -> str:
    """Return a message's time as it stands there, "" where it is no text."""
    return message.timestamp if isinstance(message.timestamp, str) else ""


def _news(context: Context, id_: str, text: str) -> tuple[Context, str]:
    """Return the context that knows a message's text, and what of it was not said under its id before."""
    known = id_ and f"{context.session} {id_}"  # another session in the file may count its messages alike
    return replace(context, told=appended.remember(context.told, known, text)), appended.rest(context.told, known, text)


def _text(message: GeminiMessage, texts: Iterable[str], options: Options) -> str:
    """Return what is to be indexed of a message, with thoughts and results if they are wanted."""
    parts = list(texts)
    if options.thinking:
        parts = [f"{t.subject or ''}: {t.description or ''}".strip(": ") for t in message.thoughts or ()] + parts
    if options.tool_results:
        parts += [_result(call) for call in message.tool_calls or ()]
    return joined(tuple(parts))


def _paths(call: GeminiCall) -> list[str]:
    """Return the files that a call names."""
    given = call.args if isinstance(call.args, dict) else {}
    return [path for path in (given.get("file_path"), given.get("absolute_path")) if isinstance(path, str)]


def _result(call: GeminiCall) -> str:
    """Return the beginning of what a tool answered, unless it was our own search.

    In the form of the API: a list of parts with a `functionResponse` each. Anything else has no text.
    """
    command = call.args.get("command") if isinstance(call.args, dict) else None
    if is_own_tool(call.name or "") or (isinstance(command, str) and is_own_command(command)):
        return ""
    outputs = [one["output"] for one in _responses(call) if "output" in one]
    return "\n".join([str(one) for one in outputs])[:RESULT_CHARS]


def _results(call: GeminiCall) -> list[Any]:
    """Return what a call gave back, outputs and errors, in the form of the API or bare."""
    if responses := _responses(call):
        return [value for one in responses for name in ("output", "error") if (value := one.get(name)) is not None]
    return [call.result] if isinstance(call.result, str | dict) else []


def _responses(call: GeminiCall) -> list[dict[str, Any]]:
    """Return the responses in a call's result."""
    try:
        parts = msgspec.convert(call.result, list[dict[str, Any]])
    except (msgspec.ValidationError, RecursionError):
        return []
    found = [part["functionResponse"] for part in parts if isinstance(part.get("functionResponse"), dict)]
    return [one["response"] for one in found if isinstance(one.get("response"), dict)]
