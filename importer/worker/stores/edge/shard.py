"""The shard on disk: made whole or not at all, opened only by the model that made it, errors in our words.

How it is laid out was measured at 870,000 points (chunks of 1,000 characters, 384 dimensions, 86 segments, two busy
cores; CPU time, since wall time varied with the neighbours):

    anonymous memory, of the store alone: fresh process 18 MB, after a thousand searches 32 MB,
        while writing 60 to 90 MB and 120 MB during an optimisation, the same at 100,000 points as at 800,000
    opening 0.9 s; a search: dense 55 ms, keywords 20 ms, both 85 ms, one project 80 ms
    256 points: looked up 17 ms (known ones 34 ms), encoded 27 ms, written 120 ms, optimised 50 ms

What was tried and left: HNSW (1.7 ms a point to build, 34 s without an answer every 20,000 points); a sparse vector
(its dictionary stays in memory, 25 MB per 100,000 points); one payload index per key (seven instead of two made opening
take twice as long and each flush 0.3 s longer); copies that are `Cached` (each opening reads them anew, page by page:
0.6 instead of 0.1 s at 60,000 points); TurboQuant with 8 bits (no faster) and 4 (a third faster and as exact once
rescored, but very new).
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import qdrant_edge as edge

from importer.errors import ImporterError, StoreRefused, StoreUnreachable
from importer.protocol.durable import sync
from importer.protocol.system.plain import plain
from importer.protocol.units import MB
from importer.worker.stores import StoreRequest, bm25
from importer.worker.stores.edge.generations import FINGERPRINT, drop_former, put_in_place
from importer.worker.stores.modes import close, close_to_others
from importer.worker.stores.schema import Fingerprint, born, dense_name, same_maker

UNBORN = (
    "tmp-"  # a segment of the log that a thread of the engine's is making: empty still, and renamed when it is made
)
NEW_BYTES = 128 * MB  # of a new shard, its log included; measured on file systems in memory
OPENED = "importer.open"  # says that the shard is open, or was at a kill
TAGGED = "importer.tags"  # holds which tags every point has; stores of older versions have none
# 1: what `filters.MATCHED` names; 2: what `filters.READ` names, and names of files; 3: and stems of other languages
TAGS_VERSION = "3"
COLD = edge.Memory.Cold  # nothing resident: 11 MB instead of 72 MB anonymous at 82,000 points

DAMAGED = "if it is damaged, move edge/ of the state directory away; `importer rebuild-state` then imports all again"

# Payload keys of this store alone. Opening costs about 4 ms a segment and index, so there are four: the words that
# are found exactly, the same by their stems, the tags that filters ask for ("source=claude-code"), and the time.
WORDS, STEMS, TAGS, TIME = "words", "stems", "tags", "metadata.timestamp"


def open_shard(path: str, request: StoreRequest) -> tuple[Any, Fingerprint]:
    """Open the shard at `path`; return it and its fingerprint. Raises StoreRefused or StoreUnreachable."""
    put_in_place(path, request.model, request.dimension)
    if not os.path.exists(os.path.join(path, FINGERPRINT)):
        _make(path, request)
    close_to_others(path)
    if not request.settings.path:  # the folder above is ours as well
        close(os.path.dirname(path))
    found = same_maker(_read_fingerprint(path), request.model, request.dimension, path)
    with translated():
        shard = edge.EdgeShard.load(path, config_of(found, request.settings.optimise_every_points))
    drop_former(path)
    _drop_unfinished(path)
    return shard, found


def _drop_unfinished(path: str) -> None:
    """Delete the segments that optimisations were writing when they were killed; the shard is open, so it is ours.

    The engine never does: each such kill left up to a segment's size behind, with the texts in it (qdrant-edge 0.9.0).
    """
    for unfinished in Path(path, "temp_segments").glob("*"):
        shutil.rmtree(unfinished, ignore_errors=True)


def _make(path: str, request: StoreRequest) -> None:
    """Build the shard beside its place and move it there, so that a kill leaves no half-made one.

    Raises StoreRefused for a directory with other files, and when nothing is to be made.
    """
    if os.path.isdir(path) and os.listdir(path):
        raise StoreRefused(f"{path} holds something that is no store of ours", hint="choose another directory")
    if not request.create:
        raise StoreRefused(f"there is no store at {path}", hint="import something first")
    draft = f"{path}.new"
    _refuse_without_room(os.path.dirname(path))
    with translated():
        shutil.rmtree(draft, ignore_errors=True)
        os.makedirs(draft, mode=0o700)  # conversations are their owner's alone
        found = born(request.model, request.dimension)
        shard = edge.EdgeShard.create(draft, config_of(found, request.settings.optimise_every_points))
        for operation in _indexes():
            shard.update(operation)
        shard.flush()
        shard.close()
        made = Path(draft, FINGERPRINT)
        made.write_bytes(msgspec.json.encode(found))
        sync(str(made))
        mark_tagged(draft)
        os.replace(draft, path)
        sync(os.path.dirname(path))


def _refuse_without_room(folder: str) -> None:
    """Raise StoreUnreachable when a new store does not fit on the disk.

    The engine maps files larger than what is written; where their pages cannot be had the kernel ends the process with
    SIGBUS, which says nothing.
    """
    with translated():
        os.makedirs(folder, mode=0o700, exist_ok=True)
        disk = os.statvfs(folder)
    free_bytes = disk.f_bavail * disk.f_frsize
    if free_bytes < NEW_BYTES:
        why = f"{free_bytes // MB:,} MB are free at {folder}, and a new store takes {NEW_BYTES // MB:,} MB"
        raise StoreUnreachable(why, hint="make room; nothing was imported, and nothing is lost")


def config_of(found: Fingerprint, every_points: int, **optimizers: Any) -> Any:
    """Configure a shard on disk and mapped, with small segments and no graph: building one costs 1.7 ms a point.

    `optimizers` are more of the optimiser's settings, by the engine's names.

    int8 copies choose the candidates which the fp32 vectors then rank, with the same hits as an exact search at a sixth
    of its time (overlap of the first ten over 60 questions: 1.0). Segments take three optimisations, so that a point is
    rewritten three times at most: a million points are 36 of them instead of 50 with two, and open in 0.7 instead of
    0.8 s. What an optimisation takes grows with them (40,000 points: 134 MB above the rest with 10,000 between two, 82
    with 5,000, 65 with 2,600), and so does what stands in memory until then, 13 KB a point; so a worker optimises from
    half of that on before it loads its model (`optimize_early`). 10,000 files: 307 MB at most in place of 451.
    """
    points = every_points * 18 // 5  # three of them, each of which ends up to a batch above
    segment_kb = points * found.dimension * 4 // 1024  # float32: 4 bytes a number
    return edge.EdgeConfig(
        vectors={
            dense_name(found.model): edge.EdgeVectorParams(
                size=found.dimension, distance=edge.Distance.Cosine, memory=COLD
            )
        },
        hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=100, full_scan_threshold=10_000, memory=COLD),  # no graph
        quantization_config=edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=0.99, memory=COLD),
        optimizers=edge.EdgeOptimizersConfig(max_segment_size=segment_kb, indexing_threshold=1, **optimizers),
        payload_memory=COLD,
        id_tracker_memory=COLD,
    )


def _indexes() -> Iterator[Any]:
    """Yield the indexes. Keywords are text: a sparse vector's dictionary stays in memory (250 MB at a million)."""
    yield edge.UpdateOperation.create_field_index(WORDS, _text(bm25.EXACT))
    yield stems_index()
    yield edge.UpdateOperation.create_field_index(TAGS, edge.KeywordIndexParams(memory=COLD))
    yield edge.UpdateOperation.create_field_index(TIME, edge.DatetimeIndexParams(memory=COLD))


def stems_index() -> Any:
    """Return the operation that makes the index of stems, which shards of older versions lack."""
    return edge.UpdateOperation.create_field_index(STEMS, _text(bm25.ENGLISH))


def _text(stemmer: Any) -> Any:
    """Return the parameters of an index of words that ranks by BM25."""
    return edge.TextIndexParams(
        tokenizer=bm25.TOKENIZER,
        stemmer=stemmer,
        stopwords=bm25.STOPWORDS,
        lowercase=True,
        ascii_folding=True,
        scoring=True,
        memory=COLD,
    )


def _read_fingerprint(path: str) -> Fingerprint:
    """Read the fingerprint's file. Raises StoreRefused for a damaged one: the vectors' model is unknown then."""
    name = os.path.join(path, FINGERPRINT)
    try:
        with open(name, "rb", opener=plain) as file:
            return msgspec.json.decode(file.read(), type=Fingerprint)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreRefused(f"{name} cannot be read: {error}", hint="restore it, or set the store aside") from error


def mark_open(path: str) -> bool:
    """Leave a mark that the shard is open; True when one stands there already, so the last opener did not close it."""
    mark = os.path.join(path, OPENED)
    try:
        with open(mark, "xb"):
            pass
    except FileExistsError:
        return True
    sync(path)
    return False


def mark_closed(path: str) -> None:
    """Take the mark away."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(path, OPENED))


def are_tagged(path: str) -> bool:
    """Return True if every point has all the tags that this version writes."""
    try:
        with open(os.path.join(path, TAGGED), opener=plain) as file:
            return file.read().strip() == TAGS_VERSION
    except OSError:
        return False


def mark_tagged(path: str) -> None:
    """Note that every point has all tags."""
    name = os.path.join(path, TAGGED)
    with open(name, "w", opener=plain) as file:
        file.write(TAGS_VERSION)
    sync(name)


def sync_log(path: str) -> None:
    """Make the write-ahead log durable: a few file syncs, where `flush()` needs over a hundred.

    The engine replays the log when it opens the shard, as the server does after a power cut. Releases the
    interpreter's lock, which the engine's own calls hold throughout.
    """
    log = os.path.join(path, "wal")
    # Every file: which of them the last changes went to is the engine's affair.
    for name in os.listdir(log):
        if not name.startswith(UNBORN):
            sync(os.path.join(log, name))
    sync(log)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Translate the engine's bare `Exception`, which has a sentence, into an error of ours.

    Disk full and locked elsewhere are StoreUnreachable, everything else StoreRefused.
    """
    try:
        yield
    except ImporterError:
        raise
    except Exception as error:
        raise _ours(error) from error


def _ours(error: Exception) -> StoreRefused | StoreUnreachable:
    """Return the error of ours for the engine's: its sentence is all there is to go by."""
    words = str(error)
    if "WouldBlock" in words:
        return StoreUnreachable("the store is open in another process", hint="only one process can open it at a time")
    if "No point with id" in words:  # of points it finds: see EdgeStore._heal, which the next opening tries again
        return StoreUnreachable(f"the store is in disorder after a kill: {words}", hint="it is opened again")
    if isinstance(error, OSError) or any(sign in words for sign in ("No space left", "os error", "Too many open")):
        return StoreUnreachable(f"the store cannot be written: {words}", hint="see to the disk; nothing is lost")
    return StoreRefused(f"the store refuses: {words}", hint=DAMAGED)
