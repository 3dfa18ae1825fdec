"""Have open chunks stored again that a batch may have taken from the store without a commit.

A batch that was stored and not committed, as its process was killed, may have let go of the chunk that stood open at
the end of a file, for one that came after it. If the file then is as it was before (what was taken back in a database
is there again, a file that was cut back is whole), its checkpoint says that all of it is imported, and the chunk would
be missing for good.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from importer.protocol.records import Batch, Checkpoint, Commit, Release, Tally
from importer.reading import doubt
from importer.state.checkpoints import Checkpoints
from importer.state.ledger import Taken


def takes(batch: Batch) -> list[Taken]:
    """Return the files that a batch may take open chunks from, with the open chunks that it stores for them."""
    if not batch.releases:
        return []
    opened: dict[int, list[Release]] = defaultdict(list)
    for chunk, owner in zip(batch.chunks, batch.owners, strict=False):
        if chunk.holder:
            opened[owner].append(Release(chunk.id, chunk.holder))
    return [
        Taken(one.path, one.device, one.inode, msgspec.json.encode(opened[number]).decode())
        for number, one in enumerate(commit.checkpoint for commit in batch.commits)
    ]


def give_back(checkpoints: Checkpoints) -> None:
    """Have the open chunks of all files that were taken from given out again; those that are stored cost nothing."""
    if taken := checkpoints.taken():
        unsure = [one for file in taken for one in _unsure(checkpoints, file)]
        checkpoints.commit([Commit(one, Tally()) for one in unsure])
        checkpoints.give_back([one.path for one in unsure if one.path])


def _unsure(checkpoints: Checkpoints, file: Taken) -> Iterator[Checkpoint]:
    """Yield the checkpoints that the file may have gone on from, as they are to go on now.

    It may have been renamed, or have replaced the file at its path; and its inode may have been another file's.
    """
    opened = msgspec.json.decode(file.opened, type=tuple[Release, ...])
    named, there = checkpoints.by_identity(file.device, file.inode), checkpoints.by_path(file.path)
    for known in (named,) if named == there else (named, there):
        if known is not None and known.context:
            yield doubt.unsure(known, opened)
