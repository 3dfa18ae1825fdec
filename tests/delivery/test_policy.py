"""The failure policy as tables: what happened, what is done."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from turn_builders import span

from importer.delivery import policy
from importer.delivery.policy import FailureRecord, Reaction
from importer.protocol.outcome import Failure
from importer.protocol.records import Batch, Chunk, Suspect
from importer.reading.batching import pack

GOOD = Suspect(1, 0)


def batch(*ids: str) -> Batch:
    return pack([span([Chunk(one, f"text of {one}", {}) for one in ids])], 1)


def failure(kind: str, *ids: str) -> Failure:
    return Failure(1, "embed", kind, "why", True, ids)


@pytest.mark.parametrize(
    ("failures", "attempt"),
    [
        (FailureRecord(256, deaths=1, blamed=1), Reaction.RETRY),
        (FailureRecord(256, deaths=2, blamed=0), Reaction.SPLIT),
        (FailureRecord(2, deaths=2, blamed=2), Reaction.SPLIT),
        (FailureRecord(1, deaths=2, blamed=2), Reaction.RETRY),
        (FailureRecord(1, deaths=3, blamed=3), Reaction.QUARANTINE),
        (FailureRecord(1, deaths=7, blamed=0), Reaction.RETRY),
        (FailureRecord(1, deaths=8, blamed=0), Reaction.QUARANTINE),
        (FailureRecord(0, deaths=9, blamed=0), Reaction.RETRY),
    ],
)
def test_after_a_death(failures: FailureRecord, attempt: Reaction) -> None:
    """Once more, then in parts; a single chunk is set aside when three workers died with it in the model."""
    assert policy.after_death(failures) is attempt


@pytest.mark.parametrize(
    ("kind", "ids", "exit_code", "failures", "attempt"),
    [
        ("StoreUnreachable", (), 75, FailureRecord(9, errors=1), Reaction.WAIT),
        ("EmbedUnreachable", (), 75, FailureRecord(9, errors=5), Reaction.WAIT),
        ("PointsRejected", ("a",), 1, FailureRecord(9, errors=1), Reaction.QUARANTINE),
        ("StoreRefused", (), 5, FailureRecord(9, errors=1), Reaction.HALT),
        ("ModelError", (), 4, FailureRecord(9, errors=1), Reaction.HALT),
        ("EmbedError", (), 4, FailureRecord(9, errors=1), Reaction.RETRY),
        ("EmbedError", ("a",), 4, FailureRecord(9, errors=1), Reaction.RETRY),
        ("EmbedError", ("a",), 4, FailureRecord(9, errors=2), Reaction.QUARANTINE),
        ("EmbedError", (), 4, FailureRecord(9, errors=2), Reaction.SPLIT),
        ("RuntimeError", (), 1, FailureRecord(1, errors=2), Reaction.QUARANTINE),
    ],
)
def test_after_a_failure(
    kind: str, ids: tuple[str, ...], exit_code: int, failures: FailureRecord, attempt: Reaction
) -> None:
    """What will pass is waited for, what never will ends the import, and the rest is narrowed down."""
    assert policy.after_failure(failure(kind, *ids), exit_code, failures) is attempt


@pytest.mark.parametrize(
    ("deaths", "chunks"),
    [(0, 64), (2, 64), (3, 16), (4, 4), (5, 1), (50, 1)],
)
def test_suspects_go_in_ever_smaller_parts(deaths: int, chunks: int) -> None:
    """Each death in a former run narrows the parts, down to single chunks."""
    assert policy.part_chunks(deaths) == chunks


@pytest.mark.parametrize(
    ("ids", "record", "failures"),
    [
        ("ab", {}, FailureRecord(2)),
        ("ab", {"a": GOOD}, FailureRecord(2)),
        ("ab", {"a": Suspect(2, 0)}, FailureRecord(2, deaths=1)),
        ("a", {"a": Suspect(5, 0)}, FailureRecord(1, deaths=1)),
        ("a", {"a": Suspect(7, 3)}, FailureRecord(1, deaths=3, blamed=3)),
    ],
)
def test_a_record_of_former_runs_counts(ids: str, record: dict[str, Suspect], failures: FailureRecord) -> None:
    """A single chunk brings its lonely deaths; a part with suspects is on failures; one death proves nothing."""
    assert policy.initial_record(batch(*ids), record) == failures


def test_three_lonely_deaths_of_former_runs_are_enough() -> None:
    """Then a chunk is set aside without another try."""
    assert policy.after_death(policy.initial_record(batch("a"), {"a": Suspect(3, 3)})) is Reaction.QUARANTINE


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_lifetimes_differ_by_a_tenth(files: int, jitter: float) -> None:
    """So that workers started together do not all end together; 0 means for ever."""
    lifetime = policy.lifetime_files(files, jitter)
    assert lifetime == 0 if not files else lifetime >= 1 and abs(lifetime - files) <= files * 0.1 + 1


def test_a_deadline_follows_the_size() -> None:
    """A minute, and more for more text."""
    assert policy.deadline_s(0) == 60
    assert policy.deadline_s(200_000) > policy.deadline_s(100_000) > 60


def test_the_likeliest_poison_goes_last_and_alone() -> None:
    """So that the others are stored before it dies again; a chunk that died once is no suspect."""
    record = {"a": Suspect(5, 0), "b": Suspect(2, 0), "c": Suspect(1, 0), "d": Suspect(2, 0), "e": Suspect(6, 1)}
    assert policy.groups(record, "abcdefg") == [["b", "d"], ["a"], ["e"]]
