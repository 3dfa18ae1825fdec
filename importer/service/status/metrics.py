"""The metrics for Prometheus: counters of this process, gauges of now, three histograms.

Names and types follow https://prometheus.io/docs/practices/naming: base units, `_total` for what only grows. No label
has more than a handful of values: no paths, no conversations. Lines and bytes obey, at every scrape,
read = stored + skipped + quarantined + in flight. Format: text, version 0.0.4.

Imported only where metrics are on: the client library takes 3 MB.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping

import prometheus_client
from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from importer import __version__
from importer.delivery.policy import Recycle
from importer.delivery.snapshot import Snapshot
from importer.memory.probes import Probes
from importer.protocol.outcome import Receipt
from importer.protocol.records import Batch
from importer.protocol.units import NS
from importer.service.status import expiring, lag, status
from importer.state.checkpoints import Checkpoints
from importer.state.sent_points import reports

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # they would double the series for nothing

STATES = ("idle", "importing", "erasing", "paused", "degraded")
BATCH_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LATENCY_S = (0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)  # the targets, 1, 2 and 2.5 s, are bounds


class Observed:
    """What is only known when a batch is stored. `clock` is UTC seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.batches = 0
        self.embed = Histogram("importer_embed_seconds", "Embedding one batch.", buckets=BATCH_S, registry=None)
        self.store = Histogram("importer_store_seconds", "Storing one batch durably.", buckets=BATCH_S, registry=None)
        self.append = Histogram(
            "importer_append_to_searchable_seconds",
            "From the last write to a live file until it could be found.",
            buckets=LATENCY_S,
            registry=None,
        )

    def observe(self, batch: Batch, receipt: Receipt) -> None:
        """Count a stored batch. Only live files tell a latency: a backlog is old as it is."""
        self.batches += 1
        if batch.chunks:
            self.embed.observe(receipt.embed_s)
            self.store.observe(receipt.store_s)
        if batch.urgent:
            for commit in batch.commits:
                if commit.checkpoint.mtime_ns and commit.tally.lines_read:
                    self.append.observe(max(0.0, self._clock() - commit.checkpoint.mtime_ns / NS))


class Scrape:
    """One page of metrics: a collector for `prometheus_client.generate_latest`. `state` is one of STATES."""

    def __init__(
        self, seen: Snapshot, checkpoints: Checkpoints, state: str, observed: Observed, probes: Probes | None = None
    ) -> None:
        self._seen, self._checkpoints, self._state, self._observed = seen, checkpoints, state, observed
        self._probes = probes or Probes()

    def text(self) -> str:
        """Return the page as text."""
        page = prometheus_client.generate_latest(self).decode()
        return re.sub(r'le="(\d+)\.0"', r'le="\1"', page)  # bounds as they were always written: series keep their names

    def collect(self) -> Iterator[Metric]:
        """Yield all there is to tell now; what is not known is left out."""
        degraded = self._state == "degraded"
        yield _gauge("importer_up", "1 while nothing keeps it from importing, 0 while it is degraded.", not degraded)
        yield _gauges("importer_state", "1 for the state it is in.", "state", {s: s == self._state for s in STATES})
        yield self._build()
        yield from self._conserved()
        yield from self._run()
        yield from self._behind()
        yield from self._syncs()
        yield from self._workers()
        yield from self._processes()
        for one in (self._observed.embed, self._observed.store, self._observed.append):
            yield from one.collect()

    def _build(self) -> Metric:
        """Return what runs, in labels; of the store only its kind, for addresses can be private."""
        settings = self._seen.settings
        kind = "server" if "://" in settings.store.location else "embedded"
        labels = {"version": __version__, "model": settings.embed.model, "store": kind}
        family = GaugeMetricFamily("importer_build_info", "Always 1; the labels say what runs.", labels=list(labels))
        family.add_metric(list(labels.values()), 1)
        return family

    def _conserved(self) -> Iterator[Metric]:
        """Yield the conservation law of this process: what a former one had in flight was read again."""
        done, in_flight = self._seen.run.tally, self._seen.tally_in_flight
        for unit, named in (("lines", "importer_lines_{}"), ("bytes", "importer_{}_bytes")):
            law = status.conserved(done, in_flight, unit)
            for outcome in ("read", "stored", "skipped", "quarantined"):
                about = f"{unit.capitalize()} {outcome}; read = stored + skipped + quarantined + in flight."
                yield _counter(named.format(outcome) + "_total", about, law[outcome] or 0)
            about = f"{unit.capitalize()} read and not stored yet."
            yield _gauge(named.format("in_flight"), about, law["in_flight"] or 0)

    def _run(self) -> Iterator[Metric]:
        """Yield what this process has done; a restart begins at 0, which Prometheus expects of counters."""
        run = self._seen.run
        yield _counter("importer_batches_total", "Batches stored.", self._observed.batches)
        yield _counter("importer_files_imported_total", "Files read to their end.", run.files)
        yield _counter("importer_messages_total", "Messages with text.", run.tally.messages)
        yield _counter("importer_unknown_records_total", "Records of a type no format knows.", run.tally.unknown)
        yield _counter("importer_chunks_total", "Chunks sent to the worker and stored.", run.chunks)
        yield _counter("importer_points_written_total", "Chunks embedded and written as points.", run.points)
        yield _counter("importer_points_known_total", "Chunks that stood in the store already.", run.known)
        yield _counter("importer_tokens_total", "Tokens embedded.", run.tokens)
        if run.total >= 0:
            yield _gauge("importer_points", "Points in the store, as the last receipt counted.", run.total)

    def _behind(self) -> Iterator[Metric]:
        """Yield the lag. It asks the state, so a scrape costs one pass over its small rows."""
        behind = lag.of_snapshot(self._seen, self._checkpoints)
        files = {name: getattr(behind, name) for name in ("complete", "pending", "unrecognised", "refused")}
        yield _gauges("importer_files", "Known files by how far they are.", "state", files)
        yield _gauge("importer_lag_bytes", "Bytes not imported yet.", behind.bytes)
        oldest_s = max(0.0, time.time() - behind.oldest_at) if behind.oldest_at else 0.0
        yield _gauge("importer_lag_oldest_seconds", "Age of the oldest file that is not imported to its end.", oldest_s)
        late = ((one.format, one.mtime_ns / NS) for one in self._seen.waiting)
        known = expiring.periods(os.environ, os.path.expanduser("~"))
        found = expiring.due(late, known, time.time())
        expires = {name: found[name].files if name in found else 0 for name in known}
        about = "Files not imported yet that their assistant deletes within three days."
        yield _gauges("importer_expiring_files", about, "source", expires)
        rows = self._checkpoints.quarantine.count()
        yield _gauge("importer_quarantine_rows", "Lines and chunks set aside, see `importer failures`.", rows)
        about = "Commands that erase or mask, begun and not done: bytes of theirs may still be there."
        yield _gauge("importer_erasures_owed", about, status.owed(self._checkpoints))

    def _syncs(self) -> Iterator[Metric]:
        """Yield how the syncs go on, together; addresses of their targets can be private."""
        now = time.time()
        if not (syncs := reports(self._checkpoints, now)):
            return
        about = "Points that syncs have brought to other stores."
        yield _counter("importer_sync_points_total", about, sum(one.sent_total for one in syncs))
        yield _counter("importer_sync_rounds_total", "Whole rounds of syncs.", sum(one.rounds for one in syncs))
        oldest_s = max(now - one.at for one in syncs)
        yield _gauge(
            "importer_sync_age_seconds", "Time since the last whole round of the sync that is oldest.", oldest_s
        )
        failing = sum(one.failed_at > one.at for one in syncs)
        yield _gauge("importer_sync_failing", "Syncs whose last try failed.", failing)

    def _workers(self) -> Iterator[Metric]:
        """Yield the counters of all workers. Every reason of a recycle is there from the start, at 0."""
        stats = self._seen.stats
        yield _counter("importer_worker_starts_total", "Workers started.", stats.spawns)
        yield _counter("importer_worker_crashes_total", "Workers that died unplanned.", stats.crashes)
        yield _counter("importer_worker_boot_failures_total", "Workers that never became ready.", stats.boot_failures)
        about = "Workers ended as planned, by reason."
        recycles = CounterMetricFamily("importer_worker_recycles_total", about, labels=["reason"])
        for reason in Recycle:
            recycles.add_metric([str(reason)], stats.recycles[str(reason)])
        yield recycles

    def _processes(self) -> Iterator[Metric]:
        """Yield the worker and the daemon as the system measures them now."""
        worker = self._seen.worker
        yield _gauge("importer_worker_running", "1 while there is a worker.", worker is not None)
        memory = self._probes.process(worker.pid) if worker else None
        rss_bytes, own_bytes = (memory.rss_bytes, memory.judged_bytes) if memory else (0, 0)
        yield _gauge("importer_worker_resident_memory_bytes", "Resident, file-backed pages included.", rss_bytes)
        yield _gauge("importer_worker_judged_memory_bytes", "Anonymous memory and swap, what limits go by.", own_bytes)
        yield _gauge("importer_worker_files", "Files of the present worker.", worker.files if worker else 0)
        if self._seen.others:
            yield from self._beside()
        daemon = self._probes.process(None)
        if daemon is not None:
            about = "Resident memory of the daemon."
            yield _gauge("importer_daemon_resident_memory_bytes", about, daemon.rss_bytes)
        yield _counter("importer_daemon_cpu_seconds_total", "Processor time of the daemon.", time.process_time())

    def _beside(self) -> Iterator[Metric]:
        """Yield the living workers that only embed, by place; there are few, and none with `worker.count = 1`."""
        files, taken = dict[str, float](), dict[str, float]()
        for one in self._seen.others:
            memory = self._probes.process(one.pid)
            files[str(one.place)], taken[str(one.place)] = one.files, memory.judged_bytes if memory else 0
        yield _gauges("importer_embedding_worker_files", "Files of each worker that only embeds.", "place", files)
        about = "Anonymous memory and swap of each worker that only embeds."
        yield _gauges("importer_embedding_worker_judged_memory_bytes", about, "place", taken)


def _gauge(name: str, about: str, value: float) -> Metric:
    """Return a metric that goes up and down."""
    return GaugeMetricFamily(name, about, value=float(value))


def _gauges(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    """Return a metric with one sample for each value of its label."""
    family = GaugeMetricFamily(name, about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family


def _counter(name: str, about: str, value: float) -> Metric:
    """Return a metric that only grows while the process lives."""
    return CounterMetricFamily(name, about, value=float(value))
