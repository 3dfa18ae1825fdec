"""Find what `importer install` is about on this machine: the assistants, their skills, and what was written before."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from importer.assistants.wiring import hook, record, skill, wire
from importer.assistants.wiring.places import AssistantPlace, places
from importer.assistants.wiring.record import Written
from importer.assistants.wiring.wire import Change, Plan
from importer.errors import UsageError


@dataclass(frozen=True, slots=True)
class Planned:
    """One file that is to be written or given back: how to plan that anew, the plan as it was shown, and its place.

    `written` is what was noted of it, where it is to be given back.
    """

    plan: Plan
    shown: Change
    place: AssistantPlace | None = None
    written: Written | None = None


def assistants(only: Sequence[str], environ: Mapping[str, str], home: str) -> list[AssistantPlace]:
    """Return the assistants that are here, or those named. Raises UsageError for a name that is none."""
    known = places(environ, home)
    names = {place.assistant for place in known}
    if strange := [name for name in only if name not in names]:
        raise UsageError(f"{strange[0]!r} is no assistant that can be set up", hint=", ".join(sorted(names)))
    return [place for place in known if (place.assistant in only if only else os.path.exists(place.shows))]


def to_write(found: Sequence[AssistantPlace], words: Sequence[str], state_dir: str, *, hooked: bool) -> list[Planned]:
    """Return what setting up these assistants means; a hook only where it is wanted, or was before."""
    claude = next((place for place in found if place.assistant == "claude-code"), None)
    hooks = [hook.place_of(claude)] if claude is not None else []
    wanted = [one for one in hooks if hooked or wire.found_without_note([one])]
    skills = {place.skills: place.title for place in reversed(found) if place.skills}
    plans: list[tuple[AssistantPlace | None, Callable[[record.Note], Change]]] = [
        *((one, partial(wire.planned, one, words)) for one in [*found, *wanted]),
        *(
            (None, partial(wire.planned_skill, f"{title}'s skill", os.path.join(folder, skill.PATH)))
            for folder, title in reversed(skills.items())
        ),
    ]
    return [_planned(place, lambda plan=plan: plan(record.read(state_dir))) for place, plan in plans]  # type: ignore[misc]


def _planned(place: AssistantPlace | None, plan: Plan) -> Planned:
    """Return a plan as it is now."""
    return Planned(plan, plan(), place)


def to_give_back(note: record.Note, environ: Mapping[str, str], home: str, *, unnoted: bool) -> list[Planned]:
    """Return what giving everything back means; with `unnoted` also entries of ours that no note tells of.

    An assistant that has moved its settings since may have taken our entry along: it goes there, too.
    """
    known = places(environ, home)
    known += [hook.place_of(place) for place in known if place.assistant == "claude-code"]
    set_up = {one.of for one in note.files.values()}
    moved = wire.found_without_note([place for place in known if place.assistant in set_up])
    found = {**moved, **{path: (_place_of(path, one, known), one) for path, one in note.files.items()}}
    if unnoted:
        skills = {os.path.join(place.skills, skill.PATH) for place in known if place.skills}
        ours = {path: (None, Written("", created=True)) for path in sorted(skills) if os.path.exists(path)}
        found = {**ours, **wire.found_without_note(known), **found}
    return [_given_back(path, place, one) for path, (place, one) in found.items()]


def _given_back(path: str, place: AssistantPlace | None, written: Written) -> Planned:
    """Return the plan to give one file back."""
    plan = partial(wire.taken_out, path, written, place)
    return Planned(plan, plan(), place, written)


def _place_of(path: str, written: Written, known: Sequence[AssistantPlace]) -> AssistantPlace | None:
    """Return the place that a file was written for, None for a skill; where it lay then may not be where it is now."""
    at_path = next((place for place in known if place.path == path), None)
    named = next((replace(place, path=path) for place in known if written.of == place.assistant), None)
    alike = (replace(place, path=path) for place in known if os.path.basename(place.path) == os.path.basename(path))
    return at_path or named or next(alike, None)
