"""Files that nothing is imported of are counted and named by every command, with what to do and the right exit code."""

from __future__ import annotations

import json
import pathlib
import zipfile

import pytest
from processes import Importer, asked, idle, until

SAID = json.dumps({"role": "user", "content": "Where does the heron nest?"}).encode() + b"\n"
STRANGE = b'{"kind": "heartbeat"}\n' * 40


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    return Importer(tmp_path)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    made = tmp_path / "said"
    made.mkdir()
    return made


def fates(told: dict[str, int]) -> dict[str, int]:
    """Return the numbers of files by fate that are not 0."""
    names = ("found", "imported", "empty", "unrecognised", "refused", "pending")
    return {name: told[f"files_{name}"] for name in names if told[f"files_{name}"]}


def test_a_folder_that_nothing_is_recognised_in(installed: Importer, folder: pathlib.Path) -> None:
    """Exit 1 and its names, each time; named with a format it is read although it has not changed."""
    path = folder / "log.jsonl"
    path.write_bytes(STRANGE)
    for place in (folder, path, folder):
        done = installed.run("backlog", str(place))
        assert (done.code, "nothing new" in done.out, "nothing imported" in done.out) == (1, False, True), done.err
        assert f"{path}: no format knows it; --source FORMAT=PATH names one" in done.err
    status, doctor = installed.run("status", "--json").json, installed.run("doctor", "--json")
    assert (status["files"]["complete"], status["files"]["unrecognised"]) == (0, 1)
    assert list(status["passed_over"]) == [str(path)]
    assert str(path) in installed.run("status").out
    (check,) = (one for one in doctor.json["checks"] if one["name"] == "recognised")
    assert (check["ok"], str(path) in check["detail"], str(path) in check["fix"]) == (True, True, True)
    verified = installed.run("verify", "--json").json
    assert (verified["ok"], verified["files"]["unrecognised"], list(verified["passed_over"])) == (True, 1, [str(path)])
    assert str(path) in installed.run("verify").out
    named = installed.run("backlog", "--source", f"jsonl-chat={folder}", "--json")
    assert (named.code, named.json["lines"], fates(named.json)) == (0, 40, {"found": 1, "imported": 1})


def test_beside_good_files(installed: Importer, folder: pathlib.Path) -> None:
    """The good ones are imported and the exit code is 0, but what was passed over is said."""
    (folder / "talk.jsonl").write_bytes(SAID[:-1])
    (folder / "log.jsonl").write_bytes(STRANGE)
    (folder / "empty.jsonl").write_bytes(b"\n")
    done = installed.run("backlog", str(folder), "--json")
    expected = {"found": 3, "imported": 1, "empty": 1, "unrecognised": 1}
    assert (done.code, done.json["messages"], fates(done.json)) == (0, 1, expected), "a fresh last line is whole"
    again = installed.run("backlog", str(folder))
    assert (again.code, "nothing new" in again.out) == (0, True)
    assert "3 files found = 1 imported + 1 empty + 1 unrecognised" in again.err
    assert _recognised(installed) == (True, True), "advice"
    with zipfile.ZipFile(folder / "broken.zip", "w") as archive:
        archive.writestr("conversations.json", b"[]")
    (folder / "broken.zip").write_bytes((folder / "broken.zip").read_bytes()[:-5])
    for _ in range(2):
        refused = installed.run("backlog", str(folder))
        assert (refused.code, "a ZIP archive that cannot be opened" in refused.err) == (1, True)
    assert _recognised(installed) == (False, True), "a fault"


def test_files_that_are_no_conversations_are_acknowledged(installed: Importer, folder: pathlib.Path) -> None:
    """Excluded, they are neither counted nor named by any command, and the numbers still add up."""
    (folder / "talk.jsonl").write_bytes(SAID)
    (folder / "log.jsonl").write_bytes(STRANGE)
    (folder / "photos.zip").write_bytes(b"PK\x03\x04 cut off")
    assert installed.run("backlog", str(folder)).code == 1
    settings = folder.parent / "settings.toml"
    settings.write_text(f'sources = ["auto={folder}"]\nexclude = ["log.jsonl", "*.zip"]\n')
    done = installed.run("--config", str(settings), "backlog", "--json")
    assert (done.code, fates(done.json)) == (0, {"found": 1, "imported": 1})
    status = installed.run("--config", str(settings), "status", "--json").json
    assert ([status["files"][one] for one in ("known", "unrecognised", "refused")], status["passed_over"]) == (
        [1, 0, 0],
        {},
    )
    assert _recognised(installed) == (True, False)


def _recognised(installed: Importer) -> tuple[bool, bool]:
    """Return whether doctor finds no fault in the files that were passed over, and whether it has any advice."""
    checks = installed.run("doctor", "--json").json["checks"]
    (check,) = (one for one in checks if one["name"] == "recognised")
    return check["ok"], bool(check["fix"])


def test_by_the_daemon(installed: Importer, folder: pathlib.Path) -> None:
    """It tells the same when paths are handed to it, and finds a conversation that begins late."""
    path = folder / "log.jsonl"
    path.write_bytes(STRANGE)
    (folder / "talk.jsonl").write_bytes(SAID)
    with installed.daemon("--source", f"auto={folder}"):
        until(lambda: idle(installed) and asked(installed, "status")["files"]["complete"] == 1)
        handed = installed.run("backlog", str(path), "--json")
        assert (handed.code, fates(handed.json)) == (1, {"found": 1, "unrecognised": 1})
        files = installed.run("status", "--json").json["files"]
        assert {name: files[name] for name in ("known", "complete", "pending", "unrecognised")} == {
            **{"known": 2, "complete": 1, "pending": 0, "unrecognised": 1},
        }
        with open(path, "ab") as file:
            file.write(SAID)
        until(lambda: asked(installed, "status")["files"]["complete"] == 2)
