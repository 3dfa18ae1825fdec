"""Short ways to write what the governor sees, one sample after the other."""

from __future__ import annotations

from importer.memory.governor import GovernorState, Thresholds, WorkerState, decide
from importer.memory.probes import ProcessMemory, Sample
from importer.protocol.units import MB

GB = 1024 * MB
LIMITS = Thresholds(
    warn_bytes=600 * MB,
    critical_bytes=700 * MB,
    soft_bytes=900 * MB,
    hard_bytes=1125 * MB,
    growth_bytes=100 * MB,
    growth_batches=3,
    min_lifetime_s=10.0,
    idle_s=60.0,
    system_low_fraction=0.08,
    system_resume_fraction=0.15,
    psi_high=20.0,
    pause_limit_s=300.0,
    delay_min_s=0.3,
    delay_max_s=0.8,
    budget_tokens=2048,
    budget_min_tokens=256,
    daemon_limit_bytes=256 * MB,
)


def sample(at_s=0.0, worker_mb=0, free=0.5, full=0.0, daemon_mb=40, oom_kills=0):
    """Return a sample at second `at_s`: megabytes of the worker (0: there is none), what is `free` of 16 GB, and the
    percent of time in which everything waited (`full`).
    """
    worker = ProcessMemory(worker_mb * MB, 0, 300 * MB) if worker_mb else None
    daemon = ProcessMemory(daemon_mb * MB, 0, 0)
    return Sample(float(at_s), worker, daemon, 16 * GB, int(free * 16 * GB), None, oom_kills, full)


def life(batches=5, age_s=100.0, **more):
    """Return a worker of some age and work; files and idleness as given."""
    return WorkerState(more.pop("pid", 7), age_s, batches, **more)


def told(history, limits=LIMITS, state=None):
    """Return the governor's actions for `(sample, worker)` pairs, one after the other."""
    state, actions = state or GovernorState(), []
    for look, worker in history:
        action, state = decide(look, worker, limits, state)
        actions.append(action)
    return actions


def done(history, **more):
    return [action.do.value for action in told(history, **more)]


def growing(megabytes, **more):
    """Return samples of a worker in which each batch leaves that many megabytes behind."""
    return [(sample(n, mb), life(n + 1, **more)) for n, mb in enumerate(megabytes)]
