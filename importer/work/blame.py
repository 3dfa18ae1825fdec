"""Pure: which actions touched a file, and which of them wrote one of its lines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from importer.work.past import PastAction

LEAST_LINE_CHARS = 4  # of a line that tells who wrote it: a bracket stands everywhere


@dataclass(frozen=True, slots=True)
class AskedFile:
    """A file that is asked for: its path, and below its repository (the base name where there is none)."""

    path: str
    relative: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return os.path.basename(self.path)


@dataclass(frozen=True, slots=True)
class AskedLine:
    """A line that is asked for: its text, and the commit that brought it ("" before the first), with its time."""

    text: str
    commit: str = ""
    at: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Touch:
    """What one conversation did to a file: times are of its first and last action there."""

    first: str
    last: str
    edits: int
    commands: int
    reads: int
    wrote: str

    @property
    def changed(self) -> bool:
        """Whether it may have changed the file."""
        return bool(self.edits or self.commands)


def touch(actions: Iterable[PastAction], target: AskedFile, line: str = "") -> Touch | None:
    """Return what some actions did to a file, None for nothing; `wrote` is when they last wrote that line."""
    times, counts, wrote = list[str](), dict.fromkeys(("edit", "command", "read"), 0), ""
    for one in actions:
        if one.failed is True or not (kind := _touches(one, target)):
            continue
        times.append(one.at)
        counts[kind] += 1
        if kind != "read" and has_line(one.call.written, line):
            wrote = one.at or "?"
    if not times:
        return None
    known = sorted(filter(None, times)) or [""]
    return Touch(known[0], known[-1], counts["edit"], counts["command"], counts["read"], wrote)


def has_line(written: str, line: str) -> bool:
    """Return True if a text that was written has that line, at any indent; a patch's plus is left out."""
    wanted = line.strip()
    if len(wanted) < LEAST_LINE_CHARS or wanted not in written:
        return False
    return any(one.lstrip("+ \t").rstrip() == wanted or one.strip() == wanted for one in written.splitlines())


def order(touch: Touch, line: AskedLine | None) -> tuple[int, float | str]:
    """Return the key that sorts the likely writer of the line first, then newest first (sorted in reverse).

    Of a line that tells nothing, such as a bracket, the commit tells: who changed the file last before it was made.
    """
    if line is not None and touch.wrote:
        before = not line.at or touch.wrote <= line.at
        return (4 if before else 3), touch.wrote
    if line is not None and touch.changed and "" < touch.first <= line.at:
        return 2, touch.last if touch.last <= line.at else touch.first
    return int(touch.changed), touch.last


def _touches(one: PastAction, target: AskedFile) -> str:
    """Return how an action touches the file (edit, command or read), "" if it does not."""
    if any(_is(path, one.cwd, target) for path in one.call.paths):
        return one.call.kind if one.call.kind in ("edit", "read") else "edit"
    command = one.call.command
    if one.call.kind == "command" and target.name in command and _named(command, target):
        return "command"
    return ""


def _is(path: str, cwd: str, target: AskedFile) -> bool:
    """Return True if a path of a call is the file's: here, or in another checkout of its repository."""
    whole = path if os.path.isabs(path) else os.path.normpath(os.path.join(cwd, path))
    whole = whole.replace("\\", "/")
    return whole == target.path or (target.relative != target.name and whole.endswith(f"/{target.relative}"))


def _named(command: str, target: AskedFile) -> bool:
    """Return True if a command names the file as a word: its path, the path below the repository, or its end."""
    words = re.findall(r"[^\s'\"`;|&<>()=]+", command)
    ends = (target.path, target.relative)
    return any(word == end or end.endswith(f"/{word.lstrip('./')}") for word in words for end in ends)
