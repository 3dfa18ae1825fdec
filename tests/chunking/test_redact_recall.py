"""Secrets planted by hand in the forms people write: how many are masked, by group; `-s` prints it."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted_secrets import LISTS, left, named, planted, recall

from importer.chunking.redact import mask

LEAST = {
    "afterwards": 0.95, "tokens": 0.97, "services": 0.95, "places": 0.95, "wrapped": 0.95, "named": 0.97, "told": 0.97,
    "later": 0.95, "blind": 0.975, "blind_commands": 0.93, "blind_rare": 0.91, "blind_code": 0.93, "blind_usual": 0.965,
}  # fmt: skip
NEAR_MISSES = Path(__file__).with_name("near_misses.txt").read_text("utf-8").splitlines()[1:]


def test_the_lists_are_long_and_of_many_kinds():
    """At least 400 secrets of 300 kinds."""
    everything = [one for group in LISTS for one in planted(group)]
    assert len(everything) >= 400
    assert len({one.kind for one in everything}) >= 300
    assert all(one.secrets for one in everything)


@pytest.mark.parametrize("group", LISTS)
def test_planted_secrets_are_masked(group, capsys):
    """The share that is masked in three rounds of values; those left are named."""
    share, missed = recall(group)
    with capsys.disabled():
        print(f"\n{group}: {share:.3f} masked, left:", *missed, end=" ")
    assert share >= LEAST[group]


def test_a_value_is_masked_whatever_its_name_and_form(capsys):
    """A name of a secret in any casing, given a value in a file, a language, a flag, a header, a table or in words."""
    texts = named(1000)
    missed = [one.text for one in texts if left(one)]
    with capsys.disabled():
        print(f"\nnames in forms: {1 - len(missed) / len(texts):.3f} masked", end=" ")
    assert len(missed) <= 0.02 * len(texts), missed[:20]


@pytest.mark.parametrize("group", LISTS)
def test_masking_planted_secrets_again_changes_nothing(group):
    """What is masked stays as it is."""
    for one in planted(group):
        masked = mask(one.text)
        assert mask(masked) == masked, one.kind


def test_lines_that_only_look_like_secrets_stay():
    """Placeholders, types, code that reads a secret, hashes, ids and prose: none is changed."""
    assert len(NEAR_MISSES) >= 600
    assert [line for line in NEAR_MISSES if mask(line) != line] == []
