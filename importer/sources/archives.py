"""Open ZIP archives, as exports are downloaded: members that can be conversations are files in their own right.

    /home/ann/export.zip/conversations.json      a path that only this module can open

A member has an identity of its own, made of the archive's inode and its name, and the archive's times. To be read it is
unpacked into a file without a name, a bounded step at a time; the last one is kept until another is opened. A member's
name is never a path that is written to.
"""

from __future__ import annotations

import os
import stat as modes
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, Any

from importer.protocol.records import FileStat
from importer.protocol.system.plain import plain

SUFFIX = b".zip"
MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
TEXTS = (b".json", b".jsonl", b".ndjson")  # looked into where no name says more
DIRECTORY_BYTES = 8 * 1024 * 1024  # of the list of members: some 100,000, and as many bytes of memory
MOST_MEMBERS = 20_000
MEMBER_BYTES = 16 * 1024**3
DENSE_BYTES = 64 * 1024 * 1024  # from this size on a member must not be packed much denser than text can be
DENSEST = 250
STEP_BYTES = 16 * 1024 * 1024  # unpacked in one call: some 100 ms
KEPT_LISTINGS = 64
END, END_64 = b"PK\x05\x06", b"PK\x06\x07"
ENCRYPTED = 1


@dataclass(frozen=True, slots=True)
class ArchiveListing:
    """The members of an archive by name, with their sizes; `problem` says why it cannot be opened."""

    members: dict[bytes, int] = field(default_factory=dict)
    problem: str = ""


@dataclass(slots=True)
class Unpacking:
    """A member on its way into a file without a name; `source` is None once all of it is there."""

    key: tuple[int, ...]
    target: IO[bytes]
    source: Any = None
    archive: Any = None

    def close(self) -> None:
        """Let go of the files."""
        for one in (self.source, self.archive, self.target):
            if one is not None:
                one.close()


class Archives:
    """What is remembered of archives: lists of members, and the one member that is being read.

    `folder` is where members are unpacked, "" for the system's own place.
    """

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        self._listings: OrderedDict[tuple[int, ...], ArchiveListing] = OrderedDict()
        self._member: Unpacking | None = None

    def listing(self, path: bytes) -> ArchiveListing:
        """Return the members of the archive at a path. Never raises for what is in it."""
        try:
            key = _key(os.stat(path))
            if key not in self._listings:
                self._listings[key] = ArchiveListing(_members(path))
        except Exception as error:  # a damaged archive raises what it likes, deep in the library
            return ArchiveListing(problem=_reason(error))
        self._listings.move_to_end(key)
        while len(self._listings) > KEPT_LISTINGS:
            self._listings.popitem(last=False)
        return self._listings[key]

    def unpack(self, path: bytes, member: bytes) -> tuple[int, FileStat] | str:
        """Unpack one step; return a descriptor with its stat once all is there, "" before. Raises OSError."""
        found = os.stat(path)
        stat = _stat(path, found, member, self.listing(path).members.get(member, -1))
        if stat.size < 0:
            raise FileNotFoundError(2, "no such member in the ZIP archive")
        key = (*_key(found), stat.inode)
        if self._member is None or self._member.key != key:
            self.release()
            self._member = _begin(path, member, key, self.folder)
        if self._member.source is not None:
            _step(self._member, stat)
        return (os.dup(self._member.target.fileno()), stat) if self._member.source is None else ""

    def release(self) -> None:
        """Let go of the member that was unpacked last."""
        if self._member is not None:
            self._member.close()
        self._member = None


KNOWN = Archives()  # one for the process: a path alone must be enough to open what it names


def is_archive(path: bytes) -> bool:
    """Return True if a file is called like an archive."""
    return path[-len(SUFFIX) :].lower() == SUFFIX


def split(path: bytes) -> tuple[bytes, bytes] | None:
    """Return the archive that a path leads into, and the name within it; None for any other path."""
    lower, at = path.lower(), 0
    while (at := lower.find(SUFFIX + b"/", at)) >= 0:
        at += len(SUFFIX)
        try:
            found = os.stat(path[:at])
        except (OSError, ValueError):
            return None
        if modes.S_ISREG(found.st_mode):
            return path[:at], path[at + 1 :]
    return None


def stats(path: bytes, found: os.stat_result, wanted: Callable[[bytes], bool]) -> list[FileStat]:
    """Return the members that can be conversations: by their names, or any JSON where none is called like one.

    So may what is in an archive within; it is not opened, but told.
    """
    members = KNOWN.listing(path).members
    names = [name for name in members if wanted(name)] or [name for name in members if name.lower().endswith(TEXTS)]
    names += [name for name in members if is_archive(name)]
    return [_stat(path, found, name, members[name]) for name in names]


def member_stat(path: bytes) -> FileStat | None:
    """Return the stat of a member by its path, None without one. Raises OSError."""
    parts = split(path)
    size = KNOWN.listing(parts[0]).members.get(parts[1]) if parts else None
    return None if parts is None or size is None else _stat(parts[0], os.stat(parts[0]), parts[1], size)


def by_folder(files: Iterable[FileStat]) -> dict[bytes, list[FileStat]]:
    """Return members by the folder that their paths name."""
    folders: dict[bytes, list[FileStat]] = {}
    for stat in files:
        folders.setdefault(os.path.dirname(stat.path), []).append(stat)
    return folders


def _key(found: os.stat_result) -> tuple[int, ...]:
    """Return what tells an archive from others, and from what it was before."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _stat(path: bytes, found: os.stat_result, member: bytes, size: int) -> FileStat:
    """Return the stat of a member: the archive's, but for its size and its identity."""
    digest = sha256(b"%d/%s" % (found.st_ino, member)).digest()
    inode = int.from_bytes(digest[:8], "big") >> 1
    return FileStat(path + b"/" + member, found.st_dev, inode, size, found.st_mtime_ns, found.st_ctime_ns)


def _members(path: bytes) -> dict[bytes, int]:
    """Return the sizes of an archive's members by name. Raises what the library raises."""
    import zipfile  # noqa: PLC0415  (3 MB that only those with archives need)

    with open(path, "rb", opener=plain) as file:
        if _directory_bytes(file) > DIRECTORY_BYTES:
            raise ValueError("it has too many members")
        with zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
        size = file.seek(0, os.SEEK_END)
    if len(infos) > MOST_MEMBERS:
        raise ValueError("it has too many members")
    packed, unpacked = sum(info.compress_size for info in infos), sum(info.file_size for info in infos)
    if packed > size:
        raise ValueError(f"its members claim {packed} bytes of {size}: they overlap")
    if unpacked > max(DENSE_BYTES, DENSEST * size):
        raise ValueError(f"{unpacked} bytes are packed in {size}, which no conversations are")
    return {_name(info): info.file_size for info in infos}


def _directory_bytes(file: IO[bytes]) -> int:
    """Return how long the list of members says it is, at the end of an archive: zipfile would hold all of it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 66_000))
    ending = file.read()
    at = ending.rfind(END)
    if at < 0 or len(ending) < at + 22:
        raise ValueError("it is damaged, or not whole")
    told: int = struct.unpack_from("<L", ending, at + 12)[0]
    far = ending.rfind(END_64, 0, at)
    if told == 0xFFFFFFFF and far >= 0:
        file.seek(struct.unpack_from("<Q", ending, far + 8)[0] + 40)
        told = struct.unpack("<Q", file.read(8))[0]
    return told


def _name(info: Any) -> bytes:
    """Return a member's name as bytes; it may be any text."""
    return str(info.filename).replace("\0", "").encode("utf-8", "surrogateescape")


def _begin(path: bytes, member: bytes, key: tuple[int, ...], folder: str) -> Unpacking:
    """Open a member for unpacking. Raises OSError with the reason if it cannot be."""
    import tempfile  # noqa: PLC0415  (with shutil, bz2 and lzma another 0.6 MB)
    import zipfile  # noqa: PLC0415

    archive = None
    try:
        archive = zipfile.ZipFile(os.fsdecode(path))
        info = next(info for info in reversed(archive.infolist()) if _name(info) == member)
        if problem := _excess(info):
            raise ValueError(problem)
        source = archive.open(info)
        return Unpacking(key, tempfile.TemporaryFile(dir=folder or None), source, archive)
    except Exception as error:
        if archive is not None:
            archive.close()
        raise OSError(0, _reason(error)) from error


def _excess(info: Any) -> str:
    """Return why a member is not unpacked at all, "" if it may be."""
    if info.flag_bits & ENCRYPTED:
        return "it is encrypted"
    if is_archive(_name(info)):
        return "it is in another one"
    dense = info.file_size > DENSE_BYTES and info.file_size > DENSEST * max(1, info.compress_size)
    if info.file_size > MEMBER_BYTES or dense:
        return f"{info.file_size} bytes are packed in {info.compress_size}, which no conversations are"
    return ""


def _step(member: Unpacking, stat: FileStat) -> None:
    """Unpack a bounded number of bytes, and end with the times of the archive. Raises OSError."""
    try:
        block = member.source.read(STEP_BYTES)
    except Exception as error:
        raise OSError(0, _reason(error)) from error
    member.target.write(block)
    if len(block) < STEP_BYTES:
        member.source.close()
        member.archive.close()
        member.source = member.archive = None
        member.target.flush()
        # documents are told to have changed by their size and time
        os.utime(member.target.fileno(), ns=(stat.mtime_ns, stat.mtime_ns))


def is_final(reason: str) -> bool:
    """Return True if a reason tells of the archive itself, so that trying again is of no use before it changes."""
    return reason.startswith("a ZIP")


def _reason(error: BaseException) -> str:
    """Return why an archive cannot be opened, in words that say what it is."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return said if is_final(said) else f"a ZIP archive that cannot be opened: {said}; unpack it first"
