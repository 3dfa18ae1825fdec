"""What git knows of a line is asked without running what the line's repository names."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest

from importer.work.git import line_of, target_of

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
PROGRAMS = (  # settings that name programs
    *("filter.trap.clean", "filter.trap.smudge", "filter.trap.process", "diff.trap.textconv", "diff.trap.command"),
    *("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "core.alternateRefsCommand", "gpg.program"),
)


def git(folder: pathlib.Path, *words: str) -> None:
    named = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> pathlib.Path:
    """Two commits, a line each, and a third line that is in none."""
    made = tmp_path / "app"
    (made / "src").mkdir(parents=True)
    git(made, "init", "-q")
    for n, said in enumerate(("one\n", "one\ntwo\n"), 1):
        (made / "src" / "f.txt").write_text(said)
        git(made, "add", ".")
        git(made, "commit", "-q", "-m", f"line {n}")
    (made / "src" / "f.txt").write_text("one\ntwo\nthree\n")
    return made


def summaries(folder: pathlib.Path) -> list[str]:
    """Return what brought each of the three lines."""
    return [line_of(target_of(str(folder / "src" / "f.txt")), n).summary for n in (1, 2, 3)]


def test_no_program_of_the_repository_runs(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A repository that was unpacked from somewhere names filters and monitors; each would leave a trace."""
    for name in PROGRAMS:
        git(repository, "config", name, f"touch {tmp_path}/ran-{name}; cat")
    (repository / ".gitattributes").write_text("* filter=trap diff=trap\n")
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (repository / ".git" / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran-{hook}\n")
        (repository / ".git" / "hooks" / hook).chmod(0o755)
    (repository / "src" / "f.txt").touch()  # the index does not know it as it is
    assert summaries(repository) == ["line 1", "line 2", ""]
    assert list(tmp_path.glob("ran-*")) == []


@pytest.mark.parametrize("words", [("--depth", "1", "--no-local"), ("--shared",), ("-c", "x.y=z"), ()])
def test_all_kinds_of_repositories(repository: pathlib.Path, tmp_path: pathlib.Path, words: tuple[str, ...]) -> None:
    """Shallow ones, those that share commits with another, and further work trees."""
    git(tmp_path, "clone", "-q", *words, str(repository), "copy")
    known = ["line 2", "line 2"] if "--depth" in words else ["line 1", "line 2"]
    copy = tmp_path / "copy"
    (copy / "src" / "f.txt").write_text("one\ntwo\nthree\n")
    assert summaries(copy) == [*known, ""]
    git(copy, "worktree", "add", "-q", "-b", "beside", str(tmp_path / "beside"))
    (tmp_path / "beside" / "src" / "f.txt").write_text("one\ntwo\nthree\n")
    assert summaries(tmp_path / "beside") == [*known, ""]


def test_a_name_is_no_option(repository: pathlib.Path) -> None:
    """A file that is called like one is a file."""
    (repository / "--output=x").write_text("a\n")
    git(repository, "add", "--", "--output=x")
    git(repository, "commit", "-q", "-m", "odd")
    assert line_of(target_of(str(repository / "--output=x")), 1).summary == "odd"
    assert not (repository / "x").exists()
