"""Bring what is new in the store to another one: one round over all points, in which only new ones travel.

    the points sent last, and how many there are ─► does the target have them? else nothing counts as sent
    page of (id, print, holders) ─► ledger: sent like this already? ─► send the others ─► note them
    the ledger's points that the round did not come by ─► drop them there ─► take them out

A point in which today's rules would mask anything stays here until it is masked: an older version knew fewer secrets.
A kill or a cut line at any moment costs at most one page sent again, which the target knows already. A round that was
cut off drops nothing: only one that came by all points knows what is gone. A target that was put back from an older
snapshot is found out before the round, and all points are looked up there; what was deleted there on purpose, as
`forget` does, stays away. A store here that shrank drops nothing
there: what it lost was not forgotten, and the target may have the only copy.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer.state.sent_points import LOST, PURGED, SentPoints

PAGE_POINTS = 256
Ask = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Journey:
    """Where points go (a `CopyTarget` in plain values), which host they come from, and which projects stay here.

    `is_secret` tells of a point, as the worker's `documents` has it, that it may not travel as it is. With `shrank` the
    store here has lost points, and those that are gone were not forgotten.
    """

    to: Mapping[str, Any]
    host: str
    leave_out: tuple[str, ...] = ()
    is_secret: Callable[[Mapping[str, Any]], bool] = lambda _point: False
    shrank: bool = False


@dataclass(slots=True)
class Round:
    """What one round did: points seen here, brought, changed and taken out there, refused there, and held back here.

    Of those that were sent, `again` had been brought before: the target had lost them.
    """

    seen: int = 0
    sent: int = 0
    again: int = 0
    changed: int = 0
    removed: int = 0
    refused: int = 0
    held: int = 0


async def travel(
    ask: Ask, ledger: SentPoints, journey: Journey, shown: Callable[[int], None] = lambda _points: None
) -> Round:
    """Do one round. Raises what the worker raises; what was sent until then is noted."""
    done, after = Round(), None
    target = ledger.judge(**await ask("sync_trust", to=journey.to, ids=ledger.last()))
    for ids in ledger.pages(PAGE_POINTS) if target == PURGED else ():
        ledger.stay_away((await ask("sync_trust", to=journey.to, ids=ids))["lost"])
    while True:
        page = await ask("sync_look", after=after, limit=PAGE_POINTS, leave_out=list(journey.leave_out))
        refused: set[str] = set()
        new = _new(ledger, page["points"], trusted=target != LOST)
        held = await _held(ask, journey, new, after) if new else set()
        done.held += len(held)
        if new := {id: sent for id, sent in new.items() if id not in held}:
            told = await ask("sync_send", to=journey.to, sent=new, after=after, limit=PAGE_POINTS)
            done.sent += told["written"]
            done.again += told["again"]
            done.changed += told["changed"]
            done.refused += len(refused := set(told["refused"]))
        ledger.note((row for row in page["points"] if row[0] not in refused | held), sent=new.keys() - refused)
        done.seen += len(page["points"])
        shown(len(page["points"]))
        if (after := page["next"]) is None:
            break
    while not journey.shrank and (gone := ledger.unseen(PAGE_POINTS)):
        told = await ask("sync_drop", to=journey.to, sent=gone, host=journey.host)
        ledger.drop(gone)
        done.removed += told["deleted"] + told["released"]
    ledger.end_round()
    return done


async def _held(ask: Ask, journey: Journey, new: Mapping[str, Any], after: str | None) -> set[str]:
    """Return those of the new points of a page that may not travel as they are."""
    page = await ask("documents", after=after, limit=PAGE_POINTS)
    return {point["id"] for point in page["points"] if point["id"] in new and journey.is_secret(point)}


def _new(ledger: SentPoints, points: Sequence[Any], *, trusted: bool) -> dict[str, tuple[str, ...] | None]:
    """Return the points that were never sent, or not as they are now, with the holders that they were sent with.

    All of them where the target is not `trusted` to have what was sent.
    """
    ids = [id for id, *_ in points]
    known, away = ledger.of(ids), ledger.away(ids)
    return {
        id: known[id].holders if id in known else None
        for id, print, _ in points
        if id not in away and (not trusted or id not in known or known[id].print != print)
    }
