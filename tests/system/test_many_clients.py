"""Eight clients of three kinds ask at once: alone, beside imports and beside daemons, while what answers is killed.

    pytest -m long tests/system/test_many_clients.py -s          QUESTIONS=100 of each client

It prints how long answers took; what it asserts is that every question is answered with the conversation that it asks
for, by one model at a time, and that nothing is left running.
"""

from __future__ import annotations

import os
import pathlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median, quantiles

import clients
import known_corpus
import psutil
import pytest
from clients import NotAnsweredError
from known_corpus import KnownCorpus
from model_watch import watched
from processes import Importer, kill, until

from importer.bench.corpus import corpus
from importer.state import lock

pytestmark = pytest.mark.long

QUESTIONS = int(os.environ.get("QUESTIONS", "100"))
CLIENTS = (clients.command, clients.over_http, clients.over_mcp) * 3
BETWEEN_KILLS_S = (0.5, 8.0)
LEFT_S = 60


@dataclass
class Asked:
    """How the questions of one kind of client went: seconds of each, errors, and questions with another answer."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        """Return what is printed of it."""
        p95 = quantiles(self.seconds, n=20)[-1]
        return f"{len(self.seconds)} answers, median {1e3 * median(self.seconds):.0f} ms, p95 {1e3 * p95:.0f} ms"


@pytest.fixture
def said(tmp_path: pathlib.Path) -> KnownCorpus:
    return known_corpus.write(str(tmp_path / "said"), files=60, seed=16)


@pytest.fixture
def installed(tmp_path: pathlib.Path, said: KnownCorpus, model_dir: str) -> Iterator[Importer]:
    """Import a corpus with the real model; in the end nothing of it may run, a minute after the last question."""
    found = Importer(tmp_path, {"IMPORTER_EMBED_MODEL_DIR": os.path.dirname(model_dir)}, embedded=True)
    found.environ.update(IMPORTER_LOG_LEVEL="error", IMPORTER_DAEMON_ANSWERER_IDLE_S="60")
    assert found.run("backlog", said.folder, seconds=600).code == 0
    yield found
    assert found.run("search", "--json", "anything").code == 0  # who answers it replaces what a last kill has left
    until(lambda: not found.answerer_pids() and not found.worker_pids(), seconds=LEFT_S + 30, every_s=1)
    assert (lock.holder(found.state), os.path.exists(f"{found.state}/control.sock")) == (None, False)


class Questions:
    """What clients ask: a word each, and the conversation in which alone it was said."""

    def __init__(self, installed: Importer, said: KnownCorpus) -> None:
        self._words, self._stack = list(said.words.items()), ExitStack()
        self._of = [(kind.__name__, self._stack.enter_context(kind(installed))) for kind in CLIENTS[:8]]
        self.asked = {kind.__name__: Asked() for kind in clients.KINDS}

    def __enter__(self) -> Questions:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask(self, questions: int, *, at_once: bool) -> None:
        """Have every client ask so often, all at once or one after the other."""
        threads = [
            threading.Thread(target=self._ask, args=(kind, ask, questions, number))
            for number, (kind, ask) in enumerate(self._of)
        ]
        for one in threads:
            one.start()
            if not at_once:
                one.join()
        for one in threads:
            one.join()

    def told(self, when: str) -> None:
        """Print how it went, begin anew, and fail for any question that was not answered as it should be."""
        for kind, asked in self.asked.items():
            print(f"\n{when}, {kind}: {asked.told()}", end="")
        wrong = [one for asked in self.asked.values() for one in asked.wrong]
        self.asked = {kind: Asked() for kind in self.asked}
        assert wrong == []

    def _ask(self, kind: str, ask: clients.Ask, questions: int, number: int) -> None:
        asked = self.asked[kind]
        for _, (word, place) in zip(range(questions), self._turned(number), strict=False):
            begun_s = time.monotonic()
            try:
                found = ask(f"what was it about {word}")
                asked.wrong += [] if found[:1] == [place.session_id] else [f"{kind}: {word} gave {found[:3]}"]
            except (NotAnsweredError, OSError, ValueError, AssertionError) as error:
                asked.wrong.append(f"{kind}: {error!r}")
            asked.seconds.append(time.monotonic() - begun_s)

    def _turned(self, number: int) -> Iterator[tuple[str, known_corpus.SessionFile]]:
        while True:
            number += 7
            yield self._words[number % len(self._words)]


class Beside:
    """What happens beside the clients, again and again until they have all their answers; the most models at a time."""

    def __init__(self, installed: Importer, acts: Sequence[Callable[[], object]]) -> None:
        self._acts, self.done = acts, 0
        self._over, self._stack = threading.Event(), ExitStack()
        self._thread = threading.Thread(target=self._act)
        self._watched = watched(str(installed.base))

    def __enter__(self) -> Beside:
        self.seen = self._stack.enter_context(self._watched)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._stack.close()

    @property
    def models(self) -> int:
        """The most models in memory at once; known behind the block."""
        return self.seen.most

    def _act(self) -> None:
        rng = random.Random(16)
        while self._acts and not self._over.wait(rng.uniform(*BETWEEN_KILLS_S)):
            rng.choice(self._acts)()
            self.done += 1


def holder(installed: Importer) -> bool:
    """Kill the process that answers, with SIGKILL."""
    held = lock.holder(installed.state)
    return bool(held and held.pid) and kill(psutil.Process(held.pid))


def worker(installed: Importer) -> bool:
    """Kill the worker of the process that answers, with SIGKILL."""
    return any(kill(psutil.Process(pid)) for pid in installed.worker_pids() if psutil.pid_exists(pid))


def test_alone(installed: Importer, said: KnownCorpus) -> None:
    """Without a daemon they share one model, all at once and one after the other."""
    with Questions(installed, said) as questions:
        questions.ask(1, at_once=True)
        questions.told("cold")
        with Beside(installed, ()) as beside:
            questions.ask(QUESTIONS, at_once=True)
            questions.told("all at once")
            questions.ask(QUESTIONS, at_once=False)
            questions.told("one after the other")
        assert beside.models == 1


def test_kills(installed: Importer, said: KnownCorpus) -> None:
    """Who answers is killed again and again, or its worker."""
    with Questions(installed, said) as questions:
        with Beside(installed, (lambda: holder(installed), lambda: worker(installed))) as beside:
            questions.ask(QUESTIONS, at_once=True)
        questions.told(f"beside {beside.done} kills")
    assert beside.done and beside.models <= 1


def test_beside_imports(installed: Importer, said: KnownCorpus, tmp_path: pathlib.Path) -> None:
    """Imports begin and end, some by a kill; each of them is complete in the end."""
    number = 0

    def import_more() -> None:
        nonlocal number
        number += 1
        corpus.write(str(tmp_path / f"more-{number}"), files=30, seed=number)
        with installed.start("backlog", str(tmp_path / f"more-{number}"), "--json") as process:
            if number % 2:
                time.sleep(random.Random(number).uniform(1, 4))
                process.kill()
            _, err = process.communicate()
        assert number % 2 or process.returncode == 0, err

    with Questions(installed, said) as questions:
        with Beside(installed, (import_more,)) as beside:
            questions.ask(QUESTIONS, at_once=True)
        questions.told(f"beside {beside.done} imports")
    assert beside.done and beside.models <= 1


def test_beside_daemons(installed: Importer, said: KnownCorpus, tmp_path: pathlib.Path) -> None:
    """Daemons begin and end, in order and by kills."""
    number = 0

    def run_a_while() -> None:
        nonlocal number
        number += 1
        corpus.write(str(tmp_path / "more" / str(number)), files=10, seed=number)
        with installed.daemon("--source", f"auto={tmp_path / 'more'}") as process:
            time.sleep(random.Random(number).uniform(1, 6))
            if number % 2:
                process.terminate()
                process.wait(60)

    with Questions(installed, said) as questions:
        with Beside(installed, (run_a_while,)) as beside:
            questions.ask(QUESTIONS, at_once=True)
        questions.told(f"beside {beside.done} daemons")
    assert beside.done and beside.models <= 1
