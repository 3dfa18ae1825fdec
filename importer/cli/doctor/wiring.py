"""Check that assistants still have the server that `importer install` gave them, and that its program is there."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer.assistants.wiring import editing, files, hook, record, wire
from importer.assistants.wiring.jsonc import UnreadableSettings
from importer.assistants.wiring.places import AssistantPlace, places
from importer.assistants.wiring.spot import words_of
from importer.cli.doctor.finding import Finding, Problem, judge

WORDS = ("importer", "mcp")  # of an entry that is planned and never written


@dataclass(frozen=True, slots=True)
class WiringFacts:
    """The settings files with our server: those that `lost` it, `dead` ones whose program is gone; the rest is `wired`.

    `more` are the assistants that `importer install` would set up, `unfinished` the files that an interrupted one had
    noted; `damaged` says why the note is unreadable.
    """

    wired: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    damaged: str = ""


def gather(state_dir: str, environ: Mapping[str, str], home: str) -> WiringFacts:
    """Read the settings files of the assistants that are here, set up by `importer install` or by hand."""
    note, here = record.read(state_dir), [place for place in places(environ, home) if os.path.exists(place.shows)]
    wired, lost, dead, more = list[str](), list[str](), list[str](), list[str]()
    hooks = [hook.place_of(place) for place in here if place.assistant == "claude-code"]
    for place in (*here, *hooks):
        words = _words(place)
        if words and not files.can_start(words[0]):
            dead.append(place.path)
        elif words and place.name:
            wired.append(place.path)
        elif not words and place.path in note.files:
            lost.append(place.path)
        elif not words and place.name and wire.planned(place, WORDS, note).text is not None:
            more.append(place.title)
    unfinished = tuple(path for path, one in note.files.items() if not one.done)
    return WiringFacts(tuple(wired), tuple(lost), tuple(dead), tuple(more), unfinished, note.damaged)


def _words(place: AssistantPlace) -> Sequence[str]:
    """Return the command of our entry in an assistant's settings, none where it has no entry of ours."""
    try:
        entry: Any = place.spot.entry_in(editing.parsed(files.read(place.path) or "", place.kind))
    except (OSError, UnicodeError, UnreadableSettings):
        return ()
    if entry is None or not place.spot.ours(entry):
        return ()
    return words_of(entry) if place.name else shlex.split(entry["hooks"][0]["command"])


def check_wiring(facts: WiringFacts) -> Finding:
    """Check what was installed; assistants that were never set up are told, and are no fault."""
    fine = f"{len(facts.wired)} assistants have the server" + (
        f"; `importer install` gives it to {', '.join(facts.more)}" if facts.more else ""
    )
    return judge("assistants", fine, _problems(facts))


def _problems(facts: WiringFacts) -> Iterator[Problem]:
    """Yield what an assistant would not find."""
    if facts.damaged:
        yield Problem(f"{facts.damaged}; what was installed is not known any more", "importer install")
    for path in facts.lost:
        yield Problem(f"{path} has the server no more", "importer install")
    for path in facts.dead:
        yield Problem(f"{path} starts a program that is gone", "importer install")
    for path in facts.unfinished:
        yield Problem(f"an installation was interrupted at {path}", "importer install, or importer uninstall")
