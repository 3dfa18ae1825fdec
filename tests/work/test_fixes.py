"""What helped against an error: planted ones among decoys, by the command, and the parts that decide."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import planted_fixes
import pytest
from processes import Importer
from transcripts import answer, call, prompt, raw, result, text

from importer.service.ask import Asker
from importer.service.conversations import deeds
from importer.service.conversations.library import Library
from importer.settings.schema import Settings
from importer.work import fixes


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Importer, list[planted_fixes.Planted]]:
    """Import 200 conversations of two assistants, each with an error and a way out."""
    base = tmp_path_factory.mktemp("fixes")
    found = list(planted_fixes.cases())
    for one in found:
        folder = base / (".codex/sessions/2026/06/26" if one.codex else ".claude/projects/-p")
        folder.mkdir(parents=True, exist_ok=True)
        name = f"rollout-2026-06-26T12-24-00-{one.conversation}" if one.codex else one.conversation
        (folder / f"{name}.jsonl").write_bytes(one.lines)
    importer = Importer(base, embedded=True)
    assert importer.run("backlog").code == 0
    return importer, found


def library(importer: Importer) -> Library:
    return Library(Asker(replace(Settings(), state_dir=importer.state)))


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.long)])
def test_planted_errors(planted: tuple[Importer, list[planted_fixes.Planted]], every: int) -> None:
    """At least nine of ten lead first to the conversation that met them and to the command that worked."""
    importer, cases = planted[0], planted[1][::every]
    asked = library(importer)
    right = 0
    for one in cases:
        found = deeds.remedies(asked, one.query, 3)
        right += bool(found) and (found[0]["conversation"], found[0]["worked"]) == (one.conversation, one.worked)
    assert len(cases) == 200 // every
    assert right >= 0.9 * len(cases), right


def test_the_command(planted: tuple[Importer, list[planted_fixes.Planted]]) -> None:
    """People see what failed, what it said and what worked; programs get the same as JSON."""
    importer, cases = planted
    shown = importer.run("fix", cases[0].query)
    assert shown.code == 0 and cases[0].worked in shown.out and "ERESOLVE" in shown.out
    told = importer.run("fix", cases[0].query, "--json").json
    assert told["found"][0]["conversation"] == cases[0].conversation
    assert importer.run("fix", "zzyzx frobnication underflow", "--json").json["found"] == []
    assert importer.run("fix", " ").code == 2


def test_what_is_forgotten_or_secret_is_not_shown(tmp_path: pathlib.Path) -> None:
    """A command's secret is masked, and a forgotten conversation is not read."""
    folder = tmp_path / ".claude/projects/-p"
    folder.mkdir(parents=True)
    key = "AKIA" + "QX7RT2MZ5LW9KD3B"
    lines = [
        prompt("deploy"),
        answer(call("Bash", "t1", command="deploy --zone north")),
        prompt([result("Error: zone north is quarantined", "t1", is_error=True)], 3),
        answer(call("Bash", "t2", command=f"AWS_ACCESS_KEY_ID={key} deploy --zone south"), n=4),
        prompt([result("ok", "t2")], 5),
        answer(text("done"), n=6),
    ]
    (folder / "s.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in lines))
    importer = Importer(tmp_path, embedded=True)
    assert importer.run("backlog").code == 0
    found = importer.run("fix", "zone north is quarantined", "--json").json["found"]
    assert "deploy --zone south" in found[0]["worked"] and key not in str(found)
    assert importer.run("forget", "--conversation", found[0]["conversation"], "--yes").code == 0
    assert importer.run("fix", "zone north is quarantined", "--json").json["found"] == []


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("cd /srv && sudo npm test", "npm"),
        ("CI=1 /usr/bin/make all", "make"),
        ("git push origin main", "git-push"),
        ("", ""),
    ],
)
def test_the_program_of_a_command(command: str, program: str) -> None:
    """What leads to a program is not the program."""
    assert fixes.program_of(command) == program


def test_digits_and_paths_do_not_count() -> None:
    """The same error in another folder and at another line is the same error."""
    assert fixes.words("/a/b/x.py:12: error E501") == fixes.words("/c/x.py:999: error E501")
