"""Serve a client over standard input and output until its input ends and every request that came is answered.

The SDK's loop ends with the input and drops what it is still working on; a script that pipes its questions in would get
no answers. It also refuses requests before a greeting: for a client that begins without one, it is made here. And it
passes over lines that it cannot read, for which a client would wait for ever: those are answered here.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

MAX_LINE_BYTES = 4 * 1024 * 1024  # of a request; what is longer would be read as two, both broken
OURS = "importer greets"  # id of the greeting that is made here
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "unnamed", "version": "0"}}
LONGEST_S = 60.0  # that an answer is waited for once the input has ended


async def serve(server: Server[Any]) -> None:
    """Serve one client."""
    lines = _Lines()
    async with stdio_server(stdin=lines) as (asked, answered):  # type: ignore[arg-type]  # it only iterates
        lines.refuse = answered.send
        into, requests = anyio.create_memory_object_stream[Any](0)
        answers, out = anyio.create_memory_object_stream[Any](0)
        open_requests = _OpenRequests()

        async def inward() -> None:
            async with into:
                greeted = False
                async for message in asked:
                    if not greeted and (request := _request(message)) is not None:
                        greeted = True
                        for one in _greeting(request):
                            await into.send(one)
                    open_requests.note(message)
                    await into.send(message)
                with anyio.move_on_after(LONGEST_S):
                    await open_requests.answered()

        async def outward() -> None:
            async for message in out:
                id = getattr(message.message, "id", None)
                if id != OURS:
                    await answered.send(message)
                    open_requests.done(id)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(inward)
            tasks.start_soon(outward)
            await server.run(requests, answers, server.create_initialization_options())
            tasks.cancel_scope.cancel()
        await answered.aclose()


def _request(message: Any) -> types.JSONRPCRequest | None:
    """Return the request that a message is, None for every other message."""
    inner = getattr(message, "message", None)
    return inner if isinstance(inner, types.JSONRPCRequest) else None


def _greeting(first: types.JSONRPCRequest) -> list[SessionMessage]:
    """Return what is to be said before a client's first request: nothing, where that greets or needs no greeting.

    Requests of the newest revision need none: each tells its revision.
    """
    told = (first.params or {}).get("_meta") or {}
    if first.method == "initialize" or types.PROTOCOL_VERSION_META_KEY in told:
        return []
    hello = types.JSONRPCRequest(jsonrpc="2.0", id=OURS, method="initialize", params=dict(HELLO))
    ready = types.JSONRPCNotification(jsonrpc="2.0", method="notifications/initialized")
    return [SessionMessage(hello), SessionMessage(ready)]


class _Lines:
    """The lines of standard input, as text that the SDK can read; what is no JSON is refused."""

    def __init__(self) -> None:
        self.refuse: Callable[[SessionMessage], Awaitable[None]]
        self._input = os.fdopen(os.dup(0), "rb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)  # a process that is started meanwhile must not read our requests
        os.close(nothing)

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield line after line until the input ends."""
        while raw := await anyio.to_thread.run_sync(self._input.readline, MAX_LINE_BYTES, abandon_on_cancel=True):
            if not raw.strip():
                continue
            try:
                value = json.loads(raw)
            except (ValueError, RecursionError) as error:
                why = "nested too deeply" if isinstance(error, RecursionError) else f"no JSON: {error}"
                told = types.JSONRPCError(
                    jsonrpc="2.0", id=None, error=types.ErrorData(code=types.PARSE_ERROR, message=why)
                )
                await self.refuse(SessionMessage(told))
                continue
            yield _whole(json.dumps(value, ensure_ascii=False))


def _whole(text: str) -> str:
    """Return a text in which half characters, which no other program can read, are replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class _OpenRequests:
    """The requests that came and are not answered yet."""

    def __init__(self) -> None:
        self._ids = set[Any]()
        self._none = anyio.Event()

    def note(self, message: Any) -> None:
        """Note the request that a message is; one that the client takes back is not waited for."""
        inner = getattr(message, "message", None)
        method, id = getattr(inner, "method", None), getattr(inner, "id", None)
        if method == "notifications/cancelled":
            self.done((getattr(inner, "params", None) or {}).get("requestId"))
        elif method is not None and id is not None:
            self._ids.add(id)

    def done(self, id: Any) -> None:
        """Take out a request that was answered."""
        self._ids.discard(id)
        if not self._ids:
            self._none.set()
            self._none = anyio.Event()

    async def answered(self) -> None:
        """Wait until no request is left."""
        while self._ids:
            await self._none.wait()
