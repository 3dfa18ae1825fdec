"""What the worker can be asked beside importing, each a function of the session and plain arguments.

Each runs on the main thread, so none of them overlaps another: between two batches or two model runs, or, where it
takes little, while runs are under way on threads of their own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any, cast

from importer.errors import ImporterError, UsageError
from importer.protocol import clock
from importer.protocol.foreign.arguments import converted
from importer.protocol.foreign.values import MOST_NAMED
from importer.protocol.query import Found, Query
from importer.worker import malloc
from importer.worker.maintenance import MAINTENANCE, PAGE_POINTS
from importer.worker.plan import looked_up
from importer.worker.retell import own_facts
from importer.worker.search import answer, meant, question_text
from importer.worker.search.spanning import Spanning
from importer.worker.session import WorkerSession
from importer.worker.stores import Scope, Store
from importer.worker.stores.filters import has_file
from importer.worker.stores.schema import document, metadata
from importer.worker.voices import CONVERSATION, conversations, told_by

TOLD_POINTS = 4096  # whose metadata are looked at in one question
CANARY_RUNS = 8  # spread over the time asked for
MOST_HITS = 1000


def search(session: WorkerSession, **query: Any) -> dict[str, Any]:
    """Return the answer to `query.Query(**query)` (see `query.Found`) as plain dicts, with the projects that it means.

    A filter with a value that nothing has is told as `unknown`. Raises UsageError for an unknown mode, project or
    conversation.
    """
    asked = _in_utc(converted(query, Query))
    if not 0 <= asked.limit <= MOST_HITS:
        raise UsageError(f"a limit of {asked.limit}", hint=f"0 to {MOST_HITS}")
    wanted = session.projects.resolve(asked)
    wanted = replace(wanted, conversation=meant.conversation(session.store, wanted.conversation))
    wanted = replace(wanted, text=question_text.cut(wanted.text, None if _by_words(wanted) else session.embedder))
    found = asdict(answered(session, wanted, clock.now().date()))
    if not found["hits"] and (why := meant.unknown(session.store, wanted)):
        found["unknown"] = why
    _tell_of(session, wanted.conversation, found["hits"])
    if asked.project:
        found["projects"] = session.projects.counted(wanted.projects)
    if wanted.text != asked.text:
        found["query_cut"] = len(wanted.text)  # so many characters were read
    if away := getattr(session.store, "away", None):
        found["away"] = away
    return found


def _tell_of(session: WorkerSession, conversation: str, hits: list[dict[str, Any]]) -> None:
    """Have hits of one conversation tell of it: points that forks share name another one of them."""
    shared = [hit for hit in hits if conversation and hit["metadata"].get(CONVERSATION) != conversation]
    own = own_facts(session.store, conversation) if shared else {}
    for hit in shared:
        hit["metadata"] = told_by(hit["metadata"], conversation, own)


def answered(session: WorkerSession, wanted: Query, today: date) -> Found:
    """Return the answer to a query, asked on that day. A search by keywords needs no model, and loads none."""
    if wanted.mode not in {"hybrid", "dense", "keyword"}:
        raise UsageError(f"no search mode {wanted.mode!r}", hint="hybrid, dense or keyword")
    dense = None if _by_words(wanted) else session.embedder.query(wanted.text).tolist()
    reranker = session.reranker if wanted.mode == "hybrid" else None
    known = answer.QueryContext(session.points, today, session.judged, reranker)
    return answer.search(session.store, wanted, dense, known)


def _by_words(query: Query) -> bool:
    """Return True for a search that needs no model."""
    return query.mode == "keyword"


def _in_utc(query: Query) -> Query:
    """Return the query with its times, which may be written as people write them, in UTC. Raises UsageError."""
    since, until = clock.span(query.since, query.until)
    return replace(query, since=since, until=until)


def tokens(session: WorkerSession, texts: list[str]) -> list[int]:
    """Return how many tokens the model reads in each text; without a local model an estimate that is never too low."""
    try:
        return [sum(window.tokens for window in windows) for windows in session.embedder.split(texts)]
    except ImporterError:  # no model, or one that cannot read a text
        return [len(text.encode("utf-8", "replace")) for text in texts]


def missing(session: WorkerSession, ids: list[str]) -> list[str]:
    """Return those of the ids that a batch would embed now: the store has no such point, or not on every replica."""
    stored, _, unsure = looked_up(session.store, ids)
    return [id for id in ids if id not in stored or id in unsure]


def ping(session: WorkerSession) -> Mapping[str, Any]:
    """Return the worker's process id and the store it serves."""
    return {"pid": os.getpid(), "points": session.points, "fingerprint": session.store.fingerprint}


def canary(session: WorkerSession, seconds: float) -> int:
    """Embed a harmless text now and again for so many seconds; return how often. Random kills hit this as well."""
    for _ in range(CANARY_RUNS):
        session.embedder.query("A harmless sentence.")
        time.sleep(seconds / CANARY_RUNS)
    return CANARY_RUNS


def _forgotten(conversation: str = "", **scope: Any) -> Scope:
    """Return the scope of what forgetting takes: of points that forks share, those that name the conversation."""
    return converted({**scope, "names": conversation}, Scope)


def erase(session: WorkerSession, **scope: str) -> int:
    """Delete the points of the scope; return how many there were.

    Counted anew afterwards: how many of them `points` knew of cannot be told from a scope.
    """
    deleted = session.store.delete(_forgotten(**scope))
    session.purged()
    return deleted


def named(session: WorkerSession, after: str | None = None, **scope: str) -> Mapping[str, Any]:
    """Return the conversations that a page of the points of the scope name, and `next`."""
    page = session.store.scroll(after, PAGE_POINTS, scope=_forgotten(**scope))
    names = {name for point in page.points for name in conversations(metadata(point.payload))}
    return {"names": sorted(names), "next": page.next}


def scrub(session: WorkerSession) -> list[str]:
    """Take what was deleted out of the store's files; return in words where it may still stand."""
    left = list(session.store.scrub())
    malloc.trim()
    return left


def tally(session: WorkerSession, **scope: str) -> int:
    """Return how many points the scope holds."""
    return session.store.count(_forgotten(**scope))


def facet(session: WorkerSession, key: str, limit: int = 1000, elsewhere: bool = False) -> dict[str, int]:
    """Return how many points have each value of `metadata.<key>`, or how many of the further stores alone."""
    return _read_from(session, elsewhere).facet(key, limit)


def _read_from(session: WorkerSession, elsewhere: bool) -> Store:
    """Return the store that is read: that of the session, or its further ones alone."""
    return cast(Store, cast(Spanning, session.store).elsewhere()) if elsewhere else session.store


def trim(_session: WorkerSession) -> bool:
    """Give freed memory back to the system."""
    return malloc.trim()


def backlog(session: WorkerSession, on: bool) -> bool:
    """Tell the store that a large backlog begins or ends."""
    session.store.backlog(on)
    return on


def beginning(session: WorkerSession, prefix: str) -> Mapping[str, Any]:
    """Return the conversations and the points whose ids begin so: `conversations` are ids, `points` as hits are."""
    asked = prefix.strip()
    fitting = meant.beginning(session.store, asked)
    return {"conversations": fitting[:MOST_NAMED], "points": _points(session, asked.lower())}


def _points(session: WorkerSession, prefix: str) -> list[Mapping[str, Any]]:
    """Return the points whose ids begin so: ids ascend, so a page from the least such id on holds them."""
    dashed = prefix.replace("-", "")
    if not dashed or len(dashed) > 32 or set(dashed) - set("0123456789abcdef"):
        return []
    least = dashed.ljust(32, "0")
    least = "-".join((least[:8], least[8:12], least[12:16], least[16:20], least[20:]))
    page = session.store.scroll(least, MOST_NAMED)
    found = [point for point in page.points if point.id.replace("-", "").startswith(dashed)]
    return [{"id": p.id, "document": document(p.payload), "metadata": metadata(p.payload)} for p in found]


def told(session: WorkerSession, after: str | None = None, elsewhere: bool = False, **scope: Any) -> Mapping[str, Any]:
    """Return a page of what points tell of conversations, of the further stores alone with `elsewhere`.

    `conversations` are source, id, title, project, first and last time and host of each; `away` the stores left out.
    """
    asked = converted(scope, Scope)
    page = _read_from(session, elsewhere).scroll(after, TOLD_POINTS, scope=asked)
    found: dict[tuple[str, str], list[str]] = {}
    for point in page.points:
        facts = metadata(point.payload)
        if not has_file(facts, asked.file):
            continue
        title, project, at, host = (str(facts.get(name, "")) for name in ("title", "project", "timestamp", "host"))
        for name in conversations(facts):
            row = found.setdefault((str(facts.get("source", "")), name), [title, project, at, at, host])
            times = [moment for moment in (*row[2:4], at) if moment]
            row[2:4] = [min(times, default=""), max(times, default="")]
    rows, away = [[*key, *row] for key, row in found.items()], getattr(session.store, "away", {})
    why = "" if page.points or after or elsewhere else meant.unknown(session.store, asked)
    return {"conversations": rows, "next": page.next, "unknown": why, "away": away}


# By the function's name, which is the `op` of a question on the wire.
ANSWERS: Mapping[str, Callable[..., Any]] = {
    **{a.__name__: a for a in (search, ping, canary, named, erase, scrub, tally, facet, trim, backlog, tokens)},
    **{a.__name__: a for a in (beginning, told, missing)},
    "count": WorkerSession.recount,
    **MAINTENANCE,
}
