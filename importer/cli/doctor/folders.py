"""Check the folders of conversations: they exist, they may be read, and their changes are noticed."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from importer import formats
from importer.cli.doctor.finding import Finding, Problem, judge
from importer.protocol.system.capabilities import has, libc
from importer.reading import installed
from importer.sources import scan
from importer.sources.mounts import read_mounts, remote
from importer.sources.reconcile import wanted
from importer.sources.scan import Root

MOST_UNREADABLE = 20  # named in a finding; one command repairs them all
SPARE_WATCHES = 1.5  # new projects come, and other programs watch too
LIMITS = "/proc/sys/fs/inotify"


@dataclass(frozen=True, slots=True)
class UnreadablePath:
    """A file or folder that may not be read, and its owner (uid), -1 if unknown."""

    path: str
    reason: str
    owner: int


@dataclass(frozen=True, slots=True)
class RootFacts:
    """What was found at one root. `given`: the settings name it. `remote` is its network file system, "" for none."""

    path: str
    format: str
    given: bool
    there: bool
    files: int = 0
    folders: int = 0
    unreadable: tuple[UnreadablePath, ...] = ()
    remote: str = ""


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What was found about all roots, this user, and the kernel's limits on watching (None where it tells none).

    `instance` is why no inotify instance can be made, "" if one can. `mode` is the setting `tail.watch`, or `none`
    where the kernel tells of no changes. `refused` are formats of installed packages that cannot be used, and why.
    """

    roots: tuple[RootFacts, ...]
    uid: int
    container: bool
    mode: str
    max_watches: int | None
    max_instances: int | None
    instance: str
    formats: int = 0
    refused: tuple[tuple[str, str], ...] = ()


def gather(roots: Sequence[Root], *, given: bool, mode: str, mounts: Callable[[], str] = read_mounts) -> FolderFacts:
    """Gather the facts of the roots by one walk over each; as few files as possible are opened.

    With `given` the settings name the roots; else they are the assistants' own folders.
    """
    table = mounts()
    return FolderFacts(
        roots=tuple(_root(root, given, table) for root in roots),
        uid=os.geteuid(),
        container=any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))),
        mode=mode if has("events") else "none",
        max_watches=_number("max_user_watches") if has("events") else None,
        max_instances=_number("max_user_instances") if has("events") else None,
        instance=_try_instance(),
        formats=len(formats.names()),
        refused=tuple(sorted(installed.refused.items())),
    )


def _root(root: Root, given: bool, mounts: str) -> RootFacts:
    """Walk one root: count its conversations and the folders to watch, and note what may not be read."""
    path = os.fsdecode(root.path)
    if not os.path.lexists(root.path):
        return RootFacts(path, root.format, given, there=False)
    files = folders = 0
    unreadable: list[UnreadablePath] = []
    for folder in scan.scan(root, wanted(root)):
        folders += 1
        files += len(folder.files)
        if len(unreadable) < MOST_UNREADABLE:
            unreadable += _unreadable_in(folder)
    kind = remote(os.path.realpath(root.path), mounts)
    return RootFacts(path, root.format, given, True, files, folders, tuple(unreadable[:MOST_UNREADABLE]), kind)


def _unreadable_in(folder: scan.Folder) -> Iterator[UnreadablePath]:
    """Yield the folder itself, or the files in it, if they may not be read by the real user of this process."""
    if folder.error:
        yield _with_owner(folder.path, folder.error)  # then its files are not known
    for stat in folder.files:
        if not os.access(stat.path, os.R_OK) and os.path.lexists(stat.path):  # of an archive's member nothing is told
            yield _with_owner(stat.path, os.strerror(errno.EACCES))


def _with_owner(path: bytes, reason: str) -> UnreadablePath:
    """Return an unreadable path with its owner, on which the repair depends."""
    try:
        owner = os.stat(path).st_uid
    except OSError:
        owner = -1
    return UnreadablePath(os.fsdecode(path), reason, owner)


def _number(name: str) -> int | None:
    """Read a limit of inotify; None on systems that have no such file, where nothing can be judged."""
    try:
        with open(f"{LIMITS}/{name}", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def _try_instance() -> str:
    """Make an inotify instance and close it again; return why that failed, or "".

    This calls libc, because Python has no call for it.
    """
    begin = libc("inotify_init1")
    if begin is None or not has("events"):
        return ""  # another kernel watches in another way
    descriptor = begin(os.O_CLOEXEC)
    if descriptor < 0:
        return os.strerror(ctypes.get_errno())
    os.close(descriptor)
    return ""


def check_formats(facts: FolderFacts) -> Finding:
    """Check that the formats of other packages can be used; the others are read all the same."""
    fix = "repair or uninstall the package that brings it; its files wait meanwhile"
    problems = (Problem(f"{module} is no format that can be used: {why}", fix) for module, why in facts.refused)
    return judge("formats", f"{facts.formats} formats", problems)


def check_roots(facts: FolderFacts) -> Finding:
    """Check that every folder in the settings exists and holds conversations.

    Of the assistants' usual folders one should exist. A folder without conversations is most likely one level too high
    or too low, or of another format.
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

    return judge("roots", f"{files:,} conversations in {len(there)} folders", problems())


def check_permissions(facts: FolderFacts) -> Finding:
    """Check that this user may read everything in the folders, also through a bind mount with other user ids.

    A container sees the numbers of the host's users, not their names: its user 10001 may not read files of user 1000
    unless it runs as their owner. The error alone does not tell that.
    """
    unreadable = [one for root in facts.roots for one in root.unreadable]
    problems = [Problem(f"{one.path}: {one.reason}", _repair(one, facts)) for one in unreadable]
    return judge("permissions", f"everything is readable for user {facts.uid}", problems)


def _repair(unreadable: UnreadablePath, facts: FolderFacts) -> str:
    """Return the command that makes a path readable: by its mode, by running as its owner, or by an access list.

    Its owner stays, because the assistant that writes it runs as that user.
    """
    if unreadable.owner in (facts.uid, -1):
        return f"chmod -R u+rX {_root_of(unreadable.path, facts)}"
    if facts.container:
        return f'run the container as their owner: --user {unreadable.owner} (compose: `user: "{unreadable.owner}"`)'
    return f"setfacl -R -m u:{facts.uid}:rX {_root_of(unreadable.path, facts)}, or run as user {unreadable.owner}"


def _root_of(path: str, facts: FolderFacts) -> str:
    """Return the root that a path lies below, so that one command repairs all of it."""
    return next((root.path for root in facts.roots if f"{path}/".startswith(root.path.rstrip("/") + "/")), path)


def check_inotify(facts: FolderFacts) -> Finding:
    """Check that the kernel's limits allow one watch a folder.

    Watches and instances are counted per user, over all programs; editors take thousands. Where they run out, folders
    are polled, which works and delays new lines by seconds.
    """
    folders = sum(root.folders for root in facts.roots if not root.remote)
    needed = int(folders * SPARE_WATCHES) + 64  # inotify watches a folder each, not a file

    def problems() -> Iterator[Problem]:
        if facts.instance:
            # Twice the limit: other programs of this user have used it up.
            limit = max(1024, 2 * (facts.max_instances or 128))
            fix = f"sysctl fs.inotify.max_user_instances={limit} (and in /etc/sysctl.d/60-importer.conf)"
            yield Problem(f"no inotify instance can be made: {facts.instance}", fix)
        if facts.max_watches is not None and facts.max_watches < needed:
            fix = (
                f"sysctl fs.inotify.max_user_watches={max(524_288, 2 * needed)} (and in /etc/sysctl.d/60-importer.conf)"
            )
            yield Problem(f"{facts.max_watches} watches for {folders} folders: the rest is polled", fix)

    if facts.mode == "poll":
        return Finding("inotify", True, "not used: tail.watch is poll")
    if facts.max_watches is None and facts.max_instances is None and not facts.instance:
        return Finding("inotify", True, "not on this system")
    return judge("inotify", f"{folders} folders, {facts.max_watches or 'unlimited'} watches", problems())


def check_watch(facts: FolderFacts) -> Finding:
    """Tell how changes are noticed. Network file systems give no events; their folders are polled, no fault."""
    if facts.mode == "poll":
        return Finding("watch", True, "polled: tail.watch is poll")
    if facts.mode == "none":
        return Finding("watch", True, "polled: this system does not tell of changes")
    far = ", ".join(f"{root.path} is on {root.remote}" for root in facts.roots if root.remote)
    return Finding("watch", True, f"polled, for {far}" if far else "by events")
