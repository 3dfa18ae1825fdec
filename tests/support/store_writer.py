"""Writes numbered points to an embedded store until it is killed, and says on stdout how many are acknowledged.

    python store_writer.py DIRECTORY FIRST

Each write of 32 points also opens some up and closes others, some long written, and every 320 points the store is
optimised, so that a kill can meet it at anything.
"""

from __future__ import annotations

import os
import random
import sys

from numbered_points import DIMENSION, MODEL, identity, made
from worker_told import store_settings

from importer.worker import stores
from importer.worker.stores import Ownership

BATCH = 32


def main(directory: str, first: int) -> None:
    """Open the store, waiting for the lock of the one killed before, and write for ever."""
    settings = store_settings(f"edge:{directory}", optimise_every_points=320)
    store = stores.load(settings, model=MODEL, dimension=DIMENSION)
    number, rng = first, random.Random(first)
    while True:
        points = [made(n, open_by=["held"]) for n in range(number, number + BATCH)]
        closed = {identity(n): Ownership(()) for n in range(max(0, number - BATCH), number)}
        closed |= {
            identity(rng.randrange(number)): Ownership(()) for _ in range(8) if number
        }  # old ones can be changed too
        store.write(points, closed, [])
        number += BATCH
        os.write(1, b"%d\n" % number)
        if store.pending_optimize:
            store.optimize()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
