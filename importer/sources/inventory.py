"""Take stock of the assistants on this machine: which keep conversations here, how many, how large, how new.

Names, sizes and times alone are looked at; no conversation is opened. Assistants whose store cannot be read are named
too, with the reason, so that a person does not wait for their conversations.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from importer import formats
from importer.protocol.system.plain import plain
from importer.sources import archives
from importer.sources.scan import EXPORT

# Places below the home of assistants that are not read, and why.
UNSUPPORTED = {
    "windsurf": (".codeium/windsurf/cascade", "its files are encrypted"),
}
_tilde = re.compile(r"(\A|,[ \t]*)~(?=/|,|\Z)")
MOST_LISTED_CHARS = 4_000_000
MOST_ENTRIES = 200_000  # of one place that are looked at


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place of an assistant that is there. `newest` is UTC seconds, 0.0 for none; `reason`: why it is not read.

    `expiring` is how many files the assistant deletes within days that are not imported yet.
    """

    name: str
    place: str
    files: int
    bytes: int
    newest: float
    supported: bool
    enabled: bool
    reason: str = ""
    expiring: int = 0


def take(places: Iterable[tuple[str, str]], disabled: Collection[str], home: str) -> list[FoundPlace]:
    """Return the places that are there: those of formats, given as name and path, then those that cannot be read."""
    found = [_found(name, path, name not in disabled) for name, path in places if os.path.exists(path)]
    for name, (below, reason) in UNSUPPORTED.items():
        path = f"{home}/{below}"
        if os.path.exists(path):
            files, size, newest = _counted(path, lambda _: True)
            found.append(FoundPlace(name, path, files, size, newest, supported=False, enabled=False, reason=reason))
    return found


def known_places(environ: Mapping[str, str], home: str, off: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return the places of every format, by its name: absolute, each once.

    Some tools list further places in a file of their own (`ELSEWHERE`: its name below a root, and what reads it). It is
    not opened for a format that is `off`.
    """
    given, found = at_home(environ, home), list[tuple[str, str]]()
    for name in formats.names():
        format_ = formats.load(name)
        places = format_.roots(given, home)
        listed = getattr(format_, "ELSEWHERE", None)
        further = [one for path in places for one in _listed(path, *listed)] if listed and name not in off else []
        found += ((name, os.path.abspath(path)) for path in (*places, *further))
    return list(dict.fromkeys(found))


def _listed(place: str, name: str, read: Callable[[str], Iterable[str]]) -> list[str]:
    """Return the places that a tool's own file lists; none where it is not there, or says nothing that can be read."""
    try:
        with open(f"{place}/{name}", encoding="utf-8", opener=plain) as file:
            return list(read(file.read(MOST_LISTED_CHARS)))
    except (OSError, ValueError, RecursionError):
        return []


def at_home(environ: Mapping[str, str], home: str) -> dict[str, str]:
    """Return variables in which `~` stands for the home, also in lists: units and editors pass it on as it is."""
    return {name: _tilde.sub(lambda found: found[1] + home, value) for name, value in environ.items()}


def _found(name: str, path: str, enabled: bool) -> FoundPlace:
    """Count the conversations at a place."""
    wanted: Callable[[bytes], bool] = lambda _: True  # noqa: E731
    if name != "auto":
        judge = formats.load(name).wanted
        packed = judge(EXPORT)
        wanted = lambda below: judge(below) or (packed and archives.is_archive(below))  # noqa: E731
    return FoundPlace(name, path, *_counted(path, wanted), supported=True, enabled=enabled)


def _counted(path: str, wanted: Callable[[bytes], bool]) -> tuple[int, int, float]:
    """Return the number, the size and the newest time of the wanted files at a place."""
    files, size, newest = 0, 0, 0.0
    for below, stat in _walk(os.fsencode(path)):
        if not below or wanted(below):
            files, size, newest = files + 1, size + stat.st_size, max(newest, stat.st_mtime)
    return files, size, newest


def _walk(top: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    """Yield each file below a place by its relative path, or the place if it is a file; links are passed over."""
    if os.path.isfile(top):
        yield b"", os.stat(top)
        return
    pending, seen = [top], 0
    while pending and seen < MOST_ENTRIES:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    seen += 1
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        yield entry.path[len(top) :].lstrip(b"/"), entry.stat(follow_symlinks=False)
        except OSError:  # unreadable, or gone meanwhile: `importer doctor` tells
            continue
