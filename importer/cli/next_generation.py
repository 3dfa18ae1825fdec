"""Embed the store in use anew with another model, beside it, and put the result in its place.

    begin ─► embed a page … ─► take out what is gone ─► verify ─► seal ─► name the model ─► a worker with it opens

Questions are answered throughout: by the daemon if there is one, else on the control socket of this command. Up to the
model's name all is as before, from then on all is new; a kill in between is finished by the next who opens the store.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from importer.cli import model_fetch, store_session
from importer.cli.progress import counting
from importer.cli.store_session import StoreSession
from importer.consistency import baseline
from importer.errors import StoreError
from importer.protocol import failpoints
from importer.protocol.worker_settings import CopyTarget
from importer.service import questions
from importer.service.control import Control
from importer.service.identity import choose, identity
from importer.service.launch import launch_of, profile_of, store_settings
from importer.settings.load import Settings

PAGE_POINTS = 64  # embedded in about a second, for which a question waits
NEXT = ".next"  # what the next generation's collection is called behind the name of the one in use


async def renew(settings: Settings, other: Settings, *, silent: bool) -> dict[str, Any]:
    """Embed every point anew with the model of `other`; return the report. Raises what worker and state report."""
    await model_fetch.fetch_model(other)
    async with store_session.open_session(settings, "migrate") as session, _answering(session, settings):
        to = _target(settings, other)
        begun = await session.ask("generation_begin", to=to)
        opened = await session.ask("migrate_open", to=to)
        try:
            with counting("points embedded", begun["points"], quiet=silent) as shown:
                written = await _pages(session, "migrate_page", to, shown.add)
            deleted = await _pages(session, "generation_prune", to)
            await _verify(session, to)
            await session.ask("generation_seal", to=to, scrub=deleted > 0)
        finally:
            await session.ask("migrate_close", to=to)
        # The state is valid for the next generation, too: what it calls stored is in there.
        await session.change("remember", **baseline.vouch(session.checkpoints, opened["fingerprint"]))
        choose(settings.state_dir, other)
        failpoints.hit("switch.chosen")
        await session.use_model(other)
        points = await session.ask("count")
    return {
        "to": opened["location"],
        "collection": settings.store.collection,
        "model": other.embed.model,
        "points": points,
        "written": written,
        "known": begun["points"] - written,
        "there": points,
        "without_vector": [],
        "switched": True,
        "alias": "",
    }


def _target(settings: Settings, other: Settings) -> CopyTarget:
    """Return the next generation as the worker opens it."""
    profile = profile_of(other)
    own = store_settings(settings, profile)
    embed = launch_of(other, profile, once=True).settings.embed
    return CopyTarget(store=replace(own, collection=own.collection + NEXT), embed=embed)


@asynccontextmanager
async def _answering(session: StoreSession, settings: Settings) -> AsyncIterator[None]:
    """Answer questions with this command's worker; a daemon answers them by itself.

    Where no socket can be made questions wait until this is done.
    """
    if session.worker is None:
        yield
        return
    served = dict(identity(settings))
    control = Control(settings.state_dir, questions.answers(session.worker.ask), daemon=False, serves=served)
    with contextlib.suppress(OSError):
        await control.start()
    session.served = served
    try:
        yield
    finally:
        await control.stop()


async def _pages(
    session: StoreSession, op: str, to: CopyTarget, seen: Callable[[int], object] = lambda _points: None
) -> int:
    """Ask for page after page from the first one on; return how many points were written or deleted.

    What stands there already costs a look-up, so a second run after a kill begins at the first page, too.
    """
    after, done = None, 0
    while True:
        page: Mapping[str, Any] = await session.ask(op, to=to, after=after, limit=PAGE_POINTS)
        done += int(page.get("written", page.get("deleted", 0)))
        seen(int(page.get("seen", 0)))
        after = page["next"]
        if after is None:
            return done


async def _verify(session: StoreSession, to: CopyTarget) -> None:
    """Raise StoreError when a point of the store in use is missing in its next generation."""
    after, missing = None, list[str]()
    while True:
        page = await session.ask("migrate_check", to=to, after=after, limit=4 * PAGE_POINTS)
        missing += page["missing"] + page["bare"]
        after = page["next"]
        if after is None:
            break
    if missing:
        raise StoreError(f"{len(missing)} points are not in the next generation", hint="run the command again")
