"""A command imports what it needs: counts of modules, and the heavy libraries that stay out."""

from __future__ import annotations

import os
import pathlib
import statistics
import subprocess
import sys

import click
import pytest
from processes import Importer

from importer.cli.app import COMMANDS, Entry, importer

# Runs a command line and prints the modules that it has loaded, on standard error.
PROGRAM = """
import sys
from importer.cli.app import run
code = run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""
HEAVY = {"structlog", "numpy", "fastembed", "rich", "sqlite3", "importer.delivery.engine", "importer.formats"}
HEAVY |= {"importer.reading.pipeline", "importer.worker", "asyncio"}


def loaded(installed: Importer, *words: str) -> set[str]:
    """Return the modules that a command line has loaded when it is done."""
    command = [sys.executable, "-c", PROGRAM, "--state-dir", installed.state, *words]
    environ = installed.environment(words, {})
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=120)
    return set(done.stderr.split())


def ours(modules: set[str]) -> set[str]:
    """Return the modules of this package."""
    return {name for name in modules if name.partition(".")[0] == "importer"}


@pytest.mark.parametrize(("words", "most"), [(["--help"], 15), (["search", "--help"], 25), (["pause", "--help"], 25)])
def test_help_is_light(tmp_path: pathlib.Path, words: list[str], most: int) -> None:
    """Help needs few modules of the package, and none of the engine."""
    modules = loaded(Importer(tmp_path), *words)
    assert len(ours(modules)) <= most, sorted(ours(modules))
    assert not modules & HEAVY


def test_what_a_daemon_answers_is_light(tmp_path: pathlib.Path) -> None:
    """Beside a daemon, `pause`, `resume` and `search` load what a question over the socket needs, and no log."""
    installed = Importer(tmp_path)
    with installed.daemon():
        for words in (["pause"], ["resume"], ["search", "anything", "--json"]):
            assert not loaded(installed, *words) & (HEAVY | {"importer.protocol.records"}), words


def test_what_answers_a_first_search_is_light() -> None:
    """The answerer loads nothing that reads or cuts files: a person waits for it."""
    program = "import sys, importer.service.answerer; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    heavy = {"importer.delivery.engine", "importer.chunking", "importer.reading", "importer.formats", "structlog"}
    assert not set(done.stdout.split()) & heavy


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_the_table_says_what_the_command_says(row: Entry) -> None:
    """The text in `importer --help` begins the command's own help."""
    command = importer.get_command(click.Context(importer), row.name)
    assert command.get_short_help_str(300).startswith(row.help)
    assert not row.help.endswith(".")


def cpu_s(arguments: list[str], environ: dict[str, str]) -> float:
    """Return the user and system time that a process takes, in seconds."""
    process = subprocess.Popen([sys.executable, *arguments], env=environ, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


@pytest.mark.long
def test_cpu_time_beside_click_s(tmp_path: pathlib.Path) -> None:
    """`importer --help` takes at most 3 times the CPU time of importing click, a search beside a daemon 4 times."""
    installed = Importer(tmp_path)
    environ = installed.environment(["search"], {})
    kinds = {
        "click": ["-c", "import click"],
        "help": [*installed.command[1:], "--help"],
        "search": [*installed.command[1:], "search", "anything", "--json"],
    }
    with installed.daemon():
        cpu_s(kinds["search"], environ)  # the daemon starts its worker, and caches are filled
        rounds = [{kind: cpu_s(arguments, environ) for kind, arguments in kinds.items()} for _ in range(15)]
    median = {kind: statistics.median(one[kind] for one in rounds) for kind in kinds}
    print({kind: round(value / median["click"], 2) for kind, value in median.items()})
    assert median["help"] <= 3 * median["click"]
    assert median["search"] <= 4 * median["click"]
