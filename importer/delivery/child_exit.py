"""Turn the end of a child process into a descriptor that becomes readable, which a loop can watch.

A pidfd is that by itself. Elsewhere a thread waits for the child and closes a pipe: it holds no processor time, and the
status it takes in is kept in the `Popen`, so `wait` gives it again.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable

from importer.protocol.system import capabilities


def exit_descriptor(pid: int, wait: Callable[[], object]) -> int:
    """Return a descriptor that becomes readable once the process has ended, and is the caller's to close.

    `wait` blocks until then; a thread may call it. Raises OSError when there is no descriptor or thread left for it.
    """
    if capabilities.has("pidfd") and capabilities.pidfd_open is not None:
        return capabilities.pidfd_open(pid)
    read, write = os.pipe()
    try:
        threading.Thread(target=_wait, args=(wait, write), name=f"wait-{pid}", daemon=True).start()
    except RuntimeError as error:
        os.close(read)
        os.close(write)
        raise OSError(errno.EAGAIN, str(error)) from error
    return read


def _wait(wait: Callable[[], object], write: int) -> None:
    """Wait for the process, then close the pipe's end."""
    wait()
    os.close(write)
