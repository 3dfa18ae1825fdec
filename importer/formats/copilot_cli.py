"""GitHub Copilot CLI: events as JSON lines, `~/.copilot/session-state/<session>.jsonl` or `<session>/events.jsonl`.

A prompt is `user.message` (its `transformedContent` has injected context around it), an answer `assistant.message`,
whose content is often empty beside tool requests. A turn's key is a hash of role, time (or id) and text.

Of the other events only results of tools can be wanted; hooks, permissions and the system prompt are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.own_search import is_own_command, is_own_tool
from importer.formats._shared.turns import clip, key, once, utc
from importer.protocol.records import Facts, Turn

NAME = "copilot-cli"

# First words of the types there are; a type of another family counts as unknown.
FAMILIES = ("session", "user", "assistant", "tool", "hook", "permission", "system", "subagent", "skill", "abort")
RESULT_CHARS = 2_000  # of each tool result, where those are indexed
OWN_CALLS = 8  # the last calls to our own search, whose results are still to come
NAME_BYTES = 120  # encoded: it stands in the context, which is bounded
PATH_BYTES = 512


class Given(msgspec.Struct, gc=False):
    """The arguments of a tool call: files, and the command to know our own search by."""

    path: Any = None
    file_path: Any = None
    command: Any = None


class Request(msgspec.Struct, gc=False, rename="camel"):
    """A tool the assistant asks for."""

    tool_call_id: str | None = None
    name: str | None = None
    arguments: Given | str | None = None


class Workspace(msgspec.Struct, gc=False):
    """The folder and branch that a session runs in."""

    cwd: str | None = None
    branch: str | None = None


class Result(msgspec.Struct, gc=False):
    """The answer of a tool."""

    content: Any = None


class Details(msgspec.Struct, gc=False, rename="camel"):
    """The `data` of any event."""

    session_id: str | None = None
    context: Workspace | None = None
    content: str | None = None
    model: str | None = None
    reasoning_text: str | None = None
    tool_requests: list[Request] | None = None
    tool_call_id: str | None = None
    parent_tool_call_id: str | None = None
    result: Result | None = None


class Event(msgspec.Struct, gc=False):
    """An event, which is one line."""

    type: str = ""
    data: Details | None = None
    id: str | None = None
    timestamp: str | None = None


_lines = Lines(Event)


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The session and where it runs, and the calls to our own search; below 2 KB encoded."""

    session: str = ""
    project: str = ""
    cwd: str = ""
    git_branch: str = ""
    own_calls: tuple[str, ...] = ()


def roots(_: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of all sessions."""
    return (f"{home}/.copilot/session-state",)


def wanted(relative: bytes) -> bool:
    """Return True for any `.jsonl`."""
    return relative.endswith(b".jsonl")


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if the event that starts a session is there."""
    return any(
        record.get("type") == "session.start" and isinstance(data := record.get("data"), dict) and "sessionId" in data
        for record in records
    )


def begin(path: bytes) -> Context:
    """Return the context before the first line; the file or its folder is called like the session."""
    folder, _, name = path.rpartition(b"/")
    stem = folder.rpartition(b"/")[2] if name == b"events.jsonl" else name.removesuffix(b".jsonl")
    return Context(session=clip(stem.decode("utf-8", "replace"), NAME_BYTES))


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of one line, at most one but for glued records, and the context after it. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, event: Event, options: Options) -> Fed:
    """Take one event, by its type."""
    details = event.data or Details()
    context = _moved(context, details) if event.type.startswith("session.") else context
    if event.type == "user.message":
        return _said(context, event, details, "user", [details.content])
    if event.type == "assistant.message":
        return _answered(context, event, details, options)
    if event.type == "tool.execution_complete" and options.tool_results:
        return _result(context, event, details, options)
    return Fed(context, (), int(event.type.partition(".")[0] not in FAMILIES))


def _moved(context: Context, details: Details) -> Context:
    """Return the context after an event of the session, which may say where it runs."""
    place = details.context or Workspace()
    cwd = clip(place.cwd or context.cwd, PATH_BYTES)
    return replace(
        context,
        session=clip(details.session_id or context.session, NAME_BYTES),
        project=context.project or cwd,  # the first folder: later ones are where it went
        cwd=cwd,
        git_branch=clip(place.branch or context.git_branch, NAME_BYTES),
    )


def _answered(context: Context, event: Event, details: Details, options: Options) -> Fed:
    """Take an answer: its text and the tools it asks for.

    Calls to our own search are remembered for sub-agents too, for their results come later.
    """
    requests = details.tool_requests or ()
    if own := [_mark(request.tool_call_id) for request in requests if _is_own(request)]:
        context = replace(context, own_calls=(*context.own_calls, *own)[-OWN_CALLS:])
    if details.parent_tool_call_id and not options.subagents:
        return Fed(context)
    texts = [details.reasoning_text if options.thinking else None, details.content]
    tools = once([request.name or "" for request in requests])
    return _said(context, event, details, "assistant", texts, tools=tools, files=once(_paths(requests)))


def _result(context: Context, event: Event, details: Details, options: Options) -> Fed:
    """Take the beginning of what a tool answered, unless it was our own search."""
    text = details.result.content if details.result else None
    subagent = bool(details.parent_tool_call_id) and not options.subagents
    if not isinstance(text, str) or subagent or _mark(details.tool_call_id) in context.own_calls:
        return Fed(context)
    return _said(context, event, details, "assistant", [text.strip()[:RESULT_CHARS]])


def _said(
    context: Context,
    event: Event,
    details: Details,
    role: str,
    texts: Sequence[str | None],
    *,
    tools: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
) -> Fed:
    """Make the turn of an event, if it has text, tools or files.

    Two events may share a millisecond: what has no text is told apart by what it did.
    """
    text = "\n\n".join([text.strip() for text in texts if text and text.strip()]).replace("\0", "").strip()
    if not (text or tools or files):
        return Fed(context)
    mark = key(role, event.timestamp or event.id or "", text, *(() if text else (*tools, *files)))
    # A sub-agent is known by the call that started it.
    agent = _mark(details.parent_tool_call_id) if details.parent_tool_call_id else ""
    facts = Facts(
        kind="subagent" if agent else "exchange",
        project=context.project,
        cwd=context.cwd,
        git_branch=context.git_branch,
        model=details.model or "",
        agent=agent,
        tools=tools,
        files=files,
    )
    conversation = f"{context.session}/{agent}" if agent else context.session
    return Fed(context, (Turn(conversation, event.id or mark, role, text, utc(event.timestamp), mark, facts),))


def _mark(id_: str | None) -> str:
    """Return a short hash of a call's id."""
    return key(id_ or "")[:12]


def _paths(requests: Sequence[Request]) -> list[str]:
    """Return the files that requests name."""
    given = [request.arguments for request in requests if isinstance(request.arguments, Given)]
    return [path for one in given for path in (one.path, one.file_path) if isinstance(path, str)]


def _is_own(request: Request) -> bool:
    """Return True if a request asks the memory, as a tool or on the command line."""
    given = request.arguments
    command = given.command if isinstance(given, Given) else given
    return is_own_tool(request.name or "") or (isinstance(command, str) and is_own_command(command))
