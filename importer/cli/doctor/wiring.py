"""Check that assistants still have the server that `importer install` gave them, and that its program is there."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from importer.assistants.wiring import editing, files, hook, record
from importer.assistants.wiring.jsonc import UnreadableSettings
from importer.assistants.wiring.places import AssistantPlace, places
from importer.assistants.wiring.spot import words_of
from importer.cli.doctor.finding import Finding, Problem, judge


@dataclass(frozen=True, slots=True)
class WiringFacts:
    """The settings files that we wrote to: `lost` lack our server now, of `dead` ones its program is gone.

    `unfinished` are those that an interrupted `importer install` had noted; `damaged` says why the note is unreadable.
    """

    wired: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    found: int = 0
    unfinished: tuple[str, ...] = ()
    damaged: str = ""


def gather(state_dir: str, environ: Mapping[str, str], home: str) -> WiringFacts:
    """Read the settings files of the assistants that are here."""
    note, here = record.read(state_dir), [place for place in places(environ, home) if os.path.exists(place.shows)]
    wired, lost, dead = list[str](), list[str](), list[str]()
    hooks = [hook.place_of(place) for place in here if place.assistant == "claude-code"]
    for place in (*here, *hooks):
        if place.path not in note.files:
            continue
        program = _program(place)
        if not program or not shutil.which(program):
            (dead if program else lost).append(place.path)
        elif place.name:
            wired.append(place.path)
    unfinished = tuple(path for path, one in note.files.items() if not one.done)
    return WiringFacts(tuple(wired), tuple(lost), tuple(dead), len(here), unfinished, note.damaged)


def _program(place: AssistantPlace) -> str:
    """Return the program that an assistant starts for us, "" where it starts none."""
    try:
        entry: Any = place.spot.entry_in(editing.parsed(files.read(place.path) or "", place.kind))
    except (OSError, UnicodeError, UnreadableSettings):
        return ""
    words = words_of(entry) if place.name or entry is None else shlex.split(entry["hooks"][0]["command"])
    return words[0] if words else ""


def check_wiring(facts: WiringFacts) -> Finding:
    """Check what was installed; assistants that were never set up are told, and are no fault."""
    more = facts.found - len(facts.wired) - len(facts.lost) - len(facts.dead)
    fine = f"{len(facts.wired)} assistants have the server" + (
        f"; `importer install` sets up {more} more" if more > 0 else ""
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
