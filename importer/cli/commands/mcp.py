"""`importer mcp`: an MCP server on standard input and output, for assistants that search past conversations.

It speaks as much of the Model Context Protocol as two tools need: JSON-RPC 2.0, one message a line.

    client: initialize, notifications/initialized, ping, tools/list, tools/call      here: the result, or an error

`McpServer.reply` maps a line to the line that answers it. `ask(op, **arguments)`, which is handed in, does the search.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import click

from importer import __version__
from importer.cli import context
from importer.errors import ImporterError, UsageError
from importer.log import logger
from importer.protocol import clock, projects
from importer.protocol.foreign import tool_arguments
from importer.protocol.foreign.quoting import ABOUT, fenced, plain
from importer.protocol.query import KINDS
from importer.service.ask import Asker

VERSIONS = ("2025-06-18", "2025-03-26", "2024-11-05")  # of the protocol, the newest first; they agree on all of this
PARSE, INVALID, NO_METHOD, BAD_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603  # JSON-RPC's own error codes
MOST_HITS = 50
MOST_AROUND = 50
INSTRUCTIONS = (
    "Searches the user's past conversations with AI assistants. Call `search` with what to look for; each hit names "
    f"its conversation and id. Call `open` with these to read what was said before and after it. {ABOUT}"
)

FAR = "Nothing close to the question was found. The nearest, which may be about something else:"

Ask = Callable[..., Awaitable[Any]]
log = logger()


class Refused(Exception):
    """A request that is answered with an error of JSON-RPC."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _text(about: str, **more: Any) -> dict[str, Any]:
    """Return the JSON Schema of a parameter that is text."""
    return {"type": "string", "description": about, **more}


def _count(about: str, default: int, most: int) -> dict[str, Any]:
    """Return the JSON Schema of a parameter that is a count."""
    return {"type": "integer", "description": about, "default": default, "minimum": 0, "maximum": most}


SEARCH = {
    "query": _text("What to look for, in plain words."),
    "limit": _count("Most hits.", 10, MOST_HITS),
    "project": _text("Only this project: its name, its path or a part of them, in any case."),
    "source": _text("Only this assistant's conversations, such as claude-code or codex."),
    "kind": _text("Only this kind.", enum=list(KINDS)),
    "since": _text("Only from then on: yesterday, 7d, 2 weeks ago, October, a date or an RFC 3339 time."),
    "until": _text("Only up to then, in the same words; a day or a month counts whole."),
    "conversation": _text("Only this conversation, by id."),
    "mode": _text(
        "dense finds meaning, keyword finds words, hybrid both.", enum=["hybrid", "dense", "keyword"], default="hybrid"
    ),
}
OPEN = {
    "conversation": _text("The conversation's id, as a hit names it."),
    "id": _text("The hit to read around; without it the conversation is read from its beginning."),
    "before": _count("How many pieces before it.", 5, MOST_AROUND),
    "after": _count("How many pieces after it.", 5, MOST_AROUND),
}
TOOLS: Sequence[Mapping[str, Any]] = (
    {
        "name": "search",
        "description": "Finds what was said in past conversations with AI assistants, by meaning and by words.",
        "inputSchema": {"type": "object", "properties": SEARCH, "required": ["query"]},
        "annotations": {"readOnlyHint": True},
    },
    {
        "name": "open",
        "description": "Reads a conversation around a hit of `search`, in the order things were said.",
        "inputSchema": {"type": "object", "properties": OPEN, "required": ["conversation"]},
        "annotations": {"readOnlyHint": True},
    },
)


class McpServer:
    """The answers to messages; `ask` puts a question to the worker and raises ImporterError when it fails."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def reply(self, line: bytes) -> bytes | None:
        """Return the answer to one line, None where none is due (a notification, a stray answer). Never raises."""
        try:
            message = json.loads(line)
        except ValueError as error:
            return _line(_error(None, Refused(PARSE, f"no JSON: {error}")))
        except RecursionError:
            return _line(_error(None, Refused(PARSE, "nested too deeply")))
        if isinstance(message, list):  # a batch, which one version of the protocol knows
            answers = [answer for one in message if (answer := await self._one(one)) is not None]
            return _line(answers) if answers else None
        answer = await self._one(message)
        return None if answer is None else _line(answer)

    async def _one(self, message: Any) -> dict[str, Any] | None:
        """Return the answer to one message: a result or an error, None for a notification or a stray answer."""
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            stray = isinstance(message, dict) and ("result" in message or "error" in message)
            return None if stray else _error(None, Refused(INVALID, "a request has a method"))
        if "id" not in message:
            return None
        if isinstance(message["id"], list | dict):
            return _error(None, Refused(INVALID, "an id is a text or a number"))
        try:
            result = await self._result(message["method"], _mapping(message.get("params")))
        except Refused as refused:
            return _error(message["id"], refused)
        except Exception as error:  # a bug is answered, too: the client would wait for ever
            log.exception("mcp.failed", method=message["method"])
            return _error(message["id"], Refused(INTERNAL, f"it failed: {type(error).__name__}: {error}"))
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}

    async def _result(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the result of a method. Raises Refused for an unknown one."""
        if method == "initialize":
            return _welcome(params)
        if method == "ping":
            return {}
        if method == "tools/list":
            return {"tools": list(TOOLS)}
        if method == "tools/call":
            return await self._call(params.get("name"), _mapping(params.get("arguments")))
        raise Refused(NO_METHOD, f"there is no method {method!r}")

    async def _call(self, name: Any, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call a tool and return its text; a failure is a result too, so that the model can react to it."""
        tool = next((tool for tool in TOOLS if tool["name"] == name), None)
        if tool is None:
            raise Refused(BAD_PARAMS, f"there is no tool {name!r}")
        try:
            known = tool_arguments.read(given, tool["inputSchema"])
            said = await (self._search(**known) if name == "search" else self._open(**known))
        except ImporterError as error:
            return _content(f"{error.message}{f' (try: {error.hint})' if error.hint else ''}", failed=True)
        except OSError as error:  # the daemon did not answer in time
            return _content(f"no answer: {error}", failed=True)
        return _content(said)

    async def _search(self, query: str, **filters: Any) -> str:
        """Return the hits as text, each with what `open` needs. Raises UsageError for an empty query or a bad time."""
        if not query.strip():
            raise UsageError("the query is empty")
        filters["since"] = clock.instant(filters.get("since", ""))
        filters["until"] = clock.instant(filters.get("until", ""), end=True)
        found = await self._ask("search", text=query.strip(), **filters)
        told = found.get("projects", {})
        several = [projects.several(filters["project"], told, told)] if len(told) > 1 else []
        far = [FAR] if found["hits"] and found["near"] == "nothing" else []
        read = found.get("query_cut")
        long = [] if read is None else [f"The query was long: only its first {read:,} characters were searched for."]
        return "\n\n".join([*long, *several, *far, *map(_hit, found["hits"])]) or "Nothing was found."

    async def _open(self, conversation: str, id: str = "", before: int = 5, after: int = 5) -> str:
        """Return a conversation around a hit, or from its beginning."""
        chunks = await self._ask("thread", conversation=conversation, around=id, before=before, after=after)
        return "\n\n".join(map(_piece, chunks)) or f"There is no conversation {plain(conversation)}."


def _welcome(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer to `initialize`: the client's version of the protocol if we speak it, else our newest."""
    asked = params.get("protocolVersion")
    return {
        "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "importer", "version": __version__},
        "instructions": INSTRUCTIONS,
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    """Return parameters, {} where they are left out. Raises Refused for what is no object."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(BAD_PARAMS, "parameters are an object")
    return value


def _hit(hit: Mapping[str, Any]) -> str:
    """Return a hit as a model reads it: where and when, how to open it, what was said."""
    known = hit["metadata"]
    names = f"conversation {plain(str(known.get('conversation_id', '')))}, id {plain(str(hit['id']))}"
    return f"{_head(known)}\n{names}\n{fenced(str(hit['document']))}"


def _piece(chunk: Mapping[str, Any]) -> str:
    """Return a chunk of an opened conversation, numbered from 1."""
    head = f"[{chunk['place'] + 1} of {chunk['of']}] {_head(chunk['metadata'])}, id {plain(str(chunk['id']))}"
    return f"{head}\n{fenced(str(chunk['document']))}"


def _head(known: Mapping[str, Any]) -> str:
    """Return time, source, project and title of a chunk, as far as they are known."""
    told = (known.get(name) for name in ("timestamp", "source", "project", "title"))
    return ", ".join(plain(str(value)) for value in told if value)


def _content(said: str, *, failed: bool = False) -> Mapping[str, Any]:
    """Return the result of a tool."""
    return {"content": [{"type": "text", "text": said}], "isError": failed}


def _error(number: Any, refused: Refused) -> dict[str, Any]:
    """Return an error object; `number` is the request's id, None if it could not be read (JSON-RPC 2.0, section 5)."""
    return {"jsonrpc": "2.0", "id": number, "error": {"code": refused.code, "message": str(refused)}}


def _line(message: Any) -> bytes:
    """Return one message on one line: JSON escapes the line breaks within."""
    return json.dumps(message).encode() + b"\n"


EPILOG = """\b
Examples:
  claude mcp add conversations -- importer mcp       for Claude Code
  codex mcp add conversations -- importer mcp        for Codex
  {"mcpServers": {"conversations": {"command": "importer", "args": ["mcp"]}}}

Tools: `search` finds, `open` reads a conversation around a hit. A running daemon answers at once; without one, the
first question starts a process that answers all of them and ends when none has come for a minute.
"""
MAX_LINE_BYTES = 4 * 1024 * 1024  # of a request; what is longer would be read as two, both broken


@click.command(epilog=EPILOG)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Serve `search` and `open` over MCP until its input ends."""
    asyncio.run(serve(Asker.of(context.settings_of(ctx))))
    return 0


async def serve(asker: Asker) -> None:
    """Answer line by line; a slow search does not hold up the lines after it."""
    server = McpServer(asker.ask_beside_others)
    answering: set[asyncio.Task[None]] = set()
    while line := await asyncio.to_thread(sys.stdin.buffer.readline, MAX_LINE_BYTES):
        if line.strip():
            task = asyncio.create_task(_answer(server, line))
            answering.add(task)
            task.add_done_callback(answering.discard)
    await asyncio.gather(*answering, return_exceptions=True)  # a failed answer must not cancel the others


async def _answer(server: McpServer, line: bytes) -> None:
    """Answer one request and flush the answer; a notification gets none.

    An answer that cannot be written is logged, and the next one is tried.
    """
    answer = await server.reply(line)
    if answer is None:
        return
    try:
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    except OSError as error:
        log.warning("mcp.unanswered", reason=str(error))
