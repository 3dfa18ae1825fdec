"""Look up on the disk which project a folder belongs to: the root of its git repository, or what `.project_root` names.

A look is bounded (some `lstat` a folder, each folder once in a while) and never leaves local file systems, for a server
that is away would hold up the import. What was found is kept in the state for good: worktrees are deleted, and their
conversations, read again, must give the same. So a project does not depend on when its file is read.

    worktree of a repository   `.git` is a file: "gitdir: <repository>/.git/worktrees/<name>"
    folder of a repository     `.git` is a folder, here or above; a home itself is no project
    marked folder              `.project_root` stands here or above; a path in it is the project
    transcript without folder  Gemini CLI keeps `.project_root` with the project's path beside its chats, VS Code
                               `workspace.json`, which tells it as a URL

Where the file system does not tell capital letters from small ones, a folder is named as its disk names it; one that is
gone, of a system that mostly does not, as it was named first.
"""

from __future__ import annotations

import os
import re
import stat
import time
import urllib.parse
from collections.abc import Callable, Iterator

from importer.sources import mounts
from importer.state.folders import FolderProjects

Spelling = Callable[[str], str]
FRESH_S = 600.0  # a folder without a repository may become one
MOST_FOLDERS = 4096  # looked up lately
MOST_LEVELS = 40
MOST_BYTES = 4096  # read of a file that names a path; PATH_MAX
MARK, GIT, WINDOW = ".project_root", ".git", "workspace.json"
_HOME = re.compile(r"/|/root|/(?:home|Users)(?:/[^/]+)?")
_WORKTREE = re.compile(r"(.+)/worktrees/[^/]+/*")
_WSL = frozenset({"9p", "drvfs"})  # how WSL mounts the drives of Windows
_ANY_CASE = re.compile(r"[a-z]:\\|/users/", re.IGNORECASE)  # folders of Windows and macOS


class Repositories:
    """The projects of folders. `spelling` gives the project that a folder's path alone tells, `known` is the state."""

    def __init__(
        self,
        spelling: Spelling,
        known: FolderProjects,
        *,
        read_mounts: Callable[[], str] = mounts.read_mounts,
        clock: Callable[[], float] = time.monotonic,
        home: str = "",
    ) -> None:
        self._spelling, self._known, self._read_mounts, self._clock = spelling, known, read_mounts, clock
        self._home = home or os.path.expanduser("~")
        self._looked: dict[tuple[str, bytes], tuple[float, str]] = {}
        self._mounts = (-FRESH_S, "")

    def project_of(self, folder: str, path: bytes = b"") -> str:
        """Return the project of a folder that the transcript at `path` names, which may be "" or a mere name."""
        key = (folder, b"" if folder.startswith("/") else os.path.dirname(path))
        now_s = self._clock()
        at_s, project = self._looked.get(key, (-FRESH_S, ""))
        if now_s - at_s >= FRESH_S:
            while len(self._looked) >= MOST_FOLDERS:
                self._looked.pop(next(iter(self._looked)))
            project = self._look(*key)
            self._looked[key] = (now_s, project)
        return project

    def _look(self, folder: str, beside: bytes) -> str:
        """Return the project as the disk has it, else as it had it before, else as the path alone tells it."""
        told = self._spelling(folder)
        name = folder if folder.startswith("/") else os.fsdecode(beside)
        if "\0" in name or not _is_text(name + told) or not name.startswith("/"):
            return self._named_first(told) if _is_text(told) and "\0" not in told else told
        found = self._on_disk(folder) if folder.startswith("/") else self._beside(name)
        if not found:
            return self._known.get(name) or self._named_first(told)
        if found not in {told, self._known.get(name)}:
            self._known.put(name, found)
        return found

    def _on_disk(self, folder: str) -> str:
        """Return the project of a folder by the nearest mark at or above it, "" without any."""
        levels, told = [*self._local(folder)], self._spelling(folder)
        for level in reversed(levels):
            if level == self._home or _HOME.fullmatch(level):
                break
            if root := _marked(level) or _repository(level):
                return self._spelled_here(as_named(root) if root == level else root)
        if levels and (named := as_named(levels[-1])) != levels[-1]:
            folder = "/".join((named, *[part for part in folder.split("/") if part][len(levels) :]))
        here = self._spelled_here(folder)
        return here if here != told and os.path.lexists("/".join(folder.split("/")[:3])) else ""

    def _named_first(self, folder: str) -> str:
        """Return a folder that is not on this disk as it was spelled first, where letters' case tells nothing."""
        if not _ANY_CASE.match(folder) or os.path.lexists(folder):
            return folder
        key = f"any case: {folder.casefold()}"
        former = self._known.get(key)
        if not former:
            self._known.put(key, folder)
        return former or folder

    def _beside(self, folder: str) -> str:
        """Return what the mark near a transcript's folder names: beside its chats, or beside those of its parent."""
        levels = [*self._local(folder)][-3:]
        marks = (root for level in reversed(levels) for root in (_path_in(f"{level}/{MARK}"), _window_of(level)))
        named = next(filter(None, marks), "")
        return self.project_of(named) if named else ""

    def _spelled_here(self, folder: str) -> str:
        """Return the project that a path tells; /mnt/d is no drive of Windows where this machine has it itself."""
        drive = re.match(r"/mnt/[a-z](?=/|$)", folder)
        if drive is None or mounts.file_system(os.fsencode(drive[0]), self._mounted()) in _WSL:
            return self._spelling(folder)
        return folder.rstrip("/") or "/"

    def _local(self, folder: str) -> Iterator[str]:
        """Yield the levels of a folder that exist, from the root on, as far as they are on local file systems."""
        level = ""
        for part in [part for part in folder.split("/") if part][:MOST_LEVELS]:
            level = f"{level}/{part}"
            if part in {".", ".."} or self._is_remote(level):
                return
            try:
                is_link = stat.S_ISLNK(os.lstat(level).st_mode)
                if is_link and self._is_remote(os.path.normpath(os.path.join(level, "..", os.readlink(level)))):
                    return
            except OSError:
                return
            yield level

    def _is_remote(self, folder: str) -> bool:
        """Return True if a look at the folder may have to wait for another machine."""
        path, mounted = os.fsencode(folder), self._mounted()
        return bool(mounts.remote(path, mounted)) or mounts.file_system(path, mounted) == "autofs"

    def _mounted(self) -> str:
        """Return the mounts of this process, as they were a while ago."""
        now_s = self._clock()
        if now_s - self._mounts[0] >= FRESH_S:
            self._mounts = (now_s, self._read_mounts())
        return self._mounts[1]


def as_named(
    path: str,
    *,
    look: Callable[[str], os.stat_result] = os.lstat,
    names: Callable[[str], list[str]] = os.listdir,
) -> str:
    """Return the path of a folder that exists with each part spelled as it is on the disk.

    A folder is listed only where its file system takes a name in other letters for the same one.
    """
    level = ""
    for part in path.strip("/").split("/"):
        try:
            is_alike = os.path.samestat(look(f"{level}/{part}"), look(f"{level}/{part.swapcase()}"))
            listed = names(level or "/") if is_alike and part.swapcase() != part else [part]
        except OSError:
            listed = [part]
        alike = [name for name in listed if name.casefold() == part.casefold()]
        level = f"{level}/{part if part in alike or not alike else alike[0]}"
    return level


def _marked(level: str) -> str:
    """Return the project of a folder with a mark: the path that stands in it, else the folder; "" without one."""
    mark = f"{level}/{MARK}"
    return _path_in(mark) or level if _is_file(mark) else ""


def _repository(level: str) -> str:
    """Return the repository that a folder is the root of, or a worktree of; "" for any other folder."""
    place = f"{level}/{GIT}"
    if not _is_file(place):
        return level if os.path.lexists(place) else ""
    directory = _path_in(place, prefix="gitdir:", base=level)
    found = _WORKTREE.fullmatch(directory)
    if found is None or f"/{GIT}/" in found[1]:  # a submodule, or a worktree of one
        return level
    git = found[1]
    return os.path.dirname(git) if os.path.basename(git).startswith(".") else git  # .git, .bare; else a bare one


def _small(file: str) -> str:
    """Return the text of a small regular file, "" where there is none."""
    if not _is_file(file):
        return ""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            return os.read(descriptor, MOST_BYTES).decode("utf-8", "replace").strip()
        finally:
            os.close(descriptor)
    except OSError:
        return ""


def _path_in(file: str, *, prefix: str = "", base: str = "") -> str:
    """Return the whole path in the first line of a small regular file, "" where there is none."""
    line = _small(file).partition("\n")[0]
    if not line.startswith(prefix) or "\0" in line:
        return ""
    named = line.removeprefix(prefix).strip()
    whole = os.path.normpath(os.path.join(base, named)) if base and named else named
    return whole if whole.startswith("/") or re.match(r"[A-Za-z]:[/\\]", whole) else ""


def _window_of(level: str) -> str:
    """Return the folder of this machine that a window of VS Code had open, whose chats lie below; "" for others."""
    text = _small(f"{level}/{WINDOW}") if level.rpartition("/")[0].endswith("/workspaceStorage") else ""
    found = re.search(r'"folder"\s*:\s*"file://(/[^"\\]*)"', text)
    folder = urllib.parse.unquote(found[1]) if found else ""
    return "" if "\0" in folder else re.sub(r"\A/(?=[A-Za-z]:/)", "", folder)


def _is_file(path: str) -> bool:
    """Return True for a regular file, and for no link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_text(name: str) -> bool:
    """Return False for a name that no database takes as text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
