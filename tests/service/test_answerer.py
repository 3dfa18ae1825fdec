"""Clients without a daemon share one answerer: one model in memory, no error, through kills and take-overs."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from processes import FAKE, SUPPORT, Importer, until

from importer.bench.corpus import corpus
from importer.errors import TryAgainLater
from importer.service.ask import Asker
from importer.settings.load import load
from importer.state import lock

CLIENTS = 8


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    """Import a few conversations into the embedded store."""
    found = Importer(tmp_path, embedded=True)
    corpus.write(str(tmp_path / "said"), files=4, seed=4)
    assert found.run("backlog", str(tmp_path / "said")).code == 0
    return found


def start(installed: Importer, questions: int, pause_s: float = 0.0) -> subprocess.Popen[str]:
    """Start a client that asks so often."""
    command = [sys.executable, str(SUPPORT / "asking.py"), installed.state, str(questions), str(pause_s)]
    environ = installed.environment((), {})
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a client; return what it printed."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return dict(json.loads(out))


def all_answered(clients: list[subprocess.Popen[str]], questions: int) -> bool:
    """Wait for clients; return True when each question of each was answered with hits."""
    told = [ended(one) for one in clients]
    assert [one["errors"] for one in told] == [[]] * len(clients)
    return all(len(one["hits"]) == questions and min(one["hits"]) > 0 for one in told)


def test_many_clients_share_one(installed: Importer) -> None:
    """Eight begin at once: every question is answered, one process has the model, and it goes away unused."""
    clients = [start(installed, 12) for _ in range(CLIENTS)]
    seen: set[int] = set()
    while any(one.poll() is None for one in clients):
        # One that comes second sees the lock and ends, without a worker.
        held = lock.holder(installed.state)
        seen.update({held.pid} if held and held.command == lock.ANSWERER else ())
        assert len(installed.worker_pids()) <= 1
    assert all_answered(clients, 12)
    assert len(seen) <= 1
    until(lambda: not installed.answerer_pids() and not installed.worker_pids())
    assert not os.path.exists(f"{installed.state}/control.sock")
    assert lock.holder(installed.state) is None


def test_paths_may_be_relative(installed: Importer) -> None:
    """`--state-dir state` means the same to the client and to what it starts, and to a client in another folder."""
    command = [sys.executable, "-m", "importer", "--state-dir"]
    question = ["search", "tests", "--json"]
    environ = installed.environment((), {})
    for folder, state in ((installed.base, "state"), (installed.base / "said", "../state")):
        asked = [*command, state, *question]
        done = subprocess.run(asked, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["hits"]


@pytest.mark.parametrize("killed", ["answerer_pids", "worker_pids"])
def test_kills_are_not_seen(installed: Importer, killed: str) -> None:
    """Killed again and again, the answerer or its worker is there again before a client gives up."""
    clients = [start(installed, 20, 0.1) for _ in range(3)]
    kills = 0
    while any(one.poll() is None for one in clients):
        for pid in getattr(installed, killed)() if kills < 4 else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                kills += 1
        with suppress(subprocess.TimeoutExpired):
            clients[0].wait(0.4)
    assert all_answered(clients, 20)
    assert kills


def test_an_import_takes_over(installed: Importer, tmp_path: pathlib.Path) -> None:
    """Imports and daemons that begin beside clients get the state at once, and every question is answered."""
    clients = [start(installed, 40, 0.1) for _ in range(2)]
    until(installed.answerer_pids)
    corpus.write(str(tmp_path / "more"), files=4, seed=5)
    imported = installed.run("backlog", str(tmp_path / "more"), "--json")
    with installed.daemon() as daemon:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)
    assert all_answered(clients, 40)
    assert (imported.code, imported.json["files"]) == (0, 4)


def test_commands_take_over(installed: Importer) -> None:
    """A command that changes the store ends the answerer, and does its work."""
    assert installed.run("search", "anything", "--json").json["hits"]
    assert installed.answerer_pids()
    done = installed.run("verify", "--json")
    assert done.code == 0, done.err
    assert not installed.answerer_pids()


def test_another_store_is_not_ignored(installed: Importer, tmp_path: pathlib.Path) -> None:
    """A store that a client names is the one that is searched, beside an answerer and beside a daemon."""
    other = ("--store", f"edge:{tmp_path / 'other'}")
    command = [*installed.command, *other, "--state-dir", str(tmp_path / "state-2"), "backlog", str(tmp_path / "said")]
    subprocess.run(command, env=installed.environment((), {}), check=True, capture_output=True, timeout=60)
    with_nothing = ("--store", f"edge:{tmp_path / 'nothing'}")
    mine = installed.run("search", "said", "--json").json["hits"]
    assert installed.run(*with_nothing, "search", "said", "--json").json["hits"] == []
    assert installed.run("search", "said", "--json").json["hits"] == mine
    with installed.daemon():
        assert installed.run(*with_nothing, "search", "said", "--json").json["hits"] == []
        assert len(installed.run(*other, "search", "said", "--json").json["hits"]) == len(mine)


def test_another_model_is_refused(installed: Importer) -> None:
    """A model that a client names and the daemon does not have is refused in words; the daemon's own is not."""
    with installed.daemon():
        done = installed.run("search", "said", IMPORTER_EMBED_DIMENSION="64")
        own = installed.run("search", "said", "--json")
    assert (done.code, "embed.dimension = 384" in done.err, "embed.dimension = 64" in done.err) == (2, True, True)
    assert own.json["hits"]
    assert installed.run("search", "said", IMPORTER_EMBED_DIMENSION="64").code == 5  # the store's own refusal


def test_where_no_socket_can_be(installed: Importer) -> None:
    """On a file system without sockets each client has a worker of its own, one after the other."""
    os.mkdir(f"{installed.state}/control.sock")  # no socket can be bound there
    searches = [installed.start("search", "said", "--json") for _ in range(3)]
    told = [one.communicate(timeout=100) for one in searches]
    assert [one.returncode for one in searches] == [0, 0, 0], told
    assert all(json.loads(out)["hits"] for out, _ in told)
    assert not installed.worker_pids()


def test_looking_makes_no_state(tmp_path: pathlib.Path) -> None:
    """Where nothing was ever imported a search says so, and leaves nothing behind."""
    installed = Importer(tmp_path, embedded=True)
    done = installed.run("search", "anything")
    assert (done.code, "there is no state at" in done.err) == (3, True)
    assert not os.path.exists(installed.state)


def test_a_state_that_is_held(installed: Importer) -> None:
    """While a command that answers nothing has the state, a client waits; then it says which process that is."""
    loaded = load({"state_dir": installed.state}, FAKE, {}, home=str(installed.base))
    with lock.Lock(installed.state, command="importer migrate"), pytest.raises(TryAgainLater, match="importer migrate"):
        Asker.of(loaded).ask("search", timeout_s=0.2, text="x")
