"""Measure the clients of one installation with the real model, and print every figure that is promised of them.

    PYTHONPATH=. python tests/support/client_figures.py [QUESTIONS]          on a machine that does nothing else

Answers of the page's addresses, of MCP and of commands: cold, one after the other, all at once; memory of each process;
what still runs a minute after the last question. Commands are given beside the floor of any of them: as many starts of
an interpreter that imports click.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median, quantiles

import clients
import known_corpus
import psutil
from processes import ROOT, Importer, idle, until
from worker_told import embed_settings

from importer.worker.models import locate

FILES, CLIENTS, COLD = 60, 8, 5
MIXED = (clients.command, clients.over_http, clients.over_mcp)
LEFT_S = 60


def main(questions: int) -> None:
    """Import a corpus into a folder that goes afterwards, measure, and print a line for each figure."""
    models = os.environ.get("IMPORTER_MODEL_DIR", str(ROOT / "state" / "models"))
    model = locate.fetch(embed_settings(model_dir=models)).directory
    with tempfile.TemporaryDirectory() as folder:
        said = known_corpus.write(f"{folder}/said", files=FILES, seed=16)
        installed = Importer(pathlib.Path(folder), {"IMPORTER_EMBED_MODEL_DIR": os.path.dirname(model)}, embedded=True)
        installed.environ.update(IMPORTER_LOG_LEVEL="error", IMPORTER_DAEMON_ANSWERER_IDLE_S="60")
        done = installed.run("backlog", said.folder, seconds=900)
        assert done.code == 0, done.err
        asked = list(said.words)
        floor()
        cold(installed, asked)
        one_after_the_other(installed, asked, questions)
        all_at_once(installed, asked, questions, "eight of three kinds", [*MIXED * 3][:CLIENTS])
        for kind in MIXED:
            all_at_once(installed, asked, questions, f"eight of {kind.__name__}", [kind] * CLIENTS)
        memory(installed, asked)
        left_over(installed)


def floor() -> None:
    """Print what the start of an interpreter that imports click takes, alone and eight at once."""
    start = (sys.executable, "-c", "import click")
    tell(
        "floor: `python -c 'import click'`, alone",
        [timed(lambda: subprocess.run(start, check=True)) for _ in range(20)],
    )
    together = list[float]()
    for _ in range(10):
        run_all([lambda: together.append(timed(lambda: subprocess.run(start, check=True)))] * CLIENTS)
    tell("floor: the same, eight at once", together)


def cold(installed: Importer, words: Sequence[str]) -> None:
    """Print first answers where nothing runs: from the client's own start on."""
    for kind in MIXED:
        taken = []
        for number in range(COLD):
            end(installed)
            begun_s = time.monotonic()
            with kind(installed) as ask:
                ask(f"what was it about {words[number]}")
                taken.append(time.monotonic() - begun_s)
        tell(f"cold, {kind.__name__}, with its own start", taken)


def one_after_the_other(installed: Importer, words: Sequence[str], questions: int) -> None:
    """Print warm answers of one client."""
    for kind in MIXED:
        with kind(installed) as ask:
            ask("is it warm")
            tell(f"one after the other, {kind.__name__}", [timed(ask, one) for one in turned(words, questions)])


def all_at_once(
    installed: Importer, words: Sequence[str], questions: int, name: str, kinds: Sequence[Callable[[Importer], object]]
) -> None:
    """Print warm answers of several clients that ask at once, by their kind."""
    taken: dict[str, list[float]] = {kind.__name__: [] for kind in kinds}  # type: ignore[attr-defined]
    with ExitStack() as stack:
        of = [(kind.__name__, stack.enter_context(kind(installed))) for kind in kinds]  # type: ignore[attr-defined,arg-type]
        for _, ask in of:
            ask("is it warm")
        acts = [
            partial(ask_on, ask, turned(words, questions, first), taken[kind]) for first, (kind, ask) in enumerate(of)
        ]
        run_all(acts)
    for kind, each in taken.items():
        tell(f"at once, {name}: {kind}", each)


def ask_on(ask: clients.Ask, questions: Iterator[str], taken: list[float]) -> None:
    """Ask one question after the other, and note what each takes."""
    taken.extend(timed(ask, one) for one in questions)


def memory(installed: Importer, words: Sequence[str]) -> None:
    """Print the resident memory of each kind of process after some questions."""
    with clients.over_mcp(installed) as by_mcp, clients.over_http(installed) as by_http:
        for ask in (by_mcp, by_http):
            for one in turned(words, 20):
                ask(one)
        for child in psutil.Process().children():
            sizes(" ".join(child.cmdline()[-3:]), [child.pid])
        sizes("answerer", installed.answerer_pids())
        sizes("its worker", installed.worker_pids())
    end(installed)
    with installed.daemon("--source", f"auto={installed.base}/said") as daemon:
        until(lambda: idle(installed), seconds=90)
        time.sleep(5)
        sizes("daemon, idle", [daemon.pid])


def left_over(installed: Importer) -> None:
    """Print which processes are left a minute after a last question."""
    installed.run("search", "is it warm", "--json")
    time.sleep(LEFT_S + 5)
    print(f"{'left after a minute':58} answerers {installed.answerer_pids()}, workers {installed.worker_pids()}")


def end(installed: Importer) -> None:
    """End the process that answers, so that the next question finds none."""
    for pid in installed.answerer_pids():
        psutil.Process(pid).terminate()
    until(lambda: not installed.answerer_pids() and not installed.worker_pids())


def turned(words: Sequence[str], questions: int, first: int = 0) -> Iterator[str]:
    """Yield so many questions, each about another word."""
    return (f"what was it about {words[(7 * number + first) % len(words)]}" for number in range(questions))


def timed(act: Callable[..., object], *given: str) -> float:
    """Return the seconds that something takes."""
    started_s = time.monotonic()
    act(*given)
    return time.monotonic() - started_s


def run_all(acts: Sequence[Callable[[], object]]) -> None:
    """Do all at once, and wait for their ends."""
    threads = [threading.Thread(target=act) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def tell(name: str, seconds: Sequence[float]) -> None:
    """Print the middle and the 95th of 100."""
    p95 = quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    print(f"{name:58} {len(seconds):5} times  p50 {1e3 * median(seconds):6.0f} ms  p95 {1e3 * p95:6.0f} ms", flush=True)


def sizes(name: str, pids: Sequence[int]) -> None:
    """Print the resident memory of processes."""
    told = [f"{psutil.Process(pid).memory_info().rss / 1e6:.0f} MB" for pid in pids]
    print(f"{name[-56:]:58} RSS {', '.join(told)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
