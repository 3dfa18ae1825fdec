"""Write our entry into assistants' settings files, and take it out, byte for byte.

What is to be done is planned from the file as it is, shown, and planned anew from the file as it is when it is done:
a file that changed in between gets our entry into its new content, and is never given back an old one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from importer.assistants.wiring import editing, files, record, skill
from importer.assistants.wiring.files import ChangedMeanwhileError
from importer.assistants.wiring.jsonc import UnreadableSettings
from importer.assistants.wiring.places import AssistantPlace
from importer.assistants.wiring.record import Written
from importer.assistants.wiring.spot import words_of
from importer.errors import ImporterError
from importer.protocol import failpoints

GONE = "has it no more"
HAS = "has it already"
TRIES = 5  # at a file that another program keeps changing


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done to one file: its text before and after, and `inserted`; `why` says why nothing is to be done.

    `text` is None where nothing is written, `before` is None where there is no file. `left` is True for a file that
    should be changed and is not, `whole` for one that is ours as a whole, and comes or goes so.
    """

    title: str
    path: str
    text: str | None = None
    inserted: str = ""
    why: str = ""
    before: str | None = None
    left: bool = False
    renews: bool = False
    whole: bool = False
    of: str = ""


Plan = Callable[[], Change]


def planned(place: AssistantPlace, words: Sequence[str], note: record.Note) -> Change:
    """Return what wiring an assistant would do to its file."""
    change = Change(place.title, place.path, of=place.assistant)
    try:
        before = files.read(place.path)
        text, inserted, why = _revised(before or "", place, words, note)
    except (ImporterError, UnreadableSettings, OSError, UnicodeError) as error:
        return replace(change, why=f"left as it is: {_said(error)}", left=True)
    if why:
        return replace(change, why=why, before=before)
    if locked := files.why_unwritable(place.path):
        return replace(change, why=f"left as it is: {locked}", left=True)
    renews = before is not None and place.spot.entry_in(editing.parsed(before, place.kind)) is not None
    return replace(change, text=text, inserted=inserted, before=before, renews=renews)


def _revised(text: str, place: AssistantPlace, words: Sequence[str], note: record.Note) -> tuple[str, str, str]:
    """Return the text with our entry, what was inserted, and why nothing is to be done, "" if something is."""
    spot, entry, written = place.spot, place.entry(words), note.files.get(place.path)
    standing = spot.entry_in(editing.parsed(text, place.kind))
    if standing is None or not spot.ours(standing):
        return *editing.with_entry(text, spot, entry), ""
    if editing.says(standing, entry):  # where it was interrupted, only the note is brought up to date
        unsettled = note.damaged or (written is not None and not written.done)
        return text, written.inserted if written else "", "" if unsettled else HAS
    if written is None and not note.damaged and place.name and files.can_start(*words_of(standing)[:1]):
        return text, "", f"{HAS}, set up by hand"
    return *editing.renewed(text, spot, entry, written.inserted if written else ""), ""


def _said(error: Exception) -> str:
    """Return what an error says to a person."""
    if isinstance(error, UnicodeError):
        return "it is no UTF-8"
    return str(error.strerror if isinstance(error, OSError) and error.strerror else error)


def planned_skill(title: str, path: str, note: record.Note) -> Change:
    """Return what writing the skill would do; one that a person has changed is left."""
    change, written = Change(title, path, whole=True), note.files.get(path)
    try:
        before = files.read(path)
    except (OSError, UnicodeError) as error:
        return replace(change, why=f"left as it is: {_said(error)}")
    if before == skill.TEXT and not note.damaged and (written is None or written.done):
        return replace(change, why=HAS, before=before)
    if before is not None and not skill.is_ours(before, written.inserted if written else ""):
        return replace(change, why="left as it is: it was changed by hand", before=before)
    if locked := files.why_unwritable(path):
        return replace(change, why=f"left as it is: {locked}")
    return replace(change, text=skill.TEXT, inserted=skill.TEXT, before=before, renews=before is not None)


def write(plan: Plan, state_dir: str) -> Change:
    """Do what is planned at this moment, noted first, and return it. Raises OSError."""
    for _ in range(TRIES):
        change = plan()
        if change.text is None:
            return change
        former = record.read(state_dir).written.get(change.path)
        folders = tuple(files.missing_folders(change.path))
        noted = Written(change.inserted, _creates(change, former), folders, False, change.of)
        record.note(state_dir, change.path, noted)
        try:
            _put(change, folders)
        except ChangedMeanwhileError:
            _unnote(state_dir, change.path, former, folders)
            continue
        except OSError:
            _unnote(state_dir, change.path, former, folders)
            raise
        record.note(state_dir, change.path, replace(noted, done=True))
        return change
    raise OSError(0, "another program keeps changing it")


def _creates(change: Change, former: Written | None) -> bool:
    """Return True if the file is ours alone: it was not there before the first of our writes."""
    ours = former is not None and former.created and (former.done or change.text == change.before)
    return change.whole or change.before is None or ours


def _put(change: Change, folders: Sequence[str]) -> None:
    """Write one file, in folders that are made for it."""
    files.swept(change.path)
    for folder in folders:
        os.mkdir(folder, 0o700)
        failpoints.hit("wiring.folder")
    if change.text != change.before:
        files.replace(change.path, change.text or "", before=change.before)
    failpoints.hit("wiring.written")


def _unnote(state_dir: str, path: str, former: Written | None, folders: tuple[str, ...]) -> None:
    """Forget about a write that did not happen."""
    record.remove_folders(folders)
    if former is None:
        record.drop(state_dir, path)
    else:
        record.note(state_dir, path, former)


def taken_out(path: str, written: Written, place: AssistantPlace | None) -> Change:
    """Return what taking our entry out of a file would do."""
    change = Change(place.title if place else "", path)
    try:
        before = files.read(path)
        text, whole = (None, False) if before is None else _rest(before, written, place)
    except (OSError, UnicodeError, UnreadableSettings) as error:
        return replace(change, why=f"left as it is: {_said(error)}", left=True)
    if before is None or text == before:
        return replace(change, why=GONE, before=before)
    if text is None:
        return replace(change, why="left as it is: it was changed since", left=True, before=before)
    if locked := files.why_unwritable(path):
        return replace(change, why=f"left as it is: {locked}", left=True, before=before)
    return replace(change, text=text, before=before, whole=whole)


def _rest(before: str, written: Written, place: AssistantPlace | None) -> tuple[str | None, bool]:
    """Return a file's text without what is ours, None where it cannot be told, and whether all of it is ours."""
    if place is None or (written.created and before == written.inserted):
        ours = place is not None or skill.is_ours(before, written.inserted)
        return ("" if ours else None), ours
    standing = place.spot.entry_in(editing.parsed(before, place.kind))
    if standing is not None and not place.spot.ours(standing):
        return before, False  # another program's by now
    rest = editing.without(before, place.spot, written.inserted)
    return rest, rest is not None and written.created and editing.says_nothing(rest, place.kind)


def undo(plan: Plan, written: Written, state_dir: str) -> Change:
    """Take out what is ours at this moment, with the folders that were made for it; then forget about it.

    Raises OSError.
    """
    for _ in range(TRIES):
        change = plan()
        files.swept(change.path)
        if change.left:
            return change
        try:
            if change.whole and change.text is not None:
                files.remove(change.path, before=change.before or "")
            elif change.text is not None:
                files.replace(change.path, change.text, before=change.before)
        except ChangedMeanwhileError:
            continue
        failpoints.hit("wiring.undone")
        record.remove_folders(written.folders)
        record.drop(state_dir, change.path)
        return change
    raise OSError(0, "another program keeps changing it")


def lines_by_hand(place: AssistantPlace, words: Sequence[str]) -> list[str]:
    """Return the lines that a person adds to a settings file that was left alone."""
    _, inserted = editing.with_entry("", place.spot, place.entry(words))
    return inserted.splitlines()


def found_without_note(places: Sequence[AssistantPlace]) -> dict[str, tuple[AssistantPlace, Written]]:
    """Return the files that have an entry of ours, by path, for a note that is lost."""
    found = dict[str, tuple[AssistantPlace, Written]]()
    for place in places:
        standing: Any = None
        try:
            standing = place.spot.entry_in(editing.parsed(files.read(place.path) or "", place.kind))
        except (OSError, UnicodeError, UnreadableSettings):
            continue
        if standing is not None and place.spot.ours(standing):
            found[place.path] = (place, Written(""))
    return found
