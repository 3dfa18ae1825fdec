"""A machine with a store of its own, and a common store that its points travel to."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import oracle
import pytest
from worker_told import store_settings

from importer.consistency import redact_stored
from importer.protocol.worker_settings import CopyTarget
from importer.state.sent_points import (
    SentPoints,
)
from importer.sync.travel import Journey, Round, travel
from importer.worker import maintenance, stores
from importer.worker.copying import copy_points
from importer.worker.copying.sync_points import SYNC_QUESTIONS
from importer.worker.session import WorkerSession
from importer.worker.stores import Point, Store

DIMENSION = 384


def point(name: str, holders: tuple[str, ...] = (), host: str = "north", title: str = "") -> Point:
    vector = np.random.default_rng(abs(hash(name)) % 1000).standard_normal(DIMENSION).astype(np.float32)
    known = {"source": "claude-code", "conversation_id": f"c-{name}", "host": host, "project": f"/p/{name}"}
    payload: dict[str, Any] = {"document": f"what {name} said", "metadata": known | ({"title": title} if title else {})}
    if holders:
        payload["open_by"] = list(holders)
    return Point(
        f"00000000-0000-0000-0000-{int.from_bytes(name.encode()):012d}",
        (vector / np.linalg.norm(vector)).tolist(),
        payload,
    )


def opened(location: str) -> Store:
    return stores.load(store_settings(location), model=oracle.MODEL, dimension=DIMENSION)


class Machine:
    """A store of its own, a ledger, and the way to the common store; `cut` makes the n-th question fail."""

    def __init__(self, base: pathlib.Path, name: str, common: str, cut: int = -1, *, after: bool = False) -> None:
        self.base, self.name, self.cut, self.after = base, name, cut, after
        self.session = WorkerSession(
            opened(f"edge:{base}/{name}"), lambda: pytest.fail("embeds nothing"), token_budget=0
        )
        self.to = msgspec.to_builtins(CopyTarget(store=store_settings(common), embed=None))
        self.fingerprint = copy_points.migrate_open(self.session, self.to)["fingerprint"]
        self.sent: list[int] = []
        self.shrank = False

    async def _ask(self, op: str, **args: Any) -> Any:
        self.cut -= 1
        if self.cut == 0 and not self.after:
            raise ConnectionError("the line is cut before")
        found = {**SYNC_QUESTIONS, "documents": maintenance.documents}[op](self.session, **args)
        if op == "sync_send":
            self.sent.append(len(args["sent"]))
        if self.cut == 0:
            raise ConnectionError("the line is cut behind")
        return msgspec.json.decode(msgspec.json.encode(found))

    def sync(self, *leave_out: str) -> Round:
        with SentPoints(f"{self.base}/{self.name}.sqlite3", self.fingerprint) as ledger:
            journey = Journey(self.to, self.name, leave_out, redact_stored.is_exposed, self.shrank)
            return asyncio.run(travel(self._ask, ledger, journey))

    def close(self) -> None:
        copy_points.migrate_close(self.session, self.to)
        self.session.store.close()


def there(location: str) -> dict[str, Mapping[str, Any]]:
    store = opened(location)
    try:
        return {one.payload["document"]: one.payload for one in store.scroll(limit=4096).points}
    finally:
        store.close()


def there_of(machine: Machine, common: str) -> dict[str, Mapping[str, Any]]:
    """Return what is there while a machine goes on: the embedded store has one opener."""
    copy_points.migrate_close(machine.session, machine.to)
    found = there(common)
    copy_points.migrate_open(machine.session, machine.to)
    return found
