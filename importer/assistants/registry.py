"""Find the way to go on with a conversation in its own tool, and the tools that begin one with a text.

An id comes from a file, which a stranger may have written: one that a program could take for an option is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from importer.assistants.known import WAYS, Way
from importer.protocol.foreign.quoting import typed

SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class WayBack:
    """The way to go on with a conversation: a `command` to be run in `folder`, or a `page`, or `why` there is none."""

    command: tuple[str, ...] = ()
    folder: str = ""
    page: str = ""
    why: str = ""

    @property
    def words(self) -> str:
        """What to type in a shell, or the address to open; "" for none."""
        if not self.command:
            return self.page
        command = " ".join(map(typed, self.command))
        return f"cd {typed(self.folder)} && {command}" if self.folder else command


def way_back(source: str, conversation: str, folder: str = "", path: str = "") -> WayBack:
    """Return how to go on with a conversation that was held in a folder, and is kept at a path ("" if unknown)."""
    way = _of(source, path)
    name = way.take(conversation) if SAFE_ID.fullmatch(conversation) else ""
    if not SAFE_ID.fullmatch(name) or not (way.resume or way.page):
        return WayBack(why=way.why)
    if way.page:
        return WayBack(page=way.page.format(id=name))
    return WayBack(_typed(way.program, way.resume, id=name), folder)


def _of(source: str, path: str) -> Way:
    """Return what is known of a format, or of the product whose conversations are at a path."""
    way = WAYS.get(source, Way(why="it is not known"))
    return next((other for part, other in way.at if part in path.replace("\\", "/")), way)


def beginners() -> dict[str, str]:
    """Return the programs that begin a conversation with a text, those tried first, with their arguments."""
    return {way.program: way.begin for way in WAYS.values() if way.begin}


def begun(program: str, text: str) -> tuple[str, ...]:
    """Return the command that begins a conversation with a text in one of the `beginners`."""
    return _typed(program, beginners()[program], text=text)


def _typed(program: str, arguments: str, **given: str) -> tuple[str, ...]:
    """Return a command; what is given stands in one argument, even if it has spaces or braces."""
    return (program, *(one.format(**given) for one in arguments.split()))
