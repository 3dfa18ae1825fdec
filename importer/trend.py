"""Pure: what changes from look to look: growth, calm, the token budget, the pace, and what is worth a warning."""

from __future__ import annotations

from dataclasses import replace

from importer.limits import MB, Look, State

WARM_BATCHES = 3  # the first batches fill caches and arenas; what they add is no growth
NOISE_BYTES = MB  # less than this above the highest seen is no growth
CALM_BATCHES = 10  # so many below `warn_bytes` double a shrunk budget again
QUIET = 0.9  # a warning is said again only after the value fell below this share of its threshold


def followed(look: Look, state: State) -> State:
    """The state after what has happened since the last look: another worker, more batches, a kill by the kernel."""
    state = replace(state, budget_tokens=state.budget_tokens or look.limits.budget_tokens)
    # another worker: what was seen of the last one says nothing about it
    if look.life is not None and look.life.pid != state.pid:
        state = replace(state, pid=look.life.pid, batches=0, highest_bytes=0, growths=0, grown_bytes=0, trimmed_at=-1)
    if look.life is not None and look.life.batches > state.batches:
        state = _calmed(look, _grown(look, state))
        state = replace(state, batches=look.life.batches, progressed=True)
    return shrunk(look, state) if _killed(look, state) else state


def _grown(look: Look, state: State) -> State:
    """Only what is higher than ever before counts: peaks come and go, a leak does not."""
    more = look.bytes - state.highest_bytes
    highest = max(look.bytes, state.highest_bytes)
    if look.life is None or look.life.batches <= WARM_BATCHES or more <= NOISE_BYTES:
        return replace(state, highest_bytes=highest, growths=0, grown_bytes=0)
    return replace(state, highest_bytes=highest, growths=state.growths + 1, grown_bytes=state.grown_bytes + more)


def _calmed(look: Look, state: State) -> State:
    """Counts quiet batches; enough of them on end double a shrunk budget."""
    if look.bytes >= look.limits.warn_bytes or not look.relieved:
        return replace(state, calm_batches=0)
    if state.calm_batches + 1 < CALM_BATCHES:
        return replace(state, calm_batches=state.calm_batches + 1)
    return replace(state, calm_batches=0, budget_tokens=min(look.limits.budget_tokens, 2 * state.budget_tokens))


def shrunk(look: Look, state: State) -> State:
    """With half the token budget, never below the least."""
    least = min(look.limits.budget_min_tokens, look.limits.budget_tokens)
    return replace(state, calm_batches=0, budget_tokens=max(least, state.budget_tokens // 2))


def warned(look: Look, state: State) -> tuple[tuple[str, ...], State]:
    """What has newly become worth a line in the log; each kind again only after it was over."""
    share, killed = _daemon_share(look), _killed(look, state)
    kinds = {
        "memory": (look.bytes >= look.limits.warn_bytes, look.bytes < QUIET * look.limits.warn_bytes),
        "growth": (state.growths >= look.limits.growth_batches, not state.growths),
        "daemon": (share >= QUIET, share < QUIET * QUIET),  # before its limit is reached, for then it leaves
        "enduring": (state.enduring, not state.enduring),
        "oom": (killed, not killed),
    }
    fresh = {kind for kind, (on, _) in kinds.items() if on} - state.said
    over = {kind for kind, (_, off) in kinds.items() if off}
    kills = look.sample.oom_kills
    state = replace(
        state,
        said=(state.said | fresh) - over,
        oom_kills=state.oom_kills if kills is None else kills,
        enduring=state.enduring and not look.relieved,
        collected=state.collected and share > 1.0,
    )
    return tuple(_text(kind, look, state) for kind in kinds if kind in fresh), state


def _text(kind: str, look: Look, state: State) -> str:
    """A warning in words, with the numbers of this look."""
    return {
        "memory": f"the worker has {look.bytes // MB} MB; it is recycled above {look.limits.soft_bytes // MB} MB",
        "growth": f"the worker grew by {state.grown_bytes // MB} MB over {state.growths} batches",
        "daemon": f"the daemon has {_daemon_share(look):.0%} of the memory it may have",
        "enduring": "memory stays short; going on with the smallest batches",
        "oom": "the kernel killed a process of this control group for lack of memory",
    }[kind]


def _daemon_share(look: Look) -> float:
    """The daemon's RSS as a share of its limit; 0.0 without a limit or a number."""
    own, limit = look.sample.daemon, look.limits.daemon_limit_bytes
    return own.rss_bytes / limit if own and limit else 0.0


def _killed(look: Look, state: State) -> bool:
    """Whether the kernel has killed since the last look; what came before the first does not count."""
    kills = look.sample.oom_kills
    return kills is not None and state.oom_kills is not None and kills > state.oom_kills


def pace(look: Look, state: State) -> tuple[float, int]:
    """`(delay_s, budget_tokens)`: the delay grows from `warn` to `critical`, and as the machine's memory runs short."""
    limits, free = look.limits, look.sample.free_fraction
    if state.enduring:
        return limits.delay_max_s, min(limits.budget_min_tokens, state.budget_tokens)
    shares = [_share(look.bytes, limits.warn_bytes, limits.critical_bytes)]
    if free is not None:
        shares.append(_share(-free, -limits.system_resume_fraction, -limits.system_low_fraction))
    share = max(shares)
    delay_s = limits.delay_min_s + share * (limits.delay_max_s - limits.delay_min_s) if share >= 0 else 0.0
    return delay_s, state.budget_tokens


def _share(value: float, first: float, last: float) -> float:
    """How far a value is from `first` (0.0) to `last` (1.0, never more); -1.0 below `first`."""
    if value < first:
        return -1.0
    return min(1.0, (value - first) / (last - first)) if last > first else 1.0
