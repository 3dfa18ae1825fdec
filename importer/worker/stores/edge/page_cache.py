"""Have the kernel read into its page cache what questions need, before they wait for it one page at a time.

The engine drops what is cold from the page cache whenever it opens a shard, and says that it will read at random: each
page of 4 KiB that a question needs is a read of its own then. At a million points the first search by meaning waited
for 95,000 of them, and the first two hundred questions for 530 each: 85 ms in place of 44.

So the int8 copies, all of which every search by meaning reads, are read at once, and all else by and by on a thread.
The kernel takes no more than a megabyte or so of such a hint, so each file is asked for in pieces.
"""

from __future__ import annotations

import contextlib
import glob
import os
import threading
from collections.abc import Callable, Iterator, Sequence

from importer.protocol.system.capabilities import has
from importer.protocol.system.plain import plain

PIECE_BYTES = 128 * 1024  # of a hint: what the kernel reads ahead by itself, so that it takes it whole
COPIES = ("*/quantized.data",)
# What is read at random, the densest first: indexes of words and ids, then payloads. Not the fp32 vectors: a question
# reads two hundred of them, and they are larger than all else.
AT_RANDOM = (("payload_index/*-text/*", "id_tracker.*"), ("payload_storage/*",))
_advise: Callable[[int, int, int, int], None] = getattr(os, "posix_fadvise", lambda *_: None)  # macOS has none
WILL_NEED: int = getattr(os, "POSIX_FADV_WILLNEED", 0)


class PageCache:
    """What the page cache was filled with of one shard, at `path`; `most_bytes` must hold what is read at random."""

    def __init__(self, path: str, most_bytes: int) -> None:
        self._folder = os.path.join(path, "segments")
        self._most_bytes = most_bytes
        self._done: set[str] = set()  # segments

    def fill(self) -> None:
        """Begin to read the segments that are new since the last time; it is only a hint, so nothing is raised."""
        if not has("fadvise"):
            return
        with contextlib.suppress(OSError):
            names = set(os.listdir(self._folder))
            fresh, self._done = sorted(names - self._done), names
            if fresh:
                _read(list(self._files(fresh, COPIES)))
                rest = list(self._at_random(sorted(names), fresh))
                threading.Thread(target=_read, args=(rest,), name="page-cache", daemon=True).start()

    def _at_random(self, names: Sequence[str], fresh: Sequence[str]) -> Iterator[str]:
        """Yield the files of fresh segments that are read at random, as far as those of all segments fit."""
        left = self._most_bytes
        for patterns in AT_RANDOM:
            left -= sum(map(os.path.getsize, self._files(names, patterns)))
            if left < 0:
                return
            yield from self._files(fresh, patterns)

    def _files(self, names: Sequence[str], patterns: Sequence[str]) -> Iterator[str]:
        """Yield the files of these segments that fit one of the patterns."""
        for name in names:
            folder = os.path.join(self._folder, name)
            for pattern in patterns:
                yield from (os.path.join(folder, found) for found in glob.iglob(pattern, root_dir=folder))


def _read(paths: Sequence[str]) -> None:
    """Have files read, and do not wait for it; one that is gone, for segments are merged, is passed over."""
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb", opener=plain) as file:
            for at in range(0, os.fstat(file.fileno()).st_size, PIECE_BYTES):
                _advise(file.fileno(), at, PIECE_BYTES, WILL_NEED)
