"""Faults ordered at the seams of real processes: what is done about each, and that nothing is lost or stored wrong."""

from __future__ import annotations

import os
import pathlib
import random
import time

import oracle
import pytest
import store_backends
import store_diff
from portions import portion
from processes import Done, Importer, alone, asked, idle, kill, until, workers_of

from importer.bench.corpus import corpus
from importer.bench.corpus.lines import SessionWriter, encode
from importer.bench.corpus.talk import Talk

POISON = "xylophagous"
MOST_DEATHS = 12
MOST_LOOKS = 60  # for a worker to kill, a second each


@pytest.fixture(scope="module")
def conversations(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("said"))
    corpus.write(folder, files=12, seed=5)
    return folder


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    importer = Importer(tmp_path)
    importer.environ["MEMORY_BATCH_SIZE"] = "16"
    return importer


def check(installed: Importer, folder: str, rejected: set[str] | None = None) -> store_diff.StoreDiff:
    """Check that all the files say is stored, but for the chunks that are expected in quarantine."""
    found = oracle.rejected_in(installed.state)
    assert found == (rejected or set())
    with oracle.opened(installed.state) as store:
        look = store_diff.compare(oracle.expect(folder), store, rejected=found)
    assert not look.wrong
    return look


def imported(installed: Importer, folder: str, orders: str, code: int = 0, **environ: str) -> Done:
    done = installed.run("backlog", folder, "--json", IMPORTER_FAILPOINTS=orders, **environ)
    assert done.code == code, done.err[-3000:]
    return done


def with_poison(folder: str, exchanges: int) -> tuple[str, set[str]]:
    """Write so many exchanges of one chunk each, one with the poisonous word; return the folder and its id."""
    rng = random.Random(1)
    session, talk = SessionWriter(rng, cwd="/home/ann/app", at_ms=1_770_000_000_000), Talk(rng)
    lines = []
    for number in range(exchanges):
        word = POISON if number == exchanges // 3 else "harmless"
        lines += [session.user(f"{number}: {talk.prompt(60)} {word}"), session.text(talk.answer(60))]
    path = f"{folder}/said/{session.id}.jsonl"
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(encode(lines))
    chunks = oracle.expect(os.path.dirname(path)).chunks
    return os.path.dirname(path), {one for one, forms in chunks.items() if POISON in forms[0].text}


@pytest.mark.parametrize("action", portion(["kill", "exit:3", "raise"], 2))
def test_a_poisonous_chunk(installed: Importer, tmp_path: pathlib.Path, action: str) -> None:
    """Among 256 chunks one kills every worker, or fails in the model: it alone is set aside, after few deaths."""
    folder, poison = with_poison(str(tmp_path), 256)
    done = imported(installed, folder, f"chunk:{POISON}={action}", 1, MEMORY_BATCH_SIZE="256")
    assert len(poison) == 1
    look = check(installed, folder, poison)
    told = done.json
    assert (look.points, told["points"], told["quarantined"]) == (255, 255, 1)
    assert told["worker"]["crashes"] <= MOST_DEATHS
    assert told["lines"] == told["stored"] + told["skipped"] + told["quarantined"] == 512


def test_a_poisonous_chunk_is_tried_again_on_request(installed: Importer, tmp_path: pathlib.Path) -> None:
    """`failures retry` imports it once it does no harm any more, and nothing else is embedded again."""
    folder, _ = with_poison(str(tmp_path), 40)
    imported(installed, folder, f"chunk:{POISON}=kill", 1, MEMORY_BATCH_SIZE="256")
    assert installed.run("failures", "retry", "--all").code == 0
    done = imported(installed, folder, "", MEMORY_BATCH_SIZE="256")
    assert (done.json["embedded"], done.json["points"]) == (1, 40)
    check(installed, folder)


def test_a_poisonous_chunk_that_takes_the_importer_along(installed: Importer, tmp_path: pathlib.Path) -> None:
    """Where each death takes down both processes, as in a container, restarts still come to an end."""
    folder, poison = with_poison(str(tmp_path), 40)
    orders = f"chunk:{POISON}=orphan"
    for _ in range(MOST_DEATHS):
        if (done := installed.run("backlog", folder, IMPORTER_FAILPOINTS=orders)).code != -9:
            break
        until(lambda: all(alone(pid) for pid in installed.worker_pids()))
    assert done.code == 1, done.err[-3000:]
    check(installed, folder, poison)


def test_workers_killed_from_outside(installed: Importer, conversations: str) -> None:
    """Killing workers again and again, in the model or not, puts nothing in quarantine and loses nothing."""
    rng, kills, source = random.Random(4), 0, f"auto={conversations}"
    with installed.daemon("--source", source, IMPORTER_FAILPOINTS="embed=sleep:0.05") as process:
        for _ in range(MOST_LOOKS):  # a worker that needs a server's answers to start may not be there at each look
            if kills >= 6 or idle(installed):
                break
            end = time.monotonic() + rng.uniform(0.2, 1.5)
            until(lambda end=end: time.monotonic() > end)
            kills += sum(kill(worker) for worker in workers_of(process))
        until(lambda: idle(installed), seconds=240, every_s=0.1)
        process.terminate()
        assert process.wait(30) == 0
    assert kills > 2
    check(installed, conversations)


@pytest.mark.parametrize("orders", ["reply=corrupt@4%once", "embed=print", "embed=exit:0@3%once"])
def test_torn_frames_and_stray_prints(
    installed: Importer, conversations: str, tmp_path: pathlib.Path, orders: str
) -> None:
    """A garbled reply ends the worker, a print does no harm, a clean exit amid work is a death like others."""
    imported(installed, conversations, orders.replace("once", f"{tmp_path}/once"))
    check(installed, conversations)


def test_a_worker_that_cannot_start(installed: Importer, conversations: str) -> None:
    """A one-shot import gives up with exit 4 and blames no chunk; once it can start, everything is imported."""
    done = installed.run("backlog", conversations, IMPORTER_FAILPOINTS="boot=exit:3")
    assert (done.code, "cannot start" in done.err) == (4, True)
    imported(installed, conversations, "")
    check(installed, conversations)


def test_a_store_that_goes_away_for_a_while(installed: Importer, conversations: str, tmp_path: pathlib.Path) -> None:
    """The import waits for the store and goes on; no chunk is blamed."""
    done = imported(installed, conversations, f"upsert.before=away@2%{tmp_path}/once")
    assert done.json["worker"]["recycles"]["store"] == 1
    check(installed, conversations)


def test_a_state_that_cannot_be_written_for_a_while(
    installed: Importer, conversations: str, tmp_path: pathlib.Path
) -> None:
    """With no room for a commit the import waits; the batch's points are there and are not embedded again."""
    done = imported(installed, conversations, f"commit=full@2%{tmp_path}/once")
    assert done.json["worker"]["spawns"] == 1
    check(installed, conversations)
    assert oracle.totals_of(installed.state) == oracle.expect(conversations).tally


def test_a_model_run_that_never_ends(installed: Importer, conversations: str, tmp_path: pathlib.Path) -> None:
    """Past its deadline the worker is killed with its stacks told, and the batch is done by another one."""
    environ = {"IMPORTER_WORKER_DEADLINE_S": "1", "IMPORTER_WORKER_DEADLINE_MS_PER_TOKEN": "0"}
    done = imported(installed, conversations, f"embed=sleep:1000@2%{tmp_path}/once", **environ)
    assert done.json["worker"]["crashes"] == 1
    assert "embed_chunks" in done.err  # of the stack
    check(installed, conversations)


def test_a_worker_that_leaks(installed: Importer, conversations: str) -> None:
    """It is replaced between two batches before it passes the hard limit, and no work is lost by that."""
    environ = {"IMPORTER_WORKER_SOFT_LIMIT_MB": "200", "IMPORTER_WORKER_MIN_LIFETIME_S": "0"}
    environ |= {"MEMORY_BATCH_SIZE": "8", "IMPORTER_MEMORY_SAMPLE_S": "0.1"}
    done = imported(installed, conversations, "upsert.before=leak:20; upsert.before=sleep:0.2", **environ)
    worker = done.json["worker"]
    assert sum(worker["recycles"].get(reason, 0) for reason in ("rss", "growth")) >= 1, worker
    assert (worker["crashes"], worker["peak_anon_bytes"] < 250 << 20) == (0, True), worker
    check(installed, conversations)


@pytest.mark.parametrize("orders", ["boot=sleep:1000", "embed=sleep:1000@2", "upsert.after=sleep:1000"])
def test_no_worker_outlives_its_importer(installed: Importer, conversations: str, orders: str) -> None:
    """After a SIGKILL of the daemon its worker ends within two seconds, wherever it is stuck."""
    process = installed.start("backlog", conversations, IMPORTER_FAILPOINTS=orders)
    (worker,) = until(lambda: workers_of(process))
    until(lambda: orders.startswith("boot") or store_backends.there(installed.state))
    kill(process)
    process.communicate()
    until(lambda: alone(worker.pid), seconds=2.5)


def test_an_interrupted_backlog_goes_on(installed: Importer, conversations: str) -> None:
    """Ctrl-C settles what is in flight and says so; the same command does the rest, a third one nothing."""
    process = installed.start("backlog", conversations, IMPORTER_FAILPOINTS="embed=sleep:0.1")
    until(lambda: os.path.exists(f"{installed.state}/checkpoints.sqlite3") and oracle.rows_of(installed.state))
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert "stopped early" in out + err
    rest = imported(installed, conversations, "")
    assert 0 < rest.json["embedded"] < rest.json["points"]
    assert imported(installed, conversations, "").json["lines"] == 0
    check(installed, conversations)


def test_a_daemon_told_to_end(installed: Importer, conversations: str) -> None:
    """SIGTERM drains: what was in flight is committed, so that the store holds just what the checkpoints say."""
    source = f"auto={conversations}"
    with installed.daemon("--source", source, IMPORTER_FAILPOINTS="embed=sleep:0.1") as process:
        until(lambda: oracle.rows_of(installed.state))
        process.terminate()
        assert process.wait(30) == 0
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(oracle.committed(installed.state), store).wrong
    imported(installed, conversations, "")
    check(installed, conversations)


def test_two_signals_end_a_daemon_at_once(installed: Importer, conversations: str) -> None:
    """The second SIGTERM does not wait for anything; the next start finds everything in order."""
    source = f"auto={conversations}"
    with installed.daemon("--source", source, IMPORTER_FAILPOINTS="embed=sleep:1000@3") as process:
        until(lambda: workers_of(process))
        process.terminate()
        until(lambda: asked(installed, "ping"))
        process.terminate()
        assert process.wait(5) == 143
    imported(installed, conversations, "")
    check(installed, conversations)


def test_a_state_that_was_lost(installed: Importer, conversations: str) -> None:
    """Everything is read again, and nothing is embedded or written twice."""
    imported(installed, conversations, "", MEMORY_BATCH_SIZE="256")
    os.unlink(f"{installed.state}/checkpoints.sqlite3")
    told = imported(installed, conversations, "", MEMORY_BATCH_SIZE="256").json
    assert (told["embedded"], told["known"] >= told["points"], told["files"]) == (0, True, 12)
    check(installed, conversations)


def test_a_store_that_was_lost(installed: Importer, conversations: str) -> None:
    """It is not quietly begun anew, for the checkpoints speak of another; the way out is named, and leads out."""
    imported(installed, conversations, "")
    store_backends.lose(installed.state)
    refused = installed.run("backlog", conversations)
    assert (refused.code, "rebuild-state" in refused.err) == (5, True)
    assert installed.run("rebuild-state", "--source", f"auto={conversations}").code == 0
    check(installed, conversations)
