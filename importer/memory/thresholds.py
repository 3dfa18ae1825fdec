"""Values the governor decides on: thresholds, the worker's state, one observation, and what is remembered."""

from __future__ import annotations

from dataclasses import dataclass

from importer.memory.probes import Sample
from importer.memory.profiles import Profile
from importer.protocol.units import MB
from importer.settings.schema import Settings

PSI_HIGH = 20.0  # systemd-oomd kills at 60 % over 30 s; we give way long before
BUDGET_MIN_TOKENS = 256  # one window of the default model


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits that a profile sets. Bytes are of the worker's anonymous memory and swap; fractions of all memory.

    `growth_bytes` is what growth over more than `growth_batches` batches on end must amount to; `psi_high` is the
    percent of the last ten seconds in which everything waited for memory; 0 turns `daemon_limit_bytes` off.
    """

    warn_bytes: int
    critical_bytes: int
    soft_bytes: int
    hard_bytes: int
    growth_bytes: int
    growth_batches: int
    min_lifetime_s: float
    idle_s: float
    system_low_fraction: float
    system_resume_fraction: float
    psi_high: float
    pause_limit_s: float
    delay_min_s: float
    delay_max_s: float
    budget_tokens: int
    budget_min_tokens: int
    daemon_limit_bytes: int


def thresholds(settings: Settings, profile: Profile) -> Thresholds:
    """Return the thresholds of a resolved profile and the settings beside it."""
    return Thresholds(
        warn_bytes=profile.warning_bytes,
        critical_bytes=profile.critical_bytes,
        soft_bytes=profile.soft_limit_bytes,
        hard_bytes=profile.hard_limit_bytes,
        growth_bytes=profile.growth_mb * MB,
        growth_batches=profile.growth_batches,
        min_lifetime_s=settings.worker.min_lifetime_s,
        idle_s=profile.idle_s,
        # profiles speak of memory in use, as people do; the rules compare with what is free
        system_low_fraction=1.0 - profile.pause_used_share,
        system_resume_fraction=1.0 - profile.resume_used_share,
        psi_high=PSI_HIGH,
        pause_limit_s=settings.memory.pause_limit_s,
        delay_min_s=profile.delay_min_ms / 1000,
        delay_max_s=profile.delay_max_ms / 1000,
        budget_tokens=profile.token_budget,
        budget_min_tokens=min(BUDGET_MIN_TOKENS, profile.token_budget),
        daemon_limit_bytes=settings.daemon.operational_memory_mb * MB,
    )


@dataclass(frozen=True, slots=True)
class WorkerState:
    """State of the living worker. `lifetime_files` includes the jitter fixed at its birth; 0 is for ever."""

    pid: int
    age_s: float
    batches: int = 0
    files: int = 0
    lifetime_files: int = 0
    busy: bool = True
    idle_s: float = 0.0


@dataclass(frozen=True, slots=True)
class GovernorState:
    """Memory of the governor between looks, `GovernorState()` at first; `pid` to `trimmed_at` are a worker's."""

    budget_tokens: int = 0  # of one model run now; 0 until the first look takes the profile's
    calm_batches: int = 0  # on end; enough of them double a shrunk budget
    pid: int = 0
    batches: int = 0  # at the last look
    highest_bytes: int = 0  # ever seen of it
    growths: int = 0  # looks on end, each after a batch, that found it higher than ever
    grown_bytes: int = 0  # by so much in all these
    trimmed_at: int = -1  # its batches then; -1 for never
    killed_pid: int = 0  # whose kill has halved the budget already
    collected: bool = False  # garbage, for the daemon's own sake: if that was not enough, it leaves
    paused_since_s: float | None = None  # monotonic
    progressed: bool = True  # a batch was done since the last pause
    enduring: bool = False  # memory stayed short for the longest pause, so it goes on slowly
    oom_kills: int | None = None  # of the control group at the last look
    said: frozenset[str] = frozenset()  # kinds of warnings that are not over yet

    @property
    def paused(self) -> bool:
        """True while reading and sending rest."""
        return self.paused_since_s is not None


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at everything, in the words the rules use."""

    sample: Sample
    worker: WorkerState | None
    limits: Thresholds

    @property
    def bytes(self) -> int:
        """Bytes the worker is judged by; 0 without one."""
        return self.sample.worker.judged_bytes if self.worker and self.sample.worker else 0

    @property
    def pressed(self) -> str:
        """Reason why memory is short, "" when it is not."""
        free, full = self.sample.free_fraction, self.sample.full_percent
        if free is not None and free < self.limits.system_low_fraction:
            return f"{free:.0%} of the memory is free"
        return (
            f"{full:.0f} % of the time stalled for memory" if full is not None and full > self.limits.psi_high else ""
        )

    @property
    def relieved(self) -> bool:
        """True once memory is plentiful again; between the two thresholds neither holds."""
        free, full = self.sample.free_fraction, self.sample.full_percent
        room = free is None or free >= self.limits.system_resume_fraction
        return room and (full is None or full <= self.limits.psi_high / 2)
