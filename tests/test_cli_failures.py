"""`importer failures` from outside: with the state in our own hands, and through a daemon."""

from __future__ import annotations

import pathlib

import pytest
from processes import Importer, until
from transcripts import prompt, raw

GOOD = raw(prompt("why is the sky blue")) + b"\n"


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    folder = tmp_path / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(GOOD + b'{"type":"user","brok\x1b[31men\n')
    return Importer(tmp_path)


def rows(installed: Importer) -> list[dict]:
    return installed.run("failures", "--json").json["failures"]


def test_nothing_is_in_quarantine_before_anything_was_imported(installed: Importer) -> None:
    """No state, no error."""
    assert installed.run("failures").out == "nothing is in quarantine\n"
    assert installed.run("failures", "--json").json == {"count": 0, "failures": []}


def test_a_bad_line_is_shown_retried_and_dropped(installed: Importer) -> None:
    """Where it is and why; after its file was repaired a retry clears it; a dropped one is gone."""
    path = installed.base / ".claude/projects/-p/a.jsonl"
    assert installed.run("backlog").code == 1
    shown = rows(installed)[0]
    assert (shown["path"], shown["offset"], shown["stage"]) == (str(path), len(GOOD), "parse")
    said = installed.run("failures", "show", str(shown["id"])).out
    assert "parse:" in said
    assert "\x1b" not in said
    path.write_bytes(GOOD + raw(prompt("repaired", 3)) + b"\n")
    assert installed.run("failures", "retry", "--all", "--json").json["paths"] == [str(path)]
    assert installed.run("backlog").code == 0
    assert rows(installed) == []


def test_which_ones_must_be_said(installed: Importer) -> None:
    """Neither ids nor --all, or both, is a mistake in usage."""
    assert installed.run("failures", "retry").code == 2
    assert installed.run("failures", "drop", "1", "--all").code == 2


def test_a_daemon_does_it_for_us(installed: Importer) -> None:
    """It holds the state, so it is asked; it looks at the file at once."""
    with installed.daemon():
        until(lambda: rows(installed))
        done = installed.run("failures", "retry", "--all", "--json").json
        assert (done["daemon"], len(done["paths"])) == (True, 1)
        until(lambda: rows(installed)[0]["attempts"] == 2)
        assert installed.run("failures", "drop", str(rows(installed)[0]["id"])).out == "1 dropped\n"
        assert rows(installed) == []
