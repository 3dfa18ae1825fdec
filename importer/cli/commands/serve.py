"""`importer serve`: a page to search, read and look after conversations, for this machine's browser alone."""

from __future__ import annotations

import click

from importer.cli import context
from importer.service.ask import Asker

EPILOG = """\b
Examples:
  importer serve                    prints an address; open it in a browser
  importer serve --port 8080 --open
  importer serve --token-file ~/.config/importer/token    the same address each time

Below /api are the same answers as JSON, at /mcp the tools for assistants over HTTP; programs send the token as
`Authorization: Bearer TOKEN`. Nothing but this machine is served.
"""
LEAST_TOKEN = 16  # characters


@click.command(epilog=EPILOG)
@click.option(
    "--port", default=7077, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--open", "open_it", is_flag=True, help="Open the page in the browser.")
@click.option("--token-file", default="", metavar="FILE", help="Keep the token there; made if it is not there.")
@click.pass_context
def command(ctx: click.Context, /, *, port: int, open_it: bool, token_file: str) -> int:
    """Show a page to search and read conversations in the browser, and serve MCP over HTTP."""
    import asyncio
    import threading

    asker, importer = Asker.of(context.settings_of(ctx)), context.importer_of(ctx)
    # The model is loaded while this process imports what it serves with.
    threading.Thread(target=asker.warm_up, daemon=True).start()
    asyncio.run(_serve(asker, importer, port, _token(token_file), open_it=open_it))
    return 0


def _token(path: str) -> str:
    """Return the token: a new one, or the one in a file, which is made where it is not there."""
    import os
    import secrets

    from importer.errors import UsageError
    from importer.protocol.system.plain import plain

    if not path:
        return secrets.token_urlsafe(24)
    try:
        descriptor = plain(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise UsageError(f"the token file {path} cannot be used: {error.strerror}") from error
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        if not (token := file.read().strip()):
            token = secrets.token_urlsafe(24)
            file.write(f"{token}\n")
    if len(token) < LEAST_TOKEN:
        raise UsageError(f"the token in {path} is short", hint=f"at least {LEAST_TOKEN} characters, or an empty file")
    return token


async def _serve(asker: Asker, importer: list[str], port: int, token: str, *, open_it: bool) -> None:
    """Serve until Ctrl-C. Raises UsageError for a port that is taken."""
    import socket

    from importer.errors import UsageError
    from importer.serve import light_sdk

    light_sdk.server_only(web=True)
    import uvicorn

    from importer.serve.page import page_app

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()  # who opens the address at once waits, and is not refused
    except OSError as error:
        raise UsageError(f"port {port} is taken: {error.strerror}", hint="--port 0 takes a free one") from error
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/?token={token}"
    click.echo(f"{address}\nonly this machine can open it; Ctrl-C ends it")
    if open_it:
        click.launch(address)
    app = page_app(asker, token, importer)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    await uvicorn.Server(config).serve(sockets=[listener])
