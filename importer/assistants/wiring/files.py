"""Read and replace settings files as a whole: through links, with their modes, and never over a newer content.

A file is written beside its place under a name of ours and then moved there, so a kill leaves the old or the new one,
and at most that other name, which `swept` removes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile

from importer.protocol import durable, failpoints
from importer.protocol.system.plain import plain

BESIDE = ".importer-"  # what a file is written under before it is moved to its place
FIRST_LINE_BYTES = 256  # of a program: more than any system reads to find its interpreter
MOST_CHARS = 64 * 1024 * 1024  # of a settings file; some assistants keep their history in it


class ChangedMeanwhileError(Exception):
    """The file is not what was read before: to be read and planned again."""


def read(path: str) -> str | None:
    """Return a file's text with its line ends as they are, None where there is none. Raises OSError, UnicodeError.

    A link may lead to a pipe or a device: they are neither waited for nor read, as some have no end.
    """
    try:
        with open(path, encoding="utf-8", newline="", opener=plain) as file:
            text = file.read(MOST_CHARS + 1)
    except FileNotFoundError:
        return None
    if len(text) > MOST_CHARS:
        raise OSError(errno.EFBIG, "it is too large for settings", path)
    return text


def replace(path: str, text: str, *, before: str | None) -> None:
    """Write a file where a link to it leads, with the mode that it has, if it still says what it said `before`.

    Raises ChangedMeanwhileError where it does not, and OSError.
    """
    real = os.path.realpath(path)
    beside = _written_beside(real, text)
    try:
        failpoints.hit("wiring.beside")
        if read(real) != before:
            raise ChangedMeanwhileError
        os.replace(beside, real)
    except BaseException:
        os.unlink(beside)
        raise
    durable.sync(os.path.dirname(real))


def _written_beside(real: str, text: str) -> str:
    """Write a text beside the file that it is for, durably, with that one's mode and owner. Return its path."""
    descriptor, beside = tempfile.mkstemp(prefix=f"{BESIDE}{os.path.basename(real)}-", dir=os.path.dirname(real))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            if os.path.exists(real):
                found = os.stat(real)
                with contextlib.suppress(PermissionError):
                    os.fchown(descriptor, found.st_uid, found.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(found.st_mode))
            file.write(text)
            file.flush()
            durable.sync_descriptor(descriptor)
    except BaseException:
        os.unlink(beside)
        raise
    return beside


def remove(path: str, *, before: str) -> None:
    """Remove a file where a link to it leads, if it still says what it said `before`; the link itself stays.

    Raises ChangedMeanwhileError where it does not, and OSError.
    """
    real = os.path.realpath(path)
    if read(real) != before:
        raise ChangedMeanwhileError
    os.unlink(real)
    durable.sync(os.path.dirname(real))


def swept(path: str) -> None:
    """Remove what a kill left beside a file."""
    with contextlib.suppress(OSError):
        for one in _beside(path):
            os.unlink(one)


def left_beside(path: str) -> list[str]:
    """Return the texts that a kill left beside a file."""
    with contextlib.suppress(OSError, UnicodeError):
        return [read(one) or "" for one in _beside(path)]
    return []


def _beside(path: str) -> list[str]:
    """Return the paths of what a kill left beside a file. Raises OSError."""
    folder, name = os.path.split(os.path.realpath(path))
    return [os.path.join(folder, one) for one in os.listdir(folder) if one.startswith(f"{BESIDE}{name}-")]


def missing_folders(path: str) -> list[str]:
    """Return the folders that are to be made for a file, the outermost first."""
    missing, folder = list[str](), os.path.dirname(os.path.realpath(path))
    while folder and not os.path.isdir(folder):
        missing.insert(0, folder)
        folder = os.path.dirname(folder)
    return missing


def why_unwritable(path: str) -> str:
    """Return why a file is not to be written, "" if it may be: root could, and must not."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return ""
    if not stat.S_ISREG(found.st_mode):
        return "it is no file"
    if not found.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        return "it is read-only"
    if found.st_nlink > 1:
        return "it has other names (hard links), which would stay as they are"
    return ""


def can_start(program: str = "") -> bool:
    """Return True if a program is there, and what its first line names: a script stays when its interpreter is gone."""
    if not (path := shutil.which(program)):
        return False
    try:
        with open(path, "rb", opener=plain) as file:
            first = file.read(FIRST_LINE_BYTES)
    except OSError:
        return True  # it may run, though it cannot be read
    words = first[2:].partition(b"\n")[0].split() if first.startswith(b"#!") else []
    return not words or os.path.exists(words[0])
