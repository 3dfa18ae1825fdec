"""Bring what is new in the store to another one: one round over all points, in which only new ones travel.

    page of (id, print, holders) ─► ledger: sent like this already? ─► send the others ─► note them
    the ledger's points that the round did not come by ─► drop them there ─► take them out

A kill or a cut line at any moment costs at most one page sent again, which the target knows already. A round that was
cut off drops nothing: only one that came by all points knows what is gone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer.state.sent_points import SentPoints

PAGE_POINTS = 256
Ask = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Journey:
    """Where points go (a `CopyTarget` in plain values), which host they come from, and which projects stay here."""

    to: Mapping[str, Any]
    host: str
    leave_out: tuple[str, ...] = ()


@dataclass(slots=True)
class Round:
    """What one round did: points seen here, brought, changed there, taken out there, and refused by the target."""

    seen: int = 0
    sent: int = 0
    changed: int = 0
    removed: int = 0
    refused: int = 0


async def travel(
    ask: Ask, ledger: SentPoints, journey: Journey, shown: Callable[[int], None] = lambda _points: None
) -> Round:
    """Do one round. Raises what the worker raises; what was sent until then is noted."""
    done, after = Round(), None
    while True:
        page = await ask("sync_look", after=after, limit=PAGE_POINTS, leave_out=list(journey.leave_out))
        refused: set[str] = set()
        if new := _new(ledger, page["points"]):
            told = await ask("sync_send", to=journey.to, sent=new, after=after, limit=PAGE_POINTS)
            done.sent += told["written"]
            done.changed += told["changed"]
            done.refused += len(refused := set(told["refused"]))
        ledger.note(row for row in page["points"] if row[0] not in refused)
        done.seen += len(page["points"])
        shown(len(page["points"]))
        if (after := page["next"]) is None:
            break
    while gone := ledger.unseen(PAGE_POINTS):
        told = await ask("sync_drop", to=journey.to, sent=gone, host=journey.host)
        ledger.drop(gone)
        done.removed += told["deleted"] + told["released"]
    ledger.end_round()
    return done


def _new(ledger: SentPoints, points: Sequence[Any]) -> dict[str, tuple[str, ...] | None]:
    """Return the points that were never sent, or not as they are now, with the holders that they were sent with."""
    known = ledger.of([id for id, *_ in points])
    return {
        id: known[id].holders if id in known else None
        for id, print, _ in points
        if id not in known or known[id].print != print
    }
