"""How a collection is laid out: vector names, payload, indexes, and the fingerprint that says who made it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from importer.errors import PointsRejected, StoreRefused
from importer.protocol.records import Chunk
from importer.worker.stores import Ownership, Point

SCHEMA = 1  # of payload and vectors; a collection with another one is refused
SPARSE = "bm25"  # name of the vector for keywords, on servers
DOCUMENT, METADATA, OPEN_BY = "document", "metadata", "open_by"  # the first two as mcp-server-qdrant has them
VOICES = "voices"  # see `Ownership`

# Payload indexes, made before the first point so that the engine can build on them; `project` is the tenant.
TENANT = "metadata.project"
KEYWORDS = (
    TENANT,
    "metadata.project_name",
    "metadata.source",
    "metadata.conversation_id",
    "metadata.conversations",
    "metadata.kind",
    "metadata.tools",
    "metadata.files",
    "metadata.host",
    "metadata.git_branch",
    "metadata.model",
    "metadata.roles",
)
TIMES = ("metadata.timestamp",)


class Fingerprint(msgspec.Struct, frozen=True):
    """Which model and schema made a collection. `birth` is random: a collection dropped and made again has another."""

    model: str
    dimension: int
    schema: int = SCHEMA
    birth: str = ""

    def __str__(self) -> str:
        return f"{self.model}/{self.dimension}/v{self.schema}/{self.birth or 'unknown'}"


def born(model: str, dimension: int) -> Fingerprint:
    """Return the fingerprint of a collection about to be made."""
    return Fingerprint(model, dimension, SCHEMA, uuid.uuid4().hex[:12])


def dense_name(model: str) -> str:
    """Return the vector's name as `mcp-server-qdrant` derives it: "fast-" and the last part of the model's name."""
    return "fast-" + model.rstrip("/").rpartition("/")[2].lower()


def same_maker(found: Fingerprint, model: str, dimension: int, where: str) -> Fingerprint:
    """`found` itself. Raises StoreRefused when another model, dimension or schema made the collection."""
    if found.schema != SCHEMA:
        raise StoreRefused(
            f"{where} has schema {found.schema}, this importer writes {SCHEMA}", hint="use the version that made it"
        )
    # By the vector's name, which searches go by: the same model may be written with another owner or case.
    if (dense_name(found.model), found.dimension) == (dense_name(model), dimension):
        return found
    raise StoreRefused(
        f"{where} was made by {found.model} ({found.dimension} dimensions), not by {model} ({dimension})",
        hint=f"set the model back; then `importer migrate --model {model}` embeds what is stored anew",
    )


def point(chunk: Chunk, standing: Ownership, dense: Sequence[float]) -> Point:
    """Return a chunk as it is stored, with the given vector of shape (dimension,)."""
    return Point(chunk.id, dense, payload(chunk, standing))


def payload(chunk: Chunk, standing: Ownership) -> dict[str, Any]:
    """`document` for every reader, `metadata`, and who holds it only while the chunk stands open."""
    return {DOCUMENT: chunk.text, METADATA: dict(chunk.metadata), **ownership(standing)}


def document(stored: Mapping[str, Any] | None) -> str:
    """Return the text in a stored payload; "" where another program's has none."""
    found = (stored or {}).get(DOCUMENT)
    return found if isinstance(found, str) else ""


def metadata(stored: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the metadata in a stored payload; empty where another program's has none."""
    found = (stored or {}).get(METADATA)
    return found if isinstance(found, Mapping) else {}


def holders(stored: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the holders in a stored payload, () for a closed point.

    Holders are kept in the point itself: a batch that is replayed finds in the store what it needs to know.
    """
    return tuple((stored or {}).get(OPEN_BY) or ())


def owned(stored: Mapping[str, Any], standing: Ownership) -> dict[str, Any]:
    """Return a stored payload as it is with another ownership."""
    rest = {name: value for name, value in stored.items() if name not in {OPEN_BY, VOICES}}
    return {**rest, **ownership(standing)}


def ownership(standing: Ownership) -> dict[str, Any]:
    """Return the parts of a payload that say how a point stands; what is left out must not be there."""
    found: dict[str, Any] = {} if standing.metadata is None else {METADATA: dict(standing.metadata)}
    if standing.holders:
        found[OPEN_BY] = list(standing.holders)
    if standing.holders and standing.voices:
        found[VOICES] = {name: dict(voice) for name, voice in standing.voices.items()}
    return found


def standing_of(stored: Mapping[str, Any] | None) -> Ownership:
    """Return how a stored payload says that its point stands."""
    voices = (stored or {}).get(VOICES)
    return Ownership(holders(stored), metadata(stored), voices if isinstance(voices, Mapping) else {})


def check(points: Sequence[Point], dimension: int) -> None:
    """Check points before they are written: engines take NaN without a word, and fail at half a surrogate pair.

    Raises PointsRejected naming such points, StoreRefused for vectors that are not of shape (dimension,).
    """
    for given in points:
        if len(given.dense) != dimension:
            raise StoreRefused(f"a vector of {len(given.dense)} dimensions for a collection of {dimension}")
    dense = np.asarray([given.dense for given in points], dtype=np.float32)
    finite = np.isfinite(dense.sum(axis=1)).tolist() if dense.size else []  # a sum keeps NaN and infinity
    bad = tuple(given.id for given, good in zip(points, finite, strict=True) if not (good and _encodable(given)))
    if bad:
        raise PointsRejected(f"{len(bad)} points have vectors that are not finite, or broken text", ids=bad)


def _encodable(given: Point) -> bool:
    """Return False for half of a surrogate pair, from a damaged line, which has no UTF-8."""
    try:
        msgspec.json.encode(given.payload)
    except UnicodeEncodeError:
        return False
    return True
