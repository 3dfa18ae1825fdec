"""The folders conversations are read from: are they there, may they be read, and are their changes told?"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from importer.cli.doctor.finding import Finding, Problem, verdict
from importer.sources import scan
from importer.sources.mounts import read_mounts, remote
from importer.sources.reconcile import wanted
from importer.sources.scan import Root

MOST_UNREADABLE = 20  # named; one command repairs them all
SPARE_WATCHES = 1.5  # new projects come, and other programs watch too
LIMITS = "/proc/sys/fs/inotify"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or folder that may not be read, and whose it is (uid)."""

    path: str
    reason: str
    owner: int


@dataclass(frozen=True, slots=True)
class RootFacts:
    """One root. `given`: somebody named it, so it should be there. `remote` is its network file system, "" for none."""

    path: str
    format: str
    given: bool
    there: bool
    files: int = 0
    folders: int = 0
    unreadable: tuple[Unreadable, ...] = ()
    remote: str = ""


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """All roots, who we are, and what the kernel grants for watching (None where it does not say).

    `instance` is why no inotify instance can be had, "" if it can. `mode` is the setting `tail.watch`.
    """

    roots: tuple[RootFacts, ...]
    uid: int
    container: bool
    mode: str
    max_watches: int | None
    max_instances: int | None
    instance: str


def look(roots: Sequence[Root], *, given: bool, mode: str, mounts: Callable[[], str] = read_mounts) -> FolderFacts:
    """The facts of the roots: one walk over each, reading the first byte of no more than it must.

    `given` are roots that somebody named, not the assistants' own folders.
    """
    table = mounts()
    return FolderFacts(
        roots=tuple(_root(root, given, table) for root in roots),
        uid=os.geteuid(),
        container=any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))),
        mode=mode,
        max_watches=_number("max_user_watches"),
        max_instances=_number("max_user_instances"),
        instance=_try_instance(),
    )


def _root(root: Root, given: bool, mounts: str) -> RootFacts:
    """One root, walked once: how many conversations, how many folders to watch, and what may not be read."""
    path = os.fsdecode(root.path)
    if not os.path.lexists(root.path):
        return RootFacts(path, root.format, given, there=False)
    files = folders = 0
    closed: list[Unreadable] = []
    for folder in scan.scan(root, wanted(root)):
        folders += 1
        files += len(folder.files)
        if len(closed) < MOST_UNREADABLE:
            closed += _closed(folder)
    kind = remote(os.path.realpath(root.path), mounts)
    return RootFacts(path, root.format, given, True, files, folders, tuple(closed[:MOST_UNREADABLE]), kind)


def _closed(folder: scan.Folder) -> Iterator[Unreadable]:
    """What of a folder may not be read: itself, or files in it. `access` asks for the real user, as a service runs."""
    if folder.error:
        yield _unreadable(folder.path, folder.error)  # then its files are not known
    for stat in folder.files:
        if not os.access(stat.path, os.R_OK):
            yield _unreadable(stat.path, os.strerror(errno.EACCES))


def _unreadable(path: bytes, reason: str) -> Unreadable:
    """With its owner, -1 where even that may not be known: whoever owns it decides what the repair is."""
    try:
        owner = os.stat(path).st_uid
    except OSError:
        owner = -1
    return Unreadable(os.fsdecode(path), reason, owner)


def _number(name: str) -> int | None:
    """A limit of inotify's; None on systems that have no such file, where nothing can be judged."""
    try:
        with open(f"{LIMITS}/{name}", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def _try_instance() -> str:
    """Makes an inotify instance and lets it go; the reason why that cannot be done, "" if it can.

    Asked of libc, because Python has no call for it. An instance is a descriptor, gone when it is closed.
    """
    begin = getattr(ctypes.CDLL(None, use_errno=True), "inotify_init1", None)
    if begin is None:
        return ""  # another kernel, another way of watching
    descriptor = begin(os.O_CLOEXEC)
    if descriptor < 0:
        return os.strerror(ctypes.get_errno())
    os.close(descriptor)
    return ""


def roots(facts: FolderFacts) -> Finding:
    """Every folder somebody named is there, and conversations are found in some.

    The assistants' usual folders need not all be there, but one of them should. A named folder without conversations is
    most likely one level too high or too low, or of another format.
    """
    there = [root for root in facts.roots if root.there]
    files = sum(root.files for root in there)

    def problems() -> Iterator[Problem]:
        for root in facts.roots:
            if root.given and not root.there:
                fix = (
                    f"check the path of --source {root.format}={root.path} (or `sources`); it is waited for until then"
                )
                yield Problem(f"{root.path} is not there", fix)
            elif root.given and not root.files and not root.unreadable:
                fix = f"check that {root.format} conversations are kept there; `auto={root.path}` finds the format"
                yield Problem(f"no {root.format} conversations in {root.path}", fix)
        if not there and not any(root.given for root in facts.roots):
            fix = "name the folders: --source claude-code=PATH, or `sources` in the settings file"
            yield Problem("none of the assistants' usual folders is there", fix)

    return verdict("roots", f"{files:,} conversations in {len(there)} folders", problems())


def permissions(facts: FolderFacts) -> Finding:
    """Everything in the folders may be read by this user, also through a bind mount with other user ids.

    A container sees the numbers of the host's users, not their names: files of user 1000 are closed to its user 10001
    unless it runs as their owner. The error alone would not say that.
    """
    closed = [one for root in facts.roots for one in root.unreadable]

    def problems() -> Iterator[Problem]:
        for one in closed:
            yield Problem(f"{one.path}: {one.reason}", _repair(one, facts))

    return verdict("permissions", f"everything is readable for user {facts.uid}", problems())


def _repair(closed: Unreadable, facts: FolderFacts) -> str:
    """The command that makes it readable: our own file by its mode, another's by running as its owner or by an
    access list, because taking it away from its owner would break the assistant that writes it.
    """
    if closed.owner in (facts.uid, -1):
        return f"chmod -R u+rX {_root_of(closed.path, facts)}"
    if facts.container:
        return f'run the container as their owner: --user {closed.owner} (compose: `user: "{closed.owner}"`)'
    return f"setfacl -R -m u:{facts.uid}:rX {_root_of(closed.path, facts)}, or run as user {closed.owner}"


def _root_of(path: str, facts: FolderFacts) -> str:
    """The root a path is below, so that one command repairs all of it."""
    return next((root.path for root in facts.roots if f"{path}/".startswith(root.path.rstrip("/") + "/")), path)


def inotify(facts: FolderFacts) -> Finding:
    """The kernel's limits leave room for one watch a folder.

    Watches and instances are counted per user, over all programs; editors take thousands. Where they run out, folders
    are polled, which works and costs seconds of delay.
    """
    folders = sum(root.folders for root in facts.roots if not root.remote)
    needed = int(folders * SPARE_WATCHES) + 64  # inotify watches a folder each, not a file

    def problems() -> Iterator[Problem]:
        if facts.instance:
            # Twice what there is: other programs of this user have used it up.
            limit = max(1024, 2 * (facts.max_instances or 128))
            fix = f"sysctl fs.inotify.max_user_instances={limit} (and in /etc/sysctl.d/60-importer.conf)"
            yield Problem(f"no inotify instance can be had: {facts.instance}", fix)
        if facts.max_watches is not None and facts.max_watches < needed:
            fix = (
                f"sysctl fs.inotify.max_user_watches={max(524_288, 2 * needed)} (and in /etc/sysctl.d/60-importer.conf)"
            )
            yield Problem(f"{facts.max_watches} watches for {folders} folders: the rest is polled", fix)

    if facts.mode == "poll":
        return Finding("inotify", True, "not used: tail.watch is poll")
    return verdict("inotify", f"{folders} folders, {facts.max_watches or 'unlimited'} watches", problems())


def watch(facts: FolderFacts) -> Finding:
    """Tell how changes are noticed. Network file systems give no events; their folders are polled, no fault."""
    if facts.mode == "poll":
        return Finding("watch", True, "polled: tail.watch is poll")
    far = ", ".join(f"{root.path} is on {root.remote}" for root in facts.roots if root.remote)
    return Finding("watch", True, f"polled, for {far}" if far else "by events")
