"""Check that assistants still have the server that `importer install` gave them, and that its program is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from importer.assistants.wiring import editing, wire
from importer.assistants.wiring.places import NAME, places
from importer.cli.doctor.finding import Finding, Problem, judge


@dataclass(frozen=True, slots=True)
class WiringFacts:
    """The settings files that we wrote to: `lost` lack our server now, of `dead` ones its program is gone."""

    wired: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    found: int = 0


def gather(state_dir: str, environ: Mapping[str, str], home: str) -> WiringFacts:
    """Read the settings files of the assistants that are here."""
    written, here = wire.records(state_dir), [place for place in places(environ, home) if os.path.exists(place.shows)]
    wired, lost, dead = list[str](), list[str](), list[str]()
    for place in here:
        if place.path not in written:
            continue
        program = _program(place.path, place.kind, place.member)
        (lost if program is None else wired if os.path.exists(program) else dead).append(place.path)
    return WiringFacts(tuple(wired), tuple(lost), tuple(dead), len(here))


def _program(path: str, kind: str, member: tuple[str, ...]) -> str | None:
    """Return the program that an assistant starts for us, None where it starts none."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            value = editing.parsed(file.read(), kind)
    except (OSError, UnicodeDecodeError, editing.Unreadable):
        return None
    for name in (*member, NAME):
        value = value.get(name) if isinstance(value, dict) else None  # type: ignore[assignment]
    command = value.get("command") if isinstance(value, dict) else None
    first = command[0] if isinstance(command, list) and command else command
    return first if isinstance(first, str) else None


def check_wiring(facts: WiringFacts) -> Finding:
    """Check what was installed; assistants that were never set up are told, and are no fault."""
    more = facts.found - len(facts.wired) - len(facts.lost) - len(facts.dead)
    fine = f"{len(facts.wired)} assistants have the server" + (
        f"; `importer install` sets up {more} more" if more else ""
    )
    return judge("assistants", fine, _problems(facts))


def _problems(facts: WiringFacts) -> Iterator[Problem]:
    """Yield what an assistant would not find."""
    for path in facts.lost:
        yield Problem(f"{path} has the server no more", "importer install")
    for path in facts.dead:
        yield Problem(f"{path} starts a program that is gone", "importer uninstall; importer install")
