"""One exec'ed worker process: its pipes, its frames and its end.

Requests and replies travel over two dedicated descriptors, so that stray prints cannot tear a frame; what the process
prints goes to a bounded tail that explains a death. Its exit is seen through a descriptor: no SIGCHLD handler.

Where it can, the worker asks the kernel for SIGKILL at the end of its parent (PR_SET_PDEATHSIG). The kernel takes the
*thread* that started it for the parent, so a worker is started on the main thread only, which lives as long as the
daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from importer.delivery.child_exit import exit_descriptor
from importer.errors import ImporterError, WireError, WorkerDied
from importer.log import logger
from importer.protocol import wire

STDERR_TAIL_BYTES = 4096
DUMP_S = 0.5  # how long faulthandler gets to write its stacks before the kill


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a worker: its exit `status` (negative for a signal), the chunks in the model then, its last prints."""

    status: int
    working: tuple[str, ...]
    stderr_tail: str

    @property
    def cause(self) -> str:
        """The exit in words, such as `signal SIGKILL` or `exit code 1`."""
        if self.status < 0:
            with contextlib.suppress(ValueError):
                return f"signal {signal.Signals(-self.status).name}"
        return f"exit code {self.status}"


class Child:
    """A running worker. Replies are futures by number; all of them fail with WorkerDied when it ends.

    `working` are the chunks in the model, as it said last; they are kept after its end, for one of them may be the
    cause. `heard_s` is monotonic. Must be made within a running loop.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.working: tuple[str, ...] = ()
        self.heard_s = time.monotonic()  # the last reply
        self._waiting: dict[int, asyncio.Future[wire.Reply]] = {}
        self._tail = bytearray()
        self._tasks: list[asyncio.Task[None]] = []
        self._requests: asyncio.StreamWriter | None = None

    @classmethod
    async def spawn(cls, command: Sequence[str], environ: Mapping[str, str], keeps: Sequence[int] = ()) -> Child:
        """Start `command` with the two descriptors appended as its last arguments. It `keeps` these, too.

        Raises OSError when there are no processes, descriptors or memory left for it; then nothing is left of it.
        Raises RuntimeError off the main thread: the worker would be killed when that thread ends.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a worker is started on the main thread: it is killed when the thread of its start ends")
        ours: list[int] = []
        theirs: list[int] = []
        try:
            for flow in ("requests", "replies", "prints"):
                read, write = os.pipe()
                ours.append(write if flow == "requests" else read)
                theirs.append(read if flow == "requests" else write)
            process = subprocess.Popen(  # noqa: ASYNC220 - vfork and exec take a millisecond; asyncio's own needs a thread
                [*command, str(theirs[0]), str(theirs[1])],
                stdin=subprocess.DEVNULL,
                stdout=theirs[2],
                stderr=theirs[2],
                env=dict(environ),
                pass_fds=(*theirs[:2], *keeps),
                start_new_session=True,  # its own group: a Ctrl-C is the daemon's to handle, and a kill takes all of it
            )
        except OSError:
            _close(ours)
            raise
        finally:  # its ends of the pipes: a copy left open here would keep its death from being seen as end of file
            _close(theirs)
        try:
            exit_fd = exit_descriptor(process.pid, process.wait)
        except OSError:
            process.kill()
            process.wait()
            _close(ours)
            raise
        child = cls(process)
        await child._connect(*ours, exit_fd)
        return child

    async def _connect(self, *descriptors: int) -> None:
        """Connect the pipes. Shielded: one half connected would run on when its start is given up, and is ended."""
        connecting = asyncio.ensure_future(self._join(*descriptors))
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            self.kill()
            await connecting
            await asyncio.shield(self.ended)
            raise

    async def _join(self, request_write: int, reply_read: int, print_read: int, exit_fd: int) -> None:
        """Make streams of the pipes, with a task that reads each (the first two of `_tasks`), and watch its end."""
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, os.fdopen(request_write, "wb", buffering=0)
        )
        self._requests = asyncio.StreamWriter(transport, protocol, None, loop)
        self._tasks = [
            loop.create_task(self._read_replies(await _reader(reply_read))),
            loop.create_task(self._read_prints(await _reader(print_read))),
        ]
        loop.add_reader(exit_fd, self._on_exit, exit_fd)

    def post(self, number: int, message: wire.Request) -> asyncio.Future[wire.Reply]:
        """Send a request; return the future of its reply, which fails with WorkerDied."""
        future: asyncio.Future[wire.Reply] = asyncio.get_running_loop().create_future()
        # Taken, so that asyncio does not report one that is not awaited, as after a store's outage.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self.ended.done() or self._requests is None:
            future.set_exception(self._death())
            return future
        self._waiting[number] = future
        self._requests.write(wire.encode(number, message))
        return future

    def tell(self, message: wire.Request) -> None:
        """Send the settings, which have no reply; their number is 0."""
        if self._requests is not None:
            self._requests.write(wire.encode(0, message))

    async def ask(self, number: int, message: wire.Request) -> wire.Reply:
        """Send a request and return its reply. Raises WorkerDied."""
        return await self.post(number, message)

    @property
    def waiting(self) -> int:
        """The number of requests without a reply."""
        return len(self._waiting)

    async def stop(self, grace_s: float) -> Ended:
        """Close the worker's input, wait `grace_s` seconds for it to end by itself, then kill it."""
        if self._requests is not None:
            self._requests.close()
        try:  # shielded: others wait for the same future, and a time-out cancels what it waits for
            return await asyncio.wait_for(asyncio.shield(self.ended), grace_s)
        except TimeoutError:
            self.kill()
            return await asyncio.shield(self.ended)

    def kill(self) -> None:
        """Kill the worker's whole process group at once. It leads a session, so its pid is the group's number too."""
        if self._process.returncode is not None:
            return  # a thread may have taken in its status already: the number is free for another process
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def dump_and_kill(self) -> None:
        """Have faulthandler write the worker's stacks (they reach the tail), then kill it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR2)
        await asyncio.wait([self.ended], timeout=DUMP_S)
        self.kill()

    async def _read_replies(self, reader: asyncio.StreamReader) -> None:
        """Read replies until end of file. A torn frame kills the process, and all requests fail."""
        try:
            while (frame := await _frame(reader)) is not None:
                self._deliver(*frame)
        except (WireError, OSError) as error:
            self._tail += f"\n{error}".encode()
            self.kill()  # what follows a torn frame cannot be trusted

    def _deliver(self, number: int, body: bytes) -> None:
        """Resolve the request of that number. What is in the model belongs to the process, not to a request."""
        reply = wire.decode_reply(body)
        self.heard_s = time.monotonic()
        if isinstance(reply, wire.Working):
            self.working = reply.ids
            return
        future = self._waiting.pop(number, None)
        if future is not None and not future.done():
            future.set_result(reply)

    async def _read_prints(self, reader: asyncio.StreamReader) -> None:
        """Read prints for ever and keep the last bytes: a full pipe would stop the worker at its next print."""
        while part := await reader.read(STDERR_TAIL_BYTES):
            self._tail += part
            del self._tail[:-STDERR_TAIL_BYTES]

    def _on_exit(self, exit_fd: int) -> None:
        """Reap the process; the loop calls this once the descriptor is readable, and then `wait` does not block."""
        asyncio.get_running_loop().remove_reader(exit_fd)
        os.close(exit_fd)
        task = asyncio.get_running_loop().create_task(self._finish(self._process.wait()))
        self._tasks.append(task)

    async def _finish(self, status: int) -> None:
        """Read what is left in the pipes, resolve `ended`, then fail all requests."""
        await asyncio.wait(self._tasks[:2], timeout=1.0)
        for task in self._tasks[:2]:
            task.cancel()
        if self._requests is not None and not self._requests.transport.is_closing():
            self._requests.transport.abort()
        tail = self._tail.decode("utf-8", "replace").strip()
        # before the requests fail: callbacks run in this order, and those of a death ask what was in the model
        self.ended.set_result(Ended(status, self.working, tail))
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._death())
        self._waiting.clear()

    def _death(self) -> WorkerDied:
        """Return the error that a request fails with."""
        if not self.ended.done():
            return WorkerDied("the worker is not connected")
        ended = self.ended.result()
        return WorkerDied(f"the worker ended: {ended.cause}", status=ended.status, stderr_tail=ended.stderr_tail)


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    """Return a stream over a descriptor. The limit bounds what is read ahead; a larger frame still comes whole."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1024 * 1024)
    protocol = asyncio.StreamReaderProtocol(reader)
    await loop.connect_read_pipe(lambda: protocol, os.fdopen(descriptor, "rb", buffering=0))
    return reader


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
    """Return `(number, body)` of the next frame, None at a clean end of file. Raises WireError."""
    try:
        length, checksum, number = wire.decode_header(await reader.readexactly(wire.HEADER.size))
        return number, wire.check(await reader.readexactly(length), checksum)
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise WireError(f"truncated frame: {len(error.partial)} bytes of {error.expected}") from error


log = logger()


class Standby:
    """At most one spare worker. A failure of it shows when a worker is started in the ordinary way."""

    def __init__(self) -> None:
        self._coming: asyncio.Task[Child] | None = None

    def prepare(self, spawn: Callable[[], Awaitable[Child]], configure: wire.Configure) -> None:
        """Start a spare worker, unless there is one."""
        if self._coming is None:
            self._coming = asyncio.ensure_future(_standing_by(spawn, configure))

    async def adopt(self) -> Child | None:
        """Return the spare worker if it lives, None without one; from now on it belongs to the caller."""
        coming, self._coming = self._coming, None
        if coming is None:
            return None
        with contextlib.suppress(OSError, ImporterError):
            child = await coming
            if not child.ended.done():
                return child
        return None

    async def dismiss(self, grace_s: float) -> None:
        """End the spare worker and wait for its end."""
        if (child := await self.adopt()) is not None:
            await child.stop(grace_s)


async def _standing_by(spawn: Callable[[], Awaitable[Child]], configure: wire.Configure) -> Child:
    """Start a worker that stands by: it answers nothing before it gets its settings a second time."""
    child = await spawn()
    child.tell(configure)
    log.info("worker.preparing", pid=child.pid)
    return child
