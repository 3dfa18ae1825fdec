"""File systems whose changes, made elsewhere, give no event here, so that they must be polled."""

from __future__ import annotations

import os
import re

from importer.protocol.system.capabilities import has

MOUNTS = "/proc/self/mountinfo"

# Written to by other machines, or by the host of a virtual machine or container. Disks behind FUSE (fuseblk) are local.
REMOTE = """9p acfs afs beegfs ceph cifs coda fakeowner gfs gfs2 gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs osxfs panfs
prl_fs pvfs2 smb3 smbfs vboxsf virtiofs vmhgfs"""
_REMOTE = frozenset(REMOTE.split())


def remote(path: bytes, mounts: str) -> str:
    """Return the type of the file system of `path` (resolved, existing) if it gives no reliable events, else ""."""
    kind = file_system(path, mounts)
    return kind if kind in _REMOTE or kind.partition(".")[0] == "fuse" else ""


def file_system(path: bytes, mounts: str) -> str:
    """Return the type of the file system of a path, by the text of `/proc/self/mountinfo`; "" if unknown.

    Fields: id, parent, major:minor, root, mount point, options, …, "-", type, source, options (proc(5)).
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        front, _, back = line.partition(" - ")
        fields = front.split(" ")
        if len(fields) > 4 and back:
            point = _unescaped(fields[4]).rstrip(b"/")
            # the later of two mounts on one point lies on top
            if len(point) >= best and (path + b"/").startswith(point + b"/"):
                best, kind = len(point), back.split(" ")[0]
    return kind


def read_mounts() -> str:
    """Return the mounts of this process; "" where the system does not tell (then events are trusted)."""
    if not has("proc"):
        return _told_by_psutil()
    try:
        with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as mounts:
            return mounts.read()
    except OSError:
        return ""


def _told_by_psutil() -> str:
    """Return the mounts in the form of `/proc/self/mountinfo`, as far as psutil tells them."""
    import psutil  # noqa: PLC0415  most systems do without

    try:
        found = psutil.disk_partitions(all=True)
    except (OSError, RuntimeError):
        return ""
    escape = str.maketrans({mark: f"\\{ord(mark):03o}" for mark in " \t\n\\"})
    return "\n".join(f"0 0 0:0 / {one.mountpoint.translate(escape)} - {one.fstype} -" for one in found)


def _unescaped(field: str) -> bytes:
    """Return a mount point with its octal escapes (\\040 for a space) undone."""
    return re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), os.fsencode(field))
