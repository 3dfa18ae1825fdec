"""Serve a client over standard input and output until its input ends and every request that came is answered.

The SDK's loop ends with the input and drops what it is still working on; a script that pipes its questions in would get
no answers. It also refuses requests before a greeting: for a client that begins without one, it is made here.
"""

from __future__ import annotations

from typing import Any

import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

OURS = "importer greets"  # id of the greeting that is made here
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "unnamed", "version": "0"}}
LONGEST_S = 60.0  # that an answer is waited for once the input has ended


async def serve(server: Server[Any]) -> None:
    """Serve one client."""
    async with stdio_server() as (asked, answered):
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
