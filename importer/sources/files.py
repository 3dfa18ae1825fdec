"""Open a listed file as what it was listed as: regular, the same inode, through no link, waiting for nothing.

After the opening only the descriptor is asked, never the path: between two questions the path may have become
another file's.

What the file system refuses is a value (`Gone`), because a file may vanish, move or be replaced between scan and open
at any time; that is daily business and no error.
"""

from __future__ import annotations

import os
import stat as modes
from dataclasses import dataclass, replace

from importer.protocol.records import Checkpoint, FileStat
from importer.sources import archives
from importer.sources.databases import tables

TICK_NS = 20_000_000  # file times move in steps of a kernel tick, 10 ms at the coarsest (HZ=100); doubled


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """Regular file open for reading. The caller closes `fd`; `stat` was taken of the descriptor."""

    fd: int
    stat: FileStat


@dataclass(frozen=True, slots=True)
class Gone:
    """File that cannot be had as it was listed, and the reason.

    `transient`: the file stands there but cannot be opened now (descriptors used up, permission, input/output error).
    `more`: it is being unpacked, and the next call goes on with that.
    """

    reason: str
    transient: bool = False
    more: bool = False


def open_file(path: bytes, device: int = 0, inode: int = 0) -> OpenedFile | Gone:
    """Open a regular file for reading; with `inode`, only if it still is that one on that `device`.

    Follows no link in the last component, does not wait for a pipe's writer, never raises for what the file system
    answers.
    """
    try:
        # O_NONBLOCK matters for pipes and devices alone; those are refused below, before anything is read
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except NotADirectoryError as error:
        return _open_member(path, inode) or Gone(error.strerror or str(error))
    except OSError as error:
        return Gone(error.strerror or str(error), transient=not isinstance(error, FileNotFoundError))
    except ValueError as error:  # a NUL in the path
        return Gone(str(error))
    try:
        found = file_stat(path, os.fstat(fd))  # of the descriptor: the listing's stat is of another moment
    except OSError as error:
        os.close(fd)
        return Gone(error.strerror or str(error), transient=True)
    reason = _refusal(fd, found, device, inode)
    if reason:
        os.close(fd)
        return Gone(reason)
    return OpenedFile(fd, found)


def _open_member(path: bytes, inode: int) -> OpenedFile | Gone | None:
    """Open what a path names within an archive or a database; None if it leads into none."""
    archived, told = archives.split(path), tables.split(path)
    try:
        unpacked = archives.KNOWN.unpack(*archived) if archived else tables.KNOWN.tell(*told) if told else None
    except OSError as error:
        return Gone(error.strerror or str(error), transient=not isinstance(error, FileNotFoundError))
    if unpacked is None:
        return None
    if isinstance(unpacked, str):
        return Gone("it is being unpacked", more=True)
    fd, stat = unpacked
    if inode and stat.inode != inode:
        os.close(fd)
        return Gone("replaced since it was listed")
    return OpenedFile(fd, stat)


def look(path: bytes) -> FileStat:
    """Return the stat of a file, or of a member of an archive or database, without opening it. Raises OSError."""
    try:
        return file_stat(path, os.lstat(path))
    except NotADirectoryError:
        member = archives.member_stat(path) or tables.member_stat(path)
        if member is None:
            raise
        return member


def file_stat(path: bytes, found: os.stat_result) -> FileStat:
    """Return the part of a stat that identifies a file and tells its changes apart."""
    return FileStat(path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def settled(stat: FileStat, now_ns: int) -> FileStat:
    """Return the stat for a checkpoint: without its ctime while another write could leave the same times.

    A file written twice within one kernel tick bears the same times after both. A ctime of 0 matches nothing, so such
    a file is verified again at its next visit. `now_ns` is UTC, taken before `stat` was.
    """
    return stat if now_ns - stat.ctime_ns > TICK_NS else replace(stat, ctime_ns=0)


def _refusal(fd: int, found: FileStat, device: int, inode: int) -> str:
    """Return why the open file is not the one that was listed, "" if it is; `inode` 0 checks its kind alone."""
    if not modes.S_ISREG(os.fstat(fd).st_mode):
        return "not a regular file"
    if inode and (found.device, found.inode) != (device, inode):
        return "replaced since it was listed"
    return ""


def is_twin(known: Checkpoint, stat: FileStat) -> bool:
    """Return True if the known file is this one under another name that still exists: a hard link."""
    if known.path in (stat.path, b"") or (known.device, known.inode) != (stat.device, stat.inode):
        return False
    try:
        there = os.lstat(known.path)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (stat.device, stat.inode)
