"""Histories of batches where several workers embed: who is blamed, what is kept, what is stored in which order."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_deliveries import ScriptedDelivery, file_span
from scripted_supervisor import births

from importer.delivery.supervisor import Supervisor
from importer.protocol import wire
from importer.state.checkpoints import Checkpoints

pytestmark = pytest.mark.slow

READY = [["ready"]]
NAMES = "abcdefgh"


@pytest.fixture
def checkpoints(tmp_path: pathlib.Path) -> Iterator[Checkpoints]:
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as found:
        yield found


def posted(played: ScriptedDelivery) -> list[wire.Import]:
    """Note what is posted to the writer."""
    seen: list[wire.Import] = []
    post = played.supervisor.post

    async def noted(number: int, message: Any) -> Any:
        seen.extend([message] if isinstance(message, wire.Import) else [])
        return await post(number, message)

    played.supervisor.post = noted  # type: ignore[method-assign]
    return seen


def run(played: ScriptedDelivery, names: str = NAMES, text: str = "text") -> list[tuple[str, ...]]:
    return played.run(*(played.batch(file_span(name, f"{text} {name}1", f"{text} {name}2")) for name in names))


def supervisors(played: ScriptedDelivery) -> list[Supervisor]:
    pool = played.delivery.pool
    assert pool is not None
    return [pool.supervisor(at) for at in range(pool.count)]


def crashes(played: ScriptedDelivery) -> list[int]:
    return [one.stats.crashes for one in supervisors(played)]


def in_order(names: str = NAMES) -> list[tuple[str, ...]]:
    return [(name,) for name in names]


def test_batches_are_stored_and_committed_in_order(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Wherever they are embedded, the writer gets them one behind the other, each with its vectors."""
    played = ScriptedDelivery(tmp_path, checkpoints, *READY, beside=[READY, READY])
    seen = posted(played)
    assert run(played) == in_order()
    assert [message.chunks[0].id for message in seen] == [f"{name}1" for name in NAMES]
    assert all(len(message.vectors) == 2 for message in seen)
    assert [births(tmp_path, log) for log in ("lives", "lives-1", "lives-2")] == [1, 1, 1]
    assert sum(one.receipt.tokens for one in played.told if one.receipt) == len(NAMES) * (9 + 7)
    assert (checkpoints.leftovers(), checkpoints.suspects()) == ([], {})


def test_a_single_batch_starts_one_worker(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A live conversation costs what it costs with one worker."""
    played = ScriptedDelivery(tmp_path, checkpoints, *READY, beside=[READY, READY])
    assert run(played, "a") == in_order("a")
    assert [births(tmp_path, log) for log in ("lives", "lives-1", "lives-2")] == [1, 0, 0]


@pytest.mark.parametrize("end", ["die", "vanish", "torn"])
def test_the_death_of_one_that_embeds(tmp_path: pathlib.Path, checkpoints: Checkpoints, end: str) -> None:
    """It costs the vectors it was making; no other batch is embedded again, none is set aside."""
    played = ScriptedDelivery(tmp_path, checkpoints, *READY, beside=[[["ready", "done", end], ["ready"]], READY])
    seen = posted(played)
    assert run(played) == in_order()
    assert [message.chunks[0].id for message in seen] == [f"{name}1" for name in NAMES]
    assert sum(not message.vectors for message in seen) == 1  # the one in the model goes alone to the writer
    assert (crashes(played), played.rejected(), checkpoints.suspects()) == ([0, 1, 0], {}, {})


def test_the_death_of_the_writer(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """What is embedded is stored by the next one, and embedded by none again."""
    played = ScriptedDelivery(
        tmp_path, checkpoints, ["ready", "done", "done", "vanish"], ["ready"], beside=[READY, READY]
    )
    seen = posted(played)
    assert run(played) == in_order()
    assert {message.chunks[0].id for message in seen} == {f"{name}1" for name in NAMES}
    assert (births(tmp_path), births(tmp_path, "lives-1"), played.rejected()) == (2, 1, {})
    assert checkpoints.suspects() == {}


@pytest.mark.slow
def test_poison_is_found_wherever_it_is_embedded(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """It kills the one that embeds it, then, alone, the writer; its neighbours are stored."""
    deadly = [["ready", *["poison"] * 300]]
    played = ScriptedDelivery(tmp_path, checkpoints, *deadly, beside=[deadly, deadly])
    spans = [file_span(name, f"fine {name}1", f"{'poison' if name in 'bg' else 'fine'} {name}2") for name in NAMES]
    assert sorted(played.run(*map(played.batch, spans))) == in_order()
    assert played.rejected() == {"b2": ("b", "embed"), "g2": ("g", "embed")}
    assert checkpoints.suspects() == {}


def test_one_that_cannot_be_started_is_done_without(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """The import is slower, and goes on."""
    played = ScriptedDelivery(tmp_path, checkpoints, *READY, beside=[[["refuse"]], [["die"]]])
    assert run(played) == in_order()
    assert played.rejected() == {}


def test_a_failure_of_one_that_embeds_is_narrowed_down(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """A text that the model refuses is tried again by the writer, and no neighbour suffers."""
    played = ScriptedDelivery(tmp_path, checkpoints, *READY, beside=[[["ready", "fail"]], READY])
    assert run(played) == in_order()
    assert (played.rejected(), births(tmp_path, "lives-1")) == ({}, 1)


def test_an_outage_keeps_what_is_embedded(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """No worker is kept meanwhile; the vectors are."""
    played = ScriptedDelivery(tmp_path, checkpoints, ["ready", "done", "done", "away"], ["ready"], beside=[READY])
    assert run(played) == in_order()
    assert any(one.reason.startswith("store unreachable") for one in played.told)


def test_one_that_never_answers_is_killed(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """Past the deadline of its batch another worker does it."""
    played = ScriptedDelivery(tmp_path, checkpoints, *READY, beside=[[["ready", "silent"], ["ready"]]])
    played.delivery.deadline_s = lambda _chars: 0.5
    assert run(played, "abcd") == in_order("abcd")
    assert crashes(played) == [0, 1]


def test_a_copy_in_flight_is_embedded_once(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """What an earlier batch brings is stored by then."""
    played = ScriptedDelivery(tmp_path, checkpoints, *READY, beside=[READY])
    seen = posted(played)
    spans = [file_span(name, "text same", f"text {name}") for name in "abc"]
    played.run(*map(played.batch, spans))
    assert [sorted(message.vectors) for message in seen] == [["a", "same"], ["b"], ["c"]]


def test_each_ends_after_its_own_files(tmp_path: pathlib.Path, checkpoints: Checkpoints) -> None:
    """One that has embedded its files is replaced while the others go on."""
    played = ScriptedDelivery(tmp_path, checkpoints, *READY, beside=[READY, READY])
    for one in supervisors(played)[1:]:
        one.recycle_files = 2
    names = [chr(code) for code in range(ord("a"), ord("a") + 24)]
    assert run(played, "".join(names)) == [(name,) for name in names]
    recycles = [one.stats.recycles["files"] for one in supervisors(played)]
    assert (recycles[0], min(recycles[1:]) >= 1, births(tmp_path)) == (0, True, 1)
