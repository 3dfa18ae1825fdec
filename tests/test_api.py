"""The face for programs: its example runs as it stands, errors are ours, and the caller's process stays light."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
import threading

import pytest
from processes import Importer, asked

from importer import api
from importer.errors import ImporterError, UsageError

SAID = "The build fails because the disk of the runner is full."
HEAVY = {"numpy", "onnxruntime", "fastembed", "qdrant_client", "qdrant_edge", "httpx", "pydantic", "rich", "structlog"}


@pytest.fixture
def installed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Importer:
    """An installation whose environment is this process's, with one conversation to import."""
    line = {
        "type": "user",
        "uuid": "u1",
        "sessionId": "s1",
        "cwd": "/home/ann/app",
        "timestamp": "2026-03-01T10:00:00Z",
    }
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "s1.jsonl").write_text(
        json.dumps({**line, "message": {"role": "user", "content": SAID}}) + "\n"
    )
    made = Importer(tmp_path)
    for name, value in made.environment([], {}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return made


def test_the_example_runs(installed: Importer) -> None:
    """The program in the module's docstring imports, finds, reads and lists, in a process that loads nothing heavy."""
    assert api.__doc__
    found = re.search(r"^from importer import api\n.*?\n\n(?=Nothing)", api.__doc__, re.S | re.M)
    assert found
    assert found.group().count("\n") <= 16
    program = found.group().replace('since="2 weeks ago", ', "") + "\nimport sys\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    said = done.stdout.splitlines()
    assert "1 files, 0 left" in said
    assert "1 new of 1 points" in said
    assert f"/home/ann/app {SAID}" in said
    assert f"user {SAID}" in said
    assert said[-1].startswith("s1 ")
    loaded = set(done.stderr.split())
    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith("importer.worker")}


def test_a_thread_may_import_beside_a_daemon(installed: Importer) -> None:
    """The daemon of the state does the import, the same call; a second import embeds nothing."""
    ends: list[api.Imported] = []
    with installed.daemon(), api.open(installed.state) as archive:
        for _ in range(2):
            thread = threading.Thread(target=lambda: ends.append(archive.backlog("exports")))
            thread.start()
            thread.join(60)
        assert archive.search("build", mode="keyword").hits[0].document == SAID
        archive.close()
        assert asked(installed, "ping")  # a daemon stays
    assert [one.points for one in ends] == [1, 1]
    assert [one.embedded for one in ends] == [1, 0]


def test_what_goes_wrong_is_an_error_of_ours(installed: Importer) -> None:
    """Wrong settings, a missing path and an unknown id raise what the command would print, with its exit code."""
    with pytest.raises(UsageError, match=r"chunk\.size_chars"):
        api.open(installed.state, settings={"chunk.size_chars": -1})
    with api.open(installed.state) as archive:
        with pytest.raises(ImporterError, match=r"no such file or folder: .*/nowhere") as caught:
            archive.backlog("nowhere")
        assert (caught.value.exit_code, caught.value.hint) == (2, "check the path; nothing was imported")
        archive.backlog("exports")
        with pytest.raises(UsageError, match="'zzzz'"):
            archive.open("zzzz")


def test_what_the_caller_raises_ends_the_import(installed: Importer) -> None:
    """An error of `on_progress` reaches the caller; no import and no worker is left, and the same call goes on."""

    def refuse(_told: api.Progress) -> None:
        raise LookupError("enough")

    with api.open(installed.state) as archive:
        with pytest.raises(LookupError, match="enough"):
            archive.backlog("exports", on_progress=refuse)
        assert not installed.worker_pids()
        assert archive.backlog("exports").points == 1
