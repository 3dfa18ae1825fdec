"""Commands end with an exit code that says why, without a traceback, and with colours only where they are wanted."""

from __future__ import annotations

import os
import pathlib
import pty
import subprocess
from collections.abc import Sequence
from typing import IO, Any

import pytest
from processes import Importer

from importer.cli.app import COMMANDS, PIPE_CLOSED
from importer.errors import TRY_AGAIN


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    return Importer(tmp_path)


def ended(installed: Importer, words: Sequence[str], out: int | IO[bytes], **environ: str) -> tuple[int, str]:
    """Return `(exit code, standard error)` of a command that prints into `out`."""
    process = subprocess.run(
        [*installed.command, *words],
        env=installed.environment(words, environ),
        stdout=out,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    return process.returncode, process.stderr.decode()


@pytest.mark.parametrize("words", [["status", "--json"], ["status"], ["config"], ["--help"], ["backlog", "--json"]])
def test_a_full_disk_behind_standard_output(installed: Importer, words: list[str]) -> None:
    """One line reports it, also when only the last flush fails; the exit code is 75, because making room helps."""
    with open("/dev/full", "wb") as full:
        code, err = ended(installed, words, full)
    assert code == TRY_AGAIN
    assert err.splitlines() == [
        "error: what this prints cannot be written: No space left on device",
        "  try: make room, then run it again",
    ]


@pytest.mark.parametrize("words", [["status", "--json"], ["config", "--json"], ["config"], ["--help"]])
def test_a_reader_that_has_left(installed: Importer, words: list[str]) -> None:
    """`… | head` ends quietly, with the code of SIGPIPE; 1 would mean that something is in quarantine."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert ended(installed, words, writer) == (PIPE_CLOSED, "")
    finally:
        os.close(writer)


def test_nobody_to_tell_an_error(installed: Importer) -> None:
    """An error keeps its exit code when standard error is as broken as standard output."""
    with open("/dev/full", "wb") as full:
        for words, code in ((["config", "--nonsuch"], 2), (["pause"], 3), (["status"], TRY_AGAIN)):
            process = subprocess.Popen(
                [*installed.command, *words], env=installed.environment(words, {}), stdout=full, stderr=full
            )
            assert process.wait(60) == code


def shown(installed: Importer, words: Sequence[str], **environ: Any) -> str:
    """Return what a command prints on a terminal."""
    ours, theirs = pty.openpty()
    environment = installed.environment(words, {"TERM": "xterm", **environ})
    with subprocess.Popen([*installed.command, *words], env=environment, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65_536):
                said += part
        except OSError:  # the terminal's other end is closed
            pass
        process.wait(60)
    os.close(ours)
    return said.decode()


@pytest.mark.parametrize("words", [["status"], ["pause"], ["failures", "show", "9"]])
def test_no_colour_where_nobody_wants_any(installed: Importer, words: list[str]) -> None:
    """NO_COLOR (https://no-color.org) with any value but an empty one turns colours off, in answers and errors."""
    assert "\x1b[" in shown(installed, words, NO_COLOR="")
    assert "\x1b[" not in shown(installed, words, NO_COLOR="0")


FORCED = {"FORCE_COLOR": "1"}


def test_colours_where_they_are_forced(installed: Importer) -> None:
    """FORCE_COLOR colours a pipe too; NO_COLOR is stronger, and a dumb terminal shows none."""
    for environ, coloured in (
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ):
        assert ("\x1b[" in installed.run("status", **environ).out) == coloured
        assert ("\x1b[" in installed.run("pause", **environ).err) == coloured
    assert "\x1b[" not in shown(installed, ["status"], TERM="dumb")
    assert "\x1b[" not in installed.run("status", "--json", FORCE_COLOR="1").out


def test_the_first_commands_of_the_help(installed: Importer) -> None:
    """A newcomer's five come first; every command stands in one group."""
    told = installed.run("--help").out
    first = told.partition("\nCommands:\n")[2].partition("\n\n")[0]
    names = [line.split()[0] for line in first.splitlines() if line[2:3].strip()]
    assert names == ["backlog", "search", "open", "run", "status"]
    assert all(told.count(f"\n  {row.name} ") == 1 for row in COMMANDS)
