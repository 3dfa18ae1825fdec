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
answers at once; without one, this starts a process that answers all assistants and ends when no question has come for
a minute; the next question starts it again.
"""


@click.command(epilog=EPILOG)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Serve past conversations to assistants over MCP until its input ends."""
    import asyncio
    import threading

    asker = Asker.of(context.settings_of(ctx))
    # The model is loaded while this process imports what it serves with; one that nothing is asked ends in a minute.
    threading.Thread(target=asker.warm_up, daemon=True).start()
    asyncio.run(_serve(asker))
    return 0


async def _serve(asker: Asker) -> None:
    """Answer until the input ends."""
    from importer.serve import light_sdk

    light_sdk.server_only(web=False)
    from importer.serve import stdio
    from importer.serve.mcp_server import mcp_server
    from importer.serve.memory import Memory

    await stdio.serve(mcp_server(Memory(asker)))
