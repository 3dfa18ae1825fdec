"""Memory profiles: complete sets of thresholds, and what a setting given by hand overrides in them. Pure.

    worker, anonymous + swap      0 ── warning ──── critical ──── soft limit ──── hard limit
                                     delay, log   trim, smaller    recycle        kill, retry
                                                  token budget   (between batches)

Peak memory of the worker is set by the padded tokens of one model run, not by an allocator's knob; the token budgets
below keep it well under the soft limit, which is there for what leaks in spite of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from importer.errors import UsageError
from importer.protocol.units import MB
from importer.settings.schema import DECLARED, Settings

FLOOR_BYTES = 180 * MB  # anonymous memory of a worker that has its model loaded and a first small batch behind it
DAEMON_BYTES = 64 * MB  # what the daemon may take at most while it imports
USABLE_SHARE = 0.9  # of a container's memory; the rest is for file-backed pages and the kernel's own
ROOM_FOR_TWO_MB = 500  # of soft limit, from which on two workers fit for a moment
AUTO_MOST_MB = 900  # `auto` never takes more than `balanced`, however large the machine


@dataclass(frozen=True, slots=True)
class Profile:
    """Thresholds of one profile. Its fields are also settings of the same last name, which override them.

    Shares are of the soft limit (warning, critical) or of the system's or container's memory (pause, resume). `threads`
    is 0 for half of the cores in `run` and all in `backlog`, -1 for all of them always. `adapted` says what was shrunk
    to fit into this machine, "" if nothing was.
    """

    name: str
    soft_limit_mb: int
    hard_factor: float
    warning_share: float
    critical_share: float
    token_budget: int  # padded tokens of all model runs under way together, which set the peak; in bf16 twice as many
    max_chunks: int  # of a batch
    optimise_every_points: int  # new ones, before the embedded store puts itself in order, which takes memory
    threads: int
    malloc_arena_max: int  # these three for glibc, see mallopt(3)
    malloc_trim_bytes: int
    malloc_mmap_bytes: int
    idle_s: float  # without work before the worker is let go
    growth_mb: int  # over more than `growth_batches` on end: recycled
    growth_batches: int
    delay_min_ms: int  # between two batches, from the warning on
    delay_max_ms: int
    pause_used_share: float
    resume_used_share: float
    adapted: str = ""

    @property
    def soft_limit_bytes(self) -> int:
        """Limit above which the worker is recycled between two batches."""
        return self.soft_limit_mb * MB

    @property
    def hard_limit_bytes(self) -> int:
        """Limit above which the worker is killed at once."""
        return int(self.soft_limit_bytes * self.hard_factor)

    @property
    def warning_bytes(self) -> int:
        """Memory from which on batches are delayed."""
        return int(self.soft_limit_bytes * self.warning_share)

    @property
    def critical_bytes(self) -> int:
        """Memory from which on the worker trims and the token budget shrinks."""
        return int(self.soft_limit_bytes * self.critical_share)

    @property
    def fits_standby(self) -> bool:
        """True if the next worker may start beside the one that ends: it takes 75 MB without a model."""
        return self.soft_limit_mb >= ROOM_FOR_TWO_MB

    def values(self) -> Mapping[str, Any]:
        """Return the thresholds by the last name of their setting, for the listing of effective settings."""
        return {name: value for name, value in asdict(self).items() if name not in {"name", "adapted"}}


BALANCED = Profile(
    name="balanced",
    soft_limit_mb=900,
    hard_factor=1.25,
    warning_share=0.7,
    critical_share=0.85,
    token_budget=768,
    max_chunks=256,
    optimise_every_points=10_000,
    threads=0,
    malloc_arena_max=2,
    malloc_trim_bytes=128 * 1024,
    malloc_mmap_bytes=128 * 1024,
    idle_s=60.0,
    growth_mb=100,
    growth_batches=3,
    delay_min_ms=300,
    delay_max_ms=800,
    pause_used_share=0.92,
    resume_used_share=0.85,
)
CONSERVATIVE = replace(
    BALANCED,
    name="conservative",
    soft_limit_mb=300,
    token_budget=256,
    max_chunks=64,
    # Memory goes first. With 2,000 it is 14 MB more, and half the segments: at 40,000 points the store opens in 0.21 s
    # of processor time in place of 0.32, and a question takes 39 ms in place of 45.
    optimise_every_points=1_000,
    malloc_arena_max=1,
    idle_s=20.0,
    growth_mb=32,
    pause_used_share=0.85,
    resume_used_share=0.75,
)
AGGRESSIVE = replace(
    BALANCED,
    name="aggressive",
    soft_limit_mb=2048,
    token_budget=1536,
    max_chunks=512,
    threads=-1,
    malloc_arena_max=4,
    malloc_trim_bytes=16 * MB,
    malloc_mmap_bytes=1 * MB,
    idle_s=300.0,
    growth_mb=256,
    delay_min_ms=0,
    pause_used_share=0.96,
    resume_used_share=0.9,
)
DEVELOPMENT = replace(
    BALANCED,
    name="development",
    soft_limit_mb=500,
    token_budget=768,
    max_chunks=128,
    idle_s=10.0,
    growth_mb=50,
    growth_batches=2,
)
PROFILES: Mapping[str, Profile] = {one.name: one for one in (CONSERVATIVE, BALANCED, AGGRESSIVE, DEVELOPMENT)}


def room_mb(limit_bytes: int, hard_factor: float) -> int:
    """Return the largest soft limit with which the hard limit and the daemon fit into `limit_bytes` of memory."""
    return max(0, int((USABLE_SHARE * limit_bytes - DAEMON_BYTES) / hard_factor / MB))


def auto(limit_bytes: int) -> Profile:
    """Return the profile for an amount of memory: token budget and batch follow the soft limit that fits."""
    soft_mb = min(AUTO_MOST_MB, room_mb(limit_bytes, BALANCED.hard_factor))
    base = BALANCED if soft_mb > 500 else CONSERVATIVE
    return replace(base, name="auto", soft_limit_mb=soft_mb)


def fitted(profile: Profile, limit_bytes: int) -> Profile:
    """Return the profile, shrunk where the machine or container is too small for it; `adapted` then says so."""
    if profile.soft_limit_mb <= room_mb(limit_bytes, profile.hard_factor):
        return profile
    room = auto(limit_bytes)
    return replace(
        profile,
        soft_limit_mb=room.soft_limit_mb,
        token_budget=min(room.token_budget, profile.token_budget),
        max_chunks=min(room.max_chunks, profile.max_chunks),
        optimise_every_points=min(room.optimise_every_points, profile.optimise_every_points),
        adapted=f"soft limit {profile.soft_limit_mb} -> {room.soft_limit_mb} MB, of {limit_bytes // MB} MB in all",
    )


def resolve(settings: Settings, limit_bytes: int, *, floor_bytes: int = FLOOR_BYTES) -> Profile:
    """Return the profile the settings name, fitted into `limit_bytes` of memory, with what is set by hand.

    Raises UsageError when the thresholds contradict each other, or when the worker could not even start in them.
    """
    name = settings.memory.profile
    base = auto(limit_bytes) if name == "auto" else fitted(PROFILES[name], limit_bytes)
    profile = replace(base, **_by_hand(settings))
    problems = list(_problems(profile, floor_bytes, limit_bytes))
    if problems:
        hint = "give it more memory, raise worker.soft_limit_mb, or choose another MEMORY_PROFILE"
        raise UsageError("\n".join([f"memory profile {name}:", *problems]), hint=hint)
    return profile


def cores(threads: int, available: int, *, once: bool) -> int:
    """Return how many threads the model gets of `available` cores: see `Profile`. `once` is a backlog import."""
    if threads > 0:
        return threads
    return available if once or threads < 0 else max(1, available // 2)


def _by_hand(settings: Settings) -> dict[str, Any]:
    """Return the thresholds that the settings name, by the profile's fields."""
    found = {}
    for name, declared in DECLARED.items():
        group, _, last = name.rpartition(".")
        value = getattr(getattr(settings, group), last) if declared.profile else None
        if value is not None:
            found[last] = value
    return found


def _problems(profile: Profile, floor_bytes: int, limit_bytes: int) -> Iterator[str]:
    """Yield what cannot work: a worker that never fits, pairs of thresholds in the wrong order."""
    if profile.soft_limit_bytes <= floor_bytes:
        yield (
            f"worker.soft_limit_mb: {profile.soft_limit_mb} MB; the worker needs more than {floor_bytes // MB} MB to"
            f" start (there are {limit_bytes // MB} MB in all)"
        )
    pairs = [
        ("memory.warning_share", "memory.critical_share", profile.warning_share >= profile.critical_share),
        ("memory.resume_used_share", "memory.pause_used_share", profile.resume_used_share >= profile.pause_used_share),
        ("memory.delay_min_ms", "memory.delay_max_ms", profile.delay_min_ms > profile.delay_max_ms),
    ]
    values = profile.values()
    for low, high, wrong in pairs:
        if wrong:
            last = [one.rpartition(".")[2] for one in (low, high)]
            yield f"{low}: {values[last[0]]} is not below {high}, {values[last[1]]}"
