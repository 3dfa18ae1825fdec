"""Folders of worktrees are told as folders of their repository; all others stay."""

from __future__ import annotations

import pytest

from importer.chunking.projects import repository_folder


@pytest.mark.parametrize(
    ("folder", "project"),
    [
        ("/home/ann/garden/.claude/worktrees/tulips", "/home/ann/garden"),
        ("/home/ann/garden/.claude/worktrees/tulips/src", "/home/ann/garden/src"),
        ("/home/ann/garden/.worktrees/tulips", "/home/ann/garden"),
        ("/home/ann/garden/.git/worktrees/tulips", "/home/ann/garden"),
        ("C:\\work\\garden\\.claude\\worktrees\\tulips", "C:\\work\\garden"),
        ("/home/ann/worktrees/garden", "/home/ann/worktrees/garden"),
        ("/home/ann/garden/.claude/worktrees", "/home/ann/garden/.claude/worktrees"),
        ("/.worktrees/tulips", "/.worktrees/tulips"),
        ("", ""),
    ],
)
def test_a_worktree_belongs_to_its_repository(folder: str, project: str) -> None:
    """The part that names the worktree goes; what only looks like one stays."""
    assert repository_folder(folder) == project
