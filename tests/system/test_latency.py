"""From the append of a line until it can be found, on the real model: warm, cold, and while a backlog is imported.

    pytest -m long tests/test_latency.py -s          APPENDS=50 for a shorter look

It prints medians and 95th percentiles; what it asserts is that every line is found, for a machine may be busy.
"""

from __future__ import annotations

import os
import pathlib
import random
import time
from collections.abc import Iterator
from statistics import median, quantiles

import pytest
from processes import Importer, asked, idle, until, workers_of

from importer.bench.corpus import corpus
from importer.bench.corpus.lines import SessionWriter, encode
from importer.bench.corpus.talk import Talk
from importer.service import client

APPENDS = int(os.environ.get("APPENDS", "200"))
BACKLOG_FILES = int(os.environ.get("BACKLOG_FILES", "2000"))
LOOK_S = 0.01
IDLE = {"IMPORTER_WORKER_IDLE_S": "1", "IMPORTER_WORKER_MIN_LIFETIME_S": "0"}  # lets the worker go soon


class Writer:
    """An assistant at work: appends exchanges to one transcript, each with a word of its own."""

    def __init__(self, folder: pathlib.Path) -> None:
        rng = random.Random(11)
        self.session, self.talk = SessionWriter(rng, cwd="/home/ann/app", at_ms=1_780_000_000_000), Talk(rng)
        self.path = folder / "-home-ann-app" / f"{self.session.id}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.count = 0

    def say(self) -> str:
        """Append one more exchange; return the word it can be found by."""
        self.count += 1
        word = f"needle{self.count:04d}"
        self.session.at_ms += 60_000
        lines = [self.session.user(f"{word}: {self.talk.prompt(200)}"), self.session.text(self.talk.answer(400))]
        with self.path.open("ab") as file:
            file.write(encode(lines))
        return word


@pytest.fixture
def writer(tmp_path: pathlib.Path) -> Writer:
    return Writer(tmp_path / "said")


@pytest.fixture
def installed(tmp_path: pathlib.Path, model_dir: str) -> Importer:
    # the log is not read meanwhile, and a daemon stands still once the pipe takes no more of its log
    return Importer(
        tmp_path, environ={"IMPORTER_EMBED_MODEL_DIR": os.path.dirname(model_dir), "IMPORTER_LOG_LEVEL": "error"}
    )


def found(installed: Importer, word: str) -> bool:
    """Return True if a search brings the word first."""
    query = {"text": word, "mode": "keyword", "limit": 1}
    hits = client.ask_daemon(installed.state, "search", **query)
    return bool(hits) and word in hits[0]["document"]


def stored(installed: Importer) -> int:
    """Return the committed lines, which are durably stored by then, without asking the worker."""
    told = asked(installed, "status")
    return int(told["lines"]["stored"])


def say_percentiles(name: str, seconds: list[float]) -> None:
    p95 = quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    print(f"\nappend to searchable, {name}: {len(seconds)} appends, median {median(seconds):.3f} s, p95 {p95:.3f} s")


def appended(installed: Importer, writer: Writer, pauses: Iterator[None]) -> list[float]:
    """Return the seconds that each append took, with a pause before each."""
    took = []
    for _, _ in zip(range(APPENDS), pauses, strict=False):
        started = time.monotonic()
        word = writer.say()
        until(lambda word=word: found(installed, word), seconds=60, every_s=LOOK_S)  # type: ignore[misc]
        took.append(time.monotonic() - started)
    return took


def warm(seed: int) -> Iterator[None]:
    """Return pauses of up to a second."""
    rng = random.Random(seed)
    while True:
        time.sleep(rng.uniform(0.1, 1.0))
        yield


@pytest.mark.long
def test_warm(installed: Importer, writer: Writer) -> None:
    """The worker has its model loaded."""
    writer.say()
    with installed.daemon("--source", f"auto={writer.path.parent.parent}"):
        until(lambda: idle(installed), seconds=60)
        say_percentiles("warm", appended(installed, writer, warm(1)))


@pytest.mark.long
def test_cold(installed: Importer, writer: Writer) -> None:
    """There is no worker: it is started for the line, and the line is committed when it is stored."""
    writer.say()
    took = []
    with installed.daemon("--source", f"auto={writer.path.parent.parent}", **IDLE) as daemon:
        until(lambda: idle(installed), seconds=60)
        for _ in range(APPENDS):
            until(lambda: not workers_of(daemon), seconds=60)
            before, started = stored(installed), time.monotonic()
            writer.say()
            until(lambda before=before: stored(installed) > before, seconds=60, every_s=LOOK_S)  # type: ignore[misc]
            took.append(time.monotonic() - started)
        assert found(installed, f"needle{writer.count:04d}")
    say_percentiles("cold", took)


@pytest.mark.long
def test_during_a_backlog(installed: Importer, writer: Writer, tmp_path: pathlib.Path) -> None:
    """Thousands of files wait; live lines go ahead of them."""
    corpus.write(str(tmp_path / "said"), files=BACKLOG_FILES, seed=3)
    writer.say()
    with installed.daemon("--source", f"auto={tmp_path / 'said'}"):
        until(lambda: (told := asked(installed, "status")) and told["state"] == "importing", seconds=60)
        until(lambda: found(installed, "needle0001"), seconds=120)
        took = appended(installed, writer, warm(2))
        pending = asked(installed, "status")["files"]["pending"]
    say_percentiles("during a backlog", took)
    print(f"{pending} files of the backlog were still to come")
    assert pending > 0
