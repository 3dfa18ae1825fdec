"""Folders below the roots that are to be watched: a list kept up to date without walking everything again.

Folders are watched one by one. Asked to watch recursively, watchfiles follows links out of the root (a single link to
`..` gave 2,760 watches), is silent about the limit it has hit when told to pass over unreadable folders, and misses
what is created in a new folder before its watch stands. Links are not looked through: what lies behind them is found
by the rescan.
"""

from __future__ import annotations

import os
import stat as modes
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from importer.sources.databases.borrowed import main_file
from importer.sources.files import TICK_NS
from importer.sources.patterns import matcher
from importer.sources.scan import Root


@dataclass(frozen=True, slots=True)
class _Known:
    """Folder as it was listed; it is listed again when its identity or its time has changed.

    `unwatchable`: unreadable, or itself named not in UTF-8. `undecodable`: holds a name that is not UTF-8.
    """

    device: int
    inode: int
    mtime_ns: int
    unwatchable: bool = False
    undecodable: bool = False


class FolderTree:
    """Folders of some roots. Never raises OSError.

    `skip_undecodable`: pass over folders that hold a name which is not UTF-8, for an event at it has ended the watch.
    """

    def __init__(self, roots: Sequence[Root], *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._roots = {root.path.rstrip(b"/") or b"/": matcher(root.exclude) for root in roots}
        self._present: dict[bytes, tuple[int, int]] = {}
        self._known: dict[bytes, _Known] = {}
        self._now_ns = now_ns
        self.skip_undecodable = False

    @property
    def roots(self) -> frozenset[bytes]:
        """The roots that exist, as far as known."""
        return frozenset(self._present)

    def watchable(self, without: Iterable[bytes] = ()) -> list[bytes]:
        """Return every folder to watch, but for the roots `without` and the folders below them."""
        skipped = tuple(without)
        return [
            path
            for path, known in self._known.items()
            if not (known.unwatchable or (known.undecodable and self.skip_undecodable))
            and not any(_within(path, root) for root in skipped)
        ]

    def concerns(self, path: bytes) -> bool:
        """Return True if an event's path lies below a root. A root that is a file has others in its folder."""
        path = main_file(path)  # what is written to a database stands in the log beside it first
        return any(path == root or (root in self._known and _below(path, root)) for root in self._present)

    def check_roots(self) -> frozenset[bytes]:
        """Look at the roots alone, and return those that have appeared or are another folder than before."""
        fresh = set()
        for root in self._roots:
            identity = _identity(root)
            if identity == self._present.get(root):
                continue
            self._drop(root)
            self._present.pop(root, None)
            if identity:
                self._present[root] = identity
                fresh.add(root)
        return frozenset(fresh)

    def refresh(self, only: Iterable[bytes] | None = None) -> frozenset[bytes]:
        """Look at the time of every known folder (or of some), list the changed ones, return the new folders."""
        fresh: set[bytes] = set()
        for path in list(self._known if only is None else only):
            known = self._known.get(path)
            if known is None:
                continue  # below one that has just been dropped
            found = _stat(path, root=path in self._present)
            # gone, or another folder by that name: what was known below it is worth nothing
            if found is None or (found.st_dev, found.st_ino) != (known.device, known.inode):
                self._drop(path)
            if found and (path not in self._known or found.st_mtime_ns != known.mtime_ns):
                fresh |= self._list(path)
        for root, identity in self._present.items():
            top = os.path.dirname(root) if identity == _A_FILE else root
            if top not in self._known:
                fresh |= self._list(top)
        return frozenset(fresh)

    def relist(self) -> frozenset[bytes]:
        """List everything anew, trusting no time, and return the folders that are new."""
        former = set(self._known)
        self._known.clear()
        return self.refresh() - former

    def add_folders(self, paths: Iterable[bytes]) -> frozenset[bytes]:
        """Return the new folders among these paths of events, and those below them."""
        fresh: set[bytes] = set()
        for path in paths:
            if path not in self._known and self._descended(os.path.dirname(path)):
                found = _stat(path, root=False)
                if found and not self._excluded(path):
                    fresh |= self._list(path)
        return frozenset(fresh)

    def remove(self, path: bytes) -> bool:
        """Drop a path that was deleted or moved away; return True if it was a root (see `check_roots`)."""
        self._drop(path)
        return self._present.pop(path, None) is not None

    def _drop(self, path: bytes) -> None:
        """Forget a folder that was deleted or moved away, and all below it."""
        if self._known.pop(path, None):
            for below in [known for known in self._known if _below(known, path)]:
                del self._known[below]

    def _list(self, top: bytes) -> set[bytes]:
        """List a folder and the unknown ones below it; return those that were unknown."""
        fresh = set()
        pending = [top]
        while pending:
            path = pending.pop()
            if path not in self._known:
                fresh.add(path)
            self._known[path], names = _listed(path, self._now_ns())
            if self._descended(path):
                below = [os.path.join(path, name) for name in names]
                pending += [path for path in below if path not in self._known and not self._excluded(path)]
        return fresh

    def _descended(self, path: bytes) -> bool:
        """Return True if the folders in this one belong to a root; those beside a root that is a file do not."""
        return path in self._known and any(_within(path, root) for root in self._present)

    def _excluded(self, path: bytes) -> bool:
        """Return True if all the roots that hold the path exclude it."""
        matches = [(root, match) for root, match in self._roots.items() if _below(path, root)]
        return all(match is not None and match(path[len(root.rstrip(b"/")) + 1 :]) for root, match in matches)


_A_FILE = (0, 0)  # a root that is a file may be replaced as often as it likes: its folder is watched


def _below(path: bytes, folder: bytes) -> bool:
    """Return True if a path lies strictly below a folder."""
    return path.startswith(folder.rstrip(b"/") + b"/")


def _within(path: bytes, folder: bytes) -> bool:
    """Return True if a path is the folder itself or lies below it."""
    return path == folder or _below(path, folder)


def _stat(path: bytes, *, root: bool) -> os.stat_result | None:
    """Return the stat of a folder, through no link but a root's own; None if there is none."""
    try:
        found = os.stat(path, follow_symlinks=root)
    except OSError:
        return None
    return found if modes.S_ISDIR(found.st_mode) else None


def _identity(root: bytes) -> tuple[int, int] | None:
    """Return (device, inode) of a root, which may be a link; `_A_FILE` for no folder; None if it is absent."""
    try:
        found = os.stat(root)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if modes.S_ISDIR(found.st_mode) else _A_FILE


def _listed(path: bytes, now_ns: int) -> tuple[_Known, list[bytes]]:
    """Return the folder as it is now, and the names of the folders in it."""
    device, inode, mtime_ns = 0, 0, 0
    try:
        found = os.stat(path)
        device, inode = found.st_dev, found.st_ino
        if now_ns - found.st_mtime_ns > TICK_NS:  # else it may change again and bear the same time
            mtime_ns = found.st_mtime_ns
        names, folders = _names(path)
    except OSError:
        return _Known(device, inode, 0, unwatchable=True), []
    undecodable = not all(map(is_text, names))
    return _Known(device, inode, mtime_ns, unwatchable=not is_text(path), undecodable=undecodable), folders


def _names(path: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the names in a folder, and those of them that are folders. Raises OSError."""
    with os.scandir(path) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    return [name for name, _ in found], [name for name, is_folder in found if is_folder]


def is_text(name: bytes) -> bool:
    """Return True if a name is UTF-8; watchfiles ends with an error at any other."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
