"""Make files outlive a power cut."""

from __future__ import annotations

import fcntl
import os

from importer.protocol.system.capabilities import has
from importer.protocol.system.plain import plain


def sync(path: str) -> None:
    """Write a file, its mapped pages included, or the names in a folder to the disk, and wait for it."""
    descriptor = plain(path, os.O_RDONLY)
    try:
        sync_descriptor(descriptor)
    finally:
        os.close(descriptor)


def sync_descriptor(descriptor: int) -> None:
    """Do the same for an open file. Where fsync(2) leaves the disk's own cache as it is, that is emptied, too."""
    if has("fullfsync"):
        try:
            fcntl.fcntl(descriptor, getattr(fcntl, "F_FULLFSYNC", 0))
        except OSError:  # a file system without it, such as a network's
            pass
        else:
            return
    os.fsync(descriptor)
