"""Continue: `~/.continue/sessions/<session>.json`, one document, rewritten whole at each change.

Messages have neither ids nor times, so keys are chained: each is a hash of the one before it in the session, role and
text, and the same words said twice stay two turns.

A session that was edited in the middle has other keys from there on.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace

from importer.formats import Document, Fed, Options
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.own_search import is_own_command, is_own_tool
from importer.formats._shared.turns import clip, key, once, stem
from importer.formats._shared.words import Words, words
from importer.protocol.records import ConversationFacts, Facts, Turn

NAME = "continue-dev"
DOCUMENT = Document("history", head=True)

ROLES = frozenset(("user", "assistant"))
KNOWN_ROLES = ROLES | frozenset(("system", "tool", "thinking"))
RESULT_CHARS = 2_000  # of each tool result, where those are indexed
ID_BYTES = 120  # encoded: it stands in the context, which is bounded
NAME_BYTES = 600
OWN_CALLS = 8  # the last calls to our own search, whose results are still to come

# A uuid: the index of all sessions lies beside them.
_session = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json\Z")


class Function(msgspec.Struct, gc=False):
    """The function that a call names; `arguments` is the text of a JSON object."""

    name: str | None = None
    arguments: Any = None


class ContinueCall(msgspec.Struct, gc=False):
    """A call of a tool."""

    id: str | None = None
    function: Function | None = None


class ContinueMessage(msgspec.Struct, gc=False, rename="camel"):
    """A message of the history; `tool_call_id` is of a tool's result, which older versions leave out."""

    role: str = ""
    content: Any = None
    tool_calls: list[ContinueCall] | None = None
    tool_call_id: str | None = None


class ContinueUnit(msgspec.Struct, gc=False, rename="camel"):
    """The document's head, or an item of its history, which is a message or holds one."""

    session_id: str | None = None
    title: str | None = None
    workspace_directory: str | None = None
    message: ContinueMessage | list[Any] | str | float | None = None
    role: str | None = None
    content: Any = None
    conversation_summary: Any = None


_lines = Lines(ContinueUnit)


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The session as its head tells it, the last turn's key, and the calls to our own search.

    `asked`: one of the last calls was such. It is for a result that does not say whose it is.
    """

    session: str = ""
    title: str = ""
    cwd: str = ""
    last: str = ""
    own_calls: tuple[str, ...] = ()
    asked: bool = False


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of sessions."""
    return (f"{environ.get('CONTINUE_GLOBAL_DIR') or f'{home}/.continue'}/sessions",)


def wanted(relative: bytes) -> bool:
    """Return True for a session's id as a name; `sessions.json` is an index."""
    return bool(_session.match(relative.rpartition(b"/")[2]))


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for a history beside the folder it happened in."""
    return "workspaceDirectory" in keys


def begin(path: bytes) -> Context:
    """Return the context before the head; the file's name is the session's."""
    return Context(session=clip(stem(path), ID_BYTES))


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turn of one item of the history. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, unit: ContinueUnit, options: Options) -> Fed:
    """Take the head, or an item."""
    message = unit.message
    beside = words(unit.content)
    if message is None and unit.role is not None:
        message, beside = ContinueMessage(unit.role, unit.content), Words()
    strange = beside.unknown + bool(beside.text)
    if message is None:
        fed = _headed(context, unit)
        return replace(fed, unknown=strange)
    if not isinstance(message, ContinueMessage):
        return Fed(context, (), 1)
    fed, summary = _told(context, message, options), words(unit.conversation_summary)
    fed = replace(fed, unknown=fed.unknown + strange + summary.unknown)
    if not (options.summaries and summary.text):
        return fed
    mark = key("summary", fed.context.last, summary.text)
    facts = Facts("summary", context.cwd, context.title, context.cwd)
    return replace(fed, turns=(*fed.turns, Turn(context.session, mark, "assistant", summary.text, "", mark, facts)))


def _headed(context: Context, unit: ContinueUnit) -> Fed:
    """Return the context after the head, and what it says of the session."""
    folder = clip(unquote((unit.workspace_directory or "").removeprefix("file://")), NAME_BYTES)  # a URI or a path
    session, title = clip(unit.session_id or "", ID_BYTES) or context.session, (unit.title or "").strip()
    title = clip(title, NAME_BYTES)
    known = ConversationFacts(session, title, project=folder, cwd=folder)
    return Fed(Context(session, title, folder), facts=(known,) if title or folder else ())


def _told(context: Context, message: ContinueMessage, options: Options) -> Fed:
    """Take a message: a turn, or what stands beside the chain of turns."""
    called = once([call.function.name or "" for call in message.tool_calls or () if call.function])
    if called:
        context = _calling(context, message.tool_calls or ())
    text, unknown = words(message.content)
    if message.role not in ROLES:
        return _aside(context, message, text, options)
    if not (text or called):
        return Fed(context, (), unknown + (message.content is None))
    # The first key hangs on the session, so equal openings of two sessions stay apart.
    mark = key(context.last or context.session, message.role, text, *called)
    return Fed(replace(context, last=mark), (_turn(context, message.role, text, mark, called),), unknown)


def _calling(context: Context, calls: Sequence[ContinueCall]) -> Context:
    """Return the context that knows which of these calls ask the memory: any of them may, not only the last."""
    own = [_mark(call.id) for call in calls if _is_own(call)]
    return replace(context, own_calls=(*context.own_calls, *own)[-OWN_CALLS:], asked=bool(own))


def _is_own(call: ContinueCall) -> bool:
    """Return True if a call asks the memory, as a tool or on the command line."""
    function = call.function or Function()
    given = function.arguments
    if isinstance(given, str):
        try:
            given = msgspec.json.decode(given)
        except (ValueError, RecursionError):  # broken off: it may be a command
            given = {"command": given}
    command = given.get("command") if isinstance(given, dict) else None
    return is_own_tool(function.name or "") or (isinstance(command, str) and is_own_command(command))


def _is_own_result(context: Context, id_: str | None) -> bool:
    """Return True if a result is of our own search.

    Where it or its call has no id, those of all calls beside one of ours are taken for it.
    """
    if id_ and _mark(id_) in context.own_calls:
        return True
    return context.asked and (not id_ or _mark(None) in context.own_calls)


def _mark(id_: str | None) -> str:
    """Return a short hash of a call's id."""
    return key(id_ or "")[:12]


def _aside(context: Context, message: ContinueMessage, text: str, options: Options) -> Fed:
    """Make a turn of a tool's answer or a thought, which are optional: the chain of keys does not depend on them."""
    role = message.role
    wanted_ = (role == "tool" and options.tool_results and not _is_own_result(context, message.tool_call_id)) or (
        role == "thinking" and options.thinking
    )
    text = text[:RESULT_CHARS].strip() if role == "tool" else text
    if not (wanted_ and text):
        return Fed(context, (), int(role not in KNOWN_ROLES))
    return Fed(context, (_turn(context, "assistant", text, key("aside", context.last, text), ()),))


def _turn(context: Context, role: str, text: str, mark: str, tools: tuple[str, ...]) -> Turn:
    """Make a turn with what the session knows.

    Without a time: the document has none.
    """
    facts = Facts(project=context.cwd, title=context.title, cwd=context.cwd, tools=tools)
    return Turn(context.session, mark, role, text, "", mark, facts)
