"""What the browser asks for: rows of a list or of a search, and the text of a conversation, in parts.

Nothing here knows of a screen. A `Shelf` belongs to one thread, as its database does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from importer.assistants.registry import WayBack, way_back
from importer.cli import conversation_view
from importer.cli.hits_view import CUT, DOTS, worth
from importer.errors import StateError, UsageError
from importer.protocol import clock
from importer.protocol.foreign.quoting import line
from importer.protocol.projects import last_part
from importer.protocol.query import KINDS, ROLES
from importer.protocol.units import counted
from importer.service.ask import Asker
from importer.service.conversations import shared
from importer.service.conversations.library import Library, spot_of
from importer.service.conversations.values import Opened, Spot

FILTERS = ("project", "source", "since", "until", "branch", "file", "tool", "model", "host", "role", "kind")
KNOWN = {"role": ROLES, "kind": KINDS}
MOST_ROWS = 200
OLDER = "; words and filters reach older ones"
MOST_HITS = 50
SAID_CHARS = 120  # of a hit in the list
AROUND = 20  # turns before and after a hit
MOST_CHARS = 200_000  # of a conversation on the screen


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """One conversation of the list: where it leads, what it is called, when and where; `bar` and `said` of a hit."""

    spot: Spot
    title: str
    about: str
    said: str = ""
    bar: str = ""


@dataclass(frozen=True, slots=True)
class ShelfPage:
    """A conversation as coloured text, in parts: before the turn of the hit, that turn, and what comes after."""

    parts: tuple[str, str, str]
    way: WayBack


def filters(text: str) -> dict[str, str]:
    """Return the filters that a line such as `project:infra since:tuesday` means. Raises UsageError for others."""
    found: dict[str, str] = {}
    for word in text.split():
        name, colon, value = word.partition(":")
        if not colon or name not in FILTERS:
            raise UsageError(f"{word!r} is no filter", hint=f"{':… '.join(FILTERS)}:…")
        if name in KNOWN and value and value not in KNOWN[name]:
            raise UsageError(f"there is no {name} {value!r}", hint=", ".join(KNOWN[name]))
        found |= {name: value} if value else {}
    since, until = clock.span(found.pop("since", ""), found.pop("until", ""))
    return {**found, **({"since": since} if since else {}), **({"until": until} if until else {})}


class Shelf:
    """The conversations of one state, as the browser shows them."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    @cached_property
    def _library(self) -> Library:
        """The library, opened by the thread that asks first."""
        return Library(self._asker)

    def rows(self, text: str, line_of_filters: str) -> tuple[list[ShelfRow], str]:
        """Return the rows for what is typed, and what to say of them. Raises what the answer is refused with."""
        chosen: dict[str, Any] = filters(line_of_filters)
        if not text.strip():
            found = [_listed(one) for one in self._library.recent(limit=MOST_ROWS, **chosen)]
            return (
                found,
                f"{_counted(found)}, the newest first{OLDER * (len(found) == MOST_ROWS)}"
                if found
                else "no conversation passes",
            )
        told = self._asker.ask("search", text=text.strip(), limit=MOST_HITS, **chosen)
        if not told["hits"] or told["near"] == "nothing":
            return [], "nothing close was found" if told["hits"] else "nothing was found"
        rows = _found(told["hits"])
        return rows, f"{_counted(rows)}, the best first" + (": no sure match" * (told["near"] == "weak"))

    def page(self, spot: Spot, *, whole: bool) -> ShelfPage:
        """Return a conversation around a hit, or whole. Raises UsageError where nothing is stored of it."""
        opened = self._library.open(spot)
        at = max(opened.at, 0)
        first, last = (0, len(opened.turns)) if whole else (max(0, at - AROUND), at + AROUND + 1)
        shown = list(conversation_view.pages(opened, opened.turns[first:last], first))
        # The head, and a line for what is left out, stand before the turns.
        marked = len(shown) - len(opened.turns[first:last]) - (last < len(opened.turns)) + at - first
        parts = ("".join(shown[:marked]), shown[marked], "".join(shown[marked + 1 :]))
        return ShelfPage(_bounded(parts), _way(opened))

    def share(self, spot: Spot) -> str:
        """Write a conversation as Markdown, secrets masked, into this folder, for its user alone; return the path.

        Raises UsageError where nothing is stored of it, StateError where the folder takes no file.
        """
        opened = self._library.open(spot, redacted=True)
        name = f"conversation-{re.sub(r'[^A-Za-z0-9]+', '', opened.conversation)[:8]}.md"
        try:
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # never over a file that is there
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(shared.markdown(opened, opened.turns))
        except OSError as error:
            raise StateError(f"{name} cannot be written: {error.strerror}") from error
        return os.path.abspath(name)

    def renew(self) -> None:
        """Read the state anew from now on, as after a command has changed it."""
        if (library := self.__dict__.pop("_library", None)) is not None:
            library.checkpoints.close()


def _counted(rows: Sequence[ShelfRow]) -> str:
    """Return how many conversations there are, in words."""
    return counted(len(rows), "conversation")


def _listed(one: Any) -> ShelfRow:
    """Return the row of a conversation in a list."""
    about = (clock.ago(one.last) or clock.shown(one.last), last_part(one.project), one.source)
    return ShelfRow(Spot(one.id), line(one.title or one.id), "  ".join(line(part) for part in about if part))


def _found(hits: Sequence[Mapping[str, Any]]) -> list[ShelfRow]:
    """Return a row for each conversation of an answer, with its best passage; those far from the best are left out."""
    best, rows = max(map(worth, hits)), {}
    for hit in hits:
        known, share = hit["metadata"], worth(hit) / best if best > 0 else 1.0
        name = str(known.get("conversation_id") or hit["id"])
        if name in rows or share < CUT:
            continue
        full = max(1, round(share * DOTS))
        when = str(known.get("timestamp", ""))
        about = (clock.ago(when) or clock.shown(when), str(known.get("project_name", "")), str(known.get("source", "")))
        said = (hit.get("passage") or {}).get("text") or hit["document"]
        title = str(known.get("title") or known.get("project_name") or name)
        bar = "●" * full + "○" * (DOTS - full)
        rows[name] = ShelfRow(
            spot_of(hit), line(title), "  ".join(line(one) for one in about if one), _beginning(line(said)), bar
        )
    return list(rows.values())


def _beginning(text: str) -> str:
    """Return as much of a text as a row has room for."""
    return text if len(text) <= SAID_CHARS else text[: SAID_CHARS - 1] + "…"


def _bounded(parts: tuple[str, str, str]) -> tuple[str, str, str]:
    """Return parts that a screen can hold: of what comes before the end, of the others the beginning."""
    before, marked, after = parts
    cut = "\n… the rest: `importer open`\n"
    before = before if len(before) <= MOST_CHARS else "…" + before[-MOST_CHARS:].partition("\n")[2]
    return (
        before,
        marked if len(marked) <= MOST_CHARS else marked[:MOST_CHARS] + cut,
        after if len(after) <= MOST_CHARS else after[:MOST_CHARS].rpartition("\n")[0] + cut,
    )


def _way(opened: Opened) -> WayBack:
    """Return how to go on with a conversation."""
    folder = opened.cwd if opened.cwd.startswith("/") else ""
    return way_back(opened.source, opened.conversation, folder, opened.path)
