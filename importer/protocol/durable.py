"""Make files outlive a power cut."""

from __future__ import annotations

import os


def sync(path: str) -> None:
    """Write a file, its mapped pages included, or the names in a folder to the disk, and wait for it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
