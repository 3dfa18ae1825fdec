"""Pure: what to do about memory, from one look at it, the profile's thresholds and what was seen before.

    worker's memory    0 ──── warn ────── critical ──────── soft ─────────── hard
    (anonymous + swap)        delay,      trim, halve the   recycle, if a    kill,
                              a warning   token budget      trim was no use  halve the budget

    machine, control group, pressure    pause until it falls; meanwhile let an idle worker go; after `pause_limit_s` go
                                        on all the same, with the longest delay and the smallest budget
    memory grows batch after batch      a warning, then a recycle
    many files, or nothing to do        a recycle
    the daemon's own memory             collect, then leave for the restart policy

Whoever asks (once a second, beside the import) does what the action says and hands back the state. A recycle is meant
between two batches, and repeated until it has happened. Nothing here reads a clock or draws a number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from importer import trend
from importer.limits import MB, Life, Look, State, Thresholds
from importer.memory import Sample

__all__ = ["Action", "Do", "Life", "State", "Thresholds", "decide"]


class Do(StrEnum):
    """What to do now."""

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


_Found = tuple[Action, State] | None


def decide(sample: Sample, life: Life | None, limits: Thresholds, state: State) -> tuple[Action, State]:
    """The action for this look, and the state for the next. The most urgent of what applies is done first."""
    look = Look(sample, life, limits)
    state = trend.followed(look, state)
    action = Action()
    for rule in _RULES:
        found = rule(look, state)
        if found is not None:
            action, state = found
            break
    texts, state = trend.warned(look, state)
    delay_s, budget = trend.pace(look, state)
    return replace(action, delay_s=delay_s, budget_tokens=budget, warnings=action.warnings + texts), state


def _kill(look: Look, state: State) -> _Found:
    """At once, and again until it is gone; the budget is halved once."""
    if look.life is None or look.bytes <= look.limits.hard_bytes:
        return None
    reason = f"{look.bytes // MB} MB, above the hard limit of {look.limits.hard_bytes // MB} MB"
    if state.killed_pid != look.life.pid:
        state = replace(trend.shrunk(look, state), killed_pid=look.life.pid)
    return Action(Do.KILL, reason), state


def _leave(look: Look, state: State) -> _Found:
    """Collects first, and leaves only if the next look finds that it was no use."""
    own, limit = look.sample.daemon, look.limits.daemon_limit_bytes
    if own is None or not limit or own.rss_bytes <= limit:
        return None
    reason = f"the daemon has {own.rss_bytes // MB} MB, above its limit of {limit // MB} MB"
    return Action(Do.LEAVE if state.collected else Do.COLLECT, reason), replace(state, collected=True)


def _pause(look: Look, state: State) -> _Found:
    """Pauses begin only after progress since the last one, or a limit below what a worker needs would mean for ever."""
    if state.paused or not look.pressed or state.enduring or not state.progressed:
        return None
    paused = replace(trend.shrunk(look, state), paused_since_s=look.sample.at_s, progressed=False)
    return Action(Do.PAUSE, look.pressed), paused


def _resume(look: Look, state: State) -> _Found:
    """When memory is plentiful again, or when the longest pause is over: then it endures, slowly, until it is."""
    if state.paused_since_s is None:
        return None
    if look.relieved:
        return Action(Do.RESUME, "pressure has fallen"), replace(state, paused_since_s=None)
    if look.sample.at_s - state.paused_since_s < look.limits.pause_limit_s:
        return None
    reason = f"paused for {look.limits.pause_limit_s:.0f} s, going on slowly"
    return Action(Do.RESUME, reason), replace(state, paused_since_s=None, enduring=True)


def _recycle(look: Look, state: State) -> _Found:
    """Said at every look until it has happened, so nothing need be remembered."""
    reason = _recycle_reason(look, look.life, state) if look.life is not None else ""
    return (Action(Do.RECYCLE, reason), state) if reason else None


def _recycle_reason(look: Look, life: Life, state: State) -> str:
    """Why this worker should go, "" for no reason. A fruitless trim above the soft limit counts at any age."""
    limits = look.limits
    old = life.age_s >= limits.min_lifetime_s
    used = old and life.batches > 0
    reasons = {
        "rss": look.bytes > limits.soft_bytes and 0 <= state.trimmed_at < life.batches,
        "pressure": used and state.paused and not life.busy,
        "growth": used and state.growths > limits.growth_batches and state.grown_bytes >= limits.growth_bytes,
        "files": used and 0 < life.lifetime_files <= life.files,
        "idle": old and not life.busy and life.idle_s >= limits.idle_s,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _trim(look: Look, state: State) -> _Found:
    """Once a batch at most: a trim between two batches is of use, a second one is not."""
    life, limits = look.life, look.limits
    if life is None or look.bytes < limits.critical_bytes or life.batches == state.trimmed_at:
        return None
    reason = f"{look.bytes // MB} of {limits.soft_bytes // MB} MB"
    return Action(Do.TRIM, reason), replace(trend.shrunk(look, state), trimmed_at=life.batches)


# the most urgent first; a pause ends before another can begin, and a trim is tried only where nothing else is due
_RULES: tuple[Callable[[Look, State], _Found], ...] = (_kill, _leave, _resume, _pause, _recycle, _trim)
