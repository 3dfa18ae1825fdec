"""Make the turns of a Copilot event: prompts, answers, and what people read and say through a tool call.

A person's answer and the reason of a refusal stand in the call's result alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared import blocks, questions
from importer.formats._shared.own_search import is_own_command, is_own_tool
from importer.formats._shared.shown import shown
from importer.formats._shared.turns import clip, key, moment, once
from importer.formats._shared.words import joined, pieces, words
from importer.formats.copilot_cli.events import NAME_BYTES, Context, Details, Event, Request
from importer.protocol.records import ConversationFacts, Facts, Turn

RESULT_CHARS = 2_000  # of each tool result, where those are indexed
OWN_CALLS = 8  # the last calls to our own search, whose results are still to come
ASKS = 8  # the last calls that ask the person, likewise
# Where a message of role user comes from if no person wrote it, as the event says; skills add a name of their own.
MACHINE_SOURCES = ("skill-", "system", "autopilot", "schedule", "thinking-exhausted", "jit-instruction", "instruction-")


def prompted(context: Context, event: Event, details: Details, options: Options) -> Fed:
    """Take a prompt, without the blocks that Copilot put around it; what a skill brings is none."""
    if details.parent_tool_call_id and not options.subagents:
        return Fed(context)
    if isinstance(details.source, str) and details.source.strip().startswith(MACHINE_SOURCES):
        return Fed(context)
    found = pieces(details.transformed_content if details.content is None else details.content)
    missing = details.content is None and details.transformed_content is None
    text = blocks.without(joined(found.texts), blocks.framing)
    turns = (_turn(context, event, details, "user", text),) if text else ()
    return Fed(context, turns, found.unknown + missing)


def answered(context: Context, event: Event, details: Details, options: Options) -> Fed:
    """Take an answer: its text, the tools it asks for, and what those calls show to the person.

    Calls to our own search are remembered for sub-agents too, for their results come later.
    """
    requests = details.tool_requests or ()
    if own := [_mark(request.tool_call_id) for request in requests if _is_own(request)]:
        context = replace(context, own_calls=(*context.own_calls, *own)[-OWN_CALLS:])
    if details.parent_tool_call_id and not options.subagents:
        return Fed(context)
    found = pieces(details.content)
    thoughts = pieces(details.reasoning_text).texts if options.thinking else ()
    tools, files = once([request.name or "" for request in requests]), once(_paths(requests))
    text = joined((*thoughts, *found.texts))
    turns: tuple[Turn, ...] = ()
    if text or tools or files:
        turns = (_turn(context, event, details, "assistant", text, tools=tools, files=files),)
    silent = details.content is details.reasoning_text is None and not requests
    unknown = found.unknown + silent
    for request in requests:
        fed = _called(context, event, request)
        context, turns, unknown = fed.context, turns + fed.turns, unknown + fed.unknown
    return Fed(context, turns, unknown)


def _called(context: Context, event: Event, request: Request) -> Fed:
    """Take what a call shows: questions, which belong to the exchange, a plan, or a document."""
    name, call = request.name or "", request.tool_call_id or ""
    if questions.is_question(name):
        context = replace(context, asks=(*context.asks, _mark(call))[-ASKS:])
        asked = questions.asked(request.arguments)
        turns = (_aside(context, event, "assistant", asked.text, ("asked", call, asked.text)),) if asked.text else ()
        return Fed(context, turns, asked.unknown)
    found = shown(name, request.arguments)
    turns = (alone(context, event, found.kind, found.text),) if found and found.text else ()
    return Fed(context, turns, found.unknown if found else 0)


def resulted(context: Context, event: Event, details: Details, options: Options) -> Fed:
    """Take of what a call gave back a person's words, and the beginning of the rest if that is wanted.

    What our own search answered is never taken, but for why a person refused to have it asked.
    """
    subagent = bool(details.parent_tool_call_id) and not options.subagents
    call, mark = details.tool_call_id or "", _mark(details.tool_call_id)
    if subagent:
        return Fed(context)
    if mark in context.asks:
        context = replace(context, asks=tuple([one for one in context.asks if one != mark]))
        told = questions.answers(_content(details.result), plain=details.success is not False)
        if told.pairs or told.unknown:
            text = questions.paired((), told.pairs)
            turns = (_aside(context, event, "assistant", text, ("answered", call, text)),) if text else ()
            return Fed(context, turns, told.unknown)
    elif reason := _refusal(details):
        return Fed(context, (_aside(context, event, "user", reason, ("refused", call, reason)),))
    text = joined(pieces(_content(details.result)).texts)[:RESULT_CHARS]
    wanted = options.tool_results and text and mark not in context.own_calls
    return Fed(context, (_turn(context, event, details, "assistant", text),) if wanted else ())


def _refusal(details: Details) -> str:
    """Return why a person refused a call or judged a plan: in its result, or in the error in place of one."""
    texts = (details.error, _content(details.result))
    reasons = [questions.refusal(one) for one in texts if details.success is not True or _is_short(one)]
    return next((reason for reason in reasons if reason), "")


def _is_short(result: Any) -> bool:
    """Return True if a result may be a person's word about a plan, though the call itself went well."""
    return isinstance(result, str) and result[:60].lower().lstrip().startswith(("plan ", "the user ", "user ", "{"))


def _content(result: Any) -> Any:
    """Return what a result says; newer versions have it in an object."""
    return result.get("content") if isinstance(result, dict) and "content" in result else result


def planned(context: Context, event: Event, details: Details) -> Fed:
    """Take a plan that is shown for approval by an event of its own."""
    told, summary = words(details.plan_content), words(details.summary)
    text = told.text or summary.text
    return Fed(context, (alone(context, event, "plan", text),) if text else (), told.unknown + summary.unknown)


def named(context: Context, details: Details) -> Fed:
    """Take the name that an event gives to the session."""
    found = [one.strip() for one in (details.title, details.name) if isinstance(one, str) and one.strip()]
    facts = (ConversationFacts(context.session, clip(found[0], 4 * NAME_BYTES)),) if found else ()
    return Fed(context, facts=facts)


def alone(context: Context, event: Event, kind: str, text: str) -> Turn:
    """Make a turn that is a chunk of its own; shown again in the same words it is the same."""
    return _aside(context, event, "assistant", text, (kind, text), kind=kind)


def _turn(
    context: Context,
    event: Event,
    details: Details,
    role: str,
    text: str,
    *,
    tools: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
) -> Turn:
    """Make the turn of an event. Two may share a millisecond: what has no text is told apart by what it did."""
    stamp = event.timestamp if isinstance(event.timestamp, str) else ""
    mark = key(role, stamp or event.id or "", text, *(() if text else (*tools, *files)))
    facts = _facts(context, details, "exchange", tools, files)
    return Turn(_conversation(context, details), event.id or mark, role, text, moment(event.timestamp), mark, facts)


def _aside(
    context: Context, event: Event, role: str, text: str, known_by: tuple[str, ...], *, kind: str = "exchange"
) -> Turn:
    """Make a turn of a text that stands in a call or its result; it is known by these parts."""
    details, mark = event.data or Details(), key(*known_by)
    facts, at = _facts(context, details, kind), moment(event.timestamp)
    return Turn(
        _conversation(context, details), event.id or mark, role, text.replace("\0", "").strip(), at, mark, facts
    )


def _facts(
    context: Context, details: Details, kind: str, tools: tuple[str, ...] = (), files: tuple[str, ...] = ()
) -> Facts:
    """Return what the session knows of a turn; a sub-agent is known by the call that started it."""
    agent = _mark(details.parent_tool_call_id) if details.parent_tool_call_id else ""
    return Facts(
        kind="subagent" if agent else kind,
        project=context.project,
        cwd=context.cwd,
        git_branch=context.git_branch,
        model=details.model or "",
        agent=agent,
        tools=tools,
        files=files,
    )


def _conversation(context: Context, details: Details) -> str:
    """Return the conversation of a turn; a sub-agent's is one of its own."""
    return f"{context.session}/{_mark(details.parent_tool_call_id)}" if details.parent_tool_call_id else context.session


def _mark(id_: str | None) -> str:
    """Return a short hash of a call's id."""
    return key(id_ or "")[:12]


def _paths(requests: Sequence[Request]) -> list[str]:
    """Return the files that requests name."""
    given = [request.arguments for request in requests if isinstance(request.arguments, dict)]
    return [path for one in given for path in (one.get("path"), one.get("file_path")) if isinstance(path, str)]


def _is_own(request: Request) -> bool:
    """Return True if a request asks the memory, as a tool or on the command line."""
    given = request.arguments
    command = given.get("command") if isinstance(given, dict) else given
    return is_own_tool(request.name or "") or (isinstance(command, str) and is_own_command(command))
