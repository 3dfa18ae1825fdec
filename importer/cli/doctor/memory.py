"""Check that worker and daemon fit into the memory of the machine or its control group, now and at their limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from importer.cli.doctor.finding import Finding, Problem, judge
from importer.errors import UsageError
from importer.memory.gpu import probes_of
from importer.memory.model_files import floor_of
from importer.memory.probes import ASSUMED_BYTES, Probes
from importer.memory.profiles import DAEMON_BYTES, Profile, resolve, room_mb
from importer.memory.sharing import Share
from importer.protocol.units import MB
from importer.service.launch import share_of
from importer.settings.schema import DECLARED, Settings

DEFAULT_MB = DECLARED["daemon.operational_memory_mb"].default


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """What was found about memory.

    `limit_bytes` is the control group's limit or the machine's memory, `free_share` the part of it that is free now,
    None if unknown. `profile` is None when its settings contradict each other or do not fit into the limit; then
    `problem` and `hint` are the words of that error. `share` is what each of several workers may take in a backlog.
    """

    limit_bytes: int
    free_share: float | None
    profile: Profile | None
    problem: str
    hint: str
    operational_mb: int
    share: Share | None = None


def gather(settings: Settings, probes: Probes | None = None) -> MemoryFacts:
    """Gather the facts of this machine and control group; ASSUMED_BYTES where neither tells a limit."""
    probes = probes or probes_of(settings)
    limit = probes.limit_bytes() or ASSUMED_BYTES
    profile, share, problem, hint = None, None, "", ""
    try:
        profile = resolve(settings, limit, floor_bytes=floor_of(settings))
        share = share_of(settings, profile, once=True)
    except UsageError as error:
        profile, problem, hint = None, error.message.replace("\n", " "), error.hint
    free = probes.sample().free_fraction
    return MemoryFacts(limit, free, profile, problem, hint, settings.daemon.operational_memory_mb, share)


def check_memory(facts: MemoryFacts) -> Finding:
    """Check that the worker can start, that its hard limit fits, and that an import would not pause at once.

    With a control group's limit below the hard limit, the kernel kills first, without a word; so the profile is fitted
    into that limit unless the soft limit is set by hand. A profile that cannot work has told why when it was resolved.
    """
    profile, limit_mb = facts.profile, facts.limit_bytes // MB
    if profile is None:
        return judge("memory", "", [Problem(facts.problem, facts.hint)])

    def problems() -> Iterator[Problem]:
        needed = profile.hard_limit_bytes + DAEMON_BYTES  # the most both may have at once
        if needed > facts.limit_bytes:
            room = room_mb(facts.limit_bytes, profile.hard_factor)
            detail = (
                f"worker and daemon may take {needed // MB} MB, of {limit_mb} MB in all: the kernel would kill first"
            )
            yield Problem(detail, f"IMPORTER_WORKER_SOFT_LIMIT_MB={room}, or unset it; or give it more memory")
        if facts.free_share is not None and facts.free_share < 1 - profile.pause_used_share:
            fix = "end something that takes much, give it more memory, or raise IMPORTER_MEMORY_PAUSE_USED_SHARE"
            detail = f"{facts.free_share:.0%} of the memory is free: the import pauses below"
            yield Problem(f"{detail} {1 - profile.pause_used_share:.0%}", fix)

    adapted = f", adapted: {profile.adapted}" if profile.adapted else ""
    fine = f"{limit_mb} MB in all; profile {profile.name} recycles the worker above {profile.soft_limit_mb} MB{adapted}"
    if facts.share is not None and facts.share.count > 1:
        each = facts.share.profile
        fine += f"; {facts.share.count} workers share that, {each.soft_limit_mb} MB and {each.threads} threads each"
    return judge("memory", fine, problems())


def check_daemon_memory(facts: MemoryFacts) -> Finding:
    """Check that the daemon's own limit is above what it takes while it imports.

    Above the limit it exits with 75, for a restart policy to start it again; a limit below its usual size would make it
    restart for ever.
    """
    least_mb = DAEMON_BYTES // MB
    fine = f"it leaves for the restart policy above {facts.operational_mb} MB"
    low = facts.operational_mb < least_mb
    detail = (
        f"OPERATIONAL_MEMORY_MB is {facts.operational_mb}; importing may take {least_mb} MB: it would restart for ever"
    )
    return judge("daemon_memory", fine, [Problem(detail, f"OPERATIONAL_MEMORY_MB={DEFAULT_MB}")] if low else [])
