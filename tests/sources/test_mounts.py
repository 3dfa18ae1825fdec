"""mounts: where changes come from elsewhere, events are not waited for."""

from __future__ import annotations

import os

import psutil
import pytest

from importer.sources.mounts import file_system, read_mounts, remote

MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 0:40 / /home rw shared:2 master:3 - nfs4 server:/home rw,vers=4.2
31 30 0:41 / /home/ann/local rw - btrfs /dev/vdb rw
32 27 0:42 / /mnt/with\\040space rw - fuse.sshfs ann@host:/ rw
33 27 0:43 / /mnt/c rw - 9p drvfs rw
34 27 0:44 / /mnt/disk rw - fuseblk /dev/sdb1 rw
35 27 0:45 / /mnt/over rw - ext4 /dev/sdc1 rw
36 35 0:46 / /mnt/over rw - cifs //server/share rw
37 27 0:47 / /mnt/bare rw - fuse bindfs rw
garbage
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/var/x", ""),
        (b"/home/ann/.claude/projects", "nfs4"),
        (b"/home", "nfs4"),
        (b"/homework", ""),
        (b"/home/ann/local/x", ""),
        (b"/mnt/with space/x", "fuse.sshfs"),
        (b"/mnt/c/Users", "9p"),
        (b"/mnt/disk/x", ""),
        (b"/mnt/over/x", "cifs"),  # the later mount lies on top
        (b"/mnt/bare", "fuse"),
    ],
)
def test_the_innermost_mount_decides(path, kind):
    """Only file systems that others write to are remote."""
    assert remote(path, MOUNTS) == kind


def test_without_knowledge_events_are_trusted():
    """Where the system does not tell its mounts."""
    assert remote(b"/home", "") == ""


@pytest.mark.skipif(not os.path.exists("/proc/self/mountinfo"), reason="Linux tells its mounts")
def test_the_mounts_of_this_process_are_understood():
    """The real file, as far as every system has it."""
    assert file_system(b"/proc/self", read_mounts()) == "proc"


@pytest.mark.usefixtures("plain_system")
def test_without_proc_the_mounts_are_told_all_the_same():
    """By psutil, in the same form; spaces in a mount point are escaped, as the kernel does it."""
    kinds = {one.mountpoint: one.fstype for one in psutil.disk_partitions(all=True)}
    told = read_mounts()
    assert kinds
    assert {point: file_system(os.fsencode(point), told) for point in kinds} == kinds
