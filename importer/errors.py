"""The exception tree, and the exit codes it maps to.

ImporterError
├── UsageError            exit 2   a flag, path or setting that makes no sense
├── StateError            exit 3   the state directory is locked, unreadable or from a newer version
│   ├── StateLocked                another importer holds it
│   ├── StateUnwritable            disk full, read-only, locked by a process (retrying helps)
│   └── StateCorrupt      exit 75  damaged while in use: the next start sets it aside
├── WorkerError           exit 4   the worker or the model cannot start
│   ├── ModelError                 no model to be had, or a damaged one
│   └── WorkerDied                 it ended while it had work (retrying helps)
├── WireError             exit 4   a frame that is truncated, too large or garbled
├── EmbedError            exit 4   the model refused or returned nonsense
│   └── EmbedUnreachable  exit 75  a remote provider: connection, 429, 5xx: retrying helps
├── StoreError
│   ├── StoreRefused      exit 5   wrong dimension, bad key, foreign schema: retrying never helps
│   ├── StoreUnreachable  exit 75  connection, 429, 5xx, disk full: retrying helps
│   └── PointsRejected    exit 1   the store names points it will never take
└── TryAgainLater         exit 75  the daemon's memory limit, a drain cut short, what the system refuses a command
"""

from __future__ import annotations

DONE = 0
QUARANTINED = 1  # finished, but something is in quarantine
USAGE = 2
STATE = 3
WORKER = 4
STORE = 5
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the restart policy should start us again


class ImporterError(Exception):
    """Base of everything this package raises on purpose.

    `message` says what happened and what was kept, `hint` what to do, `retryable` whether trying again can help.
    `exit_code` is what the command line ends with; it travels with a failed reply, so that an error of the worker or of
    the daemon ends a command as if it had happened there.
    """

    exit_code = QUARANTINED
    retryable = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ImporterError):
    """A flag, a path or a setting that makes no sense."""

    exit_code = USAGE


class StateError(ImporterError):
    """The state directory cannot be used as it is."""

    exit_code = STATE


class StateLocked(StateError):
    """Another importer holds the state directory; `pid` is its process id, 0 when unknown."""

    def __init__(self, message: str, *, pid: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.pid = pid


class StateUnwritable(StateError):
    """The state cannot be written now: disk full, read-only, locked. Nothing of the transaction was kept."""

    retryable = True


class StateCorrupt(StateError):
    """The state turned out damaged while in use; the next start checks every page and sets it aside."""

    exit_code = TRY_AGAIN
    retryable = True


class WorkerError(ImporterError):
    """The worker cannot start or cannot go on."""

    exit_code = WORKER


class ModelError(WorkerError):
    """No model to be had, or one that is damaged."""


class WorkerDied(WorkerError):
    """The worker ended while it had work. `status` is the exit code, negative for a signal."""

    retryable = True

    def __init__(self, message: str, *, status: int | None = None, stderr_tail: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.stderr_tail = stderr_tail


class WireError(ImporterError):
    """A frame that is truncated, too large or garbled."""

    exit_code = WORKER


class EmbedError(ImporterError):
    """The model refused a text or returned vectors that must not be stored."""

    exit_code = WORKER


class EmbedUnreachable(EmbedError):
    """The provider cannot be reached or asks for patience; `retry_after_s` is the wait it asks for, 0 for none."""

    exit_code = TRY_AGAIN
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float = 0.0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class StoreError(ImporterError):
    """Base of what a store can answer."""

    exit_code = STORE


class StoreRefused(StoreError):
    """The store will never take this: wrong dimension, bad key, foreign schema. The import ends with the reason, for
    trying again would change nothing.
    """


class StoreUnreachable(StoreError):
    """The store cannot be reached or has no room now; `retry_after_s` is the wait it asks for, 0 for none."""

    exit_code = TRY_AGAIN
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float = 0.0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class PointsRejected(StoreError):
    """The store refuses these points and took, or would take, the others. `ids` are the point ids refused."""

    exit_code = QUARANTINED

    def __init__(self, message: str, *, ids: tuple[str, ...], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.ids = ids


class TryAgainLater(ImporterError):
    """A limit was reached that a restart lifts; everything committed is kept."""

    exit_code = TRY_AGAIN
    retryable = True
