"""Run a process to its end, or end it: read its lines and sample its memory meanwhile."""

from __future__ import annotations

import importlib
import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from importer.memory.probes import Probes

psutil: Any = importlib.import_module("psutil")  # untyped

EVERY_S = 0.1  # between two samples: a hundredth of a percent of a core
LAST_WORDS = 2000  # bytes kept of standard error: a traceback's end
READ_BYTES = 1 << 16


class ProcessSample(NamedTuple):
    """Memory of one process at a monotonic second: resident, and anonymous with swap."""

    at_s: float
    name: str
    rss_bytes: int
    anon_bytes: int


class JsonEvent(NamedTuple):
    """A JSON line that a process wrote, and when it came (monotonic seconds)."""

    at_s: float
    facts: Mapping[str, Any]


@dataclass(slots=True)
class Watched:
    """The measurements of a process and of those it named. `ended` says why it was ended from outside, "" if not.

    `names` are the processes looked at: more can be added while it runs. `cpu_s` is processor time, its children's too.
    """

    names: dict[int, str] = field(default_factory=dict)
    samples: list[ProcessSample] = field(default_factory=list)
    events: list[JsonEvent] = field(default_factory=list)
    out: bytes = b""
    err: bytes = b""
    started_s: float = 0.0
    seconds: float = 0.0
    cpu_s: float = 0.0
    code: int | None = None
    ended: str = ""

    def peak(self, name: str, *, anon: bool = False) -> int:
        """Return the most memory that a process had, in bytes; 0 if it was never seen."""
        return max((sample.anon_bytes if anon else sample.rss_bytes for sample in self.of(name)), default=0)

    def last(self, name: str) -> int:
        """Return the resident memory of a process when it was last seen, in bytes."""
        return next((sample.rss_bytes for sample in reversed(self.samples) if sample.name == name), 0)

    def of(self, name: str) -> list[ProcessSample]:
        """Return the samples of one process."""
        return [sample for sample in self.samples if sample.name == name]


Stop = Callable[[Watched], str]


def watch(
    arguments: Sequence[str],
    *,
    name: str,
    given: bytes = b"",
    environ: Mapping[str, str] = os.environ,
    events_on_err: bool = False,
    stop: Stop = lambda _watched: "",
    heard: Callable[[Watched, JsonEvent], None] = lambda _watched, _event: None,
) -> Watched:
    """Run a command. Its JSON lines are events, on its standard output or its standard error.

    `stop` is asked at every sample: a reason ends the process at once. The process never outlives this call.

    Besides, all of standard output is kept, and the end of standard error.
    """
    watched = Watched()
    process = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(environ)
    )
    assert process.stdin and process.stdout and process.stderr
    watched.started_s = time.monotonic()
    watched.names[process.pid] = name
    try:
        with suppress(BrokenPipeError), process.stdin as stdin:
            stdin.write(given)
        _OutputReader(watched, process, events_on_err, heard).follow(stop)
    finally:
        # Also when it has ended by itself, or when we are interrupted: nothing outlives the measurement.
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    watched.seconds = time.monotonic() - watched.started_s
    watched.code = process.returncode
    return watched


class _OutputReader:
    """A reader of both outputs of a process, which samples memory in between.

    One thread for all: pipes are read when they have something, so a process never waits for us with a full pipe.
    """

    def __init__(
        self,
        watched: Watched,
        process: subprocess.Popen[bytes],
        events_on_err: bool,
        heard: Callable[[Watched, JsonEvent], None],
    ) -> None:
        self._watched, self._process, self._heard = watched, process, heard
        self._events_on_err = events_on_err
        self._partial = b""
        self._probes = Probes()
        self._selector = selectors.DefaultSelector()
        for pipe, err in ((process.stdout, False), (process.stderr, True)):
            assert pipe is not None
            self._selector.register(pipe, selectors.EVENT_READ, err)

    def follow(self, stop: Stop) -> None:
        """Read until both outputs are closed, or `stop` has a reason."""
        due_s = 0.0
        while self._selector.get_map():
            for key, _ in self._selector.select(max(0.0, due_s - time.monotonic())):
                self._read(key.fileobj, err=key.data)
            if time.monotonic() >= due_s:
                due_s = time.monotonic() + EVERY_S
                self._sample()
                self._watched.ended = stop(self._watched)
                if self._watched.ended:
                    break
        self._selector.close()

    def _read(self, pipe: Any, *, err: bool) -> None:
        """Read what a pipe holds now; lines come together from several reads. An empty read is its end."""
        read: IO[bytes] = pipe
        got = os.read(read.fileno(), READ_BYTES)  # what there is, without waiting for more
        if not got:
            self._selector.unregister(pipe)
        if err:
            self._watched.err = (self._watched.err + got)[-LAST_WORDS:]
        else:
            self._watched.out += got
        if err == self._events_on_err:
            *lines, self._partial = (self._partial + got).split(b"\n")
            self._note(lines)

    def _note(self, lines: Sequence[bytes]) -> None:
        """Note the events in lines. A line that is no JSON object is passed over: a rival's libraries print, too."""
        for line in lines:
            with suppress(json.JSONDecodeError, UnicodeDecodeError):
                facts = json.loads(line)
                if isinstance(facts, dict):
                    event = JsonEvent(time.monotonic(), facts)
                    self._watched.events.append(event)
                    self._heard(self._watched, event)

    def _sample(self) -> None:
        """Sample the memory of every process named, and the processor time so far."""
        now_s, watched = time.monotonic(), self._watched
        for pid, name in list(watched.names.items()):
            memory = self._probes.process(pid)
            if memory is not None:
                watched.samples.append(ProcessSample(now_s, name, memory.rss_bytes, memory.judged_bytes))
        with suppress(psutil.Error):
            times = psutil.Process(self._process.pid).cpu_times()
            # Children count here once they have been waited for; until then they are looked at singly below.
            ours = times.user + times.system + times.children_user + times.children_system
            watched.cpu_s = ours + sum(map(_cpu_s, set(watched.names) - {self._process.pid}))


def _cpu_s(pid: int) -> float:
    """Return the processor time of a living process; 0 for one that is gone: its parent counts it then."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        times = process.cpu_times()
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(times.user + times.system)
    return 0.0
