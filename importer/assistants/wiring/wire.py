"""Write our entry into assistants' settings files, and take it out, byte for byte; what was written is kept beside it.

The record is written before each file, so a kill between the two leaves at most a note about something that never
happened. Files are replaced as a whole, through links, with their modes; one that cannot be written is told and left.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from importer.assistants.wiring import editing
from importer.assistants.wiring.places import NAME, Place
from importer.errors import ImporterError

RECORD = "installed.json"  # in the state directory
SERVICE = "service"  # stands in the record beside the paths when the service was installed, too
GONE = "has it no more"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done to one file: `inserted` is "" where nothing is, and `why` says then why not."""

    title: str
    path: str
    inserted: str = ""
    why: str = ""
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What was done to one file: `created` where it was not there, `folders` are those made for it, outermost first."""

    inserted: str
    created: bool = False
    folders: tuple[str, ...] = ()


def planned(place: Place, words: Sequence[str]) -> Change:
    """Return what wiring an assistant would do to its file."""
    try:
        before = _read(place.path)
        _, inserted = editing.with_entry(before or "", place.kind, place.member, NAME, place.entry(words))
    except editing.Unreadable as error:
        return Change(place.title, place.path, why=f"left as it is: {error}")
    except (ImporterError, OSError, UnicodeDecodeError) as error:
        return Change(place.title, place.path, why=f"left as it is: {error}")
    if inserted and not _is_writable(place.path):
        return Change(place.title, place.path, why="left as it is: it is read-only")
    return Change(place.title, place.path, inserted, "" if inserted else "has it already", before)


def planned_file(title: str, path: str, text: str) -> Change:
    """Return what writing a whole file of ours would do; one that is there is left."""
    if os.path.lexists(path):
        return Change(title, path, why="is there already")
    return Change(title, path, text, before=None)


def write(change: Change, place: Place | None, words: Sequence[str], state_dir: str) -> None:
    """Do a change, noted first. Raises OSError."""
    folders = _missing_folders(os.path.dirname(change.path))
    noted = Written(change.inserted, change.before is None, tuple(folders))
    _note(state_dir, {**records(state_dir), change.path: noted})
    for folder in folders:
        os.mkdir(folder, 0o700)
    text = change.inserted
    if place is not None and change.before is not None:
        text, _ = editing.with_entry(change.before, place.kind, place.member, NAME, place.entry(words))
    _replace(change.path, text)


def taken_out(path: str, written: Written) -> tuple[str | None, str]:
    """Return the text of a file without what was written (None: the file goes), and why it is left, "" if it is not."""
    try:
        now = _read(path)
    except (OSError, UnicodeDecodeError) as error:
        return "", f"left as it is: {error}"
    if now is None or (written.inserted not in now and NAME not in now):
        return "", GONE
    if written.created and now == written.inserted:
        return None, ""
    rest = editing.without(now, written.inserted)
    if rest is None:
        return "", f"was changed since: take the server {NAME} out by hand"
    return rest, "" if _is_writable(path) else "left as it is: it is read-only"


def undo(path: str, written: Written, text: str | None, state_dir: str) -> None:
    """Give a file its text back, or remove it with the folders that were made for it; then forget about it."""
    if text is None:
        os.unlink(path)
        for folder in reversed(written.folders):
            try:
                os.rmdir(folder)
            except OSError:
                break  # something else lies in it by now
    else:
        _replace(path, text)
    drop(path, state_dir)


def note_service(state_dir: str) -> None:
    """Note that the service was installed."""
    _note(state_dir, {**records(state_dir), SERVICE: Written("")})


def drop(path: str, state_dir: str) -> None:
    """Take a file out of the record."""
    _note(state_dir, {name: one for name, one in records(state_dir).items() if name != path})


def records(state_dir: str) -> dict[str, Written]:
    """Return what was written, by path; nothing for a record that is not there."""
    try:
        with open(os.path.join(state_dir, RECORD), encoding="utf-8") as file:
            told: dict[str, dict[str, Any]] = json.load(file)
    except (OSError, ValueError):
        return {}
    return {path: Written(one["inserted"], one["created"], tuple(one["folders"])) for path, one in told.items()}


def _note(state_dir: str, records: Mapping[str, Written]) -> None:
    """Write the record; an empty one goes."""
    path = os.path.join(state_dir, RECORD)
    if not records:
        if os.path.exists(path):
            os.unlink(path)
        return
    os.makedirs(state_dir, 0o700, exist_ok=True)
    _replace(path, json.dumps({name: asdict(one) for name, one in records.items()}, indent=1))


def _read(path: str) -> str | None:
    """Return a file's text with its line ends as they are, None where there is none. Raises OSError."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _replace(path: str, text: str) -> None:
    """Write a file as a whole, where a link to it leads, with the mode that it has. Raises OSError."""
    real = os.path.realpath(path)
    mode = stat.S_IMODE(os.stat(real).st_mode) if os.path.exists(real) else 0o600
    descriptor, beside = tempfile.mkstemp(prefix=".importer-", dir=os.path.dirname(real))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, mode)
        os.replace(beside, real)
    except BaseException:
        os.unlink(beside)
        raise


def _is_writable(path: str) -> bool:
    """Return False for a file whose owner may not write it: root could, and must not."""
    try:
        return bool(os.stat(path).st_mode & stat.S_IWUSR) and os.access(path, os.W_OK)
    except FileNotFoundError:
        return True


def _missing_folders(folder: str) -> list[str]:
    """Return the folders that are to be made, the outermost first."""
    missing = list[str]()
    while folder and not os.path.isdir(folder):
        missing.insert(0, folder)
        folder = os.path.dirname(folder)
    return missing
