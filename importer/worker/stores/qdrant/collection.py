"""The collection on a server: made whole with its indexes before the first point, or checked to be one of ours.

The name that searches use, moved from one collection of a server to another in one step.

Used when points were embedded anew with another model: searches change over from one question to the next.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from qdrant_client import QdrantClient, models

from importer.errors import StoreRefused
from importer.protocol.worker_settings import StoreSettings
from importer.worker.stores import StoreRequest
from importer.worker.stores.qdrant.connect import connect
from importer.worker.stores.qdrant.errors import Conflict, Forbidden, translated
from importer.worker.stores.qdrant.stems import DONE, STEMS
from importer.worker.stores.schema import KEYWORDS, SPARSE, TENANT, TIMES, Fingerprint, born, dense_name, same_maker


def point_alias(settings: StoreSettings, alias: str) -> bool:
    """Make `alias` name the settings' collection; return False, and do nothing, when a real one has that name."""
    client = connect(settings)
    try:
        return switch(client, alias, settings.collection)
    finally:
        client.close()


def switch(client: QdrantClient, alias: str, collection: str) -> bool:
    """See `point_alias`."""
    with translated():
        if alias in {found.name for found in client.get_collections().collections}:
            return False
        known = {found.alias_name for found in client.get_aliases().aliases}
        create = models.CreateAliasOperation(
            create_alias=models.CreateAlias(collection_name=collection, alias_name=alias)
        )
        delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
        # One request for both, so that no search finds the name pointing nowhere.
        return bool(client.update_collection_aliases([delete, create] if alias in known else [create]))


OURS = "importer"  # key of the collection's metadata under which the fingerprint stands
PURGES = "importer_purges"  # and how often points were deleted on purpose
UNKNOWN = "/unknown"  # ends the fingerprint of a collection whose server keeps no metadata
INDEXING_THRESHOLD_KB = 10_000  # the server's own default, restored after a backlog
FACTORS = ("shard_number", "replication_factor", "write_consistency_factor")  # 0 or unset leaves them to the server


class Adopted(NamedTuple):
    """A collection as it was opened, and what the server told of it then: asked once, as part of a first search."""

    fingerprint: Fingerprint
    described: models.CollectionInfo


def open_collection(client: QdrantClient, request: StoreRequest, indexes: bool) -> Adopted:
    """Make or check the collection. Raises StoreRefused with the way out when it cannot be ours."""
    with translated():
        exists = client.collection_exists(request.settings.collection)
    if not exists:
        _make(client, request)
    found = _adopt(client, request)
    if indexes:
        _complete(client, request.settings.collection, found.described, backlog=request.backlog)
    return found


def left_in(ask: Callable[[Callable[[QdrantClient], Any]], Any], collection: str) -> list[str]:
    """Return where a server may keep deleted points: its segments until it merges them, and the snapshots it has.

    A key that may not list snapshots is no reason to fail: that is told instead.
    """
    said = ["the server's own segments and log, until it merges them"]
    of_one = f"/collections/{collection}/snapshots"
    try:
        ours = [found.name for found in ask(lambda client: client.list_snapshots(collection))]
        whole = [found.name for found in ask(lambda client: client.list_full_snapshots())]
        said += [f"snapshot {name}: DELETE {of_one}/{name} removes it" for name in ours]
        said += [f"snapshot {name} of the whole server: DELETE /snapshots/{name} removes it" for name in whole]
    except StoreRefused:
        said.append(f"snapshots, if there are any: GET {of_one} and GET /snapshots name them, this key may not")
    return said


def read_fingerprint(described: models.CollectionInfo) -> Fingerprint | None:
    """Return the fingerprint in the collection's metadata; None for another program's, or a server before 1.16."""
    stored = (described.config.metadata or {}).get(OURS)
    try:
        return msgspec.convert(stored, Fingerprint)
    except msgspec.ValidationError:
        return None


def check_birth(described: models.CollectionInfo, collection: str, fingerprint: str) -> None:
    """Raise StoreRefused when the collection is another one than that of the fingerprint.

    A server too old for metadata has no fingerprint to compare: then the collection is taken for the same.
    """
    found = read_fingerprint(described)
    if str(found) != fingerprint and not (found is None and fingerprint.endswith(UNKNOWN)):
        raise StoreRefused(
            f"collection {collection} was made again while it was open (now {found or 'not ours'})",
            hint="start again, then `importer verify --repair` brings back what is missing",
        )


def purges(client: QdrantClient, collection: str, more: int) -> int:
    """Return how often points of the collection were deleted on purpose; `more` times more are noted in it."""
    metadata = client.get_collection(collection).config.metadata or {}
    count = int(metadata.get(PURGES, 0)) + more
    if more:
        client.update_collection(collection, metadata={PURGES: count})
    return count


class Factors(NamedTuple):
    """How many replicas each shard of a collection is to have, and how many of them a write asks for."""

    copies: int = 1
    written: int = 1

    @classmethod
    def of(cls, settings: StoreSettings, described: models.CollectionInfo) -> Factors:
        """Return what the server tells; where it tells of none, what the settings ask for."""
        told = described.config.params
        return cls(
            max(1 if told.replication_factor is None else told.replication_factor, settings.replication_factor),
            told.write_consistency_factor or max(1, settings.write_consistency_factor),
        )


def _make(client: QdrantClient, request: StoreRequest) -> None:
    """Make the collection; its fingerprint is written with it, so no collection of ours is ever without one."""
    if not request.create:
        raise StoreRefused(f"there is no collection {request.settings.collection}", hint="import something first")
    settings = request.settings
    # `on_disk` has the server map the vectors, else hold them.
    dense = models.VectorParams(
        size=request.dimension, distance=models.Distance.COSINE, on_disk=True if settings.on_disk else None
    )
    factors: Any = {name: count for name in FACTORS if (count := getattr(settings, name))}
    try:
        with translated():
            client.create_collection(
                request.settings.collection,
                vectors_config={dense_name(request.model): dense},
                sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                on_disk_payload=True,
                quantization_config=_quantisation(settings.quantisation),
                metadata={OURS: msgspec.to_builtins(born(request.model, request.dimension)), STEMS: DONE},
                **factors,
            )
    except Conflict:
        return  # another importer was faster
    except Forbidden as error:
        name = request.settings.collection
        hint = (
            "make it once with a key for the whole server (`importer backlog`); then one for this collection is enough"
        )
        raise Forbidden(
            f"there is no collection {name}, and the key may not make one: {error.message}", hint=hint
        ) from error


def _quantisation(kind: str) -> Any:
    """int8 copies stay in memory and choose candidates, which the full vectors then rank (see `QdrantStore`)."""
    if kind == "none":
        return None
    # The outermost 1 % of the numbers are clipped, which leaves finer steps for the others.
    scalar = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    return models.ScalarQuantization(scalar=scalar)


def _adopt(client: QdrantClient, request: StoreRequest) -> Adopted:
    """Return a fitting collection; one without a fingerprint gets it where the server can keep it.

    Where the server keeps no metadata, vectors that fit are all there is to go by.
    """
    with translated():
        described = client.get_collection(request.settings.collection)
    _check_vectors(described, request)
    found = read_fingerprint(described)
    if found is None:
        fresh = born(request.model, request.dimension)
        with contextlib.suppress(Forbidden), translated():
            client.update_collection(request.settings.collection, metadata={OURS: msgspec.to_builtins(fresh)})
            described = client.get_collection(request.settings.collection)
            found = read_fingerprint(described)
    found = found or Fingerprint(request.model, request.dimension)
    where = f"collection {request.settings.collection}"
    return Adopted(same_maker(found, request.model, request.dimension, where), described)


def _check_vectors(described: models.CollectionInfo, request: StoreRequest) -> None:
    """Raise StoreRefused for vectors that do not fit; it says what the collection has and what is wanted."""
    name, params = dense_name(request.model), described.config.params
    vectors: dict[str, Any] = params.vectors if isinstance(params.vectors, dict) else {"": params.vectors}
    fits = name in vectors and vectors[name].size == request.dimension and SPARSE in (params.sparse_vectors or {})
    if fits:
        return
    has = ", ".join(f"{key or 'unnamed'} ({given.size})" for key, given in vectors.items() if given) or "none"
    sparse = ", ".join(params.sparse_vectors or {}) or "none"
    raise StoreRefused(
        f"collection {request.settings.collection} has the dense vectors {has} and the sparse vectors {sparse}; "
        f"wanted are {name} ({request.dimension}) and {SPARSE}",
        hint=f"set COLLECTION_NAME to another one, or `importer migrate --to STORE --model {request.model}`",
    )


def _complete(client: QdrantClient, collection: str, described: models.CollectionInfo, *, backlog: bool) -> None:
    """Make payload indexes that are missing, and switch indexing on if a backlog ended without saying so.

    A key that only reads may do neither, and strict mode may allow fewer indexes: what is there can be searched as it
    is.
    """
    wait = not described.points_count  # a collection of an earlier version answers meanwhile as it did
    there = described.payload_schema or {}
    # One of another type, from another program, gives way: without its own type nothing can be counted by a key.
    for key in (key for key in (*KEYWORDS, *TIMES) if key not in there or there[key].data_type != _schema(key).type):
        try:
            with translated():
                client.create_payload_index(collection, key, field_schema=_schema(key), wait=wait)
        except StoreRefused:
            break
    # 0 means that a backlog switched it off and was killed before it could switch it on again.
    if not backlog and getattr(described.config.optimizer_config, "indexing_threshold", None) == 0:
        with contextlib.suppress(Forbidden):
            set_indexing(client, collection, True)


def _schema(key: str) -> Any:
    """Return a key's index; the tenant key is marked as one, so that the server keeps a project's points together."""
    if key in TIMES:
        return models.DatetimeIndexParams(type=models.DatetimeIndexType.DATETIME)
    return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=key == TENANT or None)


def set_indexing(client: QdrantClient, collection: str, on: bool) -> None:
    """Graph building off while a backlog pours in, on again after it; the server then builds in the background."""
    threshold = models.OptimizersConfigDiff(indexing_threshold=INDEXING_THRESHOLD_KB if on else 0)
    with translated():
        client.update_collection(collection, optimizers_config=threshold)
