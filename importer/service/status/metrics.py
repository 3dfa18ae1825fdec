"""What Prometheus is told, as text: counters of this process, gauges of now, three histograms. Written by hand.

Names and types follow https://prometheus.io/docs/practices/naming: base units, `_total` for what only grows. No label
has more than a handful of values: no paths, no conversations. Lines and bytes obey, at every scrape,
read = stored + skipped + quarantined + in flight. Format: text, version 0.0.4.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from importer import __version__
from importer.delivery.engine import Engine
from importer.delivery.policy import Recycle
from importer.log import logger
from importer.memory.probes import Probes
from importer.protocol.records import Batch, Receipt
from importer.protocol.units import NS
from importer.service.status import lag, status

HEAD_BYTES = 8192  # a scraper's request is a few hundred
REQUEST_S = 5.0  # for the request to come and the answer to go
PATH = "/metrics"
log = logger()


@asynccontextmanager
async def serving(listen: str, text: Callable[[], str]) -> AsyncIterator[tuple[str, int] | None]:
    """Answers at `listen` (HOST:PORT, "" for off) with what `text()` gives; yields where.

    An address that cannot be had is logged and stops nothing: the import matters more than being watched.
    """
    server = await _listen(listen, text) if listen else None
    if server is None:
        yield None
        return
    host, port = server.sockets[0].getsockname()[:2]
    log.info("metrics.served", host=host, port=port)
    try:
        yield host, port
    finally:
        server.close()


async def _listen(listen: str, text: Callable[[], str]) -> asyncio.Server | None:
    """The server, None for an address that cannot be had. One request a connection, and no time for slow ones."""
    host, _, port = listen.rpartition(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, EOFError, asyncio.LimitOverrunError):
            async with asyncio.timeout(REQUEST_S):
                writer.write(answer(await reader.readuntil(b"\r\n\r\n"), text))
                await writer.drain()
        writer.close()

    try:
        return await asyncio.start_server(serve, host.strip("[]"), int(port), limit=HEAD_BYTES)
    except OSError as error:
        log.error("metrics.refused", listen=listen, reason=error.strerror or str(error), then="imports without them")
        return None


def answer(request: bytes, text: Callable[[], str]) -> bytes:
    """The response to a request's head; whatever goes wrong in `text` is the asker's to hear, not the daemon's end."""
    words = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    method, path = (words[0], words[1].partition("?")[0]) if len(words) == 3 else ("", "")
    if method not in {"GET", "HEAD"}:
        return _response("405 Method Not Allowed", "only GET\n", "Allow: GET, HEAD\r\n")
    if path != PATH:
        return _response("404 Not Found", f"it is at {PATH}\n")
    try:
        full = _response("200 OK", text())
    except Exception as error:  # a state that is busy or gone must not end the daemon
        log.warning("metrics.failed", reason=str(error))
        return _response("503 Service Unavailable", f"{error}\n")
    return full.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else full


def _response(status: str, body: str, more: str = "") -> bytes:
    """A whole response; `more` are headers, each with its line end."""
    raw = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(raw)}\r\n{more}"
    return f"{head}Connection: close\r\n\r\n".encode() + raw


CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATES = ("idle", "importing", "paused", "degraded")
SECONDS = (
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)  # of a batch
LATENCY_S = (0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)  # the targets, 1, 2 and 2.5 s, are bounds
Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]
"""Suffix of the family's name, labels, value."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: name, type, one sentence, samples."""

    name: str
    kind: str
    about: str
    samples: tuple[Sample, ...]


@dataclass(slots=True)
class Histogram:
    """Counts by upper bound (seconds), the last one open; and their sum."""

    name: str
    about: str
    bounds_s: tuple[float, ...]
    counts: list[int] = field(init=False)
    sum_s: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds_s) + 1)

    def observe(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect.bisect_left(self.bounds_s, seconds)] += 1
        self.sum_s += seconds

    def family(self) -> Family:
        """Cumulative, as Prometheus wants it."""
        samples: list[Sample] = []
        below = 0
        for bound, count in zip((*map(_number, self.bounds_s), "+Inf"), self.counts, strict=True):
            below += count
            samples.append(("_bucket", {"le": bound}, below))
        return Family(self.name, "histogram", self.about, (*samples, ("_sum", {}, self.sum_s), ("_count", {}, below)))


@dataclass(slots=True)
class Observed:
    """What is only known when a batch settles. `clock` is UTC seconds."""

    clock: Callable[[], float] = time.time
    batches: int = 0
    embed: Histogram = field(
        default_factory=lambda: Histogram("importer_embed_seconds", "Embedding one batch.", SECONDS)
    )
    store: Histogram = field(
        default_factory=lambda: Histogram("importer_store_seconds", "Storing one batch durably.", SECONDS)
    )
    append: Histogram = field(
        default_factory=lambda: Histogram(
            "importer_append_to_searchable_seconds",
            "From the last write to a live file until it could be found.",
            LATENCY_S,
        )
    )

    def observe(self, batch: Batch, receipt: Receipt) -> None:
        """A batch was stored and its commits are written. Only live files tell a latency: backlog is old as it is."""
        self.batches += 1
        if batch.chunks:
            self.embed.observe(receipt.embed_s)
            self.store.observe(receipt.store_s)
        if batch.urgent:
            for commit in batch.commits:
                if commit.checkpoint.mtime_ns and commit.tally.lines_read:
                    self.append.observe(max(0.0, self.clock() - commit.checkpoint.mtime_ns / NS))


def families(engine: Engine, state: str, observed: Observed, probes: Probes | None = None) -> Iterator[Family]:
    """Everything there is to tell now; what is not known is left out. `state` is one of STATES."""
    yield gauge("importer_up", "1 while nothing keeps it from importing, 0 while it is degraded.", state != "degraded")
    yield Family("importer_state", "gauge", "1 for the state it is in.", _one_of("state", STATES, state))
    yield gauge("importer_build_info", "Always 1; the labels say what runs.", 1, _build(engine))
    yield from _conserved(engine)
    yield from _run(engine, observed)
    yield from _behind(engine)
    yield from _worker(engine, probes or Probes())
    yield from (one.family() for one in (observed.embed, observed.store, observed.append))


def _build(engine: Engine) -> Labels:
    """What runs, in labels; of the store only its kind, for addresses can be private."""
    configure = engine.delivery.supervisor.launch.configure
    kind = "server" if "://" in str(configure["location"]) else "embedded"
    return {"version": __version__, "model": str(configure["embed"]["model"]), "store": kind}


def _conserved(engine: Engine) -> Iterator[Family]:
    """The conservation law, of this process: what a former one had in flight was read again."""
    done, flying = engine.run.tally, status.in_flight(engine)
    for unit, named in (("lines", "importer_lines_{}"), ("bytes", "importer_{}_bytes")):
        law = status.conserved(done, flying, unit)
        for outcome in ("read", "stored", "skipped", "quarantined"):
            about = f"{unit.capitalize()} {outcome}; read = stored + skipped + quarantined + in flight."
            yield counter(named.format(outcome) + "_total", about, law[outcome] or 0)
        yield gauge(named.format("in_flight"), f"{unit.capitalize()} read and not stored yet.", law["in_flight"] or 0)


def _run(engine: Engine, observed: Observed) -> Iterator[Family]:
    """What this process has done since it began; a restart begins at 0, which Prometheus expects of counters."""
    run = engine.run
    yield counter("importer_batches_total", "Batches stored.", observed.batches)
    yield counter("importer_files_imported_total", "Files read to their end.", run.files)
    yield counter("importer_messages_total", "Messages with text.", run.tally.messages)
    yield counter("importer_unknown_records_total", "Records of a type no format knows.", run.tally.unknown)
    yield counter("importer_chunks_total", "Chunks sent to the worker and stored.", run.chunks)
    yield counter("importer_points_written_total", "Chunks embedded and written as points.", run.points)
    yield counter("importer_points_known_total", "Chunks that stood in the store already.", run.known)
    yield counter("importer_tokens_total", "Tokens embedded.", run.tokens)
    if run.total >= 0:
        yield gauge("importer_points", "Points in the store, as the last receipt counted.", run.total)


def _behind(engine: Engine) -> Iterator[Family]:
    """Asks the state, so a scrape costs one pass over its small rows."""
    behind = lag.of_engine(engine)
    samples = tuple(("", {"state": name}, float(getattr(behind, name))) for name in ("complete", "pending"))
    yield Family("importer_files", "gauge", "Known files by how far they are.", samples)
    yield gauge("importer_lag_bytes", "Bytes not imported yet.", behind.bytes)
    oldest_s = max(0.0, time.time() - behind.oldest_at) if behind.oldest_at else 0.0
    yield gauge("importer_lag_oldest_seconds", "Age of the oldest file that is not imported to its end.", oldest_s)
    rows = engine.checkpoints.quarantine.count()
    yield gauge("importer_quarantine_rows", "Lines and chunks set aside, see `importer failures`.", rows)


def _worker(engine: Engine, probes: Probes) -> Iterator[Family]:
    """The worker and the daemon as processes. Every reason of a recycle is there from the start, at 0."""
    supervisor = engine.delivery.supervisor
    record, worker = supervisor.stats, supervisor.worker
    yield counter("importer_worker_starts_total", "Workers started.", record.spawns)
    yield counter("importer_worker_crashes_total", "Workers that died unplanned.", record.crashes)
    yield counter("importer_worker_boot_failures_total", "Workers that never became ready.", record.boot_failures)
    reasons = tuple(("", {"reason": str(one)}, float(record.recycles[str(one)])) for one in Recycle)
    yield Family("importer_worker_recycles_total", "counter", "Workers ended as planned, by reason.", reasons)
    yield gauge("importer_worker_running", "1 while there is a worker.", worker is not None)
    memory = probes.process(worker.child.pid) if worker else None
    rss_bytes, own_bytes = (memory.rss_bytes, memory.judged_bytes) if memory else (0, 0)
    yield gauge("importer_worker_resident_memory_bytes", "Resident, file-backed pages included.", rss_bytes)
    yield gauge("importer_worker_judged_memory_bytes", "Anonymous memory and swap, what limits go by.", own_bytes)
    yield gauge("importer_worker_files", "Files of the present worker.", worker.files if worker else 0)
    daemon = probes.process(None)
    if daemon is not None:
        yield gauge("importer_daemon_resident_memory_bytes", "Resident memory of the daemon.", daemon.rss_bytes)
    yield counter("importer_daemon_cpu_seconds_total", "Processor time of the daemon.", time.process_time())


def gauge(name: str, about: str, value: float, labels: Labels | None = None) -> Family:
    """What goes up and down."""
    return Family(name, "gauge", about, (("", labels or {}, float(value)),))


def counter(name: str, about: str, value: float) -> Family:
    """What only grows while the process lives."""
    return Family(name, "counter", about, (("", {}, float(value)),))


def _one_of(label: str, values: Iterable[str], value: str) -> tuple[Sample, ...]:
    """One sample for each value, 1 for the one that holds: so a query sees a state begin and end."""
    return tuple(("", {label: one}, float(one == value)) for one in values)


def render(found: Iterable[Family]) -> str:
    """The exposition: HELP, TYPE, samples of each family, in order."""
    lines = []
    for one in found:
        about = one.about.replace("\\", r"\\").replace("\n", r"\n")
        lines += [f"# HELP {one.name} {about}", f"# TYPE {one.name} {one.kind}"]
        lines += [f"{one.name}{suffix}{_labels(labels)} {_number(value)}" for suffix, labels, value in one.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    """In braces, nothing for none."""
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    """Whole numbers without a point, so that a counter of bytes is exact; others as short as they can be."""
    return str(int(value)) if value == int(value) else repr(float(value))
