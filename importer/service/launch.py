"""How settings become a started worker: its environment, its first frame, and how long a batch may take."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, replace

import msgspec

from importer.delivery import environment
from importer.delivery.policy import Recycle
from importer.delivery.supervisor import Launch, Supervisor
from importer.memory import profiles
from importer.memory.model_files import floor_of
from importer.memory.probes import memory_limit_bytes
from importer.memory.profiles import Profile
from importer.memory.sharing import Share, shared
from importer.protocol.hosted import usage
from importer.protocol.system.capabilities import cores
from importer.protocol.system.workers_lock import WorkersLock
from importer.protocol.wire import Ready
from importer.protocol.worker_settings import EmbedSettings, StoreSettings, WorkerSettings
from importer.settings.load import Settings
from importer.settings.schema import LOCAL

PAGE_CACHE_PART = 4  # of the memory, in files of the store that are read into the page cache for questions


def profile_of(settings: Settings) -> Profile:
    """Return the memory profile, fitted to the container or the machine."""
    return profiles.resolve(settings, memory_limit_bytes(), floor_bytes=floor_of(settings))


def launch_of(settings: Settings, profile: Profile, *, once: bool) -> Launch:
    """Return how the worker is started, and what it is told.

    The allocator is set by environment, because glibc reads it before Python starts; all else, keys included, travels
    in the first frame.
    """
    threads = threads_of(profile, once=once)
    allocator = {
        "MALLOC_ARENA_MAX": str(profile.malloc_arena_max),
        "MALLOC_TRIM_THRESHOLD_": str(profile.malloc_trim_bytes),
        "MALLOC_MMAP_THRESHOLD_": str(profile.malloc_mmap_bytes),
    }
    told = worker_settings(settings, profile, threads)
    environ, lock = environment.of_worker(os.environ, allocator, threads), WorkersLock(settings.state_dir)
    return Launch(environ, told, standby=profile.fits_standby, lock=lock)


def threads_of(profile: Profile, *, once: bool) -> int:
    """Return how many threads the model gets on this machine, all workers together."""
    return profiles.cores(profile.threads, cores(), once=once)


def share_of(settings: Settings, profile: Profile, *, once: bool) -> Share:
    """Return how many workers there are and what each may take. Raises UsageError where they do not fit.

    Where a GPU or a provider embeds, more than one are had by asking alone.
    """
    by_cores = settings.embed.provider == LOCAL and settings.embed.device == "cpu"
    wanted = settings.worker.count or (0 if by_cores else 1)
    return shared(profile, wanted, threads_of(profile, once=once), floor_bytes=floor_of(settings))


def worker_settings(settings: Settings, profile: Profile, threads: int) -> WorkerSettings:
    """Return what a worker is told, with all that is left to the memory profile filled in."""
    embed, worker = asdict(settings.embed), settings.worker
    more = {
        "directory": "",
        "threads": threads,
        "token_budget": profile.token_budget,
        "arena": worker.onnx_arena,
        "spinning": worker.onnx_spinning,
        "usage_file": os.path.join(settings.state_dir, usage.FILE) if settings.state_dir else "",
        **{name: embed.get(f"{settings.embed.provider}_{name}", "") for name in ("api_key", "base_url")},
    }
    return WorkerSettings(
        embed=msgspec.convert({**embed, **more}, EmbedSettings),
        store=store_settings(settings, profile),
        nice=worker.nice,
        rerank=settings.search.rerank,
    )


def store_settings(settings: Settings, profile: Profile) -> StoreSettings:
    """Return the store's part of what a worker is told."""
    more = {
        "directory": os.path.join(settings.state_dir, "edge"),
        "optimise_every_points": profile.optimise_every_points,
        "page_cache_bytes": memory_limit_bytes() // PAGE_CACHE_PART,
    }
    return msgspec.convert({**asdict(settings.store), **more}, StoreSettings)


def deadline_of(settings: Settings) -> Callable[[int], float]:
    """Return the seconds that a batch of so many characters (4 a token) may take without a sign of progress."""
    worker = settings.worker
    return lambda chars: worker.deadline_s + chars / 4 * worker.deadline_ms_per_token / 1000


async def use_model(workers: Iterable[Supervisor], embed: EmbedSettings) -> None:
    """Have the workers give way to ones that are told of another model, how it runs apart. Nothing may be in flight."""
    for worker in workers:
        told = worker.launch.settings
        same = {"threads": told.embed.threads, "token_budget": told.embed.token_budget}
        settings = msgspec.structs.replace(told, embed=msgspec.structs.replace(embed, **same))
        worker.launch = replace(worker.launch, settings=settings)
        await worker.recycle(Recycle.STOP)


@asynccontextmanager
async def own_worker(
    settings: Settings, *, accept: Callable[[Ready], None] = lambda _ready: None, beside: bool = False
) -> AsyncIterator[Supervisor]:
    """Give a worker that the first question of this process starts, and end it. See `Supervisor` for `accept`.

    `beside`: it does not wait for the workers of the process that has the state, which are for another store.
    """
    launch = launch_of(settings, profile_of(settings), once=True)
    launch = replace(launch, lock=None) if beside else launch
    # 0: it ends after no number of files
    worker = Supervisor(launch, recycle_files=0, boot_s=settings.worker.boot_s, accept=accept)
    try:
        yield worker
    finally:
        await worker.recycle(Recycle.STOP)
        worker.kill()  # if it has not ended by itself
