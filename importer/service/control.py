"""The control socket: one question, one answer, while the daemon works.

    client: {"op": "search", "args": {"text": "…"}}\\n        daemon: {"ok": true, "value": …}\\n
                                                                    {"ok": false, "error": …, "exit_code": …}\\n

The socket is `control.sock` in the state directory, mode 0600: who may read the conversations may ask for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from importer.errors import TRY_AGAIN, ImporterError, UsageError
from importer.log import logger

NAME = "control.sock"
MAX_LINE_BYTES = 16 * 1024 * 1024  # a thousand hits of a thousand characters fit ten times
ANSWER_S = 120.0

Answer = Callable[..., Awaitable[Any]]
log = logger()


class _AbsentError(Exception):
    """Nobody is there for this op."""


class Control:
    """Serves questions; `answers` maps an op to a coroutine function of keyword arguments.

    `daemon` False: an import by itself; for ops it does not know nobody is there, as without a socket.
    """

    def __init__(self, state_dir: str, answers: Mapping[str, Answer], *, daemon: bool = True) -> None:
        self._state_dir = state_dir
        self._answers = answers
        self._daemon = daemon
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listens. A socket left behind by a killed daemon is replaced: the state's lock says that it is dead."""
        with _short_path(self._state_dir) as path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            before = os.umask(0o177)  # born with mode 0600: a chmod afterwards would leave a moment to everybody
            try:
                self._server = await asyncio.start_unix_server(self._serve, path, limit=MAX_LINE_BYTES)
            finally:
                os.umask(before)

    async def stop(self) -> None:
        """Stops listening and removes the socket."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self._state_dir, NAME))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: a line, its answer, the end. A client that is slow or goes away is no matter for the daemon.
        The time-out is for the question to come; an answer may take as long as it takes.
        """
        try:
            line = await asyncio.wait_for(reader.readline(), ANSWER_S)
            if line:
                writer.write(json.dumps(await self._reply(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            log.debug("control.dropped", reason=str(error))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _reply(self, line: bytes) -> dict[str, Any]:
        """What is sent back. An error of ours keeps its exit code, so that the command line ends with it there too."""
        try:
            answer, args = self._asked(line)
            return {"ok": True, "value": await answer(**args)}
        except _AbsentError:
            return {"ok": False, "absent": True}
        except ImporterError as error:
            return {"ok": False, "error": error.message, "hint": error.hint, "exit_code": error.exit_code}
        except Exception as error:  # a bug of ours ends neither the daemon nor in silence
            log.exception("control.failed", question=line[:200].decode(errors="replace"))
            told = f"the daemon failed to answer: {type(error).__name__}: {error}"
            return {"ok": False, "error": told, "hint": "its log has the details", "exit_code": TRY_AGAIN}

    def _asked(self, line: bytes) -> tuple[Answer, dict[str, Any]]:
        """The answer that is asked for, and its arguments. Raises UsageError for what is no question."""
        try:
            request = json.loads(line)
            op, args = request["op"], dict(request.get("args", {}))
            answer = self._answers.get(op)
            if answer is not None:
                inspect.signature(answer).bind(**args)
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"malformed question: {error}") from error
        if answer is None and not self._daemon:
            raise _AbsentError
        if answer is None:
            raise UsageError(f"the daemon does not know {op!r}", hint="is it of another version?")
        return answer, args


def ask(state_dir: str, op: str, *, timeout_s: float = ANSWER_S, **args: Any) -> Any:
    """The daemon's answer. Raises ConnectionError when no daemon serves this state, else what the daemon reports.

    TimeoutError when it takes longer than `timeout_s`: the daemon is there, and may be doing it all the same.
    """
    with socket.socket(socket.AF_UNIX) as client, _short_path(state_dir) as path:
        client.settimeout(timeout_s)
        try:
            client.connect(path)
        except OSError as error:
            raise ConnectionError(f"no daemon at {state_dir}: {error.strerror}") from error
        client.sendall(json.dumps({"op": op, "args": args}).encode() + b"\n")
        with client.makefile("rb") as stream:
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
def _short_path(state_dir: str) -> Iterator[str]:
    """The socket's path through a descriptor of its folder: addresses of unix sockets end at 108 bytes."""
    path = os.path.join(state_dir, NAME)
    if len(os.fsencode(path)) < 100:
        yield path
        return
    folder = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)
