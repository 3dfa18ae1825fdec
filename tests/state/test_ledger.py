"""Ledger: what must outlive a crash is written before it matters and settled with what it belongs to."""

from __future__ import annotations

import pytest
from state_values import commit

from importer.state.checkpoints import Checkpoints
from importer.state.ledger import SentBatch, Suspect


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "checkpoints.sqlite3")


@pytest.fixture
def state(path):
    with Checkpoints.open(path, clock=lambda: 50.0) as opened:
        yield opened


def test_what_was_under_way_is_known_after_a_restart(state, path):
    """Recorded before sending: a daemon that dies with a batch out reads who was in it."""
    state.sending(3, ["a", "b"])
    state.sending(4, ["c"], alone=True)
    state.close()
    with Checkpoints.open(path) as reopened:
        assert reopened.leftovers() == [SentBatch(3, ("a", "b"), False, 50.0), SentBatch(4, ("c",), True, 50.0)]


def test_sending_again_replaces_the_attempt(state):
    """A retry of the same batch, with fewer chunks, is one row."""
    state.sending(3, ["a", "b"])
    state.sending(3, [])
    assert state.leftovers() == [SentBatch(3, (), False, 50.0)]


def test_a_settled_batch_leaves_nothing(state):
    """Neither an attempt nor blame."""
    state.sending(3, ["a"])
    state.settled(3)
    state.settled(99)
    assert (state.leftovers(), state.suspects()) == ([], {})


def test_deaths_add_up_over_batches(state):
    """All of a batch are blamed; a chunk that went alone is remembered as such."""
    state.sending(1, ["a", "b"])
    assert state.died(1) == {"a": Suspect(1, 0), "b": Suspect(1, 0)}
    state.sending(2, ["a"], alone=True)
    assert state.died(2) == {"a": Suspect(2, 1)}
    assert state.suspects() == {"a": Suspect(2, 1), "b": Suspect(1, 0)}
    assert state.leftovers() == []


def test_only_those_in_the_model_are_blamed_when_known(state):
    """The worker said which chunks it was embedding: the others of the batch are not suspects."""
    state.sending(1, ["a", "b", "c"])
    assert state.died(1, ["b"]) == {"b": Suspect(1, 1)}
    assert set(state.suspects()) == {"b"}


def test_a_death_of_an_unknown_batch_blames_nobody(state):
    """A worker that died with nothing of ours leaves no suspects."""
    assert state.died(77) == {}
    assert state.suspects() == {}


def test_a_commit_clears_the_suspects_of_its_batch(state):
    """Stored chunks are innocent, also after deaths; those of other batches stay suspect."""
    state.sending(1, ["a", "b"])
    state.died(1)
    state.sending(2, ["a"])
    state.commit([commit()], batch_number=2)
    assert set(state.suspects()) == {"b"}
    assert state.leftovers() == []


def test_counters_add_up(state):
    """Those of a batch and those of none, side by side with the tally."""
    state.count({"spawns": 1, "crashes": 0})
    state.commit([], counters={"spawns": 1, "points": 5})
    assert state.counters() == {"spawns": 2, "points": 5}


def test_tombstones_are_remembered_until_lifted(state):
    """By kind and value, any bytes a path may hold."""
    odd = b"/home/\xff".decode(errors="surrogateescape")
    state.add_tombstone("project", "/secret")
    state.add_tombstone("path", odd)
    state.add_tombstone("project", "/secret")
    assert state.tombstones() == [("path", odd, 50.0), ("project", "/secret", 50.0)]
    state.remove_tombstone("path", odd)
    assert [kind for kind, _, _ in state.tombstones()] == ["project"]


def test_single_facts_are_kept_by_name(state, path):
    """The store's fingerprint and its like, across restarts; unknown ones are empty."""
    state.remember(fingerprint="abc", host="laptop")
    state.remember(fingerprint="def")
    state.close()
    with Checkpoints.open(path) as reopened:
        assert [reopened.meta(name) for name in ("fingerprint", "host", "unknown")] == ["def", "laptop", ""]
