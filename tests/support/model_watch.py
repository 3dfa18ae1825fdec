"""Look at every worker of one installation many times a second: which of them have a model in memory, at once.

    python model_watch.py HOME          a line "ready", then at the end of its input one JSON object

A process of its own: threads of a test look too seldom to see what lasts some milliseconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

MODEL_BYTES = 100_000_000  # a worker takes 75 MB when it has imported all, 140 MB with its model
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PAUSE_S = 0.002


@dataclass
class Seen:
    """What was seen until now: `looks` at all processes, the `most` models at once, and the first that overlapped."""

    looks: int = 0
    most: int = 0
    workers: int = 0
    overlaps: list[Any] = field(default_factory=list)


@contextmanager
def watched(home: str) -> Iterator[Seen]:
    """Watch while the block runs; the values are there behind it."""
    seen = Seen()
    command = [sys.executable, str(pathlib.Path(__file__)), home]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        try:
            yield seen
        finally:
            out, _ = process.communicate("")
            vars(seen).update(json.loads(out))


def main(home: str) -> None:
    """Look until the input ends, then print what was seen."""
    seen, known = Seen(), set[str]()
    ours = f"HOME={home}".encode()
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
        sizes = {pid: size for pid in _workers(ours, known) if (size := _rss_bytes(pid)) > MODEL_BYTES}
        seen.looks += 1
        seen.workers = len(known)
        seen.most = max(seen.most, len(sizes))
        if len(sizes) > 1 and len(seen.overlaps) < 20:
            seen.overlaps.append([[pid, size, _parent(pid)] for pid, size in sizes.items()])
    print(json.dumps(vars(seen)))


def _workers(ours: bytes, known: set[str]) -> list[str]:
    """Return the ids of this home's workers that live; `known` are those that were seen."""
    living = {name for name in os.listdir("/proc") if name.isdigit()}
    found = []
    for pid in living:
        if pid in known or (b"importer.worker" in _read(pid, "cmdline") and ours in _read(pid, "environ").split(b"\0")):
            known.add(pid)
            found.append(pid)
    return found


def _rss_bytes(pid: str) -> int:
    return int((_read(pid, "statm").split() or [b"0", b"0"])[1]) * PAGE_BYTES


def _parent(pid: str) -> str:
    """Return what the parent was started as, for a person who looks at an overlap."""
    with contextlib.suppress(IndexError):
        parent = _read(pid, "stat").rpartition(b")")[2].split()[1].decode()
        return f"{parent} {_read(parent, 'cmdline').replace(bytes(1), b' ').decode(errors='replace')[-80:]}"
    return ""


def _read(pid: str, name: str) -> bytes:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()
    return b""


if __name__ == "__main__":
    main(sys.argv[1])
