"""Progress in a pipe is plain lines, from the first moment on."""

from __future__ import annotations

import io
import sys
import time

import pytest

from importer.cli import progress
from importer.cli.progress import ImportProgress, ImportState

BEGUN = ImportState(files=0, left=1200, chunks=0, points=0, tokens=0, worker_rss_bytes=0, held="")


def test_an_import_tells_at_once_how_much_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """The first line comes at once; the model takes a second to load, and figures come after ten."""
    ImportProgress(lambda: BEGUN, quiet=False)
    assert capsys.readouterr().err == "1,200 files to import\n"
    ImportProgress(lambda: BEGUN, quiet=True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (BEGUN, "0/1200 files  0 chunks  the worker loads its model"),
        (BEGUN._replace(worker_rss_bytes=1), "0/1200 files  0 chunks  the first batch is embedded"),
        (BEGUN._replace(files=2, left=3, chunks=7, tokens=900, points=9, worker_rss_bytes=2 << 20), "worker 2 MB"),
        (BEGUN._replace(held="the store cannot be reached"), "the store cannot be reached"),
    ],
)
def test_a_line_says_where_it_stands(seen: ImportState, says: str) -> None:
    """Before there are figures, a line says what the import waits for."""
    assert says in ImportProgress(lambda: seen, quiet=False).line(seen)


@pytest.mark.parametrize("held", [r"the server says \[/nope]", "[red]x[/blue]", "a\\"])
def test_what_a_server_says_draws_nothing(held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Square brackets are orders to rich, and a wrong one ended the import; here they are what they are."""
    drawn = io.StringIO()
    monkeypatch.setattr(drawn, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", drawn)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TERM", "xterm")
    shown = progress.Display("importing", 9, quiet=False, rates=True)
    shown.show(1, 9, note=held, held=held, line="")
    shown.end()
    assert held in drawn.getvalue()


def test_a_count_tells_how_far_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One line is printed every ten seconds, with the total where it is known; with --json there is none."""
    now_s = time.monotonic()
    with progress.counting("points copied", 5000) as counter, progress.counting("files folded", quiet=True) as silent:
        counter.add(1200)
        monkeypatch.setattr(progress.time, "monotonic", lambda: now_s + 60)
        counter.add(34)
        counter.add(1)
        silent.add(1)
    assert capsys.readouterr().err == "points copied: 1,234 of 5,000\n"
