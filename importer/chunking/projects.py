"""Rules by which the spelling of folders alone tells that they belong to one project (pure).

A git worktree belongs to its repository. Where worktrees lie, the path often says so:

    <repository>/.claude/worktrees/<name>         Claude Code's own place; other tools have `.<tool>/worktrees` alike
    <repository>/.worktrees/<name>                a common habit
    <repository>/.git/worktrees/<name>            git's own records of one
    <repository>.worktrees/<name>                 VS Code's place
    <home>/.codex/worktrees/<id>/<repository>     the Codex app's: which repository it is, only the disk can tell, but
    <home>/.cursor/worktrees/<repository>/<id>    all of one name are one project

A folder has one spelling, too: `C:\\work` is `c:/work/`, which WSL calls `/mnt/c/work`; and `\\\\wsl$\\Debian\\home` is
`/home`. Where a mount of this machine or a repository on its disk says otherwise, `sources.repositories` knows.
"""

from __future__ import annotations

import re

MOST_STEPS = 8
_INSIDE = re.compile(
    r"[/\\](?:\.(?P<tool>[\w-]+)[/\\]worktrees|\.(?:[\w-]+-)?worktrees)[/\\][^/\\]+(?=[/\\]|$)"
    r"|\.worktrees[/\\][^/\\]+(?=[/\\]|$)"
)
_APART = re.compile(
    r"(?P<place>[/\\]\.codex[/\\]worktrees)[/\\](?P<id>[0-9a-f]{4,})(?P<rest>[/\\][^/\\]+)"
    r"|(?P<other>[/\\]\.[\w-]+[/\\]worktrees[/\\][^/\\]+)[/\\][^/\\]+(?=[/\\]|$)"
)
_HOME = re.compile(r"/(?:home|Users)/[^/]+|/root|[A-Z]:\\Users\\[^\\]+", re.IGNORECASE)
_WSL = re.compile(r"[/\\]{2}wsl(?:\$|\.localhost)[/\\][^/\\]+(?=[/\\]|$)", re.IGNORECASE)
_DRIVE = re.compile(r"(?:([A-Za-z]):|/mnt/([a-z]))(?=[/\\]|$)")
_IN_REPOSITORY = {"claude", "git", None}  # tools whose worktrees lie in the repository even where that is a home


def repository_folder(folder: str) -> str:
    """Return the folder of its project that a folder stands for, in its one spelling; others stay as they are."""
    for _ in range(MOST_STEPS):  # what is left of one worktree may lie in another
        folder, former = of_worktree(spelled(folder)), folder
        if folder == former:
            break
    return folder


def of_worktree(folder: str) -> str:
    """Return the folder in its repository that a folder in a worktree stands for; any other folder as it is."""
    if "worktrees" not in folder:
        return folder
    inside, apart = _INSIDE.search(folder), _APART.search(folder)
    if apart and inside and _away(folder, inside):
        kept = apart["place"] + apart["rest"] if apart["place"] else apart["other"]
        return folder[: apart.start()] + kept  # a folder below it is one of the repository
    if inside is None or _away(folder, inside):
        return folder
    return folder[: inside.start()] + folder[inside.end() :] or folder


def _away(folder: str, inside: re.Match[str]) -> bool:
    """Return True if the tool keeps the worktrees of all repositories there, in the home of its user."""
    return inside["tool"] not in _IN_REPOSITORY and bool(_HOME.fullmatch(folder[: inside.start()]))


def spelled(folder: str) -> str:
    """Return a folder in the one spelling that it has, however a tool wrote it; what is no whole path stays."""
    if wsl := _WSL.match(folder):
        folder = folder[wsl.end() :].replace("\\", "/") or "/"
    if drive := _DRIVE.match(folder):
        below = re.split(r"[/\\]+", folder[drive.end() :].strip("/\\"))
        return f"{(drive[1] or drive[2]).upper()}:\\" + "\\".join(below)
    if not folder.startswith("/"):
        return folder
    lead = "//" if folder.startswith("//") and not folder.startswith("///") else "/"  # POSIX leaves two to the system
    return lead + re.sub(r"/+", "/", folder.strip("/"))
