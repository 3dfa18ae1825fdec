"""Rules by which folders belong to one project (pure).

A git worktree belongs to its repository. Where worktrees lie inside of it, the path alone says so:

    <repository>/.claude/worktrees/<name>   Claude Code's own place
    <repository>/.worktrees/<name>          a common habit
    <repository>/.git/worktrees/<name>      git's own records of one
"""

from __future__ import annotations

import re

_WORKTREE = re.compile(r"[/\\](?:\.claude[/\\]worktrees|\.worktrees|\.git[/\\]worktrees)[/\\][^/\\]+(?=[/\\]|$)")


def repository_folder(folder: str) -> str:
    """Return the folder in its repository that a folder in a worktree stands for; any other folder as it is."""
    return _WORKTREE.sub("", folder, count=1) or folder if "worktrees" in folder else folder
