"""Have open chunks stored again that a batch may have taken from the store without a commit.

A batch that was stored and not committed, as its process was killed, may have let go of the chunk that stood open at
the end of a file, for one that came after it. If the file then is as it was before (what was taken back in a database
is there again, a file that was cut back is whole), its checkpoint says that all of it is imported, and the chunk would
be missing for good.
"""

from __future__ import annotations

from collections import defaultdict

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
        unsure = [one for file in taken if (one := _unsure(checkpoints, file)) is not None]
        checkpoints.commit([Commit(one, Tally()) for one in unsure])
        checkpoints.give_back([one.path for one in unsure if one.path])


def _unsure(checkpoints: Checkpoints, file: Taken) -> Checkpoint | None:
    """Return the checkpoint of a file as it is to go on, None for a file of which nothing was committed."""
    known = checkpoints.by_identity(file.device, file.inode) or checkpoints.by_path(file.path)
    if known is None or not known.context:
        return None
    return doubt.unsure(known, msgspec.json.decode(file.opened, type=tuple[Release, ...]))
