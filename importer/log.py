"""Log of the process: structlog's events as JSON lines, or readable ones on a terminal; secrets never reach them.

Events are past-tense dotted facts with keys: `logger().info("worker.recycled", reason="rss", files=41)`. They go to
standard error, one line each, with a priority in front when systemd's journal reads it.
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
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor

EVERY_S = 60.0
MOST_KINDS = 256  # a kind that carries a file's name by mistake must not fill the memory


class RateLimited:
    """A logger of failures that repeat: it logs the first, counts the next, and logs the recovery.

    `clock` is monotonic seconds.
    """

    def __init__(
        self, log: FilteringBoundLogger, *, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._every_s = every_s
        self._clock = clock
        self._kinds: dict[str, tuple[int, int, float, float]] = {}  # as `failed` unpacks them

    def failed(self, event: str, **keys: Any) -> None:
        """Log a failure of the kind `event` as a warning: the first, then one every `every_s`; count the others."""
        now_s = self._clock()
        # put back at the end, so that the oldest kind is dropped below
        errors, unsaid, said_at_s, since_s = self._kinds.pop(event, (0, 0, -math.inf, now_s))
        due = now_s - said_at_s >= self._every_s
        while len(self._kinds) >= MOST_KINDS:
            self._kinds.pop(next(iter(self._kinds)))
        self._kinds[event] = (errors + 1, 0 if due else unsaid + 1, now_s if due else said_at_s, since_s)
        if due:
            self._log.warning(event, **keys, **({"unsaid": unsaid} if unsaid else {}))

    def recovered(self, event: str, **keys: Any) -> None:
        """Log `<first word>.recovered` if failures of that kind went before, else nothing."""
        if event in self._kinds:
            errors, _, _, since_s = self._kinds.pop(event)
            after_s = round(self._clock() - since_s, 3)
            name = f"{event.partition('.')[0]}.recovered"
            self._log.info(name, failure=event, previous_errors=errors, after_s=after_s, **keys)


MASK = "********"
SECRET_NAMES = re.compile(r"key|token|secret|passw|authorization|credential", re.IGNORECASE)
SECRET_LEAST_CHARS = 6  # shorter ones are masked as whole values only, or they would eat half of the words
_NAMED = r"key|token|sig|signature|secret|passw\w{2,4}|code|auth"  # of a query; before the host, up to the last @
IN_URLS = re.compile(rf"(?i)(://)[^/\s\"'<>]+(?=@)|([?&]\w{{0,20}}(?:{_NAMED})=)[^&\s\"'<>]+")
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}  # of syslog, as the journal reads them
COLOURS = {"debug": 2, "info": 32, "warning": 33, "error": 31, "critical": 31}  # ANSI
PIECE_CHARS = 1024  # 4 KiB at most in UTF-8: a pipe that is ready takes as much at once (PIPE_BUF, pipe(7))
PATIENCE_MS = 100  # for a full pipe whose reader is slow
MOST_CHARS = 4000  # of one value; a log is no place for a transcript


def configure(
    level: str = "info",
    format: str = "auto",
    *,
    stream: TextIO | None = None,
    secrets: Iterable[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Send the process's events, and the warnings of libraries, to `stream` (standard error).

    `level` is the least level; `format` is json, console, or auto (console on a terminal). `secrets` are values that
    must not appear. May be called again, to change any of them. structlog is loaded with the first event.
    """
    out = sys.stderr if stream is None else stream
    readable = format == "console" or (format == "auto" and out.isatty())
    coloured = out.isatty() and not environ.get("NO_COLOR")  # https://no-color.org
    renderer: Processor = _readable(colours=coloured) if readable else _json(journal=is_journal(out, environ))
    masking, lines = Masking(secrets), LineWriter(out)
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


def _configure(structlog: ModuleType, level: str, masking: Masking, renderer: Processor, lines: LineWriter) -> None:
    """Configure structlog as `configure` was asked to."""
    their = structlog.processors
    stamps = (their.add_log_level, their.TimeStamper(fmt="iso", utc=True, key="at"), their.format_exc_info)
    structlog.configure(
        processors=[*stamps, masking, renderer],
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
    """Return True if the journal reads the stream: JOURNAL_STREAM holds its device and inode (systemd.exec(5))."""
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


def printable(value: Any) -> Any:
    """Return a value as JSON can hold it. Paths are bytes and need not be UTF-8: other bytes become \\xNN."""
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
    """Make values printable and mask secrets: by the name of their key, by their value, and in URLs.

    Numbers stay under any key: `tokens=53` is a count.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if secret}
        self._whole = frozenset(known)
        # the longest first: one secret may stand within another
        self._inside = tuple(sorted((s for s in known if len(s) >= SECRET_LEAST_CHARS), key=len, reverse=True))

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Return the event as it may be shown."""
        return {key: self._masked(key, printable(value)) for key, value in event.items()}

    def _masked(self, key: str, value: Any) -> Any:
        """Return the value under its key, at any depth; items of a list go by the key of the list."""
        if isinstance(value, dict):
            return {name: self._masked(name, item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._masked(key, item) for item in value]
        if not isinstance(value, str):
            return value
        return MASK if value and SECRET_NAMES.search(key) and key != "event" else self._text(value)

    def _text(self, value: str) -> str:
        """Mask known secrets and passwords in URLs, wherever they stand in text under a harmless key."""
        if value in self._whole:
            return MASK
        for secret in self._inside:
            value = value.replace(secret, MASK)
        value = IN_URLS.sub(rf"\1\2{MASK}", value)
        half = MOST_CHARS // 2  # after the masking, so that no secret is cut in two
        return value if len(value) <= MOST_CHARS else f"{value[:half]} … {value[-half:]}"


def _json(*, journal: bool) -> Processor:
    """Return a renderer of one JSON object per line: at, level and event first, then the keys as they come."""

    def render(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
        first = {name: event.pop(name) for name in ("at", "level", "event") if name in event}
        line = json.dumps({**first, **event}, ensure_ascii=False)
        line = line if line.isprintable() else json.dumps({**first, **event}).replace("\x7f", "\\u007f")
        return f"<{PRIORITIES.get(first.get('level', ''), 6)}>{line}" if journal else line

    return render


def _readable(*, colours: bool) -> Processor:
    """Return a renderer of `12:31:02 warning worker.recycled reason=rss files=41`, followed by a traceback if any.

    Characters that are not printable are escaped.
    """

    def render(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
        at, level = str(event.pop("at", ""))[11:19], str(event.pop("level", ""))
        name, trace = event.pop("event", ""), str(event.pop("exception", "")).splitlines()
        word = f"\x1b[{COLOURS.get(level, 0)}m{level:7}\x1b[0m" if colours else f"{level:7}"
        pairs = (f"{key}={_quoted(value)}" for key, value in event.items())
        line = " ".join([at, word, _quoted(name, spaces=True), *pairs])
        return "\n".join([line, *(part if part.isprintable() else repr(part)[1:-1] for part in trace)])

    return render


def _quoted(value: Any, *, spaces: bool = False) -> str:
    """Return a value on one line: as it is where that is unambiguous and printable, else as a Python literal."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    plain = text.isprintable() and (spaces or (text and not isinstance(value, str)) or not set(text) & set(" '\"="))
    return text if plain and text else repr(text)


class LineWriter:
    """Writer of one line per event, which no closed pipe, full disk or unread pipe can stop.

    Lines that are not taken are dropped, and counted in a warning once a line is taken again.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._dropped = 0
        self._torn = False  # the last line ends in its middle

    def msg(self, message: str) -> None:
        """Write and flush one line, or drop it when the reader does not take it."""
        with contextlib.suppress(OSError, ValueError):
            if not self._ready():
                self._dropped += 1
                return
            dropped, self._dropped = self._dropped, 0
            if dropped:
                logger().warning("log.dropped", lines=dropped)
            self._put("\n" * self._torn + message + "\n")

    def _put(self, line: str) -> None:
        """Write a line in pieces that a pipe takes whole; stop in its middle when the reader stops."""
        for at in range(0, len(line), PIECE_CHARS):
            self._torn = at > 0 and not self._ready()
            if self._torn:
                self._dropped += 1
                return
            self._out.write(line[at : at + PIECE_CHARS])
            self._out.flush()

    def _ready(self) -> bool:
        """Return True if 4 KiB can be written now or soon; only a full pipe or socket takes nothing.

        A reader that let the last line wait is not waited for again before it takes something.
        """
        try:
            poll = select.poll()
            poll.register(self._out.fileno(), select.POLLOUT)
        except (OSError, ValueError):
            return True  # no file: it is in memory
        return bool(poll.poll(0 if self._dropped else PATIENCE_MS))

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg


class Bridge(logging.Handler):
    """Handler that turns what libraries log into events of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one event per record: `library.logged`."""
        extra = {"exc_info": record.exc_info} if record.exc_info else {}
        logger().log(record.levelno, "library.logged", library=record.name, message=record.getMessage(), **extra)
