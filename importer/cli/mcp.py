"""`importer mcp`: an MCP server on standard input and output, for assistants that search what was said before."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import click

from importer import mcp
from importer.cli import wiring
from importer.log import logger
from importer.settings import Settings

EPILOG = """\b
Examples:
  claude mcp add conversations -- importer mcp       for Claude Code
  codex mcp add conversations -- importer mcp        for Codex
  {"mcpServers": {"conversations": {"command": "importer", "args": ["mcp"]}}}

Tools: `search` finds, `open` reads a conversation around a hit. A running daemon answers at once; without one, every
question starts a worker of its own.
"""
log = logger()
MAX_LINE_BYTES = 4 * 1024 * 1024  # of a request; what is longer would be read as two, both broken


@click.command(epilog=EPILOG)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Serves `search` and `open` over MCP until its input ends."""
    settings = wiring.settings_of(ctx).settings
    asyncio.run(serve(settings))
    return 0


async def serve(settings: Settings) -> None:
    """Answers line by line; a slow search does not hold up what comes after it."""
    one_at_a_time = asyncio.Lock()  # two workers of ours could not open the embedded store at once

    async def ask(op: str, **args: Any) -> Any:
        async with one_at_a_time:
            return await wiring.ask(settings, op, **args)

    server = mcp.Server(ask)
    answering: set[asyncio.Task[None]] = set()
    while line := await asyncio.to_thread(sys.stdin.buffer.readline, MAX_LINE_BYTES):
        if line.strip():
            task = asyncio.create_task(_answer(server, line))
            answering.add(task)
            task.add_done_callback(answering.discard)
    await asyncio.gather(*answering, return_exceptions=True)  # one that fails must not take the others along


async def _answer(server: mcp.Server, line: bytes) -> None:
    """Answers one request, whole and flushed; a notification gets no answer.

    An answer that cannot be written keeps no other from being tried.
    """
    answer = await server.reply(line)
    if answer is None:
        return
    try:
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    except OSError as error:
        log.warning("mcp.unanswered", reason=str(error))
