"""structlog, once per process: JSON lines, or readable ones on a terminal; keys and passwords never reach them.

Events are past-tense dotted facts with keys: `logger().info("worker.recycled", reason="rss", files=41)`. They go to
standard error, one line each, with a priority in front when the journal listens.

Repeated failures in the log: the first is said, the next ones are counted, and one line tells that it is over.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
import select
import sys
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor

EVERY_S = 60.0
MOST_KINDS = 256  # a kind that carries a file's name by mistake must not fill the memory


@dataclass(frozen=True, slots=True)
class Streak:
    """Failures of one kind on end: all of them, those not said since the last line, and when that and the first was."""

    errors: int
    unsaid: int
    said_at_s: float
    since_s: float


def failed(streak: Streak | None, now_s: float, every_s: float = EVERY_S) -> tuple[Streak, bool]:
    """The streak with one more failure, and whether to say it: the first, then one every `every_s`."""
    if streak is None:
        return Streak(1, 0, now_s, now_s), True
    if now_s - streak.said_at_s >= every_s:
        return Streak(streak.errors + 1, 0, now_s, streak.since_s), True
    return Streak(streak.errors + 1, streak.unsaid + 1, streak.said_at_s, streak.since_s), False


class RateLimited:
    """A logger for failures that repeat. `clock` is monotonic seconds."""

    def __init__(
        self, log: FilteringBoundLogger, *, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._every_s = every_s
        self._clock = clock
        self._streaks: dict[str, Streak] = {}

    def failed(self, event: str, **keys: Any) -> None:
        """A failure of the kind `event`: a warning, or a count for the next one."""
        before = self._streaks.pop(event, None)  # put back at the end, so that the oldest kind is dropped below
        streak, say = failed(before, self._clock(), self._every_s)
        while len(self._streaks) >= MOST_KINDS:
            self._streaks.pop(next(iter(self._streaks)))
        self._streaks[event] = streak
        if say:
            unsaid = {"unsaid": before.unsaid} if before and before.unsaid else {}
            self._log.warning(event, **keys, **unsaid)

    def recovered(self, event: str, **keys: Any) -> None:
        """The end of that kind of failure: one line `<first word>.recovered` if there was any, else nothing."""
        streak = self._streaks.pop(event, None)
        if streak:
            after_s = round(self._clock() - streak.since_s, 3)
            name = f"{event.partition('.')[0]}.recovered"
            self._log.info(name, failure=event, previous_errors=streak.errors, after_s=after_s, **keys)


MASK = "********"
SECRET_NAMES = re.compile(r"key|token|secret|passw|authorization|credential", re.IGNORECASE)
SECRET_LEAST_CHARS = 6  # shorter ones are masked as whole values only, or they would eat half of the words
USERINFO = re.compile(r"(://)[^/@\s]+@")
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}  # of syslog, as the journal reads them
COLOURS = {"debug": 2, "info": 32, "warning": 33, "error": 31, "critical": 31}  # ANSI
PIECE_CHARS = 1024  # 4 KiB at most in UTF-8: a pipe that is ready takes as much at once (PIPE_BUF, pipe(7))
PATIENCE_MS = 100  # with whoever reads the log
MOST_CHARS = 4000  # of one value; a log is no place for a transcript


def configure(
    level: str = "info",
    format: str = "auto",
    *,
    stream: TextIO | None = None,
    secrets: Iterable[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Sends the process's events, and the warnings of libraries, to `stream` (standard error).

    `level` is the least level; `format` is json, console, or auto (console on a terminal). `secrets` are values that
    must not appear. May be called again, to change any of them. structlog is loaded with the first event.
    """
    out = sys.stderr if stream is None else stream
    readable = format == "console" or (format == "auto" and out.isatty())
    coloured = out.isatty() and not environ.get("NO_COLOR")  # https://no-color.org
    renderer: Processor = Readable(colours=coloured) if readable else Json(journal=is_journal(out, environ))
    masking, lines = Masking(secrets), Lines(out)
    _waiting[:] = [lambda structlog: _configure(structlog, level, masking, renderer, lines)]
    if "structlog" in sys.modules:
        _structlog()
    logging.basicConfig(handlers=[Bridge()], level=logging.WARNING, force=True)


_waiting: list[Callable[[ModuleType], None]] = []  # the last configuration, until structlog is loaded


def _structlog() -> ModuleType:
    """Return structlog, loaded and configured as was asked before. A command that logs nothing does without it.

    It draws tracebacks with rich when it finds it, which costs the daemon 4 MB for nothing. A module that is None is
    reported as missing by the import system.
    """
    hidden = "structlog" not in sys.modules and sys.modules.setdefault("rich", None) is None  # type: ignore[arg-type]
    import structlog  # noqa: PLC0415  it takes longer to load than all else that a light command needs

    if hidden:
        del sys.modules["rich"]
    while _waiting:
        _waiting.pop()(structlog)
    return structlog


def _configure(structlog: ModuleType, level: str, masking: Masking, renderer: Processor, lines: Lines) -> None:
    """Set structlog up; see `configure`."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            masking,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,  # a re-read of the settings may change the level
    )


class Deferred:
    """A logger that loads structlog with its first event."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = keys

    def __getattr__(self, method: str) -> Any:
        """Return that method of structlog's logger."""
        return getattr(_structlog().get_logger(**self._keys), method)


def logger(**keys: Any) -> FilteringBoundLogger:
    """Return the process's logger, with `keys` on each of its events."""
    return cast("FilteringBoundLogger", Deferred(keys))


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether systemd's journal reads the stream: JOURNAL_STREAM holds its device and inode (systemd.exec(5))."""
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


def printable(value: Any) -> Any:
    """A value as JSON can hold it. Paths are bytes and names need not be UTF-8: what is not becomes \\xNN."""
    if isinstance(value, str):
        try:
            value = value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half of a surrogate pair, from damaged JSON
            value = value.encode("utf-8", "backslashreplace")
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Mapping):
        return {str(printable(key)): printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [printable(item) for item in value]
    number = isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
    return value if value is None or number else printable(str(value))


class Masking:
    """Makes values printable and masks secrets: by the name of their key, by their value, and in URLs.

    Numbers stay, whatever their key is called: `tokens=53` is a count.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if secret}
        self._whole = frozenset(known)
        # the longest first: one secret may stand within another
        self._inside = tuple(sorted((s for s in known if len(s) >= SECRET_LEAST_CHARS), key=len, reverse=True))

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """The event as it may be shown."""
        return {key: self._masked(key, printable(value)) for key, value in event.items()}

    def _masked(self, key: str, value: Any) -> Any:
        """The value under its key, at any depth; items of a list go by the key of the list."""
        if isinstance(value, dict):
            return {name: self._masked(name, item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._masked(key, item) for item in value]
        if not isinstance(value, str):
            return value
        return MASK if value and SECRET_NAMES.search(key) and key != "event" else self._text(value)

    def _text(self, value: str) -> str:
        """Text under a harmless key: known secrets and passwords in URLs may stand anywhere in it."""
        if value in self._whole:
            return MASK
        for secret in self._inside:
            value = value.replace(secret, MASK)
        value = USERINFO.sub(rf"\1{MASK}@", value)
        half = MOST_CHARS // 2  # after the masking, so that no secret is cut in two
        return value if len(value) <= MOST_CHARS else f"{value[:half]} … {value[-half:]}"


class Json:
    """One JSON object per line: at, level, event first, the keys as they come."""

    def __init__(self, *, journal: bool = False) -> None:
        self._journal = journal

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
        """The line."""
        first = {name: event.pop(name) for name in ("at", "level", "event") if name in event}
        line = json.dumps({**first, **event}, ensure_ascii=False)
        return f"<{PRIORITIES.get(first.get('level', ''), 6)}>{line}" if self._journal else line


class Readable:
    """`12:31:02 warning worker.recycled reason=rss files=41`; what is not printable is escaped, a traceback follows."""

    def __init__(self, *, colours: bool = False) -> None:
        self._colours = colours

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
        """The line, and those of a traceback."""
        at, level = str(event.pop("at", ""))[11:19], str(event.pop("level", ""))
        name, trace = event.pop("event", ""), str(event.pop("exception", "")).splitlines()
        word = f"\x1b[{COLOURS.get(level, 0)}m{level:7}\x1b[0m" if self._colours else f"{level:7}"
        pairs = (f"{key}={_quoted(value)}" for key, value in event.items())
        line = " ".join([at, word, _quoted(name, spaces=True), *pairs])
        return "\n".join([line, *(part if part.isprintable() else repr(part)[1:-1] for part in trace)])


def _quoted(value: Any, *, spaces: bool = False) -> str:
    """A value on one line: as it is where that is unambiguous and printable, else as a Python literal."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    plain = text.isprintable() and (spaces or (text and not isinstance(value, str)) or not set(text) & set(" '\"="))
    return text if plain and text else repr(text)


class Lines:
    """Writes each event as a line. Nothing behind the log stops an import: no closed pipe, no full disk, and no pipe
    that somebody has stopped to read. What that does not take is dropped, and counted when it takes something again.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._dropped = 0
        self._torn = False  # the last line ends in its middle

    def msg(self, message: str) -> None:
        """Writes and flushes one line."""
        with contextlib.suppress(OSError, ValueError):
            if not self._ready():
                self._dropped += 1
                return
            dropped, self._dropped = self._dropped, 0
            if dropped:
                logger().warning("log.dropped", lines=dropped)
            self._put("\n" * self._torn + message + "\n")

    def _put(self, line: str) -> None:
        """In pieces that a pipe takes whole; a reader who stops in the middle of a line has the beginning of it."""
        for at in range(0, len(line), PIECE_CHARS):
            self._torn = at > 0 and not self._ready()
            if self._torn:
                self._dropped += 1
                return
            self._out.write(line[at : at + PIECE_CHARS])
            self._out.flush()

    def _ready(self) -> bool:
        """Whether it takes 4 KiB now, or soon; only a pipe or socket may not. Whoever let us wait is not waited for
        again before it takes something.
        """
        try:
            poll = select.poll()
            poll.register(self._out.fileno(), select.POLLOUT)
        except (OSError, ValueError):
            return True  # no file: it is in memory
        return bool(poll.poll(0 if self._dropped else PATIENCE_MS))

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


class Bridge(logging.Handler):
    """Turns what libraries log into events of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """One event per record: `library.logged`."""
        logger().log(
            record.levelno,
            "library.logged",
            library=record.name,
            message=record.getMessage(),
            **({"exc_info": record.exc_info} if record.exc_info else {}),
        )
