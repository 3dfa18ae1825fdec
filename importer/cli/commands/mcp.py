"""`importer mcp`: an MCP server on standard input and output, for assistants that search past conversations."""

from __future__ import annotations

import click

from importer.cli import context
from importer.service.ask import Asker

EPILOG = """\b
Examples:
  claude mcp add conversations -- importer mcp       for Claude Code
  codex mcp add conversations -- importer mcp        for Codex
  {"mcpServers": {"conversations": {"command": "importer", "args": ["mcp"]}}}

Tools: search_conversations, open_conversation, list_conversations, list_projects, import_status. A running daemon
answers at once; without one, the first question starts a process that answers all of them and ends when none has come
for a minute.
"""


@click.command(epilog=EPILOG)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Serve past conversations to assistants over MCP until its input ends."""
    import asyncio

    asyncio.run(_serve(Asker.of(context.settings_of(ctx))))
    return 0


async def _serve(asker: Asker) -> None:
    """Answer until the input ends."""
    from importer.serve import light_sdk

    light_sdk.server_only()
    from importer.serve import stdio
    from importer.serve.mcp_server import mcp_server
    from importer.serve.memory import Memory

    await stdio.serve(mcp_server(Memory(asker)))
