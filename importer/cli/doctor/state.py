"""Check the state directory: its owner, its mode, its file system, the database in it, the room that is left."""

from __future__ import annotations

import glob
import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from importer.cli.doctor.finding import Finding, Problem, advise, judge
from importer.consistency import baseline
from importer.errors import StateError
from importer.protocol.fates import Fate
from importer.service.status import drift
from importer.service.status.status import owed
from importer.service.status.store_location import EDGE
from importer.sources import archives
from importer.sources.mounts import read_mounts, remote
from importer.state.checkpoints import Checkpoints
from importer.state.lock import closing_command, shared
from importer.state.open_database import FILE_NAME

FREE_BYTES = 1 << 30  # a model takes 300 MB once, a hundred thousand points some 450 MB
FREE_FILES = 10_000
MOST_NAMED = 20  # files that nothing was imported of


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What was found about the directory, or about the nearest one above it that exists.

    `problem` and `hint` are the words of the error that opening the database gave. `owner` is a uid; `free_files`
    counts inodes, None where there is no limit. `remote` is the type of a network file system, "" for a local one.
    `aside` counts damaged databases that were set aside; `read_only` is how it is mounted; `newest_at` is the time of
    the newest commit (UTC s), 0 for none; `exposed` are files with text of conversations that other users may read,
    `shared` says that they can write here;
    `passed_over` are paths of files that nothing was imported of, with fate and reason; `older` says that files were
    read by a version that noted less of them; `set_aside` counts what is in quarantine;
    `suspicious` are stores that an update of their tool has made hard to read, in words;
    `erasing` counts commands that erase or mask, begun and not done;
    `shrank` is how many points the store had and how many were left, where it lost some.
    """

    path: str
    exists: bool
    uid: int
    owner: int
    mode: int
    writable: bool
    remote: str
    free_bytes: int
    free_files: int | None
    problem: str = ""
    hint: str = ""
    aside: int = 0
    read_only: bool = False
    newest_at: float = 0.0
    exposed: tuple[str, ...] = ()
    shared: bool = False
    passed_over: tuple[tuple[str, str, str], ...] = ()
    older: bool = False
    set_aside: int = 0
    shrank: tuple[int, int] | None = None
    suspicious: tuple[str, ...] = ()
    erasing: int = 0


def gather(path: str, *, mounts: Callable[[], str] = read_mounts) -> StateFacts:
    """Gather the facts of a state directory without making anything.

    For a directory that is not there yet, rights and room are those of the folder it will be made in.
    """
    there = _existing(os.path.abspath(path))
    found, room = os.stat(there), os.statvfs(there)
    where = os.fsencode(os.path.realpath(there))
    return StateFacts(
        path=path,
        exists=os.path.isdir(path),
        uid=os.geteuid(),
        owner=found.st_uid,
        mode=found.st_mode & 0o777,
        writable=os.access(there, os.W_OK | os.X_OK),  # to make files in it takes both
        remote=remote(where, mounts()),
        free_bytes=room.f_bavail * room.f_frsize,  # free for users other than root
        free_files=room.f_favail if room.f_files else None,  # 0 in all: inodes are made as needed, as on btrfs
        aside=_aside(os.path.join(path, FILE_NAME)),
        read_only=bool(room.f_flag & os.ST_RDONLY),
        exposed=_exposed(path),
        shared=os.path.isdir(path) and shared(found),
        **_database(os.path.join(path, FILE_NAME)),
    )


def _existing(path: str) -> str:
    """Return the nearest existing folder at or above a path; a directory made there has its disk and its rights."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _database(path: str) -> dict[str, Any]:
    """Return what the database says of `StateFacts`, or why it cannot be used, and the way out.

    It is read while another process may write it; nothing is migrated or repaired.
    """
    try:
        checkpoints = Checkpoints.peek(path)
        if checkpoints is None:
            return {}
        with checkpoints:
            named = ((os.fsdecode(path), fate, reason) for path, fate, reason in checkpoints.passed_over(MOST_NAMED))
            return {
                "newest_at": checkpoints.newest_commit_at(),
                "passed_over": tuple(one for one in named if os.path.lexists(_on_disk(one[0]))),
                "older": not checkpoints.spoken.is_whole,
                "set_aside": checkpoints.quarantine.count(),
                "shrank": baseline.shrank(checkpoints),
                "erasing": owed(checkpoints),
                "suspicious": tuple(drift.words(one) for one in drift.suspicions(checkpoints.named())),
            }
    except StateError as error:
        return {"problem": error.message, "hint": error.hint}


def _on_disk(path: str) -> bytes:
    """Return the path of a file, or of the archive that it is in."""
    inside = archives.split(os.fsencode(path))
    return inside[0] if inside else os.fsencode(path)


def _aside(path: str) -> int:
    """Count the damaged databases that were set aside, without their logs."""
    return sum(not name.endswith("-wal") for name in glob.glob(f"{glob.escape(path)}.corrupt-*"))


def _exposed(path: str) -> tuple[str, ...]:
    """List the files with conversations that other users may read: no models, and none below a closed folder."""
    if not os.path.isdir(path) or not os.stat(path).st_mode & 0o077:
        return ()
    found = [*glob.glob(f"{glob.escape(path)}/{FILE_NAME}*"), *glob.glob(f"{glob.escape(path)}/{EDGE}/*")]
    return tuple(name for name in sorted(found) if os.lstat(name).st_mode & 0o077)


def check_state(facts: StateFacts) -> Finding:
    """Check that the state is private and writable, on a disk that can lock, and that its database opens.

    SQLite's write-ahead log needs shared memory and the importer an flock: network file systems give neither reliably.
    The text of conversations lies here, so other users may not read it.
    """
    fine = facts.path if facts.exists else f"{facts.path} is made at the first import"
    if facts.older:
        fine += (
            "; an older version read files here, without titles that came late and what lists tell: "
            "`importer rebuild-state` reads them again and embeds nothing twice"
        )
    return judge("state", fine, _problems(facts))


def _problems(facts: StateFacts) -> Iterator[Problem]:
    """Yield the problems of the directory; a read-only mount in place of missing rights, which it would explain."""
    path = facts.path
    if facts.read_only:
        yield Problem(f"{path} is mounted read-only", "mount it writable, or choose another --state-dir")
    elif not facts.writable:
        yield _unwritable(facts)
    if facts.shared:
        yield Problem(f"other users can write to {path}", closing_command(path))
    if facts.exposed:
        yield Problem(f"other users may read {', '.join(facts.exposed)}", f"chmod -R go-rwx {path}")
    if facts.remote:
        fix = "choose a --state-dir on a local disk: locks and the database's log need one"
        yield Problem(f"{path} is on {facts.remote}, a network file system", fix)
    if facts.problem:
        yield Problem(facts.problem, facts.hint)
    yield from _losses(facts)


def _losses(facts: StateFacts) -> Iterator[Problem]:
    """Yield what was lost: points of the store, or databases that were damaged."""
    if facts.shrank:
        before, after = facts.shrank
        fix = "`importer verify` says what is missing; `importer verify --repair` imports it again"
        yield Problem(f"the store shrank from {before:,} points to {after:,}, not by an import", fix)
    if facts.aside:
        fix = f"look at the disk; once it is sound, rm {os.path.join(facts.path, FILE_NAME)}.corrupt-*"
        yield Problem(f"{facts.aside} damaged databases were set aside here", fix)


def _unwritable(facts: StateFacts) -> Problem:
    """Describe a directory that cannot be written. One of another user is most likely a container's volume."""
    if facts.owner != facts.uid:
        detail = f"{facts.path} belongs to user {facts.owner}, this is user {facts.uid}, who may not write there"
        fix = f"chown -R {facts.uid} {facts.path}, or in a container run as its owner: --user {facts.owner}"
        return Problem(detail, fix)
    return Problem(f"{facts.path} is not writable (mode {facts.mode:o})", f"chmod 700 {facts.path}")


def check_passed_over(facts: StateFacts) -> Finding:
    """Check that every file that was found was imported: none is refused, and advise about those unrecognised.

    Other programs keep files in the same folders, so one that no format knows is no fault, and stays what it is.
    """

    def named(fate: Fate, fix: Callable[[str], str]) -> list[Problem]:
        found = [(path, reason) for path, which, reason in facts.passed_over if which == fate]
        return [Problem(f"{path}: {reason}", fix(path)) for path, reason in found]

    refused = named(Fate.REFUSED, lambda path: f"repair or unpack {path}, {_excluded(path)}")
    strange = named(Fate.UNRECOGNISED, lambda path: f"{_recognised(path)}, {_excluded(path)} if it is no conversation")
    finding = judge if refused else advise
    return finding("recognised", "every file that was looked into", refused + strange)


def _excluded(path: str) -> str:
    """Return how a file is left out for good."""
    return f'or exclude = ["{os.path.basename(path)}"] in the settings'


def _recognised(path: str) -> str:
    """Return what to do about a file that no format knows: one is named for it, or for the ZIP archive it is in.

    In an archive by itself there is nothing that could be a conversation: another form of export has them.
    """
    within = archives.split(os.fsencode(path))
    if within is None and archives.is_archive(os.fsencode(path)):
        return f"in place of {path}, ask its tool for an export in JSON (Google Takeout: choose that, not HTML)"
    return f"importer backlog --source {shlex.quote(f'FORMAT={os.fsdecode(within[0]) if within else path}')}"


def check_quarantine(facts: StateFacts) -> Finding:
    """Tell how much is in quarantine, as advice: what is damaged in a file is no fault of this installation."""
    rows = f"could not be imported: {facts.set_aside:,}"
    fix = "importer failures (says why; `retry` tries again, `drop` forgets it)"
    return advise("quarantine", "empty", [Problem(rows, fix)] if facts.set_aside else ())


def check_erasing(facts: StateFacts) -> Finding:
    """Tell of what was to be erased and is not, as advice: a daemon or the next import finishes it by itself."""
    shown = f"{facts.erasing:,} of `forget` or `redact` not done: bytes of what goes are still there"
    fix = "a daemon that runs finishes that; without one, `importer backlog` does"
    return advise("erasing", "nothing is left to be erased", [Problem(shown, fix)] if facts.erasing else ())


def check_drift(facts: StateFacts) -> Finding:
    """Check that what the assistants' newest versions write is understood."""
    fix = "update importer; if it stays, send this line to its maintainers: it holds kinds of records, and no text"
    return judge("drift", "every store is read as before", [Problem(one, fix) for one in facts.suspicious])


def check_disk(facts: StateFacts) -> Finding:
    """Check that there is room for the model, the store and the checkpoints.

    A full disk loses nothing (the import pauses), but then nothing is imported either, while transcripts expire.
    """

    def problems() -> Iterator[Problem]:
        if facts.free_bytes < FREE_BYTES:
            fix = f"make room where {facts.path} is ({FREE_BYTES >> 20} MB at least), or choose another --state-dir"
            yield Problem(f"only {facts.free_bytes >> 20} MB are free", fix)
        if facts.free_files is not None and facts.free_files < FREE_FILES:
            fix = f"delete small files where {facts.path} is, or choose another --state-dir"
            yield Problem(f"only {facts.free_files} files can still be made (inodes)", fix)

    return judge("disk", f"{facts.free_bytes / (1 << 30):.1f} GB free", problems())
