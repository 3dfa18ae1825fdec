"""What is shown while an import runs, in a pipe: plain lines, from the first moment on."""

from __future__ import annotations

import pytest

from importer.cli.progress import Glance, Shown

BEGUN = Glance(files=0, left=1200, chunks=0, points=0, tokens=0, worker_rss_bytes=0, held="")


def test_it_says_at_once_how_much_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """The model takes a second to load, the first line of figures comes after ten."""
    Shown.begin(lambda: BEGUN, quiet=False)
    assert capsys.readouterr().err == "1,200 files to import\n"
    Shown.begin(lambda: BEGUN, quiet=True)
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
def test_a_line_says_where_it_stands(seen: Glance, says: str) -> None:
    """Before there are figures, what it waits for."""
    assert says in Shown(lambda: seen, quiet=False)._line(seen)
