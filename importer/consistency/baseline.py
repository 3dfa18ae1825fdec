"""Baseline of the state: which collection and which patterns its checkpoints speak of.

Another collection lacks what the checkpoints say is stored. `fingerprint` in the state names the one imported into so
far (its model, schema and birth, see `wire.Ready`); `migrated` names one that `importer migrate` copied everything to,
and how far the state was then. Ids come from content, so files that are read again embed nothing that is stored.
"""

from __future__ import annotations

import json

from importer import log
from importer.errors import StoreRefused
from importer.protocol.wire import Ready
from importer.sources.selection import Selection
from importer.state.checkpoints import Checkpoints


def accept(checkpoints: Checkpoints, ready: Ready) -> None:
    """Accept the collection a fresh worker has opened, the first one as it is.

    Raises StoreRefused for another one: it would be acknowledged into nothing. Called whenever a worker has started,
    before it gets any work. For the collection that is known nothing is written.
    """
    known = checkpoints.meta("fingerprint")
    moved = bool(known) and _moved_to(checkpoints, ready.fingerprint)
    if known and known != ready.fingerprint and not moved:
        raise StoreRefused(
            f"the collection at {ready.store} is not the one imported into so far: it was dropped, made anew or is "
            f"another ({known} then, {ready.fingerprint} now)",
            hint="`importer rebuild-state` reads everything again into it, embedding only what is missing there",
        )
    if known == ready.fingerprint:
        _note_size(checkpoints, ready.points)
    if not known or moved:
        if checkpoints.created and ready.points:
            log.logger().warning("state.new", points=ready.points, then="every file is read, nothing is embedded twice")
        checkpoints.remember(fingerprint=ready.fingerprint)


SEEN, SHRANK = "points_seen", "points_shrank"  # facts: how many points a worker found, and a loss found since
FEW_POINTS = 20  # as many may go with the open ends of conversations


def _note_size(checkpoints: Checkpoints, points: int) -> None:
    """Remember about how many points the store has, and warn when a tenth of them is gone: not by an import."""
    seen = int(checkpoints.meta(SEEN) or 0)
    if seen - points > max(FEW_POINTS, seen // 10):
        then = "`importer verify` says what is missing, with --repair it is imported again"
        log.logger().warning("store.shrank", points=points, before=seen, then=then)
        checkpoints.remember(**{SHRANK: f"{seen} {points}", SEEN: str(points)})
    elif points - seen > max(FEW_POINTS, seen // 10):  # not at every start, for that would be a write each
        checkpoints.remember(**{SEEN: str(points)})


def shrank(checkpoints: Checkpoints) -> tuple[int, int] | None:
    """Return how many points the store had and how many were left, where it shrank and that is not settled yet."""
    before, _, after = checkpoints.meta(SHRANK).partition(" ")
    return (int(before), int(after)) if before else None


def settle_size(checkpoints: Checkpoints) -> None:
    """Forget how many points there were: some were deleted on purpose, or the store was compared with the files."""
    checkpoints.drop_facts(SEEN, SHRANK)


def reset(checkpoints: Checkpoints) -> None:
    """Forget which collection was imported into: the next one is accepted as it is.

    Right only when the checkpoints are forgotten too: what these call stored may be missing in the next one.
    """
    checkpoints.drop_facts("fingerprint", "migrated", SEEN, SHRANK)


def vouch(checkpoints: Checkpoints, fingerprint: str) -> dict[str, str]:
    """Return the facts to remember when everything was copied to the collection of that fingerprint."""
    return {"migrated": f"{fingerprint} {_mark(checkpoints)}"}


def _moved_to(checkpoints: Checkpoints, fingerprint: str) -> bool:
    """Return True if that collection got a copy of everything and nothing was imported into the former one since."""
    return checkpoints.meta("migrated") == f"{fingerprint} {_mark(checkpoints)}"


def _mark(checkpoints: Checkpoints) -> str:
    """Return a text that changes with every commit that stores anything."""
    counters = checkpoints.counters()
    return "/".join(str(counters.get(name, 0)) for name in ("points", "known", "bytes_stored", "bytes_skipped"))


COPIED = "copied"  # the fact of the last copy that `importer migrate` made: when, and to which store
SELECTED = "selected"  # the fact of the state that holds the patterns by which files were read last


def select(checkpoints: Checkpoints, selection: Selection) -> int:
    """Remember by which patterns files are read from now on, and return how many files are read again.

    That is all of them where these patterns may want what was left out. To be called when nothing is in flight.
    """
    told = json.dumps([selection.include, selection.exclude])
    former = checkpoints.meta(SELECTED) or json.dumps([[], []])
    if told == former:
        return 0
    include, exclude = json.loads(former)
    files = checkpoints.forget_all_files() if selection.wider_than(Selection(tuple(include), tuple(exclude))) else 0
    checkpoints.remember(**{SELECTED: told})
    return files
