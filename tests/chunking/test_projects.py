"""Folders of worktrees are told as folders of their repository, each in one spelling; all others stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.chunking.projects import repository_folder


@pytest.mark.parametrize(
    ("folder", "project"),
    [
        ("/home/ann/garden/.claude/worktrees/tulips", "/home/ann/garden"),
        ("/home/ann/garden/.claude/worktrees/tulips/src", "/home/ann/garden/src"),
        ("/home/ann/garden/.worktrees/tulips", "/home/ann/garden"),
        ("/home/ann/garden/.git/worktrees/tulips", "/home/ann/garden"),
        ("/home/ann/garden/.some-tool/worktrees/tulips", "/home/ann/garden"),
        ("/home/ann/garden/.tool-worktrees/tulips/src", "/home/ann/garden/src"),
        ("/home/ann/garden.worktrees/tulips", "/home/ann/garden"),
        ("C:\\work\\garden\\.claude\\worktrees\\tulips", "C:\\work\\garden"),
        ("/home/ann/.codex/worktrees/1a2b/garden", "/home/ann/.codex/worktrees/garden"),
        ("/home/ann/.codex/worktrees/1a2b/garden/src", "/home/ann/.codex/worktrees/garden"),
        ("/home/ann/garden/.codex/worktrees/tulips", "/home/ann/garden"),
        ("/home/ann/.cursor/worktrees/garden/x1Y2z", "/home/ann/.cursor/worktrees/garden"),
        ("/Users/ann/.cursor/worktrees/garden/x1Y2z/src", "/Users/ann/.cursor/worktrees/garden"),
        ("/home/ann/garden/.claude/worktrees/a/.claude/worktrees/b", "/home/ann/garden"),
        ("/home/ann/.codex/worktrees/cafe/beef/src", "/home/ann/.codex/worktrees/beef"),
        ("c:\\Users\\ann\\.cursor\\worktrees\\garden\\x1", "C:\\Users\\ann\\.cursor\\worktrees\\garden"),
        ("/home/ann/.cursor/worktrees/garden", "/home/ann/.cursor/worktrees/garden"),
        ("/home/ann/.claude/worktrees/tulips", "/home/ann"),
        ("/home/ann/worktrees/garden", "/home/ann/worktrees/garden"),
        ("/home/ann/garden/.claude/worktrees", "/home/ann/garden/.claude/worktrees"),
        ("/.worktrees/tulips", "/.worktrees/tulips"),
        ("", ""),
    ],
)
def test_a_worktree_belongs_to_its_repository(folder: str, project: str) -> None:
    """The part that names the worktree goes; what only looks like one stays."""
    assert repository_folder(folder) == project


@pytest.mark.parametrize(
    ("folders", "project"),
    [
        (("c:\\work\\till", "C:\\work\\till\\", "C:/work/till", "c:/work//till", "/mnt/c/work/till"), "C:\\work\\till"),
        (("c:", "C:\\", "/mnt/c", "/mnt/c/"), "C:\\"),
        (("/home/ann/app/", "/home/ann//app", "\\\\wsl$\\Debian\\home\\ann\\app"), "/home/ann/app"),
        (("//wsl.localhost/Ubuntu/home/ann/app",), "/home/ann/app"),
        (("/", "\\\\wsl$\\Debian"), "/"),
        (("/mnt/cd/x",), "/mnt/cd/x"),
        (("\\\\server\\share\\app",), "\\\\server\\share\\app"),
        (("app", "a//b", "c:x", "~/x"), ""),
    ],
)
def test_a_folder_has_one_spelling(folders: tuple[str, ...], project: str) -> None:
    """Letters of drives, slashes and WSL's names do not part a project; a mere name stays as it is."""
    for folder in folders:
        assert repository_folder(folder) == (project or folder)


parts = [
    "/home/a",
    "C:",
    "/",
    "\\",
    ".claude",
    ".codex",
    ".cursor",
    ".git",
    "worktrees",
    ".worktrees",
    "1a2b",
    "cafe",
    "b",
]
folders = st.lists(st.sampled_from(parts), max_size=9).map("/".join) | st.lists(st.sampled_from(parts)).map("".join)


@given(folders | st.text(st.sampled_from("aC:/\\.$ "), max_size=14) | st.text(max_size=20))
def test_a_project_is_its_own_project(folder: str) -> None:
    """The rules applied twice are the rules applied once."""
    project = repository_folder(folder)
    assert repository_folder(project) == project
