"""The state's knowledge of files taken back, so that the next import reads all of them again and stores what lacks.

Ids come from content, so what the store has is recognised and not embedded again. Tombstones and quarantine stay.
"""

from __future__ import annotations

from collections.abc import Iterator

from importer.checkpoints import Checkpoints
from importer.ledger import TALLY
from importer.records import Checkpoint
from importer.refold import known_files


def read_all_again(checkpoints: Checkpoints) -> int:
    """Forgets every checkpoint; lines and bytes count from zero again. How many files that were."""
    with checkpoints.database.transaction() as connection:
        connection.executemany("DELETE FROM counters WHERE name = ?", [(name,) for name in TALLY])
        return connection.execute("DELETE FROM files").rowcount


def known(checkpoints: Checkpoints) -> Iterator[Checkpoint]:
    """The files with checkpoints that still have a path."""
    return (checkpoint for _, checkpoint in known_files(checkpoints) if checkpoint.path)
