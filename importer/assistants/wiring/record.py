"""Keep the note of what was written into assistants' settings: durable before the thing itself is done.

A kill between the two leaves at most a note about something that never happened. A note that cannot be read any more is
told and set aside; our entries are then known by the program that they start.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from importer.assistants.wiring import files
from importer.protocol import failpoints

NAME = "installed.json"  # in the state directory
SERVICE = "service"  # stands in the note beside the paths when the service was installed, too
HOME = "state"  # the same for the folders of the state itself
ASIDE = ".damaged"


@dataclass(frozen=True, slots=True)
class Written:
    """What was done to one file: `created` where it was not there, `folders` are those made for it, outermost first.

    `done` is False from the note until the file was written; `of` names the place, "" for a skill.
    """

    inserted: str
    created: bool = False
    folders: tuple[str, ...] = ()
    done: bool = True
    of: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """All that was written, by path; `damaged` says why the note could not be read, "" if it could."""

    written: Mapping[str, Written]
    damaged: str = ""

    @property
    def files(self) -> dict[str, Written]:
        """What was done to files, by path."""
        return {path: one for path, one in self.written.items() if path not in {SERVICE, HOME}}


def read(state_dir: str) -> Note:
    """Return the note; an empty one where there is none."""
    path = os.path.join(state_dir, NAME)
    try:
        text = files.read(path)
        return Note({}) if text is None else Note(_decoded(text))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return Note({}, f"{path} cannot be read: {error or type(error).__name__}")


def _decoded(text: str) -> dict[str, Written]:
    """Return what a note says. Raises ValueError and the like for one that is damaged."""
    found = dict[str, Written]()
    for path, one in json.loads(text).items():
        folders = tuple(one.get("folders", ()))
        if not isinstance(one["inserted"], str) or not all(isinstance(folder, str) for folder in folders):
            raise ValueError(f"what it says of {path} is no note of ours")
        done, of = bool(one.get("done", True)), str(one.get("of", ""))
        found[path] = Written(one["inserted"], bool(one["created"]), folders, done, of)
    return found


def note(state_dir: str, path: str, written: Written) -> None:
    """Note what is about to be done to a file, beside what was noted before; folders once made by us stay noted."""
    found = read(state_dir)
    if found.damaged:
        set_aside(state_dir)
    known = {HOME: _home(state_dir, found), **found.written}
    former = known.get(path, Written(""))
    known[path] = replace(written, folders=tuple(dict.fromkeys([*former.folders, *written.folders])))
    os.makedirs(state_dir, 0o700, exist_ok=True)
    _write(state_dir, known)
    failpoints.hit("wiring.noted")


def drop(state_dir: str, path: str) -> None:
    """Take a file out of the note; the note goes with its last, and so do folders that were made for any of them."""
    found = read(state_dir)
    if found.damaged:
        set_aside(state_dir)
        return
    known = {name: one for name, one in found.written.items() if name != path}
    gone, home = found.written.get(path, Written("")), _home(state_dir, found)
    standing = [folder for folder in gone.folders if os.path.isdir(folder)]  # another file of ours may lie in it
    home = known[HOME] = replace(home, folders=tuple(dict.fromkeys([*home.folders, *standing])))
    if len(known) > 1:
        _write(state_dir, known)
        return
    remove_folders(home.folders)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(state_dir, NAME))
    files.swept(os.path.join(state_dir, NAME))
    remove_folders(home.folders)


def _home(state_dir: str, found: Note) -> Written:
    """Return the note of folders that were made for the state itself, also by a first note that a kill cut short."""
    if HOME in found.written:
        return found.written[HOME]
    path = os.path.join(os.path.abspath(state_dir), NAME)
    made = files.missing_folders(path)
    for text in files.left_beside(path):
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            made += _decoded(text).get(HOME, Written("")).folders
    return Written("", folders=tuple(made))


def set_aside(state_dir: str) -> None:
    """Move a damaged note out of the way."""
    path = os.path.join(state_dir, NAME)
    os.replace(path, path + ASIDE)


def remove_folders(folders: tuple[str, ...]) -> None:
    """Remove folders, the innermost first; those in which something lies stay."""
    for folder in sorted(folders, key=len, reverse=True):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _write(state_dir: str, known: Mapping[str, Written]) -> None:
    """Write the note durably."""
    path = os.path.join(state_dir, NAME)
    files.swept(path)
    text = json.dumps({name: asdict(one) for name, one in known.items()}, indent=1)
    files.replace(path, text, before=files.read(path))


@contextmanager
def alone(state_dir: str) -> Iterator[None]:
    """Have two commands that write settings wait for each other."""
    folder = state_dir
    while folder and not os.path.isdir(folder):
        folder = os.path.dirname(os.path.abspath(folder))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
