"""Share the cores and the memory of one worker between several. Pure.

threads   one process runs at most four lanes, so a worker is worth having for every four threads
memory    the soft limit is that of all workers together; each needs `LEAST_MB` of it to work without being recycled,
          and as much more as its model takes more than the default one
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from importer.errors import UsageError
from importer.memory.profiles import CONSERVATIVE, FLOOR_BYTES, Profile
from importer.protocol.units import MB

THREADS_EACH = 4
LEAST_MB = CONSERVATIVE.soft_limit_mb  # the smallest profile, which has been shown to be enough
AMPLE_MB = 500  # from which on a worker may take the profile's own token budget


@dataclass(frozen=True, slots=True)
class Share:
    """How many workers there are, and what each of them may take."""

    count: int
    profile: Profile


def shared(profile: Profile, wanted: int, threads: int, *, floor_bytes: int = FLOOR_BYTES) -> Share:
    """Return the share of each worker of `threads` and of the profile's memory; `wanted` 0 is as many as both are for.

    `floor_bytes` is what a worker takes with its model loaded. Raises UsageError, with both numbers, for more workers
    than there is memory for.
    """
    least_mb = LEAST_MB + (floor_bytes - FLOOR_BYTES) // MB
    count = wanted or max(1, min(threads // THREADS_EACH, profile.soft_limit_mb // least_mb))
    if count == 1:
        return Share(1, profile)
    each_mb = profile.soft_limit_mb // count
    if each_mb * MB <= floor_bytes:
        raise UsageError(
            f"worker.count: {count} workers share {profile.soft_limit_mb} MB, {each_mb} MB each; one needs more than"
            f" {floor_bytes // MB} MB to start",
            hint=f"worker.count = {max(1, profile.soft_limit_mb // least_mb)}, or raise worker.soft_limit_mb to"
            f" {count * least_mb}",
        )
    ample = each_mb - (least_mb - LEAST_MB) > AMPLE_MB
    budget = profile.token_budget if ample else min(profile.token_budget, CONSERVATIVE.token_budget)
    return Share(
        count,
        replace(profile, soft_limit_mb=each_mb, token_budget=budget, threads=max(1, threads // count)),
    )
