"""The server of the control socket: it takes one question a connection and gives one answer, while the daemon works.

    client: {"op": "search", "args": {"text": "…"}}\\n        daemon: {"ok": true, "value": …}\\n
                                                                    {"ok": false, "error": …, "exit_code": …}\\n

The socket is `control.sock` in the state directory, mode 0600: a user who may read the conversations may ask for them.
`service.client` asks the questions.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from importer.errors import TRY_AGAIN, USAGE, ImporterError, UsageError, WorkerDied
from importer.log import logger
from importer.protocol.foreign.arguments import bound
from importer.service.client import SOCKET_NAME, YIELD, short_path
from importer.service.identity import differences

MAX_QUESTION_BYTES = 16 * 1024 * 1024  # a page of chunks to mend fits several times
QUESTION_S = 20.0  # for a question to arrive; an answer may take any time
ANSWER_READ_S = 60.0  # for a client to take its answer
BACKLOG = 1024  # connections that the kernel holds until they are accepted
MOST_OPEN = 512  # connections at a time, half of the descriptors that a process may have; what comes then is closed
MOST_LONG = 4  # questions longer than a block that are read at a time
BLOCK_BYTES = 64 * 1024

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
        self._open = 0
        self._long = asyncio.Semaphore(MOST_LONG)

    def serve(self, serves: Mapping[str, str]) -> None:
        """Serve another model from now on."""
        self._serves = serves

    async def start(self) -> None:
        """Listen. A socket that a killed daemon left is replaced: the state's lock says that it is dead."""
        with short_path(self._state_dir) as path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            before = os.umask(0o177)  # made with mode 0600: before a chmod afterwards, any user could connect
            try:
                self._server = await asyncio.start_unix_server(self._serve, path, limit=BLOCK_BYTES, backlog=BACKLOG)
            finally:
                os.umask(before)

    async def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self._state_dir, SOCKET_NAME))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the line of a connection and close it. A client that is slow or leaves does not disturb the daemon."""
        self._open += 1
        try:
            line = await asyncio.wait_for(self._question(reader), QUESTION_S) if self._open <= MOST_OPEN else b""
            if line:
                writer.write(json.dumps(await self._reply(line)).encode() + b"\n")
                await asyncio.wait_for(writer.drain(), ANSWER_READ_S)
        except (OSError, TimeoutError, ValueError) as error:
            log.debug("control.dropped", reason=str(error))
            writer.transport.abort()  # an answer that is not taken would be kept
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _question(self, reader: asyncio.StreamReader) -> bytes:
        """Return the line that a client sends, b"" if it sends none.

        It is read in blocks, of few clients at a time: the stream's own limit would be memory for each of them.
        """
        line = await _block(reader, b"")
        if len(line) >= BLOCK_BYTES:
            async with self._long:
                while not line.endswith(b"\n") and (longer := await _block(reader, line)) != line:
                    line = longer
                    if len(line) > MAX_QUESTION_BYTES:
                        return b"more than %d bytes" % MAX_QUESTION_BYTES  # no question, and told as such
        return line

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
        except UnicodeError as error:  # text with half of a surrogate pair, which no file and no database takes
            return {"ok": False, "error": f"malformed question: {error}", "hint": "", "exit_code": USAGE}
        except Exception as error:  # a bug must not end the daemon, and must not pass in silence
            log.exception("control.failed", question=line[:200].decode(errors="replace"))
            why = f"the daemon failed to answer: {type(error).__name__}: {error}"
            return {"ok": False, "error": why, "hint": "its log has the details", "exit_code": TRY_AGAIN}

    def _asked(self, line: bytes) -> tuple[Answer, dict[str, Any]]:
        """Return the function that answers a line, and its arguments. Raises UsageError for a malformed question."""
        try:
            request = json.loads(line)
            op, args = str(request["op"]), request.get("args", {})
            given = request.get("given") if self._daemon else None
            other = differences(request.get("wants", {}), self._serves, given)
            answer = self._answers.get(op)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(f"malformed question: {error}") from error
        if not isinstance(args, dict):
            raise UsageError("malformed question: its arguments are no object")
        if other:
            raise _OtherError(other)
        if answer is None and not self._daemon:
            raise _AbsentError
        if answer is None:
            raise UsageError(f"the daemon does not know {op!r}", hint="is it of another version?")
        return answer, bound(answer, args)


async def _block(reader: asyncio.StreamReader, line: bytes) -> bytes:
    """Return the line with what comes next: to its newline, to the end of a block, or to the end of the stream."""
    parts, size = [line], 0
    while size < BLOCK_BYTES and not parts[-1].endswith(b"\n") and (part := await reader.read(BLOCK_BYTES)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)
