"""Each step of embedding a store anew, alone: room, what is gone, what was masked, and the mark that it is whole."""

from __future__ import annotations

import pathlib
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from worker_told import embed_settings, store_settings

from importer.errors import StoreError, StoreUnreachable, UsageError
from importer.protocol.worker_settings import CopyTarget
from importer.worker import stores
from importer.worker.copying import copy_points, next_generation
from importer.worker.session import WorkerSession
from importer.worker.stores import Point
from importer.worker.stores.edge import generations

pytestmark = pytest.mark.slow

OLD, NEW = ("some/old", 8), ("some/new", 64)


def point(number: int) -> Point:
    """A point that looks like a stored chunk."""
    known = {"source": "claude-code", "conversation_id": "c1", "chunk": number}
    dense = [0.0] * number + [1.0] + [0.0] * (OLD[1] - number - 1)
    id = str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))
    return Point(id, dense, {"document": f"piece {number} of what was said", "metadata": known})


@pytest.fixture
def session(tmp_path: pathlib.Path) -> Iterator[WorkerSession]:
    """A store with five points, whose model is never asked."""
    store = stores.load(store_settings(f"edge:{tmp_path}"), model=OLD[0], dimension=OLD[1])
    store.write([point(number) for number in range(5)], {}, ())
    session = WorkerSession(store, lambda: pytest.fail("not the old model"), token_budget=512)
    yield session
    store.close()


def to(session: WorkerSession, model: tuple[str, int] = NEW) -> Mapping[str, Any]:
    settings = store_settings(session.store.location, collection="conversations.next")
    embed = embed_settings(provider="plugins.fake_embedder", model=model[0], dimension=model[1])
    return msgspec.to_builtins(CopyTarget(store=settings, embed=embed))


def path(session: WorkerSession) -> str:
    return session.store.location.removeprefix("edge:") + "/conversations"


def embed(session: WorkerSession) -> int:
    """Embed all points anew; return how many were written."""
    next_generation.generation_begin(session, to(session))
    return int(copy_points.migrate_page(session, to(session))["written"])


def test_the_next_one_is_opened_by_those_who_ask_for_its_model(session: WorkerSession) -> None:
    """All points, with vectors of the new dimension; the former is gone."""
    assert embed(session) == 5
    assert next_generation.generation_seal(session, to(session)) == {"points": 5}
    session.store.close()
    store = stores.load(store_settings(session.store.location), model=NEW[0], dimension=NEW[1])
    assert {len(found.dense) for found in store.scroll(None, with_vectors=True).points} == {64}
    assert sorted(found.name for found in pathlib.Path(path(session)).parent.iterdir()) == ["conversations"]
    store.close()


def test_text_that_was_masked_meanwhile_is_embedded_again(session: WorkerSession) -> None:
    """The same id with another text: the former text is gone."""
    embed(session)
    other = point(3)
    session.store.write([Point(other.id, other.dense, {**other.payload, "document": "masked"})], {}, ())
    assert embed(session) == 1
    assert copy_points.target_of(session, to(session)).store.read([other.id])[other.id]["document"] == "masked"
    copy_points.close_target(to(session))


def test_what_is_gone_is_taken_out(session: WorkerSession) -> None:
    """And a generation that has more than the store in use is not sealed."""
    embed(session)
    session.store.write((), {}, [point(3).id])
    with pytest.raises(StoreError, match="4 points"):
        next_generation.generation_seal(session, to(session))
    assert next_generation.generation_prune(session, to(session))["deleted"] == 1
    assert next_generation.generation_seal(session, to(session), scrub=True) == {"points": 4}


@pytest.mark.parametrize("change", ["write", "delete", "scrub"])
def test_a_change_of_the_store_in_use_takes_the_mark_away(session: WorkerSession, change: str) -> None:
    """Half of it must never be put in place; what was to be forgotten leaves no text behind."""
    embed(session)
    next_generation.generation_seal(session, to(session))
    assert generations.is_ready(path(session))
    if change == "write":
        session.store.write([point(7)], {}, ())
    elif change == "delete":
        session.store.delete(stores.Scope(source="claude-code"))
    else:
        session.store.scrub()
    assert not generations.is_ready(path(session))
    assert pathlib.Path(path(session) + ".next").exists() == (change != "scrub")


def test_another_model_begins_anew(session: WorkerSession) -> None:
    """What was embedded with a third model is of no use."""
    embed(session)
    copy_points.close_target(to(session))
    third = to(session, ("some/third", 32))
    next_generation.generation_begin(session, third)
    assert copy_points.migrate_open(session, third)["there"] == 0
    copy_points.close_target(third)


def test_the_model_it_has_is_refused(session: WorkerSession) -> None:
    """There is nothing to do."""
    with pytest.raises(UsageError, match="nothing to embed anew"):
        next_generation.generation_begin(session, to(session, OLD))


def test_a_disk_without_room_is_told_first(session: WorkerSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it takes and what is free."""
    monkeypatch.setattr(next_generation.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 5 << 20}))
    with pytest.raises(StoreUnreachable, match="MB beside the store, and 5 MB are free"):
        next_generation.generation_begin(session, to(session))
    assert not pathlib.Path(path(session) + ".next").exists()
