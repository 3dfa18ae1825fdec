"""The failure policy as tables: what happened, what is done."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from turn_builders import span

from importer.delivery import policy
from importer.delivery.policy import Attempt, Trial
from importer.protocol.records import Batch, Chunk, Failure, Suspect
from importer.reading.batch import pack

GOOD = Suspect(1, 0)


def batch(*ids: str) -> Batch:
    return pack([span([Chunk(one, f"text of {one}", {}) for one in ids])], 1)


def failure(kind: str, *ids: str) -> Failure:
    return Failure(1, "embed", kind, "why", True, ids)


@pytest.mark.parametrize(
    ("trial", "attempt"),
    [
        (Trial(256, deaths=1, blamed=1), Attempt.RETRY),
        (Trial(256, deaths=2, blamed=0), Attempt.SPLIT),
        (Trial(2, deaths=2, blamed=2), Attempt.SPLIT),
        (Trial(1, deaths=2, blamed=2), Attempt.RETRY),
        (Trial(1, deaths=3, blamed=3), Attempt.QUARANTINE),
        (Trial(1, deaths=7, blamed=0), Attempt.RETRY),
        (Trial(1, deaths=8, blamed=0), Attempt.QUARANTINE),
        (Trial(0, deaths=9, blamed=0), Attempt.RETRY),
    ],
)
def test_after_a_death(trial: Trial, attempt: Attempt) -> None:
    """Once more, then in parts; a single chunk is set aside when three workers died with it in the model."""
    assert policy.after_death(trial) is attempt


@pytest.mark.parametrize(
    ("kind", "ids", "exit_code", "trial", "attempt"),
    [
        ("StoreUnreachable", (), 75, Trial(9, errors=1), Attempt.WAIT),
        ("EmbedUnreachable", (), 75, Trial(9, errors=5), Attempt.WAIT),
        ("PointsRejected", ("a",), 1, Trial(9, errors=1), Attempt.QUARANTINE),
        ("StoreRefused", (), 5, Trial(9, errors=1), Attempt.HALT),
        ("ModelError", (), 4, Trial(9, errors=1), Attempt.HALT),
        ("EmbedError", (), 4, Trial(9, errors=1), Attempt.RETRY),
        ("EmbedError", ("a",), 4, Trial(9, errors=1), Attempt.RETRY),
        ("EmbedError", ("a",), 4, Trial(9, errors=2), Attempt.QUARANTINE),
        ("EmbedError", (), 4, Trial(9, errors=2), Attempt.SPLIT),
        ("RuntimeError", (), 1, Trial(1, errors=2), Attempt.QUARANTINE),
    ],
)
def test_after_a_failure(kind: str, ids: tuple[str, ...], exit_code: int, trial: Trial, attempt: Attempt) -> None:
    """What will pass is waited for, what never will ends the import, and the rest is narrowed down."""
    assert policy.after_failure(failure(kind, *ids), exit_code, trial) is attempt


@pytest.mark.parametrize(
    ("deaths", "chunks"),
    [(0, 64), (2, 64), (3, 16), (4, 4), (5, 1), (50, 1)],
)
def test_suspects_go_in_ever_smaller_parts(deaths: int, chunks: int) -> None:
    """Each death in a former run narrows the parts, down to single chunks."""
    assert policy.part_chunks(deaths) == chunks


@pytest.mark.parametrize(
    ("ids", "record", "trial"),
    [
        ("ab", {}, Trial(2)),
        ("ab", {"a": GOOD}, Trial(2)),
        ("ab", {"a": Suspect(2, 0)}, Trial(2, deaths=1)),
        ("a", {"a": Suspect(5, 0)}, Trial(1, deaths=1)),
        ("a", {"a": Suspect(7, 3)}, Trial(1, deaths=3, blamed=3)),
    ],
)
def test_a_record_of_former_runs_counts(ids: str, record: dict[str, Suspect], trial: Trial) -> None:
    """A single chunk brings its lonely deaths; a part with suspects is on trial; one death proves nothing."""
    assert policy.recorded(batch(*ids), record) == trial


def test_three_lonely_deaths_of_former_runs_are_enough() -> None:
    """Then a chunk is set aside without another try."""
    assert policy.after_death(policy.recorded(batch("a"), {"a": Suspect(3, 3)})) is Attempt.QUARANTINE


@given(st.integers(1, 1000), st.floats(0, 1))
def test_backoff_grows_to_its_limit(failures: int, jitter: float) -> None:
    """It never shrinks, never passes the limit but for its jitter, and never overflows."""
    wait_s = policy.backoff_s(failures, first_s=0.5, most_s=60, jitter=jitter)
    assert 0.5 <= wait_s <= 60 * (1 + jitter)
    assert wait_s >= policy.backoff_s(failures - 1, first_s=0.5, most_s=60, jitter=jitter)


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_lifetimes_differ_by_a_tenth(files: int, jitter: float) -> None:
    """So that workers started together do not all end together; 0 means for ever."""
    lifetime = policy.lifetime_files(files, jitter)
    assert lifetime == 0 if not files else lifetime >= 1 and abs(lifetime - files) <= files * 0.1 + 1


def test_a_deadline_follows_the_size() -> None:
    """A minute, and more for more text."""
    assert policy.deadline_s(0) == 60
    assert policy.deadline_s(200_000) > policy.deadline_s(100_000) > 60


def test_the_likeliest_culprits_go_last_and_alone() -> None:
    """So that the others are stored before it dies again; who died once is no suspect."""
    record = {"a": Suspect(5, 0), "b": Suspect(2, 0), "c": Suspect(1, 0), "d": Suspect(2, 0), "e": Suspect(6, 1)}
    assert policy.groups(record, "abcdefg") == [["b", "d"], ["a"], ["e"]]
