"""Who touched a file: a repository whose every line was written by a conversation of its own."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
from dataclasses import replace

import pytest
from processes import Importer
from transcripts import answer, call, prompt, raw, result, text

from importer.service.ask import Asker
from importer.service.conversations import deeds
from importer.service.conversations.library import Library
from importer.settings.schema import Settings
from importer.work.blame import AskedFile, AskedLine, Touch, has_line, order, touch
from importer.work.git import line_of, target_of
from importer.work.past import PastAction

LINES = 40


def git(folder: pathlib.Path, *words: str, at: str = "") -> None:
    dates = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at} if at else {}
    environ = {**os.environ, **dates, "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(folder)}
    named = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True, env=environ)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """Write a file line by line, each by a conversation and committed a minute later; some lines read alike."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    base = tmp_path_factory.mktemp("blame")
    repository, folder = base / "app", base / ".claude/projects/-app"
    (repository / "src").mkdir(parents=True)
    folder.mkdir(parents=True)
    git(repository, "init", "-q")
    whole = ""
    for n in range(LINES):
        line = f"value_{n} = compute({n})" if n % 5 else "check(value)"
        whole += f"{line}\n"
        (repository / "src/store.py").write_text(whole)
        hour, minute = 8 + n // 12, n % 12 * 5
        where = {"sessionId": f"session-{n:03}", "cwd": str(repository)}
        given = {"file_path": str(repository / "src/store.py") if n % 2 else "src/store.py"}
        stamps = [{"timestamp": f"2026-02-11T{hour:02}:{minute:02}:{s:02}.000Z", **where} for s in range(4)]
        said = [
            prompt(f"add the value number {n}", **stamps[0]),
            answer(call("Edit", f"t{n}", **given, old_string="", new_string=f"{line}\n"), **stamps[1]),
            prompt([result("ok", f"t{n}")], **stamps[2]),
            answer(text("added"), **stamps[3]),
        ]
        (folder / f"session-{n:03}.jsonl").write_bytes(b"".join(raw(one) + b"\n" for one in said))
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", f"value {n}", at=f"2026-02-11T{hour:02}:{minute + 1:02}:00Z")
    importer = Importer(base, embedded=True)
    assert importer.run("backlog").code == 0
    return importer


def test_every_line_has_its_conversation(seeded: Importer) -> None:
    """At least 95 of 100 lines lead first to the conversation that wrote them, lines that read alike too."""
    path = f"{seeded.base}/app/src/store.py"
    library = Library(Asker(replace(Settings(), state_dir=seeded.state)))
    right = 0
    for n in range(LINES):
        target = target_of(path)
        line = line_of(target, n + 1)
        assert line.summary == f"value {n}"
        right += deeds.touches(library, target, line, 3)[0]["conversation"] == f"session-{n:03}"
    assert right >= 0.95 * LINES, right


def test_a_file_has_all_its_conversations(seeded: Importer) -> None:
    """Without a line the newest comes first; of the terminal's text, too."""
    path = f"{seeded.base}/app/src/store.py"
    found = seeded.run("blame", path, "--json", "-n", "100").json["touched"]
    assert [one["conversation"] for one in found] == [f"session-{n:03}" for n in reversed(range(LINES))]
    shown = seeded.run("blame", f"{path}:2")
    assert "session-001" in shown.out and "wrote line 2" in shown.out and "value 1" in shown.out
    assert seeded.run("blame", f"{path}:999").code == 2
    assert seeded.run("blame", f"{seeded.base}/app/never.py", "--json").json["touched"] == []


def action(**given: object) -> PastAction:
    from importer.work.actions import call_of

    call = call_of({"id": "a", "name": "Edit", "input": given})
    assert call is not None
    return PastAction(call, "", None, "2026-01-01T00:00:00Z", "/w")


def test_another_checkout_is_the_same_file() -> None:
    """The path below the repository counts, the bare name does not."""
    target = AskedFile("/home/ann/app/src/store.py", "src/store.py")
    assert touch([action(file_path="/tmp/worktree/src/store.py", new_string="x")], target)
    assert not touch([action(file_path="/tmp/other/store.py", new_string="x")], target)


def test_a_bracket_tells_nothing() -> None:
    """Lines that stand everywhere tell no writer; a patch's plus and the indent do not count."""
    assert has_line("+    return value", "return value")
    assert not has_line("}", "}")
    assert not has_line("return values", "return value")


def test_the_commit_tells_who_wrote_a_bracket() -> None:
    """Who changed the file last before it; what came later, or only read the file, stands behind."""
    line = AskedLine("}", "c0ffee", "2026-01-02T00:00:00Z")
    touches = {
        "later": Touch("2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z", 1, 0, 0, ""),
        "reader": Touch("2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z", 0, 0, 3, ""),
        "writer": Touch("2026-01-01T09:00:00Z", "2026-01-01T10:00:00Z", 1, 0, 0, ""),
        "first": Touch("2025-12-31T09:00:00Z", "2025-12-31T10:00:00Z", 1, 0, 0, ""),
    }
    found = sorted(touches, key=lambda name: order(touches[name], line), reverse=True)
    assert found == ["writer", "first", "later", "reader"]


def test_a_file_outside_of_a_repository(tmp_path: pathlib.Path) -> None:
    """Then its name stands for itself."""
    assert target_of(f"{tmp_path}/x.py").relative == "x.py"
