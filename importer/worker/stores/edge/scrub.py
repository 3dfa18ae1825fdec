"""Take deleted text out of the embedded store's files: segments written anew without it, the log rolled over.

The engine only marks what is deleted: the text stays in its segment until that is merged, and in the write-ahead log
until 32 MiB more were written. Here a shard that is closed is opened with an optimiser that merges every segment with a
deleted point in it, and no other. Then its log gets as much of nothing as it takes for the engine to drop what was in
it. Each step is the engine's own, so a kill leaves a whole store, and doing it again is always right.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

import qdrant_edge

from importer.protocol import failpoints
from importer.protocol.system.plain import plain
from importer.worker.stores.edge.shard import TAGS, translated

edge: Any = qdrant_edge  # its stub wants invariant lists of unions
WITNESS = "00000000-0000-5000-8000-5c2bbed00000"  # a point that is added and deleted, so that its segment is merged
LOG_BYTES = 32 * 1024 * 1024  # of one file of the engine's log
NOTHING = "\0" * (1024 * 1024)  # zeros take no room on the disk once holes are dug
BLOCK_BYTES = 64 * 1024
DIG = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE of fallocate(2)


def scrub(path: str, config: Any, dense: str, dimension: int) -> None:
    """Scrub the closed shard at `path`; `config` has it merge what has deleted points. Raises what `translated` does.

    Its caller has seen that there is room: a segment is written anew before the old one goes.
    """
    with translated():
        shard = edge.EdgeShard.load(path, config)
        try:
            _witness(shard, dense, dimension)
            failpoints.hit("scrub.marked")
            shard.optimize()
            failpoints.hit("scrub.merged")
            # One file of the log is always kept behind the newest one, so it takes two.
            for _ in range(2):
                _roll(shard)
                failpoints.hit("scrub.rolled")
        finally:
            shard.close()
        dig_holes(os.path.join(path, "wal"))


def _witness(shard: Any, dense: str, dimension: int) -> None:
    """Add a point and delete it. New points go to the segment in which others may have been overwritten in place."""
    vector = [1.0, *[0.0] * (dimension - 1)]
    shard.update(edge.UpdateOperation.upsert_points([edge.Point(WITNESS, {dense: vector}, {})]))
    shard.update(edge.UpdateOperation.delete_points([WITNESS]))
    shard.flush()


def _roll(shard: Any) -> None:
    """Write a file of the log full with a change that changes nothing; the engine then drops the older ones.

    It deletes the points with a tag that no point has.
    """
    none = edge.Filter(must=[edge.FieldCondition(TAGS, match=edge.MatchValue(NOTHING))])
    for _ in range(LOG_BYTES // len(NOTHING) + 2):
        shard.update(edge.UpdateOperation.delete_points_by_filter(none))
    shard.flush()


def dig_holes(folder: str) -> None:
    """Give the blocks of zeros in a folder's files back to the disk; the files read as before. Elsewhere they stay."""
    allocate: Callable[..., int] | None = getattr(ctypes.CDLL(None), "fallocate", None)
    if allocate is None:
        return
    for name in os.listdir(folder):
        descriptor = plain(os.path.join(folder, name), os.O_RDWR)
        try:
            _dig(descriptor, allocate)
        finally:
            os.close(descriptor)


def _dig(descriptor: int, allocate: Callable[..., int]) -> None:
    """Dig one file, up to the first refusal: not every file system can."""
    at = 0
    while block := os.pread(descriptor, BLOCK_BYTES, at):
        if block.count(0) == len(block) and allocate(descriptor, DIG, ctypes.c_long(at), ctypes.c_long(len(block))):
            return
        at += len(block)
