"""Open what is to be a file and may be something else: a pipe, which is not waited for, or a device without an end.

    with open(path, "rb", opener=plain) as file: …      a file of ours, or one that lies where files lie
    read_given(path, most_bytes)                        one that a person names, who may give a pipe that is filled

Every file is opened in one of these ways, or in one that cannot wait either, which a test of the structure holds.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time

PIPE_S = 10.0  # for what a person gives as `<(command)`; the command may ask a password manager


def plain(path: str | bytes, flags: int, mode: int = 0o666) -> int:
    """Return the descriptor of a file, or of a folder, which `open` refuses by itself. Raises OSError for all else."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, mode)
    try:
        kind = os.fstat(descriptor).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise OSError(errno.EINVAL, "it is no file", path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_given(path: str, most_bytes: int, *, wait_s: float = PIPE_S) -> bytes:
    """Return what a file, or a pipe that another program fills, begins with. Raises OSError.

    A pipe is waited for, but not for ever.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    found, end_s = b"", time.monotonic() + wait_s
    try:
        while len(found) < most_bytes:
            if not select.select([descriptor], [], [], max(0.0, end_s - time.monotonic()))[0]:
                raise OSError(errno.ETIMEDOUT, "nothing comes out of this pipe", path)
            if not (part := os.read(descriptor, most_bytes - len(found))):
                break
            found += part
        if not found and stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe that nothing was written to", path)
    finally:
        os.close(descriptor)
    return found


def sure(path: str) -> str:
    """Return a path as it is, for a library that opens it by itself. Raises OSError if it leads to no file."""
    os.close(plain(path, os.O_RDONLY))
    return path
