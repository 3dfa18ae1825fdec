"""`importer doctor` as a process: it finds real damage, exits with the right code, and changes nothing."""

from __future__ import annotations

import os
import pathlib
import resource
import signal
import sqlite3
import time
from collections.abc import Callable

import pytest
from processes import FAKE, Importer
from transcripts import prompt, raw

DAY_S = 86_400


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    """Make a home with one conversation and a fake model; permissions hold for root as well."""
    folder = tmp_path / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(raw(prompt("why is the sky blue")) + b"\n")
    return Importer(tmp_path, dict(FAKE), bound=True)


def wrong(installed: Importer, *arguments: str, **environ: str) -> dict[str, str]:
    """Return the failed checks with their repairs, and assert that the exit code agrees."""
    done = installed.run(*arguments, "doctor", "--json", **environ)
    assert done.code == (0 if done.json["ok"] else 1), done.err
    assert set(done.json["checks"][0]) == {"name", "ok", "detail", "fix"}
    return {check["name"]: check["fix"] for check in done.json["checks"] if not check["ok"]}


def transcript(installed: Importer) -> pathlib.Path:
    return installed.base / ".claude/projects/-p/a.jsonl"


def aged(installed: Importer) -> None:
    os.utime(transcript(installed), (time.time() - 29 * DAY_S,) * 2)


def newer(installed: Importer) -> None:
    installed.run("backlog")
    with sqlite3.connect(f"{installed.state}/checkpoints.sqlite3") as database:
        database.execute("PRAGMA user_version = 99")


def unlinked(installed: Importer) -> None:
    transcript(installed).unlink()
    transcript(installed).parent.rmdir()
    transcript(installed).parent.parent.rmdir()


def shut(installed: Importer) -> None:
    transcript(installed).chmod(0)


def unwritable(installed: Importer) -> None:
    os.mkdir(installed.state, 0o500)


def nothing(_installed: Importer) -> None:
    """Damage nothing: only the environment is wrong."""


REAL: list[tuple[str, str, Callable[[Importer], None], dict[str, str]]] = [
    ("expiry", "importer backlog --source claude-code=", aged, {}),
    ("state", "update the importer", newer, {}),
    ("roots", "--source claude-code=PATH", unlinked, {}),
    ("permissions", "chmod -R u+rX", shut, {}),
    ("state", "chmod 700", unwritable, {}),
    ("daemon_memory", "OPERATIONAL_MEMORY_MB=256", nothing, {"OPERATIONAL_MEMORY_MB": "40"}),
    ("memory", "raise worker.soft_limit_mb", nothing, {"IMPORTER_WORKER_SOFT_LIMIT_MB": "90"}),
    ("store", "QDRANT_URL", nothing, {"QDRANT_URL": "http://127.0.0.1:9"}),
    ("settings", "importer config", nothing, {"IMPORTER_CHUNKSIZE": "9"}),
    ("settings", "importer config", nothing, {"CHUNK_SIZE": "few"}),
    ("model", "importer model fetch", nothing, {"IMPORTER_EMBED_PROVIDER": "fastembed"}),
]


def test_a_fresh_installation_passes_and_stays_untouched(installed: Importer) -> None:
    """Before the first import, model and store are tried in a temporary folder."""
    assert wrong(installed) == {}
    assert not os.path.exists(installed.state)
    assert "everything is fine" in installed.run("doctor").out


def called(value: object) -> str:
    return str(getattr(value, "__name__", value))[:24]


@pytest.mark.parametrize(("name", "fix", "plant", "environ"), REAL, ids=called)
def test_real_damage_is_found_alone(
    installed: Importer, name: str, fix: str, plant: Callable[[Importer], None], environ: dict[str, str]
) -> None:
    """Exactly that check fails, and it names the repair."""
    plant(installed)
    found = wrong(installed, **environ)
    assert list(found) == [name]
    assert fix in found[name]


def test_few_open_files_are_found(installed: Importer) -> None:
    """The limit that the shell sets counts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        assert list(wrong(installed)) == ["limits"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_running_daemon_is_asked(installed: Importer) -> None:
    """The daemon's own worker answers; a stopped daemon fails one check, which names its process."""
    with installed.daemon() as process:
        assert wrong(installed) == {}
        process.send_signal(signal.SIGSTOP)
        found = wrong(installed)
    assert list(found) == ["daemon"]
    assert str(process.pid) in found["daemon"]
