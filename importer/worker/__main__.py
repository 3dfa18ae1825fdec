"""Entry of the worker process: `python -m importer.worker [embeds] REQUEST_FD REPLY_FD`.

One that `embeds` opens no store: it gives its vectors back (see `embed`).
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from importer.errors import ImporterError, WireError
from importer.protocol import failpoints, wire
from importer.protocol.outcome import Failure
from importer.protocol.system import core_dumps, priority
from importer.protocol.system.capabilities import has, libc
from importer.protocol.worker_settings import WorkerSettings
from importer.worker import malloc
from importer.worker.inbox import Inbox

ORPHAN_S = 1.5  # after the daemon's end a model run may still finish, a stuck one may not
EMBEDS = "embeds"
PRIVATE = 0o077  # what the store makes says what the conversations say: it is its owner's alone
PR_SET_PDEATHSIG = 1  # of prctl(2)
PARENT_S = 0.5  # between two looks at the parent's pid


def main(arguments: list[str]) -> int:
    """Serve until the request descriptor is closed; return 0 or the exit code of the error that prevented the start.

    The descriptors are pipe ends of their own: on standard output the stray print of a library would tear a frame. A
    worker that is started as heir (`standby`) gets its settings twice: after the first frame it imports what it needs;
    it opens the store, which has one opener, and loads the model, of which there is one in memory, only after the
    second, when its predecessor has ended.
    """
    _die_with_the_daemon()
    os.umask(PRIVATE)
    core_dumps.forbid()
    gc.disable()  # what imports and settings make is here to stay: looking through it is 5 % of a start
    request_fd, reply_fd = map(int, arguments[-2:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ending the worker is the daemon's decision
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR2, all_threads=True)  # `kill -USR2` prints the stacks of a worker that is stuck

    def read(size: int) -> bytes:
        # `os.read` allocates all it is asked for, before it knows what comes.
        return os.read(request_fd, min(size, 1 << 20))

    configure = _configured(read)
    heir = configure is not None and configure.standby
    if configure is not None and heir:
        _behave(configure.settings)
        _prepare(configure.settings)
        configure = _configured(read)
    if configure is None:
        return 0
    inbox = Inbox(read, on_close=_die_soon)
    inbox.start()  # before anything heavy: a worker whose daemon is gone ends even while it starts
    if not heir:
        _behave(configure.settings)
    reply = os.fdopen(reply_fd, "wb", buffering=0)  # unbuffered: written is sent
    return _serve(inbox, reply, configure, embeds_only=EMBEDS in arguments)


def _configured(read: Callable[[int], bytes]) -> wire.Configure | None:
    """Read the settings; None when the daemon is gone. Raises WireError for another message."""
    frame = wire.read_frame(read)
    if frame is None:
        return None
    configure = wire.decode_request(frame[1])
    if not isinstance(configure, wire.Configure):
        raise WireError(f"the first frame is {type(configure).__name__}, not Configure")
    return configure


def _prepare(settings: WorkerSettings) -> None:
    """Import what store and model need while the predecessor runs. What fails is told when they are opened."""
    from importer.worker import embedders, serve, session  # noqa: F401, PLC0415 - priorities first, then heavy imports

    with contextlib.suppress(ImporterError, ImportError):
        embedders.module_of(settings.embed.provider)


def _serve(inbox: Inbox, reply: Any, configure: wire.Configure, *, embeds_only: bool) -> int:
    """Open the session and serve; return 0 at the end of input, else the exit code of the error that prevented opening.

    A store that was opened is closed however the loop ends: what it has buffered becomes durable, and its directory
    free for the next worker.
    """
    from importer.worker.serve import WorkerServer  # noqa: PLC0415
    from importer.worker.session import open_session  # noqa: PLC0415 - priorities first, the heavy imports after

    try:
        session = open_session(configure, embeds_only=embeds_only)
    except ImporterError as error:
        failure = Failure(0, "boot", type(error).__name__, error.message, error.retryable)
        _write_all(reply, wire.encode(0, wire.Failed(failure, error.exit_code, error.hint)))
        return error.exit_code
    gc.freeze()
    gc.enable()
    ready = wire.Ready(os.getpid(), session.points, session.store.fingerprint, session.store.location)
    _write_all(reply, wire.encode(0, ready))
    try:
        WorkerServer(inbox, lambda frame: _write_all(reply, frame), session).run()
    except BrokenPipeError:
        return 0  # the daemon is gone; what was stored is stored
    finally:
        session.store.close()
    return 0


def _write_all(reply: Any, frame: bytes) -> None:
    """Write the whole frame: a raw pipe may take less than it is given."""
    failpoints.hit("reply")
    view = memoryview(failpoints.spoil("reply", frame))
    while view:
        view = view[reply.write(view) :]


def _die_with_the_daemon() -> None:
    """Have the kernel kill this process when the daemon ends, or a thread where it cannot.

    The thread waits for a busy engine: the embedded store takes seconds when it puts itself in order. What was stored
    is stored, as after any kill.
    """
    prctl = libc("prctl")
    if has("pdeathsig") and prctl is not None and prctl(PR_SET_PDEATHSIG, signal.SIGKILL) == 0:
        return
    threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True).start()


def _watch_parent(parent: int) -> None:
    """End the process soon after its parent: a child whose parent is gone gets another one."""
    while os.getppid() == parent:
        time.sleep(PARENT_S)
    os._exit(0)


def _die_soon() -> None:
    """End the process ORPHAN_S after the end of input: no daemon waits for the model run that is still under way."""
    timer = threading.Timer(ORPHAN_S, os._exit, (0,))
    timer.daemon = True  # a worker that ends by itself does not wait for it
    timer.start()


def _behave(settings: WorkerSettings) -> None:
    """Lower this process's priority and make it the OOM killer's first choice, so that the daemon is never picked."""
    malloc.settle()
    priority.settle(settings.nice)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        score.write("1000")  # the highest there is; to raise one's own takes no rights


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # The store is closed. Taking model and interpreter apart takes 60 ms more, in which the next worker waits for it.
    os._exit(code)
