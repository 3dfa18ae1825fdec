"""Judge a file before its first line is read: a format knows it, or it is empty, unrecognised or refused.

A file that is not recognised costs one bounded look, and another when it has grown enough to tell more. It is never
complete: see `Fate`.
"""

from __future__ import annotations

import os
from dataclasses import replace

from importer.protocol.fates import Fate
from importer.protocol.records import Checkpoint, FileStat, HeadPrint
from importer.reading import recognition, tail
from importer.sources import archives

ALWAYS_BYTES = 1024 * 1024  # a file up to this size is looked at whenever it has changed: some milliseconds
GROWTH = 1.5  # a larger one when it has grown so much
SIGNATURES = {
    b"\x1f\x8b": "packed with gzip: unpack it first",
    b"BZh": "packed with bzip2: unpack it first",
    b"\xfd7zXZ\0": "packed with xz: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it first",
    b"SQLite format 3\0": "an SQLite database of a program that is not known",
    b"%PDF-": "a PDF document",
    b"\xff\xfe": "text in UTF-16: write it in UTF-8 first",
    b"\xfe\xff": "text in UTF-16: write it in UTF-8 first",
    b"\x89PNG\r\n\x1a\n": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x7fELF": "a program",
}
UNKNOWN = "no format knows it; --source FORMAT=PATH names one"
PACKED = "no format knows it; --source FORMAT=PATH of the ZIP archive names one for all that is in it"
NOTHING_IN_IT = "a ZIP archive without conversations: no JSON is in it, in which tools export them"


def judge(fd: int, stat: FileStat, known: Checkpoint, named: str, max_line_bytes: int) -> Checkpoint:
    """Return the checkpoint of a file whose format is not known yet: with its format, or with a fate. Raises OSError.

    `named` is the format its root has, or `auto`. A fate comes with the file's size and times, so that only a change
    brings it back.
    """
    opening = os.pread(fd, max(map(len, SIGNATURES)), 0)
    if opening.startswith(archives.MAGIC):
        return _archive(known, stat)
    reason = next((what for sign, what in SIGNATURES.items() if opening.startswith(sign)), "")
    if reason:
        return fated(known, stat, Fate.REFUSED, reason)
    format_ = named if named != "auto" else recognition.recognise(fd, max_line_bytes)
    if format_:
        return replace(known, format=format_, fate="", reason="")
    judged = replace(known, head=tail.head_print(fd, stat.size))
    if recognition.is_blank(fd):
        return fated(judged, stat, Fate.EMPTY, "")
    return fated(judged, stat, Fate.UNRECOGNISED, PACKED if archives.split(stat.path) else UNKNOWN)


def _archive(known: Checkpoint, stat: FileStat) -> Checkpoint:
    """Return the checkpoint of a ZIP archive that is read as a file: nothing in it can be a conversation, or opened."""
    if not archives.is_archive(stat.path):
        return fated(known, stat, Fate.REFUSED, "a ZIP archive: name it .zip, or unpack it first")
    if problem := archives.KNOWN.listing(stat.path).problem:
        return fated(known, stat, Fate.REFUSED, problem)
    return fated(known, stat, Fate.UNRECOGNISED, NOTHING_IN_IT)


def fated(known: Checkpoint, stat: FileStat, fate: Fate, reason: str) -> Checkpoint:
    """Return the checkpoint of a file that nothing is imported of as it stands now."""
    times = {"size": stat.size, "mtime_ns": stat.mtime_ns, "ctime_ns": stat.ctime_ns}
    return replace(known, path=stat.path, fate=fate, reason=reason, **times)  # type: ignore[arg-type]


def unopened(stat: FileStat, reason: str) -> Checkpoint:
    """Return the checkpoint of a file that cannot be opened: tried again by each look, for no time is claimed.

    Of a damaged archive one is, as trying again is of no use. Nor does its digest vouch for anything, so that it is
    read as a new file once it can be.
    """
    empty = HeadPrint(0, tail.digest(b""))
    place = (stat.path, stat.device, stat.inode, 0, 0, empty, b"", stat.size, stat.mtime_ns)
    ctime_ns = stat.ctime_ns if archives.is_final(reason) else 0
    return Checkpoint(*place, ctime_ns, format="", fate=Fate.REFUSED, reason=reason)


def is_worth_a_look(known: Checkpoint, stat: FileStat, named: str) -> bool:
    """Return True if a look may tell more than the last one: the file is small, has grown much, or was written anew.

    So may one that was asked for (`ctime_ns` is 0), and one by a named format.
    """
    if known.fate != Fate.UNRECOGNISED or named != "auto" or known.ctime_ns == 0 or stat.size <= ALWAYS_BYTES:
        return True
    rewritten = stat.size < known.size or (stat.size == known.size and stat.mtime_ns != known.mtime_ns)
    return rewritten or stat.size >= GROWTH * known.size
