"""The server of the control socket: it takes one question a connection and gives one answer, while the daemon works.

    client: {"op": "search", "args": {"text": "…"}}\\n        daemon: {"ok": true, "value": …}\\n
                                                                    {"ok": false, "error": …, "exit_code": …}\\n

The socket is `control.sock` in the state directory, mode 0600: a user who may read the conversations may ask for them.
`service.client` asks the questions.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from importer.errors import TRY_AGAIN, ImporterError, UsageError, WorkerDied
from importer.log import logger
from importer.service.client import ANSWER_S, SOCKET_NAME, YIELD, short_path
from importer.service.identity import differences

MAX_LINE_BYTES = 16 * 1024 * 1024  # a thousand hits of a thousand characters fit ten times

Answer = Callable[..., Awaitable[Any]]
log = logger()


class _AbsentError(Exception):
    """An import that is no daemon was asked for an op it does not serve."""


class _OtherError(Exception):
    """A question was put to another store or model than this process has."""

    def __init__(self, served: Mapping[str, str]) -> None:
        super().__init__(served)
        self.served = served


class Control:
    """The server of one state's socket; `answers` maps an op to a coroutine function of keyword arguments.

    With `daemon` False it serves an import by itself, which reports other ops as absent: the client then goes on as if
    there was no socket. `serves` is the store and model of this process: a question to another one is not answered. A
    daemon's own settings hold for those that a client was not given, for a service has them in its unit.
    """

    def __init__(
        self,
        state_dir: str,
        answers: Mapping[str, Answer],
        *,
        daemon: bool = True,
        serves: Mapping[str, str] | None = None,
    ) -> None:
        self._state_dir = state_dir
        self._answers = answers
        self._daemon = daemon
        self._serves = serves or {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. A socket that a killed daemon left is replaced: the state's lock says that it is dead."""
        with short_path(self._state_dir) as path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            before = os.umask(0o177)  # made with mode 0600: before a chmod afterwards, any user could connect
            try:
                self._server = await asyncio.start_unix_server(self._serve, path, limit=MAX_LINE_BYTES)
            finally:
                os.umask(before)

    async def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self._state_dir, SOCKET_NAME))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the line of a connection and close it. A client that is slow or leaves does not disturb the daemon.

        The time-out is for the question to arrive. An answer may take any time.
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
        """Return the reply to a line. An error of ours keeps its exit code, with which the asking command then ends."""
        try:
            answer, args = self._asked(line)
            return {"ok": True, "value": await answer(**args)}
        except _AbsentError:
            return {"ok": False, "absent": True}
        except _OtherError as error:
            return {"ok": False, "other": error.served, "yields": YIELD in self._answers}
        except ImporterError as error:
            # The question is as good as before.
            again = isinstance(error, WorkerDied) or isinstance(error.__cause__, WorkerDied)
            told: dict[str, Any] = {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}
            return {"ok": False, **told, "again": again}
        except Exception as error:  # a bug must not end the daemon, and must not pass in silence
            log.exception("control.failed", question=line[:200].decode(errors="replace"))
            why = f"the daemon failed to answer: {type(error).__name__}: {error}"
            return {"ok": False, "error": why, "hint": "its log has the details", "exit_code": TRY_AGAIN}

    def _asked(self, line: bytes) -> tuple[Answer, dict[str, Any]]:
        """Return the function that answers a line, and its arguments. Raises UsageError for a malformed question."""
        try:
            request = json.loads(line)
            op, args = request["op"], dict(request.get("args", {}))
            given = request.get("given") if self._daemon else None
            other = differences(request.get("wants", {}), self._serves, given)
            answer = self._answers.get(op)
            if answer is not None:
                inspect.signature(answer).bind(**args)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"malformed question: {error}") from error
        if other:
            raise _OtherError(other)
        if answer is None and not self._daemon:
            raise _AbsentError
        if answer is None:
            raise UsageError(f"the daemon does not know {op!r}", hint="is it of another version?")
        return answer, args
