"""The state's knowledge of files taken back, so that the next import reads all of them again and stores what lacks.

Ids come from content, so what the store has is recognised and not embedded again. Tombstones and quarantine stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from importer.checkpoints import Checkpoints
from importer.ledger import TALLY
from importer.records import Checkpoint
from importer.refold import known_files
from importer.selection import Selection

SELECTED = "selected"  # the fact of the state that holds the patterns by which files were read last


def read_all_again(checkpoints: Checkpoints) -> int:
    """Forgets every checkpoint; lines and bytes count from zero again. How many files that were."""
    with checkpoints.database.transaction() as connection:
        connection.executemany("DELETE FROM counters WHERE name = ?", [(name,) for name in TALLY])
        there = connection.execute("SELECT folder, name FROM files WHERE folder IS NOT NULL AND gone_at IS NULL")
        paths = ((folder + name,) for folder, name in there.fetchall())
        connection.executemany("INSERT OR IGNORE INTO again VALUES (?)", paths)
        return connection.execute("DELETE FROM files").rowcount


def select(checkpoints: Checkpoints, selection: Selection) -> int:
    """Remembers by which patterns files are read from now on. How many files are read again, because these patterns
    may want what was left out of them; to be called when nothing is in flight.
    """
    told = json.dumps([selection.include, selection.exclude])
    former = checkpoints.meta(SELECTED) or json.dumps([[], []])
    if told == former:
        return 0
    include, exclude = json.loads(former)
    files = read_all_again(checkpoints) if selection.wider_than(Selection(tuple(include), tuple(exclude))) else 0
    checkpoints.remember(**{SELECTED: told})
    return files


def known(checkpoints: Checkpoints) -> Iterator[Checkpoint]:
    """The files with checkpoints that still have a path."""
    return (checkpoint for _, checkpoint in known_files(checkpoints) if checkpoint.path)
