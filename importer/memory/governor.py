"""Decide what to do about memory, from one observation, the profile's thresholds and what was seen before. Pure.

    worker's memory    0 ──── warn ────── critical ──────── soft ─────────── hard
    (anonymous + swap)        delay,      trim, halve the   recycle, if a    kill,
                              a warning   token budget      trim was no use  halve the budget

    machine, control group, pressure    pause until it falls; meanwhile let an idle worker go; after `pause_limit_s` go
                                        on all the same, with the longest delay and the smallest budget
    memory grows batch after batch      a warning, then a recycle
    many files, or nothing to do        a recycle
    the daemon's own memory             collect, then leave for the restart policy

The caller asks once a second, beside the import, does what the action says and hands back the state. A recycle is meant
between two batches, and repeated until it has happened. Nothing here reads a clock or draws a number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from importer.memory.probes import Sample
from importer.memory.thresholds import GovernorState, Observation, Thresholds, WorkerState
from importer.protocol.units import MB

WARM_BATCHES = 3  # the first batches fill caches and arenas; what they add is no growth
NOISE_BYTES = MB  # less than this above the highest seen is no growth
CALM_BATCHES = 10  # so many below `warn_bytes` double a shrunk budget again
QUIET = 0.9  # a warning is said again only after the value fell below this share of its threshold


def followed(seen: Observation, state: GovernorState) -> GovernorState:
    """Return the state after what has happened since: another worker, more batches, a kill by the kernel."""
    state = replace(state, budget_tokens=state.budget_tokens or seen.limits.budget_tokens)
    # another worker: what was seen of the last one says nothing about it
    if seen.worker is not None and seen.worker.pid != state.pid:
        state = replace(state, pid=seen.worker.pid, batches=0, highest_bytes=0, growths=0, grown_bytes=0, trimmed_at=-1)
    if seen.worker is not None and seen.worker.batches > state.batches:
        state = _calmed(seen, _grown(seen, state))
        state = replace(state, batches=seen.worker.batches, progressed=True)
    return shrunk(seen, state) if _killed(seen, state) else state


def _grown(seen: Observation, state: GovernorState) -> GovernorState:
    """Count growth above the highest memory seen: peaks come and go, a leak does not."""
    more = seen.bytes - state.highest_bytes
    highest = max(seen.bytes, state.highest_bytes)
    if seen.worker is None or seen.worker.batches <= WARM_BATCHES or more <= NOISE_BYTES:
        return replace(state, highest_bytes=highest, growths=0, grown_bytes=0)
    return replace(state, highest_bytes=highest, growths=state.growths + 1, grown_bytes=state.grown_bytes + more)


def _calmed(seen: Observation, state: GovernorState) -> GovernorState:
    """Count quiet batches; enough of them in a row double a shrunk budget."""
    if seen.bytes >= seen.limits.warn_bytes or not seen.relieved:
        return replace(state, calm_batches=0)
    if state.calm_batches + 1 < CALM_BATCHES:
        return replace(state, calm_batches=state.calm_batches + 1)
    return replace(state, calm_batches=0, budget_tokens=min(seen.limits.budget_tokens, 2 * state.budget_tokens))


def shrunk(seen: Observation, state: GovernorState) -> GovernorState:
    """Return the state with half the token budget, never below the least."""
    least = min(seen.limits.budget_min_tokens, seen.limits.budget_tokens)
    return replace(state, calm_batches=0, budget_tokens=max(least, state.budget_tokens // 2))


def warned(seen: Observation, state: GovernorState) -> tuple[tuple[str, ...], GovernorState]:
    """Return what has newly become worth a line in the log; each kind again only after it was over."""
    share, killed = _daemon_share(seen), _killed(seen, state)
    kinds = {
        "memory": (seen.bytes >= seen.limits.warn_bytes, seen.bytes < QUIET * seen.limits.warn_bytes),
        "growth": (_grows(seen, state), not state.growths),
        "daemon": (share >= QUIET, share < QUIET * QUIET),  # before its limit is reached, for then it leaves
        "enduring": (state.enduring, not state.enduring),
        "oom": (killed, not killed),
    }
    fresh = {kind for kind, (on, _) in kinds.items() if on} - state.said
    over = {kind for kind, (_, off) in kinds.items() if off}
    kills = seen.sample.oom_kills
    state = replace(
        state,
        said=(state.said | fresh) - over,
        oom_kills=state.oom_kills if kills is None else kills,
        enduring=state.enduring and not seen.relieved,
        collected=state.collected and share > 1.0,
    )
    return tuple(_text(kind, seen, state) for kind in kinds if kind in fresh), state


def _grows(seen: Observation, state: GovernorState) -> bool:
    """Return True if growth is half of what a worker is recycled for; a few MB of new points are nothing to tell."""
    limits = seen.limits
    return state.growths >= limits.growth_batches and 2 * state.grown_bytes >= limits.growth_bytes


def _text(kind: str, seen: Observation, state: GovernorState) -> str:
    """Return a warning in words, with the numbers of this observation."""
    return {
        "memory": f"the worker has {seen.bytes // MB} MB; it is recycled above {seen.limits.soft_bytes // MB} MB",
        "growth": f"the worker grew by {state.grown_bytes // MB} MB over {state.growths} batches",
        "daemon": f"the daemon has {_daemon_share(seen):.0%} of the memory it may have",
        "enduring": "memory stays short; going on with the smallest batches",
        "oom": "the kernel killed a process of this control group for lack of memory",
    }[kind]


def _daemon_share(seen: Observation) -> float:
    """Return the daemon's RSS as a share of its limit; 0.0 without a limit or a number."""
    own, limit = seen.sample.daemon, seen.limits.daemon_limit_bytes
    return own.rss_bytes / limit if own and limit else 0.0


def _killed(seen: Observation, state: GovernorState) -> bool:
    """Return True if the kernel has killed since the last look; kills before the first do not count."""
    kills = seen.sample.oom_kills
    return kills is not None and state.oom_kills is not None and kills > state.oom_kills


def pace(seen: Observation, state: GovernorState) -> tuple[float, int]:
    """Return `(delay_s, budget_tokens)`; the delay grows from `warn` to `critical` and as the machine runs short."""
    limits, free = seen.limits, seen.sample.free_fraction
    if state.enduring:
        return limits.delay_max_s, min(limits.budget_min_tokens, state.budget_tokens)
    shares = [_share(seen.bytes, limits.warn_bytes, limits.critical_bytes)]
    if free is not None:
        shares.append(_share(-free, -limits.system_resume_fraction, -limits.system_low_fraction))
    share = max(shares)
    delay_s = limits.delay_min_s + share * (limits.delay_max_s - limits.delay_min_s) if share >= 0 else 0.0
    return delay_s, state.budget_tokens


def _share(value: float, first: float, last: float) -> float:
    """Return how far a value is from `first` (0.0) to `last` (1.0, never more); -1.0 below `first`."""
    if value < first:
        return -1.0
    return min(1.0, (value - first) / (last - first)) if last > first else 1.0


__all__ = ["Action", "Do", "GovernorState", "Thresholds", "WorkerState", "decide"]


class Do(StrEnum):
    """Action to take now."""

    NOTHING = "nothing"
    TRIM = "trim"
    COLLECT = "collect"
    PAUSE = "pause"
    RESUME = "resume"
    RECYCLE = "recycle"
    KILL = "kill"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to `do`, why (for a recycle: rss, growth, files, idle or pressure), and the pace from now on.

    `delay_s` stands between two batches, `budget_tokens` bounds a model run; `warnings` are said once an episode.
    """

    do: Do = Do.NOTHING
    reason: str = ""
    delay_s: float = 0.0
    budget_tokens: int = 0
    warnings: tuple[str, ...] = ()


_Decision = tuple[Action, GovernorState] | None


def decide(
    sample: Sample, worker: WorkerState | None, limits: Thresholds, state: GovernorState
) -> tuple[Action, GovernorState]:
    """Return the action for this look, and the state for the next. The most urgent rule that applies wins."""
    seen = Observation(sample, worker, limits)
    state = followed(seen, state)
    action = Action()
    for rule in _RULES:
        found = rule(seen, state)
        if found is not None:
            action, state = found
            break
    texts, state = warned(seen, state)
    delay_s, budget = pace(seen, state)
    return replace(action, delay_s=delay_s, budget_tokens=budget, warnings=action.warnings + texts), state


def _kill(seen: Observation, state: GovernorState) -> _Decision:
    """Kill above the hard limit, and again until it is gone; halve the budget once."""
    if seen.worker is None or seen.bytes <= seen.limits.hard_bytes:
        return None
    reason = f"{seen.bytes // MB} MB, above the hard limit of {seen.limits.hard_bytes // MB} MB"
    if state.killed_pid != seen.worker.pid:
        state = replace(shrunk(seen, state), killed_pid=seen.worker.pid)
    return Action(Do.KILL, reason), state


def _leave(seen: Observation, state: GovernorState) -> _Decision:
    """Collect garbage first, and leave only if the next look finds that it was no use."""
    own, limit = seen.sample.daemon, seen.limits.daemon_limit_bytes
    if own is None or not limit or own.rss_bytes <= limit:
        return None
    reason = f"the daemon has {own.rss_bytes // MB} MB, above its limit of {limit // MB} MB"
    return Action(Do.LEAVE if state.collected else Do.COLLECT, reason), replace(state, collected=True)


def _pause(seen: Observation, state: GovernorState) -> _Decision:
    """Pause only after progress since the last pause, or a limit below a worker's need would mean for ever."""
    if state.paused or not seen.pressed or state.enduring or not state.progressed:
        return None
    paused = replace(shrunk(seen, state), paused_since_s=seen.sample.at_s, progressed=False)
    return Action(Do.PAUSE, seen.pressed), paused


def _resume(seen: Observation, state: GovernorState) -> _Decision:
    """Resume when memory is plentiful again, or slowly when the longest pause is over."""
    if state.paused_since_s is None:
        return None
    if seen.relieved:
        return Action(Do.RESUME, "pressure has fallen"), replace(state, paused_since_s=None)
    if seen.sample.at_s - state.paused_since_s < seen.limits.pause_limit_s:
        return None
    reason = f"paused for {seen.limits.pause_limit_s:.0f} s, going on slowly"
    return Action(Do.RESUME, reason), replace(state, paused_since_s=None, enduring=True)


def _recycle(seen: Observation, state: GovernorState) -> _Decision:
    """Recycle, at every look until it has happened, so nothing need be remembered."""
    reason = _recycle_reason(seen, seen.worker, state) if seen.worker is not None else ""
    return (Action(Do.RECYCLE, reason), state) if reason else None


def _recycle_reason(seen: Observation, worker: WorkerState, state: GovernorState) -> str:
    """Return why this worker should go, "" for no reason. A trim without effect counts at any age."""
    limits = seen.limits
    old = worker.age_s >= limits.min_lifetime_s
    used = old and worker.batches > 0
    reasons = {
        "rss": seen.bytes > limits.soft_bytes and 0 <= state.trimmed_at < worker.batches,
        "pressure": used and state.paused and not worker.busy,
        "growth": used and state.growths > limits.growth_batches and state.grown_bytes >= limits.growth_bytes,
        "files": used and 0 < worker.lifetime_files <= worker.files,
        "idle": old and not worker.busy and worker.idle_s >= limits.idle_s,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _trim(seen: Observation, state: GovernorState) -> _Decision:
    """Trim once a batch at most: a trim between two batches is of use, a second one is not."""
    worker, limits = seen.worker, seen.limits
    if worker is None or seen.bytes < limits.critical_bytes or worker.batches == state.trimmed_at:
        return None
    reason = f"{seen.bytes // MB} of {limits.soft_bytes // MB} MB"
    return Action(Do.TRIM, reason), replace(shrunk(seen, state), trimmed_at=worker.batches)


# the most urgent first; a pause ends before another can begin, and a trim is tried only where nothing else is due
_Rule = Callable[[Observation, GovernorState], _Decision]
_RULES: tuple[_Rule, ...] = (
    _kill,
    _leave,
    _resume,
    _pause,
    _recycle,
    _trim,
)
