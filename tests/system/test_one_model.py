"""One model in memory at every moment: where workers, and the processes that own them, follow one another.

    pytest -m long tests/system/test_one_model.py -s

Clients ask throughout and get their answers; all processes are looked at some hundred times a second.
"""

from __future__ import annotations

import os
import pathlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import clients
import known_corpus
import psutil
import pytest
from known_corpus import KnownCorpus
from model_watch import Seen, watched
from processes import Importer, kill, until

from importer.bench.corpus import corpus
from importer.state import lock

pytestmark = pytest.mark.long

TIMES = int(os.environ.get("TIMES", "4"))


@pytest.fixture
def said(tmp_path: pathlib.Path) -> KnownCorpus:
    return known_corpus.write(str(tmp_path / "said"), files=30, seed=16)


@pytest.fixture
def installed(tmp_path: pathlib.Path, said: KnownCorpus, model_dir: str) -> Iterator[Importer]:
    found = Importer(tmp_path, {"IMPORTER_EMBED_MODEL_DIR": os.path.dirname(model_dir)}, embedded=True)
    found.environ["IMPORTER_LOG_LEVEL"] = "error"
    assert found.run("backlog", said.folder, seconds=600).code == 0
    yield found
    until(lambda: not found.answerer_pids() and not found.worker_pids(), seconds=60, every_s=0.2)


@contextmanager
def asked_throughout(installed: Importer, said: KnownCorpus) -> Iterator[tuple[Seen, list[str]]]:
    """Have two clients ask, and all models be looked at, while the block runs; every question is answered rightly.

    Gives what was seen, and the words that were answered until now.
    """
    over, wrong, answers = threading.Event(), list[str](), list[str]()

    def ask_on(ask: clients.Ask, first: int) -> None:
        words = list(said.words.items())
        while not over.is_set():
            first += 7
            word, place = words[first % len(words)]
            try:
                found = ask(f"what was it about {word}")
                wrong.extend([] if found[:1] == [place.session_id] else [f"{word}: {found[:3]}"])
            except (clients.NotAnsweredError, OSError, ValueError) as error:
                wrong.append(repr(error))
            answers.append(word)

    with clients.over_mcp(installed) as one, clients.over_mcp(installed) as two, watched(str(installed.base)) as seen:
        threads = [threading.Thread(target=ask_on, args=given) for given in ((one, 0), (two, 3))]
        for thread in threads:
            thread.start()
        try:
            yield seen, answers
        finally:
            over.set()
            for thread in threads:
                thread.join()
    print(f"\n{len(answers)} answers, {seen.workers} workers in {seen.looks} looks, at most {seen.most} models", end="")
    assert wrong == []


def holder(installed: Importer) -> psutil.Process | None:
    """Return the process that has the state."""
    held = lock.holder(installed.state)
    return psutil.Process(held.pid) if held and held.pid and psutil.pid_exists(held.pid) else None


def a_kill(installed: Importer, _more: str) -> None:
    """Kill the process that answers."""
    if (found := holder(installed)) is not None:
        kill(found)


def a_kill_of_the_worker(installed: Importer, _more: str) -> None:
    """Kill its worker."""
    for pid in installed.worker_pids():
        kill(psutil.Process(pid))


def an_end(installed: Importer, _more: str) -> None:
    """Have the process that answers end by itself."""
    with suppress(psutil.Error):
        if (found := holder(installed)) is not None:
            found.terminate()


def an_import(installed: Importer, more: str) -> None:
    """Import, with a fresh worker every few files."""
    with installed.start("backlog", more, IMPORTER_WORKER_RECYCLE_FILES="4") as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err


def a_killed_import(installed: Importer, more: str) -> None:
    """Import, until a kill."""
    with installed.start("backlog", more) as process:
        time.sleep(random.Random(more).uniform(1, 4))
        process.kill()
        process.communicate()


def a_daemon(installed: Importer, more: str) -> None:
    """Run a daemon for a while, and end it."""
    with installed.daemon("--source", f"auto={more}") as process:
        time.sleep(2)
        process.terminate()
        process.wait(60)


def a_killed_daemon(installed: Importer, more: str) -> None:
    """Run a daemon for a while, and kill it."""
    with installed.daemon("--source", f"auto={more}"):
        time.sleep(2)


ACTS = (a_kill, a_kill_of_the_worker, an_end, an_import, a_killed_import, a_daemon, a_killed_daemon)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: str(act.__name__))
def test_one_at_a_time(
    installed: Importer, said: KnownCorpus, tmp_path: pathlib.Path, act: Callable[[Importer, str], None]
) -> None:
    """No two models are in memory, however one process takes over from another, and no client sees it."""
    with asked_throughout(installed, said) as (seen, answers):
        for number in range(TIMES):
            more = str(tmp_path / f"more-{number}")
            corpus.write(more, files=16, seed=number)
            act(installed, more)
            before = len(answers)
            until(lambda before=before: len(answers) > before + 3, seconds=120)
            time.sleep(random.Random(number).uniform(0, 1.0))
    assert (seen.most, seen.overlaps) == (1, [])
