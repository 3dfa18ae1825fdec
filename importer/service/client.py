"""Ask the process that answers for a state directory over its control socket.

`service.ask` is how commands ask about what is stored: it finds that process, or starts one.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from importer.errors import ImporterError
from importer.protocol.system.capabilities import has

SOCKET_NAME = "control.sock"
ANSWER_S = 120.0
QUEUE_S = 0.02  # between two tries to get into a queue that is full
YIELD = "yield"  # the op by which an answerer is asked to let go of state and store


class OtherSettings(Exception):
    """The process that answers has another store or model; `served` is what it has of what was wanted otherwise.

    `yields` says that it is an answerer, which goes away when it is asked to.
    """

    def __init__(self, served: Mapping[str, str], *, yields: bool) -> None:
        super().__init__(", ".join(f"{name} {value}" for name, value in served.items()))
        self.served = served
        self.yields = yields


def ask_daemon(
    state_dir: str, op: str, *, timeout_s: float = ANSWER_S, wants: Mapping[str, Any] | None = None, **args: Any
) -> Any:
    """Return the daemon's answer. Raises ConnectionError when no daemon serves this state, else what it reports.

    Raises TimeoutError when the answer takes longer than `timeout_s`: the daemon is there, and may do it all the same.
    `wants` are members of the question beside `op` and `args`: the store and the model it is put to.
    """
    with socket.socket(socket.AF_UNIX) as connection, short_path(state_dir) as path:
        connection.settimeout(timeout_s)
        try:
            _connect(connection, path, time.monotonic() + timeout_s)
        except TimeoutError:
            raise
        except OSError as error:
            raise ConnectionError(f"no daemon at {state_dir}: {error.strerror}") from error
        try:
            connection.sendall(json.dumps({"op": op, "args": args, **(wants or {})}).encode() + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ConnectionError("the daemon ended before it answered") from error
    if not line.endswith(b"\n"):  # nothing, or a torn answer of a process that was killed
        raise ConnectionError("the daemon ended before it answered")
    return _value(json.loads(line), state_dir)


def _value(reply: Mapping[str, Any], state_dir: str) -> Any:
    """Return the value of a reply. Raises what it reports, OtherSettings, or ConnectionError for an op not served."""
    if reply["ok"]:
        return reply["value"]
    if reply.get("absent"):
        raise ConnectionError(f"no daemon at {state_dir}, but an import")
    if "other" in reply:
        raise OtherSettings(reply["other"], yields=reply["yields"])
    failure = ImporterError(reply["error"], hint=reply["hint"])
    failure.exit_code, failure.retryable = reply["exit_code"], reply.get("again", False)
    raise failure


def _connect(connection: socket.socket, path: str, until_s: float) -> None:
    """Connect, and wait while more clients come at once than the socket's queue holds. Raises OSError."""
    while True:
        try:
            return connection.connect(path)
        except BlockingIOError:  # the queue is full, so there is a daemon (unix(7), EAGAIN)
            if time.monotonic() > until_s:
                raise TimeoutError("too many ask at once") from None
            time.sleep(QUEUE_S)


@contextmanager
def short_path(state_dir: str) -> Iterator[str]:
    """Give a path of the socket that fits into an address, which ends at 104 or 108 bytes.

    A longer one leads through its folder's descriptor, or through a link in a private folder that is gone afterwards.
    Raises ConnectionError where there is no such folder.
    """
    path = os.path.join(state_dir, SOCKET_NAME)
    if len(os.fsencode(path)) < 100:
        yield path
        return
    try:
        folder = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ConnectionError(f"no daemon at {state_dir}: {error.strerror}") from error
    try:
        if has("fd-paths"):
            yield f"/proc/self/fd/{folder}/{SOCKET_NAME}"
            return
        import tempfile  # noqa: PLC0415  where a descriptor has no path

        with tempfile.TemporaryDirectory() as near:
            os.symlink(os.path.abspath(state_dir), link := os.path.join(near, "s"))
            yield os.path.join(link, SOCKET_NAME)
    finally:
        os.close(folder)
