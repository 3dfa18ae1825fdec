"""Ask the daemon of a state directory over its control socket; where none runs, ask a worker of our own.

A command imports this to ask one question, so the engine and the log, which a worker of our own needs, come late.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from importer.errors import ImporterError
from importer.settings.load import Settings

SOCKET_NAME = "control.sock"
ANSWER_S = 120.0


def ask(settings: Settings, op: str, **args: Any) -> Any:
    """Return the answer to one question: the daemon's, else that of a worker that is started for it and ended."""
    try:
        return ask_daemon(settings.state_dir, op, **args)
    except ConnectionError:
        import asyncio  # noqa: PLC0415  what the daemon answers needs no loop

        return asyncio.run(ask_own_worker(settings, op, **args))


async def ask_beside_others(settings: Settings, op: str, **args: Any) -> Any:
    """Return the same from within a running loop, without holding it up."""
    import asyncio  # noqa: PLC0415  what the daemon answers needs no loop

    try:
        return await asyncio.to_thread(ask_daemon, settings.state_dir, op, **args)
    except ConnectionError:
        return await ask_own_worker(settings, op, **args)


async def ask_own_worker(settings: Settings, op: str, **args: Any) -> Any:
    """Start a worker, return its answer to one question, and end it. Raises what the worker reports."""
    from importer.service import assembly  # noqa: PLC0415  brings the engine and the log

    async with assembly.own_worker(settings) as worker:
        return await worker.ask(op, **args)


def ask_daemon(state_dir: str, op: str, *, timeout_s: float = ANSWER_S, **args: Any) -> Any:
    """Return the daemon's answer. Raises ConnectionError when no daemon serves this state, else what it reports.

    Raises TimeoutError when the answer takes longer than `timeout_s`: the daemon is there, and may do it all the same.
    """
    with socket.socket(socket.AF_UNIX) as connection, short_path(state_dir) as path:
        connection.settimeout(timeout_s)
        try:
            connection.connect(path)
        except OSError as error:
            raise ConnectionError(f"no daemon at {state_dir}: {error.strerror}") from error
        connection.sendall(json.dumps({"op": op, "args": args}).encode() + b"\n")
        with connection.makefile("rb") as stream:
            line = stream.readline()
    if not line:
        raise ConnectionError("the daemon ended before it answered")
    reply = json.loads(line)
    if reply["ok"]:
        return reply["value"]
    if reply.get("absent"):
        raise ConnectionError(f"no daemon at {state_dir}, but an import")
    failure = ImporterError(reply["error"], hint=reply["hint"])
    failure.exit_code = reply["exit_code"]
    raise failure


@contextmanager
def short_path(state_dir: str) -> Iterator[str]:
    """Give a path of the socket that fits into an address, which ends at 108 bytes: through its folder's descriptor."""
    path = os.path.join(state_dir, SOCKET_NAME)
    if len(os.fsencode(path)) < 100:
        yield path
        return
    folder = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET_NAME}"
    finally:
        os.close(folder)
