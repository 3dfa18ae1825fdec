"""A leaking model in a real worker: the limits hold, nothing is lost, nothing is stored or embedded twice."""

from __future__ import annotations

import pathlib

import oracle
import pytest
import store_backends
import store_diff
from processes import Done, Importer

from importer.bench.corpus import corpus

MB = 1024 * 1024
SOFT_MB = 200  # just above the least that is accepted
LEAKY = {
    "IMPORTER_EMBED_PROVIDER": "plugins.leaky_embedder",
    "IMPORTER_EMBED_DIMENSION": "384",
    "IMPORTER_EMBED_TOKEN_BUDGET": "2048",
    "MEMORY_BATCH_SIZE": "8",  # some four model runs a batch
    "IMPORTER_WORKER_NICE": "0",
    "IMPORTER_WORKER_MIN_LIFETIME_S": "0",
    "IMPORTER_WORKER_SOFT_LIMIT_MB": str(SOFT_MB),
    "IMPORTER_MEMORY_SAMPLE_S": "0.1",
    "IMPORTER_MEMORY_DELAY_MIN_MS": "0",
    "IMPORTER_MEMORY_DELAY_MAX_MS": "0",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    return corpus.write(str(tmp_path_factory.mktemp("said")), files=16, seed=3).folder


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    runs = {"IMPORTER_PLUGIN_LEAKY_RUNS": str(tmp_path / "runs")}
    return Importer(tmp_path, {**LEAKY, **runs})


def imported(installed: Importer, said: str, **environ: str) -> Done:
    """Import the whole corpus, through as many workers as it takes; check the store against the files."""
    done = installed.run("backlog", said, "--json", **environ)
    assert done.code == 0, done.err[-3000:]
    expected = oracle.expect(said)
    with oracle.opened(installed.state) as store:
        look = store_diff.compare(expected, store)
    assert not look.wrong
    assert done.json["points"] == len(expected.chunks) == look.points
    return done


def runs_of(installed: Importer) -> dict[str, list[int]]:
    """Return the tokens of each model run, by the worker's process."""
    found: dict[str, list[int]] = {}
    for line in (installed.base / "runs").read_text().splitlines():
        pid, tokens = line.split()
        found.setdefault(pid, []).append(int(tokens))
    return found


def test_a_leak_of_some_20_mb_a_batch_ends_at_the_soft_limit(
    installed: Importer, said: str, tmp_path: pathlib.Path
) -> None:
    """Workers are replaced between two batches, long before the hard limit, and no text is embedded again for that."""
    limits = {"IMPORTER_WORKER_HARD_FACTOR": "3", "IMPORTER_MEMORY_GROWTH_MB": "10000"}
    done = imported(installed, said, IMPORTER_PLUGIN_LEAKY_MB="12", IMPORTER_PLUGIN_LEAKY_MS="20", **limits)
    worker = done.json["worker"]
    assert worker["recycles"]["rss"] >= 2
    assert worker["crashes"] == 0
    assert worker["peak_anon_bytes"] < 3 * SOFT_MB * MB < 12 * MB * sum(map(len, runs_of(installed).values()))
    sound = imported(Importer(tmp_path / "sound", {**LEAKY, "IMPORTER_PLUGIN_LEAKY_MB": "0"}), said)
    assert [done.json[name] for name in ("embedded", "tokens")] == [sound.json[name] for name in ("embedded", "tokens")]


def test_steady_growth_ends_a_worker_below_every_limit(installed: Importer, said: str) -> None:
    """What grows batch after batch is replaced although it is still small."""
    limits = {"IMPORTER_WORKER_SOFT_LIMIT_MB": "4000", "IMPORTER_MEMORY_GROWTH_MB": "60"}
    done = imported(installed, said, IMPORTER_PLUGIN_LEAKY_MS="120", **limits)
    worker = done.json["worker"]
    assert worker["recycles"]["growth"] >= 1
    assert worker["crashes"] == 0


def test_a_run_that_balloons_is_killed_and_tried_with_half(installed: Importer, tmp_path: pathlib.Path) -> None:
    """Above the hard limit within a batch: killed, and the same chunks pass in runs of half the size."""
    few = corpus.write(str(tmp_path / "few"), files=4, seed=3).folder
    balloon = {
        "IMPORTER_PLUGIN_LEAKY_MB": "0",
        "IMPORTER_PLUGIN_LEAKY_BALLOON_KB": "640",
        "IMPORTER_PLUGIN_LEAKY_HOLD_MS": "250",
        "MEMORY_BATCH_SIZE": "16",
    }
    done = imported(installed, few, IMPORTER_EMBED_TOKEN_BUDGET="512", **balloon)
    worker, (first, *others) = done.json["worker"], list(runs_of(installed).values())
    # A server's client takes 100 MB of the same limit, so runs are halved once more.
    assert 1 <= worker["crashes"] <= (4 if store_backends.SERVER else 3)
    assert max(first) > 256 >= max(max(runs) for runs in others)
    assert done.json["quarantined"] == 0
