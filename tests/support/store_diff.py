"""How a store differs from what the files say it should hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from oracle import Expected, points_of

from importer.protocol.records import Chunk
from importer.worker.stores import Point, Store


@dataclass
class StoreDiff:
    """How a store differs from what it should hold; each list is for a person to read."""

    points: int
    missing: list[str]
    extra: list[str]
    twice: list[str]
    unlike: list[str]

    @property
    def wrong(self) -> dict[str, list[str]]:
        """What is not as it should be; empty when all is well."""
        named = {"missing": self.missing, "extra": self.extra, "twice": self.twice, "unlike": self.unlike}
        return {name: found[:5] for name, found in named.items() if found}


def compare(
    expected: Expected,
    store: Store,
    *,
    explained: Collection[str] = (),
    rejected: Collection[str] = (),
    changing: bool = False,
) -> StoreDiff:
    """Compare for I1 and I2. `explained` ids may be there besides, `rejected` ones are in quarantine.

    With `changing` (files were rewritten) metadata may come from what a file said before.
    """
    points = points_of(store)
    by_id = {point.id: point for point in points}
    wanted = [one for one in expected.chunks if one not in expected.either]
    absent = [one for one in wanted if one not in by_id and one not in rejected]
    missing = [f"{one}: {expected.chunks[one][0].text[:80]!r}" for one in absent]
    extra = [_shown(point) for one, point in by_id.items() if one not in expected.chunks and one not in explained]
    ids = [point.id for point in points]
    twice = [one for one in by_id if ids.count(one) > 1] if len(ids) != len(by_id) else []
    if store.count() != len(by_id):
        twice.append(f"the store counts {store.count()}, there are {len(by_id)}")
    judge = _unlike if not changing else _unlike_text
    unlike = [f"{one}: {why}" for one, cs in expected.chunks.items() if one in by_id and (why := judge(by_id[one], cs))]
    return StoreDiff(len(by_id), missing, extra, twice, unlike)


def _shown(point: Point) -> str:
    return f"{point.id}: {point.payload.get('open_by')} {str(point.payload.get('document'))[:80]!r}"


def _unlike(point: Point, chunks: list[Chunk]) -> str:
    """Return why a point is none of the chunks that files give its id, or ""."""
    if text := _unlike_text(point, chunks):
        return text
    told = dict(point.payload["metadata"])
    named = {told["conversation_id"], *told.pop("conversations", ())}
    if not {one.metadata["conversation_id"] for one in chunks} <= named:
        return f"it names {named} alone"
    if told not in [dict(one.metadata) for one in chunks]:
        return f"metadata {point.payload['metadata']} is none of {[dict(one.metadata) for one in chunks]}"
    holders = point.payload.get("open_by", ())
    closed = any(not one.holder for one in chunks)
    wanted = 0 if closed else len(chunks)
    return "" if len(holders) == wanted else f"held open by {holders}, expected {wanted} holders"


def _unlike_text(point: Point, chunks: list[Chunk]) -> str:
    if point.payload["document"] != chunks[0].text:
        return "another text"
    norm = sum(float(x) ** 2 for x in point.dense)
    return "" if abs(norm - 1) < 1e-3 else f"a vector of length {norm}"
