"""`importer failures` as a process: it works on the state itself, or through a daemon."""

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


def test_nothing_is_in_quarantine(installed: Importer) -> None:
    """The list is empty, and that is no error."""
    (installed.base / ".claude/projects/-p/a.jsonl").write_bytes(GOOD)
    assert installed.run("backlog").code == 0
    assert installed.run("failures").out == "nothing is in quarantine\n"
    assert installed.run("failures", "--json").json == {"count": 0, "failures": []}


def test_a_bad_line_is_shown_retried_and_dropped(installed: Importer) -> None:
    """Its place and reason are shown; a retry after the repair of its file clears it; a dropped line is gone."""
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
    """Neither ids nor --all, or both, is a usage error."""
    assert installed.run("failures", "retry").code == 2
    assert installed.run("failures", "drop", "1", "--all").code == 2


@pytest.mark.parametrize("op", ["show", "retry", "drop"])
def test_an_unknown_id_is_no_success(installed: Importer, op: str) -> None:
    """It is named, and the exit code is 2; the same holds for a number larger than any id."""
    assert installed.run("backlog").code == 1
    done = installed.run("failures", op, "99")
    assert (done.code, "not in quarantine: 99\n" in done.err) == (2, True)
    done = installed.run("failures", op, str(1 << 70))
    assert (done.code, "Traceback" in done.err) == (2, False)


def test_one_unknown_id_changes_nothing(installed: Importer) -> None:
    """A known id beside it can be shown, and is neither retried nor dropped."""
    assert installed.run("backlog").code == 1
    known = str(rows(installed)[0]["id"])
    shown = installed.run("failures", "show", known, "99", "--json")
    assert (shown.code, len(shown.json["failures"])) == (2, 1)
    assert [installed.run("failures", op, known, "99").code for op in ("retry", "drop")] == [2, 2]
    assert [row["status"] for row in rows(installed)] == ["open"]


def test_a_daemon_does_it_for_us(installed: Importer) -> None:
    """A daemon holds the state, so it is asked; it reads the file again at once."""
    with installed.daemon():
        until(lambda: rows(installed))
        done = installed.run("failures", "retry", "--all", "--json").json
        assert (done["daemon"], len(done["paths"])) == (True, 1)
        until(lambda: rows(installed)[0]["attempts"] == 2)
        refused = installed.run("failures", "drop", "99")
        assert (refused.code, "not in quarantine: 99\n" in refused.err) == (2, True)
        assert installed.run("failures", "drop", str(rows(installed)[0]["id"])).out == "1 dropped\n"
        assert rows(installed) == []
