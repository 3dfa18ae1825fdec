"""Scan roots for files and their stat, a folder at a time; contents are never read.

A failure to list is a value too: a `Folder` with an `error` tells that what is missing from it may well exist.
Links are followed only where they lead to a place below the same root (or everywhere with `follow_links`); hard
links and links to one file are that one file. The memory of a scan grows with folders and links, not with files.
"""

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from importer.protocol.records import FileStat
from importer.sources import archives
from importer.sources.databases import borrowed, tables
from importer.sources.files import file_stat
from importer.sources.patterns import matcher

PathFilter = Callable[[bytes], bool]
Visited = set[tuple[int, int]]  # (device, inode) of what has been visited
PIECE_FILES = 4096  # about 1.5 MB of stats at a time, however many files one folder holds
EXPORT = b"conversations.json"  # a root where exports are wanted is one where they may be archives
PACKED = (b".gz", b".bz2", b".xz")  # of files that are told of, for they cannot be read so
ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # deleted since it was listed, or a link to nothing


@dataclass(frozen=True, slots=True)
class Root:
    """Folder to import from, or a single file. `format` is a format's name or "auto".

    `exclude` are patterns on the path below the root, see `importer.patterns`. `include` is judged where files are
    read: one that it does not name by its path may hold a project that it names, see `importer.selection`.
    """

    path: bytes
    format: str = "auto"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def holds(self, path: bytes) -> bool:
        """Return True if the path is the root's own, or below it."""
        return path == self.path or path.startswith(self.path.rstrip(b"/") + b"/")


@dataclass(frozen=True, slots=True)
class Folder:
    """Matching files directly in a folder; a large one comes in pieces, each with the same `path`.

    With an `error` something is missing from the list (or the whole folder): conclude nothing from absence.
    """

    path: bytes
    files: tuple[FileStat, ...]
    error: str = ""


def scan(
    root: Root, wanted: PathFilter, *, follow_links: bool = False, seen: Visited | None = None
) -> Iterator[Folder]:
    """Yield every folder of the root, with the matching files in it.

    `wanted` judges the path below the root; a root that is a single file is wanted as it is. `seen` collects the files
    that can be met twice (links, hard links): share one between roots. Never raises OSError.
    """
    walk = _Walk(root, wanted, follow_links, set() if seen is None else seen)
    try:
        found = os.stat(root.path)
    except OSError as error:
        yield Folder(root.path, (), _reason(error))
        return
    if modes.S_ISDIR(found.st_mode):
        yield from walk.folders(root.path)
    else:
        yield from walk.single(found)


def look(root: Root, path: bytes, wanted: PathFilter, *, follow_links: bool = False) -> Iterator[Folder]:
    """Yield what an event's path points to: a file, everything below a folder, nothing if it is gone or unwanted.

    What happens to the log of a database happens to the database.
    """
    path = borrowed.main_file(path)
    if path == root.path:
        yield from scan(root, wanted, follow_links=follow_links)
        return
    walk = _Walk(root, wanted, follow_links, set())
    if not walk.holds(path):
        return
    try:
        found = os.lstat(path)
    except OSError as error:
        if error.errno not in ABSENT:
            yield Folder(os.path.dirname(path), (), _reason(error))
        return
    if modes.S_ISDIR(found.st_mode):
        yield from walk.folders(path)
    elif modes.S_ISREG(found.st_mode) and walk.chosen(path):
        yield from walk.file(path, found)


class _Walk:
    """Scan of one root: its rules, and what it has visited.

    Folders are remembered for this scan, to end where links lead in a circle; files for as long as the caller wants,
    since two roots can hold names of the same one.
    """

    def __init__(self, root: Root, wanted: PathFilter, follow_links: bool, seen: Visited) -> None:
        self._root = root
        self._prefix = root.path.rstrip(b"/") + b"/"
        self._real = os.path.realpath(root.path).rstrip(b"/") + b"/"
        self._wanted = wanted
        self._exclude = matcher(root.exclude)
        self._follow = follow_links
        self._files = seen
        self._folders: Visited = set()
        self._archives = wanted(EXPORT)
        self._opened: list[FileStat] = []  # members of archives and databases, which are folders of their own
        self._closed: list[Folder] = []  # databases that cannot be read now

    def single(self, found: os.stat_result) -> Iterator[Folder]:
        """Yield the folder of a root that is itself a file, with any name."""
        path = self._root.path
        if modes.S_ISREG(found.st_mode):
            yield from self.file(path, found)
        else:
            yield Folder(os.path.dirname(path), (), "neither a folder nor a regular file")

    def folders(self, top: bytes) -> Iterator[Folder]:
        """Yield every folder from `top` on, each before those within it."""
        pending = [top]
        while pending:
            path = pending.pop()
            try:
                # through links: by its identity a folder is known on any path that leads to it
                if _first_visit(os.stat(path), self._folders):
                    yield from self._folder(path, pending)
            except OSError as error:
                yield Folder(path, (), _reason(error))

    def _folder(self, path: bytes, pending: list[bytes]) -> Iterator[Folder]:
        """Yield one folder in pieces, and add its subfolders to `pending`. Raises OSError if it cannot be listed."""
        files: list[FileStat] = []
        error = ""
        with os.scandir(path) as entries:
            for entry in entries:
                try:
                    self._entry(entry, files, pending)
                except OSError as failure:
                    error = error if failure.errno in ABSENT else _reason(failure)
                if len(files) == PIECE_FILES:
                    yield Folder(path, tuple(files))
                    files.clear()
        yield Folder(path, tuple(files), error)
        yield from self._members()

    def file(self, path: bytes, found: os.stat_result) -> Iterator[Folder]:
        """Yield the folder of one file, or those of the members of an archive or a database."""
        files: list[FileStat] = []
        self._take(path, found, files)
        if files:
            yield Folder(os.path.dirname(path), tuple(files))
        yield from self._members()

    def _take(self, path: bytes, found: os.stat_result, files: list[FileStat]) -> None:
        """Add a file to a list; of an archive the members that can be conversations instead, if there are any.

        Of a database its conversations, if a format knows it.
        """
        if tables.is_called_so(path) and self._tables(path, found):
            return
        members = archives.stats(path, found, self._wanted) if archives.is_archive(path) else []
        members = [member for member in members if not self._excluded(member.path)]
        self._opened += members
        if not members:
            files.append(file_stat(path, found))

    def _tables(self, path: bytes, found: os.stat_result) -> bool:
        """Note the conversations of a database, or that it cannot be read now; return False for any other file."""
        try:
            members = tables.stats(path, found)
        except OSError as error:
            self._closed.append(Folder(path, (), _reason(error)))
            return True
        self._opened += members or ()
        return members is not None

    def _members(self) -> Iterator[Folder]:
        """Yield the members of the archives and databases that were met, by folder."""
        yield from self._closed
        self._closed = []
        members, self._opened = self._opened, []
        yield from (Folder(folder, tuple(of)) for folder, of in archives.by_folder(members).items())

    def _entry(self, entry: os.DirEntry[bytes], files: list[FileStat], pending: list[bytes]) -> None:
        """Add a file, folder or link to the lists; pass over other kinds. Raises OSError for one that is gone."""
        path = entry.path
        if entry.is_file(follow_symlinks=False):
            if self.chosen(path):
                found = entry.stat(follow_symlinks=False)
                if found.st_nlink > 1:
                    self._add(path, found, files)
                else:
                    self._take(path, found, files)
        elif entry.is_dir(follow_symlinks=False):
            if not self._excluded(path):
                pending.append(path)
        elif entry.is_symlink():
            self._link(path, files, pending)

    def _link(self, path: bytes, files: list[FileStat], pending: list[bytes]) -> None:
        """Follow a link to what this scan would not find otherwise: no chosen file below the root itself."""
        real = os.path.realpath(path)
        inside = real.startswith(self._real)
        own = self._prefix + real[len(self._real) :] if inside else real
        if not (inside or self._follow) or self._excluded(path):
            return
        found = os.stat(own)
        if modes.S_ISDIR(found.st_mode) and not inside:
            pending.append(path)
        elif modes.S_ISREG(found.st_mode) and self.chosen(path) and not (inside and self.chosen(own)):
            self._add(own, found, files)

    def _add(self, path: bytes, found: os.stat_result, files: list[FileStat]) -> None:
        """Add a file that has several names or links, under the first that is found."""
        if _first_visit(found, self._files):
            self._take(path, found, files)

    def chosen(self, path: bytes) -> bool:
        """Return True if the format wants a file at this path and no pattern excludes it."""
        below = path[len(self._prefix) :]
        wanted = self._wanted(_unpacked(below)) or (self._archives and archives.is_archive(below))
        return wanted and not self._excluded(path)

    def holds(self, path: bytes) -> bool:
        """Return True if the path truly lies below the root, not only through a link, and in no excluded folder."""
        if not path.startswith(self._prefix) or self._excluded(path):
            return False
        parent = os.path.dirname(path)
        expected = self._real + parent[len(self._prefix) :]
        return self._follow or os.path.realpath(parent) == expected.rstrip(b"/")

    def _excluded(self, path: bytes) -> bool:
        """Return True for excluded paths; below an excluded folder nothing is listed."""
        return self._exclude is not None and self._exclude(path[len(self._prefix) :])


def _first_visit(found: os.stat_result, seen: Visited) -> bool:
    """Return True once for each file or folder, under any name, and note the visit."""
    key = (found.st_dev, found.st_ino)
    if key in seen:
        return False
    seen.add(key)
    return True


def _reason(error: OSError) -> str:
    """Return the system's message without the path, which stands beside it."""
    return error.strerror or str(error)


def _unpacked(path: bytes) -> bytes:
    """Return the name that a file had before it was packed."""
    return next((path.removesuffix(ending) for ending in PACKED if path.endswith(ending)), path)
