"""Leave no memory behind: a process that crashes writes all that it holds to a file, conversations and keys too."""

from __future__ import annotations

import resource


def forbid() -> None:
    """Have this process, and all that it starts, write no core file when it crashes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
