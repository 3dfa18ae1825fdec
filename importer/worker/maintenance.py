"""Questions that keep a store in order, a page each: prints to compare, points to delete or to import again, a thread.

Every answer is small enough for one frame, and asking again is always right.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from importer.protocol import prints as digests
from importer.protocol.foreign.arguments import converted
from importer.protocol.records import Chunk, Release
from importer.worker.copying import copy_points, next_generation, sync_points
from importer.worker.embed import embed_chunks
from importer.worker.plan import looked_up, plan, unsure_points
from importer.worker.retell import moved, own_facts, renewed
from importer.worker.session import WorkerSession
from importer.worker.stores import Ownership, Point, Scope, schema
from importer.worker.stores.schema import DOCUMENT, document, holders, metadata, ownership, standing_of
from importer.worker.voices import conversations, told_by

PAGE_POINTS = 512  # without vectors
PAGE_TEXTS = 256  # with whole payloads
MOST_IN_THREAD = 20_000  # points of one conversation that are looked at; real ones have hundreds


def prints(session: WorkerSession, after: str | None = None, limit: int = PAGE_POINTS) -> Mapping[str, Any]:
    """Return a page of points, `[id, text digest, facts digest, told fields, holders, conversations]`, and `next`."""
    # Of a cluster what any replica has, so that what stands on one alone is seen, too.
    survey = getattr(session.store, "survey", session.store.scroll)
    page = survey(after, copy_points.page_of(limit))
    # Not told of, so that `mend` writes them to every replica, and with their vectors.
    unsure = unsure_points(session.store, [found.id for found in page.points], vectors=True)
    rows = []
    for found in (found for found in page.points if found.id not in unsure):
        facts, text = metadata(found.payload), digests.text_print(found.payload.get(DOCUMENT))
        printed = [text, digests.facts_print(facts), digests.told(facts)]
        rows.append([found.id, *printed, list(holders(found.payload)), list(conversations(facts))])
    return {"points": rows, "next": page.next}


def erase_ids(session: WorkerSession, ids: Sequence[str]) -> int:
    """Delete these points, durably; return how many there were. Ids that are not there are passed over."""
    # A stranger's points may have integers as ids.
    wanted: list[Any] = [int(point) if point.isdecimal() else point for point in ids]
    count = len(looked_up(session.store, wanted)[0]) if wanted else 0
    if count:
        session.store.write((), {}, wanted)
        session.purged()
    return count


def named_by(session: WorkerSession, ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return, of these ids, those that are stored, with the conversations that each names."""
    payloads = looked_up(session.store, ids)[1]
    return {point: list(conversations(metadata(payload))) for point, payload in payloads.items()}


def move_points(session: WorkerSession, project: str, to: str, host: str, source: str = "") -> int:
    """Move a page of the points of a project to another one; return how many. What was moved is not found again."""
    page = session.store.scroll(None, PAGE_POINTS, scope=Scope(projects=(project,), host=host, source=source))
    session.store.write((), {point.id: moved(point, project, to) for point in page.points}, ())
    return len(page.points)


def mend(
    session: WorkerSession,
    chunks: Sequence[Mapping[str, Any]],
    over: Collection[str] = (),
    releases: Sequence[Sequence[str]] = (),
) -> Mapping[str, int]:
    """Import these chunks and `releases` as a batch does; return how many were `imported` (embedded) and `retold`.

    Of the ids in `over` that are stored, the metadata are written over by those of their chunks.
    Written on the thread that asks, which has waited for all other writes. Raises what embedder and store raise.
    """
    made = [converted(chunk, Chunk) for chunk in chunks]
    outgrown = [Release(*one) for one in releases]
    ids = [*(chunk.id for chunk in made), *(one.id for one in outgrown)]
    stored, payloads, unsure = looked_up(session.store, ids, vectors=True)
    todo = plan(made, outgrown, stored, payloads, unsure)
    retold = {chunk.id: renewed(payloads[chunk.id], chunk) for chunk in made if chunk.id in {*over} & {*payloads}}
    standing = {**todo.standing, **retold}
    texts = [chunk.text for chunk, _ in todo.write]
    points: list[Point] = []
    if texts:
        for part in embed_chunks(session.embedder, texts, session.token_budget, between=lambda _indexes: None):
            points += [schema.point(*todo.write[i], part.vectors[k]) for k, i in enumerate(part.indexes)]
    session.store.write(points, standing, todo.deletes)
    session.recount()
    return {"imported": len(points), "retold": len(standing)}


def thread(
    session: WorkerSession, conversation: str, around: str = "", before: int = 5, after: int = 5
) -> list[dict[str, Any]]:
    """Return the chunks of a conversation in their order: those `around` an id, else the first ones.

    At most `before` of them stand before that id and `after` behind it; `place` counts from 0 in the conversation.
    """
    order = sorted(_said(session, conversation))
    at = next((place for place, (*_, point) in enumerate(order) if point == around), 0)
    first = max(0, at - before)
    wanted = {point: place for place, (*_, point) in enumerate(order) if first <= place <= at + after}
    # A second pass for the texts: the first one kept places alone, for a conversation may be long.
    found, own = [], own_facts(session.store, conversation)
    for page in _pages(session, Scope(conversation=conversation)):
        for point in page:
            if point.id in wanted:
                known = {
                    "id": point.id,
                    "document": point.payload.get(DOCUMENT, ""),
                    "metadata": told_by(metadata(point.payload), conversation, own),
                }
                found.append({"place": wanted[point.id], "of": len(order), **known})
    return sorted(found, key=lambda chunk: chunk["place"])


def _said(session: WorkerSession, conversation: str) -> list[tuple[str, str, int, str]]:
    """Return `(begin of the exchange, exchange, ordinal, id)` of every chunk; sorted, in the order of speaking."""
    chunks = [
        (str(facts.get("message_id", "")), int(facts.get("chunk", 0)), str(facts.get("timestamp", "")), point.id)
        for page in _pages(session, Scope(conversation=conversation))
        for point in page
        for facts in [metadata(point.payload)]
    ]
    # A chunk's time is that of its newest message; the least of an exchange's chunks stands for its beginning.
    begun: dict[str, str] = {}
    for exchange, _, at, _ in chunks:
        begun[exchange] = min(at, begun.get(exchange, at))
    return [(begun[exchange], exchange, ordinal, point) for exchange, ordinal, _, point in chunks]


def _pages(session: WorkerSession, scope: Scope) -> Iterator[Sequence[Point]]:
    """Yield pages of the points of a scope in order of id, as many as a thread may have."""
    after: str | None = None
    for _ in range(MOST_IN_THREAD // PAGE_POINTS):
        page = session.store.scroll(after, PAGE_POINTS, scope=scope)
        yield page.points
        after = page.next
        if after is None:
            return


def documents(session: WorkerSession, after: str | None = None, limit: int = PAGE_TEXTS) -> Mapping[str, Any]:
    """Return a page of points, `{id, document, metadata, voices}`, and `next`."""
    page = session.store.scroll(after, limit)
    points = [
        {
            "id": point.id,
            "document": document(point.payload),
            "metadata": metadata(point.payload),
            "voices": standing_of(point.payload).voices,
        }
        for point in page.points
    ]
    return {"points": points, "next": page.next}


def remask(session: WorkerSession, points: Sequence[Mapping[str, Any]]) -> int:
    """Write other texts and metadata under the same ids; return how many points that were. Unknown ids are passed over.

    A point's holders stay as they are, and it is embedded again.
    """
    stored, _, _ = looked_up(session.store, [str(one["id"]) for one in points])
    known = [one for one in points if one["id"] in stored]
    texts = [str(one["document"]) for one in known]
    written: list[Point] = []
    if texts:
        for part in embed_chunks(session.embedder, texts, session.token_budget, between=lambda _indexes: None):
            written += [_point(known[i], stored, part.vectors[k]) for k, i in enumerate(part.indexes)]
        session.store.write(written, {}, ())
    return len(written)


def _point(given: Mapping[str, Any], stored: Mapping[str, tuple[str, ...]], dense: Sequence[float]) -> Point:
    """Return the point as it is to stand."""
    standing = Ownership(stored[given["id"]], given["metadata"], given["voices"])
    return Point(given["id"], dense, {"document": given["document"], **ownership(standing)})


MAINTENANCE: Mapping[str, Callable[..., Any]] = {
    **{
        answer.__name__: answer
        for answer in (prints, erase_ids, named_by, move_points, mend, thread, documents, remask)
    },
    **copy_points.COPY_QUESTIONS,
    **next_generation.GENERATION_QUESTIONS,
    **sync_points.SYNC_QUESTIONS,
}
