"""The MCP server over streamable HTTP, as an ASGI application for `importer serve`."""

from __future__ import annotations

from starlette.applications import Starlette

from importer.serve.mcp_server import mcp_server
from importer.serve.memory import Memory
from importer.service.ask import Asker


def mcp_app(asker: Asker, path: str = "/mcp") -> Starlette:
    """Return the application; it answers to hosts and origins of the loopback alone. Run its lifespan with it."""
    return mcp_server(Memory(asker)).streamable_http_app(streamable_http_path=path, host="127.0.0.1")
