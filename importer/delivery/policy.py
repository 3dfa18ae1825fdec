"""Pure: what to do after something went wrong. No clock, no randomness, no effects.

what happened                                       | what is done
----------------------------------------------------|---------------------------------------------------------
worker died on a batch, first time                  | RETRY in a fresh worker
… again, more than one chunk in it                  | SPLIT: the suspects, and the rest
… a single chunk killed 3 fresh workers, and the    | QUARANTINE it, its neighbours are stored
  next one lives with harmless text                 | (if that dies too: RETRY, no chunk is blamed)
… a single chunk was only near 8 deaths             | QUARANTINE it (dying while stored, for example)
worker was killed with nothing of ours in the model | RETRY, no chunk is blamed
embed error, first time                             | RETRY; then SPLIT; a single chunk: QUARANTINE
the store refuses named points                      | QUARANTINE those
the store cannot be reached, has no room            | WAIT, nothing is embedded again but this batch
a remote embedding provider cannot be reached       | WAIT as for the store
the store refuses everything, the model is missing  | HALT with the reason
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from importer import errors
from importer.protocol.outcome import Failure
from importer.protocol.records import Batch, Suspect

DEATHS_BEFORE_SPLIT = 2  # one may be an accident
DEATHS_OF_ONE_CHUNK = 3  # while it was in the model
DEATHS_NEAR_ONE_CHUNK = 8  # died with it, but not while it was in the model
EMBED_FAILURES_BEFORE_SPLIT = 2


class Reaction(StrEnum):
    """What to do with a batch that failed."""

    RETRY = "retry"
    SPLIT = "split"
    QUARANTINE = "quarantine"
    WAIT = "wait"
    HALT = "halt"


class Recycle(StrEnum):
    """The reasons to end a worker on purpose."""

    FILES = "files"
    RSS = "rss"
    GROWTH = "growth"
    IDLE = "idle"
    PRESSURE = "pressure"
    STOP = "stop"
    SETTINGS = "settings"
    STORE = "store"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """The failures of a batch of so many chunks. An outage is none of them.

    `deaths` counts the workers that died with it, `blamed` those that died while it was in the model, and `errors` the
    failures that a living worker reported.
    """

    chunks: int
    deaths: int = 0
    blamed: int = 0
    errors: int = 0


def after_death(failures: FailureRecord) -> Reaction:
    """Return what to do after a worker died with this batch; the death is counted in `failures` already."""
    if failures.chunks <= 1:
        poison = failures.blamed >= DEATHS_OF_ONE_CHUNK or failures.deaths >= DEATHS_NEAR_ONE_CHUNK
        return Reaction.QUARANTINE if poison and failures.chunks else Reaction.RETRY
    return Reaction.SPLIT if failures.deaths >= DEATHS_BEFORE_SPLIT else Reaction.RETRY


def is_grave(suspect: Suspect | None) -> bool:
    """Return whether so many workers died with the chunk that it must be kept apart from others."""
    return suspect is not None and max(suspect.deaths, suspect.alone) >= DEATHS_BEFORE_SPLIT


def part_chunks(deaths: int) -> int:
    """Return how many suspects to send together after so many deaths: 64, 16, 4, then one by one."""
    return max(1, 64 >> 2 * max(0, deaths - DEATHS_BEFORE_SPLIT))


def groups(suspects: Mapping[str, Suspect], ids: Iterable[str]) -> list[list[str]]:
    """Return the grave ones of `ids` in groups to send: those with most deaths last, and fewest together."""
    grave = [one for one in ids if is_grave(suspects.get(one))]
    by_deaths = groupby(sorted(grave, key=lambda one: suspects[one].deaths), lambda one: suspects[one].deaths)
    alike = [(part_chunks(deaths), list(names)) for deaths, names in by_deaths]
    return [names[at : at + size] for size, names in alike for at in range(0, len(names), size)]


def initial_record(part: Batch, suspects: Mapping[str, Suspect]) -> FailureRecord:
    """Return the record a part begins with: a single chunk brings its own, a part with suspects counts one death."""
    known = [suspects[chunk.id] for chunk in part.chunks if is_grave(suspects.get(chunk.id))]
    if len(part.chunks) == 1 and known:
        return FailureRecord(1, deaths=max(1, known[0].alone), blamed=known[0].alone)
    return FailureRecord(len(part.chunks), deaths=min(1, len(known)))


def after_failure(failure: Failure, exit_code: int, failures: FailureRecord) -> Reaction:
    """Return what to do after a living worker reported a failure; it is counted in `failures` already."""
    if exit_code == errors.TRY_AGAIN:
        return Reaction.WAIT
    named = failure.kind == errors.PointsRejected.__name__ or failures.errors >= EMBED_FAILURES_BEFORE_SPLIT
    if failure.ids and named:
        return Reaction.QUARANTINE
    if exit_code == errors.STORE or failure.kind == errors.ModelError.__name__:
        return Reaction.HALT
    if failures.errors < EMBED_FAILURES_BEFORE_SPLIT:
        return Reaction.RETRY
    return Reaction.SPLIT if failures.chunks > 1 else Reaction.QUARANTINE


def deadline_s(chars: int, *, base_s: float = 60.0, chars_per_s: float = 200.0) -> float:
    """Return how long a batch may show no progress: at a twentieth of the slowest speed seen, a minute at least."""
    return base_s + chars / chars_per_s


def lifetime_files(recycle_files: int, jitter: float) -> int:
    """Return how many files a worker lives for: `recycle_files` +- 10 % (0: for ever); `jitter` is 0..1."""
    return max(1, round(recycle_files * (0.9 + 0.2 * jitter))) if recycle_files else 0
