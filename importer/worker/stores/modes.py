"""What a store's folder holds: files of mode 0600 and folders of 0700, however an older version or a wide umask left
them, and nothing else, for the engines wait for pipes.
"""

from __future__ import annotations

import contextlib
import os
import stat

from importer.errors import StoreRefused

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def close_to_others(folder: str) -> None:
    """Take the rights of other users from a folder and all that is in it; links are not followed.

    What belongs to another user stays as it is. A million points are two thousand files, which takes 10 ms.
    Raises StoreRefused for what is neither a file nor a folder.
    """
    close(folder)
    for base, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(base, name)
            close(path)
            with contextlib.suppress(FileNotFoundError):
                kind = os.stat(path).st_mode
                if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                    raise StoreRefused(f"{path} is no file", hint="restore it, or set the store aside")


def close(path: str) -> None:
    """Take the rights of other users from one file or folder."""
    with contextlib.suppress(OSError):
        mode = os.lstat(path).st_mode
        if mode & OTHERS and not stat.S_ISLNK(mode):
            os.chmod(path, stat.S_IMODE(mode) & ~OTHERS)
