"""Commands say what they look at, what they wait for and what they keep, before a person has to guess."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import signal
import subprocess
import time
from typing import Any

import pytest
import tiny_models
from processes import Importer, until, workers_of

from importer.bench.corpus import corpus
from importer.cli.app import COMMANDS, KEPT, _kept
from importer.errors import TRY_AGAIN


def test_status_beside_an_import_tells_of_it(tmp_path: pathlib.Path) -> None:
    """Its numbers are those of the import that runs; the first Ctrl-C says what is waited for."""
    installed = Importer(tmp_path, embedded=True)
    corpus.write(str(tmp_path / "said"), files=12, seed=4)
    slowly = {"IMPORTER_FAILPOINTS": "embed=sleep:1", "MEMORY_BATCH_SIZE": "4"}
    process = installed.start("backlog", str(tmp_path / "said"), "--json", **slowly)
    until(lambda: (tmp_path / "state" / "control.sock").exists())

    def importing() -> dict[str, Any] | None:
        found = installed.run("status", "--json").json
        return found if found["lines"]["in_flight"] and found["worker"]["pid"] else None  # a first worker takes a while

    told = until(importing)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert (told["state"], told["daemon"]["pid"]) == ("importing", process.pid)
    assert "stopping:" in err


def test_a_signal_while_the_worker_starts(tmp_path: pathlib.Path) -> None:
    """What was read meanwhile is not imported, and not taken for imported: the same command does it."""
    model = tiny_models.make(tmp_path / "model", positions=512)
    installed = Importer(tmp_path, {"EMBEDDING_MODEL": model, "IMPORTER_EMBED_ENGINE": "onnxruntime"}, embedded=True)
    corpus.write(str(tmp_path / "said"), files=3, seed=4)
    process = installed.start("backlog", str(tmp_path / "said"), "--json", IMPORTER_FAILPOINTS="boot=sleep:3")
    until(lambda: workers_of(process))
    time.sleep(1)  # three files are read in a tenth of that
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    told = json.loads(out)
    assert (process.returncode, told["stopped"], told["points"]) == (TRY_AGAIN, True, 0)
    again = installed.run("backlog", str(tmp_path / "said"), "--json")
    assert (again.code, again.json["files"], again.json["stopped"]) == (0, 3, False)


def test_no_folders_at_all(tmp_path: pathlib.Path) -> None:
    """On a machine without an assistant, an import says where it looked."""
    done = Importer(tmp_path, embedded=True).run("backlog")
    assert (done.code, "looked for:" in done.err, ".claude/projects" in done.err) == (0, True, True)


def test_changed_settings_alone(tmp_path: pathlib.Path) -> None:
    """What was given is shown, and nothing else."""
    installed = Importer(tmp_path, {}, embedded=True)
    told = installed.run("config", "--changed", "--json", CHUNK_SIZE="900").json["settings"]
    assert "chunk.size_chars" in told
    assert {one["origin"] == "default" for one in told.values()} == {False}


def test_run_greets_a_person(tmp_path: pathlib.Path) -> None:
    """At a terminal it says what it watches and what to do; in a log it does not."""
    installed = Importer(tmp_path, embedded=True)
    (tmp_path / ".claude" / "projects").mkdir(parents=True)
    ours, theirs = pty.openpty()
    environ = installed.environment((), {})
    process = subprocess.Popen([*installed.command, "run"], env=environ, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    said = b""
    while b"Ctrl-C ends this" not in said:
        said += os.read(ours, 4096)
    process.terminate()
    process.communicate(timeout=60)
    os.close(ours)
    assert b".claude/projects" in said


@pytest.mark.parametrize("command", [row.name for row in COMMANDS])
def test_each_says_what_is_kept(command: str) -> None:
    """A command that writes tells what is kept of its work when it is stopped; the others changed nothing."""
    assert _kept(["--state-dir", "x", command, "y"]) == KEPT.get(command, "nothing was changed")


@pytest.mark.parametrize(
    "words",
    [
        *(["search", "x"], ["list"], ["projects"], ["open", "1"], ["verify"], ["failures"], ["failures", "drop", "1"]),
        *(
            ["forget", "--project", "x", "--yes"],
            ["forget", "--list"],
            ["redact", "--stored"],
            ["sync", "--to", "edge:x"],
        ),
        ["migrate", "--to", "edge:x"],
    ],
    ids=" ".join,
)
def test_reading_makes_no_state(tmp_path: pathlib.Path, words: list[str]) -> None:
    """Where nothing was imported, commands that work on what there is say so and leave no directory behind."""
    done = Importer(tmp_path, embedded=True).run(*words)
    assert (done.code, "there is no state at" in done.err) == (3, True)
    assert not (tmp_path / "state").exists()


def test_a_daemon_that_stops_says_what_it_waits_for(tmp_path: pathlib.Path) -> None:
    """The first Ctrl-C tells how many files are in flight, and what a second one does."""
    installed = Importer(tmp_path, embedded=True)
    corpus.write(str(tmp_path / "said"), files=12, seed=4)
    slowly = {"IMPORTER_FAILPOINTS": "embed=sleep:1", "MEMORY_BATCH_SIZE": "4"}
    process = installed.start("run", "--source", f"auto={tmp_path / 'said'}", **slowly)
    until(lambda: (tmp_path / "state" / "control.sock").exists())
    until(lambda: installed.run("status", "--json").json["lines"]["in_flight"])
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    (line,) = [one for one in err.splitlines() if "daemon.stopping" in one]
    assert "once more ends it at once" in line
