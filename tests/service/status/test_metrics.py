"""The metrics page is well formed, conserves lines, names no path, and is served only when it is turned on."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request
from contextlib import ExitStack

import exposition
import pytest
from idle_engine import fly, hire, parts
from processes import Importer, until
from state_values import checkpoint

from importer.bench.corpus import corpus
from importer.delivery.engine import Engine
from importer.protocol.outcome import Receipt
from importer.protocol.records import Batch, Chunk, Commit, Tally
from importer.protocol.system.capabilities import has
from importer.protocol.units import NS
from importer.service.status import metrics
from importer.service.status.metrics import Observed, Scrape
from importer.sources.scan import Root

DASHBOARD = pathlib.Path(__file__).parents[3] / "deploy" / "grafana-dashboard.json"
RECEIPT = Receipt(1, 2, 0, 100, 7, 0, embed_s=0.3, store_s=0.02)
BUSY = Tally(3, 2, 1, 300, 200, 100)


@pytest.fixture
def engine(tmp_path: pathlib.Path):
    with ExitStack() as stack:
        yield parts(str(tmp_path), stack, Root(b"/r", "claude-code")).engine


def told(engine: Engine, observed: Observed | None = None, state: str = "idle") -> exposition.Parsed:
    return exposition.parse(Scrape(engine.snapshot(), engine.checkpoints, state, observed or Observed()).text())


def batch(mtime_ns: int, *, urgent: bool, lines: int = 1) -> Batch:
    commit = Commit(checkpoint(b"/r/a", mtime_ns=mtime_ns), Tally(lines_stored=lines))
    return Batch(1, (Chunk("i", "t", {}),), (), (commit,), urgent=urgent)


def test_lint(engine: Engine) -> None:
    """promtool's rules hold, with and without a worker, new and busy."""
    assert not told(engine).wrong
    hire(engine, os.getpid(), points=9)
    fly(engine, BUSY)
    engine.run.tally, engine.run.total = BUSY, 9
    found = told(engine, state="importing")
    assert not found.wrong
    assert found.value("importer_worker_resident_memory_bytes") > 1e6


@pytest.mark.parametrize(
    "text",
    [
        "# HELP a_total x\n# TYPE a_total gauge\na_total 1\n",
        "# HELP a x\n# TYPE a gauge\na 1\na 1\n",
        "# TYPE a gauge\na 1\n",
        "# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1\n",
        "# HELP a_bytes_read x\n# TYPE a_bytes_read gauge\na_bytes_read 1\n",
        '# HELP a x\n# TYPE a gauge\na{b="c"d} 1\n',
        '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
        "# HELP a x\n# TYPE a gauge\na 1",
    ],
)
def test_the_lint_bites(text: str) -> None:
    """The lint of these tests finds each of these mistakes."""
    assert exposition.parse(text).wrong


def test_conservation(engine: Engine) -> None:
    """read = stored + skipped + quarantined + in flight, in lines and in bytes."""
    engine.run.tally = Tally(10, 5, 1, 1000, 500, 100)
    fly(engine, BUSY, BUSY)
    found = told(engine)
    assert found.value("importer_lines_read_total") == 16 + 12
    assert found.value("importer_in_flight_bytes") == 1200
    for name in ("importer_lines_{}", "importer_{}_bytes"):
        parts_ = [found.value(name.format(one) + "_total") for one in ("stored", "skipped", "quarantined")]
        assert found.value(name.format("read") + "_total") == sum(parts_) + found.value(name.format("in_flight"))


@pytest.mark.parametrize("state", metrics.STATES)
def test_state(engine: Engine, state: str) -> None:
    """Exactly one state is 1; `up` is 0 only where help is needed."""
    found = told(engine, state=state)
    assert [s for s in metrics.STATES if found.value("importer_state", state=s)] == [state]
    assert found.value("importer_up") == (state != "degraded")


def test_recycles_by_reason(engine: Engine) -> None:
    """Planned endings are counted by reason, apart from crashes; a reason that never occurred counts 0."""
    stats = engine.stats
    stats.recycles["files"] += 3
    stats.crashes = 2
    found = told(engine)
    assert found.value("importer_worker_recycles_total", reason="files") == 3
    assert found.value("importer_worker_recycles_total", reason="idle") == 0
    assert found.value("importer_worker_crashes_total") == 2


def test_batch_is_observed(engine: Engine) -> None:
    """Times of embedding and storing are counted; latency runs from a live file's last write until it is found."""
    observed = Observed(clock=lambda: 1001.2)
    observed.observe(batch(1000 * NS, urgent=True), RECEIPT)
    observed.observe(batch(1 * NS, urgent=False), RECEIPT)
    found = told(engine, observed)
    assert found.value("importer_embed_seconds_bucket", le="0.25") == 0
    assert found.value("importer_embed_seconds_bucket", le="0.5") == 2
    assert found.value("importer_append_to_searchable_seconds_count") == 1
    assert found.value("importer_append_to_searchable_seconds_bucket", le="1.5") == 1
    assert found.value("importer_append_to_searchable_seconds_sum") == pytest.approx(1.2)


def test_bounds_are_inclusive(engine: Engine) -> None:
    """A value equal to a bound is in its bucket: `le` is less or equal."""
    observed = Observed()
    for seconds in (1.0, 1.5, 2.5, 99.0):
        observed.embed.observe(seconds)
    found = told(engine, observed)
    assert [found.value("importer_embed_seconds_bucket", le=le) for le in ("1", "2.5", "+Inf")] == [1, 3, 4]


def test_counters_are_exact(engine: Engine) -> None:
    """A counter of bytes keeps every digit, and no series says when it was created."""
    engine.run.tally = Tally(bytes_stored=123_456_789_012_345)
    text = Scrape(engine.snapshot(), engine.checkpoints, "idle", Observed()).text()
    assert exposition.parse(text).value("importer_stored_bytes_total") == 123_456_789_012_345
    assert "_created" not in text


def test_the_library_is_loaded_only_where_metrics_are_on() -> None:
    """It takes 3 MB, so the daemon and its command do without it."""
    program = (
        "import sys, importer.cli.commands.run, importer.service.daemon; print('prometheus_client' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"


def test_dashboard_asks_for_what_there_is(engine: Engine) -> None:
    """Every metric that the dashboard queries exists, and it shows the conservation law."""
    text = DASHBOARD.read_text()
    queries = [target["expr"] for panel in json.loads(text)["panels"] for target in panel.get("targets", ())]
    asked = {name for query in queries for name in re.findall(r"\bimporter_\w+", query)}
    engine.run.total = 1
    found = told(engine)
    there = {sample for family in found.samples.values() for sample, _ in family}
    assert asked and not asked - there
    assert {"importer_lines_read_total", "importer_lines_in_flight"} <= asked


def scraped(url: str) -> exposition.Parsed:
    """Return a daemon's metrics, and assert that they are well formed and name no file."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    found = exposition.parse(text)
    assert not found.wrong and "/said" not in text and ".jsonl" not in text
    return found


@pytest.mark.skipif(not has("events"), reason="only events tell when a line came")
def test_a_daemon_is_scraped(tmp_path: pathlib.Path) -> None:
    """All lines are imported and conserved; then a live file grows, and its latency is counted."""
    folder, url = tmp_path / "said", f"http://127.0.0.1:{free_port()}/metrics"
    corpus.write(str(folder), files=3, seed=2)
    newest = max(folder.rglob("*.jsonl"), key=lambda path: path.stat().st_size)
    lines = newest.read_bytes().splitlines(keepends=True)
    newest.write_bytes(b"".join(lines[: len(lines) // 2]))
    listen = url.removeprefix("http://").removesuffix("/metrics")
    with Importer(tmp_path).daemon("--source", f"auto={folder}", IMPORTER_METRICS_LISTEN=listen):
        until(lambda: scraped(url).value("importer_files", state="complete") == 3, every_s=0.3)
        with open(newest, "ab") as file:
            file.writelines(lines[len(lines) // 2 :])
        until(lambda: scraped(url).value("importer_append_to_searchable_seconds_count") > 0, every_s=0.3)
        found = scraped(url)
    total = sum(path.read_bytes().count(b"\n") for path in folder.rglob("*.jsonl"))
    assert found.value("importer_lines_read_total") == total
    assert found.value("importer_batches_total") >= found.value("importer_embed_seconds_count") > 1


def free_port() -> int:
    """Return a port that is free at the moment."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
