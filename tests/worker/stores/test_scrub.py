"""What was deleted is gone from the files, and what stays is as it was; the server says what it keeps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numbered_points import KINDS, Opener, everything, made, numbered, openers

from importer.worker.stores import Ownership, Scope, Store

pytestmark = pytest.mark.slow

WORD = "quaxolotl"
SECRET, KEPT = 30, 70


@pytest.fixture(params=KINDS)
def opener(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Opener]:
    yield from openers(request.param, str(tmp_path / "store"))


def holding(folder: Path, word: str) -> list[str]:
    """The files below a folder with the word in their bytes, in any case."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in files if word.encode() in path.read_bytes().lower()]


def fill(store: Store) -> None:
    """Numbered points, and others that say the word and belong to one project."""
    secret = [made(1000 + at, f"{WORD}{at} was said", project="/home/x/secret") for at in range(SECRET)]
    store.write([*numbered(KEPT), *secret], {}, [])


def by_id(store: Store) -> dict[str, tuple[Any, bytes]]:
    """Every point's payload and vector."""
    return {
        point.id: (point.payload, np.asarray(point.dense, np.float32).tobytes())
        for point in everything(store, with_vectors=True).values()
    }


@pytest.mark.parametrize("merged", [False, True])
def test_deleted_text_is_in_no_file_and_the_rest_as_it_was(opener: Opener, tmp_path: Path, *, merged: bool) -> None:
    """Whether it stood in the newest segment or in a merged one."""
    store = opener()
    fill(store)
    if merged:
        store.optimize()
    assert store.kind == "server" or holding(tmp_path, WORD)
    store.delete(Scope(project="/home/x/secret"))
    before = by_id(store)
    left = store.scrub()
    assert by_id(store) == before
    assert len(before) == KEPT == store.count()
    assert not holding(tmp_path, WORD)
    assert bool(left) == (store.kind == "server")
    store.write([made(5000, "one more")], {}, [])
    store.close()
    again = opener()
    assert again.count() == KEPT + 1
    assert not holding(tmp_path, WORD)


def test_everything_can_go(opener: Opener, tmp_path: Path) -> None:
    """A store without a point is a store still; twice is once."""
    store = opener()
    store.write([made(at, f"{WORD} {at}") for at in range(20)], {}, [])
    store.write((), {}, list(everything(store)))
    store.scrub()
    store.scrub()
    assert store.count() == 0
    assert not holding(tmp_path, WORD)


def test_what_was_written_over_goes_too(opener: Opener, tmp_path: Path) -> None:
    """A point keeps its id and gets another text: the former one is nowhere."""
    store = opener()
    fill(store)
    store.write([made(1000 + at, "masked now") for at in range(SECRET)], {}, [])
    store.write((), {made(3, "").id: Ownership((), {"source": "x", "title": "another title"})}, [])
    store.scrub()
    assert store.count() == SECRET + KEPT
    assert not holding(tmp_path, WORD)


def test_the_log_takes_no_more_room_than_before(tmp_path: Path) -> None:
    """What the log is filled with is given back to the disk."""
    for opener in openers("edge", str(tmp_path / "store")):
        store = opener()
        fill(store)
        store.delete(Scope(project="/home/x/secret"))
        before = room(tmp_path)
        store.scrub()
        assert room(tmp_path) < before + 4 * 1024 * 1024


def room(folder: Path) -> int:
    """The bytes that a folder's files take on the disk."""
    return sum(os.stat(path).st_blocks * 512 for path in folder.rglob("*") if path.is_file())
