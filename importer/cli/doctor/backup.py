"""Check how old the last copy of the points is, and whether the syncs go on.

What is known: copies that `importer migrate` made and rounds of `importer sync`, noted in the state; and the snapshots
that a server has. Copies of the state directory made by other programs are not known here.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from importer.cli import context
from importer.cli.doctor.finding import Finding, Problem, advise, judge
from importer.cli.text import duration
from importer.consistency.baseline import COPIED
from importer.errors import StateError
from importer.protocol.worker_settings import addresses
from importer.service.status.store_location import SERVER, Location
from importer.service.status.store_ping import StoreServer
from importer.settings.schema import Settings
from importer.state.sent_points import SyncReport, reports

OLD_S = 30 * 86_400  # a copy that is older is told as old


@dataclass(frozen=True, slots=True)
class BackupCopy:
    """A copy of the points: where it is, and when it was made, in UTC seconds."""

    where: str
    at: float


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """The copies that are known, the syncs that go on, whether the points are on a server, and the time now.

    `points` is how many there are to be copied, None where that is not known.
    """

    copies: tuple[BackupCopy, ...] = ()
    syncs: tuple[SyncReport, ...] = ()
    on_server: bool = False
    now: float = 0.0
    points: int | None = None


def gather(settings: Settings, location: Location, points: int | None) -> BackupFacts:
    """Gather what the state knows of copies, and a server of its snapshots."""
    now = time.time()
    try:
        checkpoints = context.peek(settings)
    except StateError:
        checkpoints = None  # check_state reports it
    syncs = tuple(reports(checkpoints, now))
    known = json.loads(checkpoints.meta(COPIED) or "{}") if checkpoints else {}
    copies = [BackupCopy(known["to"], known["at"])] if known else []
    copies += [BackupCopy(one.to, one.at) for one in syncs if one.at]
    copies += _snapshots(settings, location) if location.kind == SERVER else []
    return BackupFacts(tuple(copies), syncs, location.kind == SERVER, now, points)


def _snapshots(settings: Settings, location: Location) -> list[BackupCopy]:
    """Return the server's snapshots of the collection and of all collections; none where the key may not list them."""
    found = []
    for url in addresses(location.location):
        server = StoreServer(url, api_key=settings.store.api_key, ca_file=settings.store.ca_file)
        for path in (f"/collections/{quote(location.collection, safe='')}/snapshots", "/snapshots"):
            try:
                _, answer = server.ask("GET", path)
            except (OSError, http.client.HTTPException, ValueError):
                break
            rows = answer.get("result") if isinstance(answer, dict) else None
            times = [_utc(str(row.get("creation_time") or "")) for row in rows or () if isinstance(row, dict)]
            found += [BackupCopy(f"snapshot of {url}", at) for at in times if at]
    return found


def _utc(text: str) -> float:
    """Return a server's time, which names no zone and is UTC, in seconds; 0.0 for none."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def check_backup(facts: BackupFacts) -> Finding:
    """Tell the age of the last copy. Without one nothing is broken: the conversations' own files may be enough."""
    newest = max(facts.copies, key=lambda one: one.at, default=None)
    way = "`importer migrate --to edge:/media/backup/store` makes one while everything runs"
    if facts.on_server:
        way += ", POST /collections/NAME/snapshots one on the server"
    fine = f"{newest.where}, {duration(facts.now - newest.at)} ago" if newest else "nothing to copy yet"

    def hints() -> Iterator[Problem]:
        if newest is None and facts.points == 0:
            return
        if newest is None:
            yield Problem("no copy of the points is known", way)
        elif facts.now - newest.at > OLD_S:
            yield Problem(f"the last copy is old: {fine}", way)

    return advise("backup", fine, hints())


def check_syncs(facts: BackupFacts) -> Finding:
    """Check that what is synced again and again is done, and that nothing is refused by its target."""

    def problems() -> Iterator[Problem]:
        for one in facts.syncs:
            if one.failed_at > one.at:
                yield Problem(f"the sync to {one.to} fails: {one.why}", "it is tried again; see to its target")
            elif one.is_late(facts.now):
                again = f"importer sync --to {one.to} --every {duration(one.every_s)}"
                yield Problem(f"the sync to {one.to} was last done {duration(facts.now - one.at)} ago", again)
            if one.held:
                yield Problem(
                    f"{one.held} points do not go to {one.to}: a secret is in them", "importer redact --stored"
                )
            if one.refused:
                yield Problem(
                    f"{one.to} refuses {one.refused} points", "`importer verify --repair` here, then sync again"
                )

    return judge("sync", f"{len(facts.syncs)} stores" if facts.syncs else "none", problems())
