"""Reconcile every file of the roots with its checkpoint; events are only hints.

An event puts its file in front without asking for its stat; a look puts behind the others each file that differs from
its row. A file that either misses is found by the next look, so neither need be complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from importer import formats
from importer.log import RateLimited, logger
from importer.protocol.fates import Fate
from importer.protocol.records import FileStat
from importer.sources import archives, scan
from importer.sources.databases import borrowed, tables
from importer.sources.files import look as look_at
from importer.sources.queue import NAMED, FileQueue, Pending
from importer.sources.scan import Folder, Root
from importer.state.checkpoints import Checkpoints, KnownFile

log = logger()

MOST_HINTED = 4096  # files of one wake that are looked at without a yield to the loop
SWEEP_S = 86_400.0
LATE_S = 1.0  # until a database that was being written is hinted at again
YIELD_FILES = 2000  # files looked at before a yield to the loop: some 20 ms


@dataclass(slots=True)
class Reconcile:
    """Comparison of files with their checkpoints, which fills the queue.

    `errors` are folders that could not be listed, `files` is how many files there are.
    """

    checkpoints: Checkpoints
    queue: FileQueue
    follow_links: bool = False
    keep_s: float = 400 * 86_400.0  # how long the row of a vanished file is kept
    clock: Callable[[], float] = time.time
    files: int = 0
    errors: dict[bytes, str] = field(default_factory=dict)
    _swept_at: float = 0.0
    _in_pieces: bytes = b""  # the large folder that was last given in several parts
    on_late: Callable[[], None] = lambda: None  # called when something has been hinted at again
    _late: set[bytes] = field(default_factory=set)  # databases to hint at again
    _failures: RateLimited = field(default_factory=lambda: RateLimited(log))

    async def look(
        self, roots: Sequence[Root], on_yield: Callable[[], None], *, elsewhere: bool = False, named: bool = False
    ) -> int:
        """Compare all files of the roots and return how many there are. `on_yield` is called at each yield to the loop.

        `elsewhere`: compare also the files outside the roots that are to be read once more. `named`: a person has named
        the roots, so their files go ahead of the backlog.
        """
        if not self.queue:
            archives.KNOWN.release()  # what was unpacked last is read, and takes room on the disk
            tables.KNOWN.release()
        self.queue.overflowed = False  # set again if this look finds more than there is room for
        self.errors = {}
        seen = scan.Visited()
        files = since_yield = 0
        for root in roots:
            for folder in scan.scan(root, wanted(root), follow_links=self.follow_links, seen=seen):
                self._compare(root, folder, NAMED if named else 0)
                files += len(folder.files)
                since_yield += len(folder.files) + 1
                if since_yield >= YIELD_FILES:
                    since_yield = 0
                    on_yield()
                    await asyncio.sleep(0)
        files += self._look_elsewhere(roots) if elsewhere else 0
        self.files = files
        if not self.errors:
            self._failures.recovered("folder.unreadable")
        if not self.errors and abs(self.clock() - self._swept_at) >= SWEEP_S:
            self._swept_at = self.clock()
            self._sweep(roots)
        return files

    def _look_elsewhere(self, roots: Sequence[Root]) -> int:
        """Queue the files outside the roots that are to be read once more; return how many there are.

        Their roots are not known: of their paths `include` is compared with the names alone.
        """
        paths = self.checkpoints.again(lambda path: any(root.holds(path) for root in roots))
        for path in paths:
            with contextlib.suppress(OSError):
                self.queue.backlog(pending(Root(os.path.dirname(path)), look_at(path)))
        return len(paths)

    def _sweep(self, roots: Iterable[Root]) -> None:
        """Mark the files of vanished folders, which no look comes by, and delete rows of files gone long ago.

        Below a root that is not there nothing has vanished: its disk may come back.
        """
        for root in roots:
            if os.path.isdir(root.path):
                for folder in self.checkpoints.folders(root.path):
                    if not os.path.lexists(folder) and archives.split(folder + b"/") is None:
                        self._mark_gone(Folder(folder, ()), self.checkpoints.folder(folder))
        if forgotten := self.checkpoints.forget_files(self.clock() - self.keep_s):
            log.info("files.forgotten", files=forgotten)
            self.checkpoints.shrink()

    def hint(self, roots: Sequence[Root], paths: Iterable[bytes]) -> None:
        """Queue first the files that stand at the paths of an event.

        A database that is being written, or was listed so shortly before that it must rest, is hinted at again soon.
        """
        hinted = 0
        for path in {borrowed.main_file(path): None for path in paths}:
            root = next((root for root in roots if root.holds(path)), None)
            if root is None:
                continue
            for folder in scan.look(root, path, wanted(root), follow_links=self.follow_links):
                if borrowed.is_called_database(path) and (folder.error or tables.KNOWN.is_stale(path)):
                    self._hint_later(roots, path)
                for stat in self._hinted(root, folder):
                    self.queue.live(pending(root, stat))
                hinted += len(folder.files)
                if hinted >= MOST_HINTED:  # a large tree was moved in: a full look yields to the loop
                    self.queue.overflowed = True
                    return

    def _hint_later(self, roots: Sequence[Root], path: bytes) -> None:
        """Hint at a database again after a second, and wake the loop up then."""
        if not self._late:
            asyncio.get_running_loop().call_later(LATE_S, self._hint_again, roots)
        self._late.add(path)

    def _hint_again(self, roots: Sequence[Root]) -> None:
        late, self._late = self._late, set()
        self.hint(roots, late)
        self.on_late()

    def _hinted(self, root: Root, folder: Folder) -> Iterable[FileStat]:
        """Return the files that an event may mean: of the many conversations of a database, those that differ."""
        if not borrowed.is_called_database(folder.path):
            return folder.files
        known = self.checkpoints.folder(folder.path)
        return (stat for stat in folder.files if behind(stat, known.get(os.path.basename(stat.path)), root.format))

    def _compare(self, root: Root, folder: Folder, slices: int) -> None:
        """Queue the files of a folder that are behind, and mark those that vanished.

        A root that is absent is waited for, so only a folder that cannot be read is an error.
        """
        if folder.error and os.path.lexists(root.path):
            self.errors[folder.path] = folder.error
            self._failures.failed("folder.unreadable", path=folder.path, reason=folder.error)
        known = self.checkpoints.folder(folder.path)
        for stat in folder.files:
            if behind(stat, known.get(os.path.basename(stat.path)), root.format):
                self.queue.backlog(pending(root, stat), slices)
        if len(folder.files) >= scan.PIECE_FILES:
            self._in_pieces = folder.path
        # neither a piece of a large folder nor a root that is one file tells what is gone beside it
        if not folder.error and folder.path != self._in_pieces and root.holds(folder.path):
            self._mark_gone(folder, known)

    def _mark_gone(self, folder: Folder, known: dict[bytes, KnownFile]) -> None:
        """Let the rows of vanished files age from now on, and those of returned ones no more."""
        there = {os.path.basename(stat.path) for stat in folder.files}
        gone = [name for name, row in known.items() if name not in there and not row.gone]
        back = [name for name, row in known.items() if name in there and row.gone]
        if gone:
            self.checkpoints.mark_gone(folder.path, gone)
        if back:
            self.checkpoints.mark_gone(folder.path, back, gone=False)


def pending(root: Root, stat: FileStat) -> Pending:
    """Return the entry of the queue for a file."""
    return Pending(stat.path, root.path, root.format, stat.size, stat.mtime_ns)


def behind(stat: FileStat, known: KnownFile | None, named: str = "auto") -> bool:
    """Return True if a file must be looked into: unknown, or not as it was when it was read to its end.

    So must a file that no format knew, if its root is `named` one now.
    """
    if known is None or (known.fate == Fate.UNRECOGNISED and named != "auto"):
        return True
    if stat.size == tables.SIZE_UNKNOWN:  # nor is the time of its contents: the other one tells every change
        return (known.ctime_ns, known.device, known.inode) != (stat.ctime_ns, stat.device, stat.inode)
    seen = (known.size, known.mtime_ns, known.ctime_ns, known.device, known.inode)
    return seen != (stat.size, stat.mtime_ns, stat.ctime_ns, stat.device, stat.inode)


def wanted(root: Root) -> Callable[[bytes], bool]:
    """Return a test of paths below the root: those the root's format wants, or any format for `auto`."""
    names = formats.names() if root.format == "auto" else (root.format,)
    judges = [formats.load(name).wanted for name in names]
    if len(judges) == 1:
        return judges[0]
    return lambda relative: any(judge(relative) for judge in judges)
