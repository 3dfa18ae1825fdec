"""Grouping, cutting, averaging and checking: pure rules, mostly as properties."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.worker import token_budget

LENGTHS = st.lists(st.integers(1, 300), max_size=60)


def padded(lengths: Sequence[int], groups: Sequence[Sequence[int]]) -> int:
    """Return the tokens the model runs over when every window is padded to the longest of its group."""
    return sum(max(lengths[i] for i in members) * len(members) for members in groups)


def greedy(lengths: list[int], budget: int) -> list[list[int]]:
    """The obvious way: sorted, each group filled to the budget."""
    groups: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not groups or lengths[i] * (len(groups[-1]) + 1) > budget:
            groups.append([])
        groups[-1].append(i)
    return groups


def cost(lengths: list[int], groups: list[list[int]]) -> float:
    total = 0.0
    for members in groups:
        longest = max(lengths[i] for i in members)
        run = longest * len(members)
        total += token_budget.RUN_TOKENS + run * (
            1 + longest / token_budget.ATTENTION_TOKENS + run / token_budget.CACHE_TOKENS
        )
    return total


@given(LENGTHS, st.integers(1, 4096))
def test_every_window_is_in_one_group(lengths: list[int], budget: int) -> None:
    """Nothing is left out and nothing runs twice, for any lengths."""
    groups = token_budget.group(lengths, budget)
    assert sorted(i for members in groups for i in members) == list(range(len(lengths)))
    assert all(groups)


@given(LENGTHS, st.integers(1, 4096))
def test_no_run_is_larger_than_the_budget(lengths: list[int], budget: int) -> None:
    """Padded to its longest window a group stays within the budget; only a lone window may be larger."""
    for members in token_budget.group(lengths, budget):
        assert len(members) == 1 or padded(lengths, [members]) <= budget


@given(st.lists(st.integers(1, 300), min_size=1, max_size=60), st.integers(300, 4096))
def test_grouping_costs_no_more_than_filling_up(lengths: list[int], budget: int) -> None:
    """By the cost it minimises, it is at least as good as the obvious way."""
    assert cost(lengths, token_budget.group(lengths, budget)) <= cost(lengths, greedy(lengths, budget)) * (1 + 1e-9)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=7), st.integers(40, 200))
def test_grouping_is_the_best_there_is(lengths: list[int], budget: int) -> None:
    """Against every partition of the sorted row, tried one by one."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    found = cost(lengths, token_budget.group(lengths, budget))
    for choice in range(2 ** (len(order) - 1)):
        groups = [[order[0]]]
        for k, i in enumerate(order[1:]):
            if choice >> k & 1:
                groups.append([i])
            else:
                groups[-1].append(i)
        if all(len(g) == 1 or padded(lengths, [g]) <= budget for g in groups):
            assert found <= cost(lengths, groups) * (1 + 1e-9)


def test_padding_is_small_on_a_batch_of_mixed_lengths() -> None:
    """256 log-normal lengths: under 5 % padding, where filling up to 2,048 tokens wastes more than 15 %."""
    lengths = np.clip(np.random.default_rng(7).lognormal(3.4, 0.9, 256), 3, 256).astype(int).tolist()
    assert padded(lengths, token_budget.group(lengths, 2048)) / sum(lengths) < 1.05
    assert padded(lengths, greedy(lengths, 2048)) / sum(lengths) > 1.15


def test_the_longest_group_comes_first() -> None:
    """Memory peaks in the first run, not in the last."""
    longest = [max(members) for members in token_budget.group(list(range(1, 250)), 512)]
    assert longest == sorted(longest, reverse=True)


@given(LENGTHS, st.integers(1, 500), st.integers(1, 9))
def test_packing_keeps_order_and_both_bounds(lengths: list[int], most_tokens: int, most_windows: int) -> None:
    """For services that count calls: in order, no more than fits, and no group that could have taken the next."""
    groups = token_budget.pack(lengths, most_tokens, most_windows)
    assert [i for members in groups for i in members] == list(range(len(lengths)))
    for k, members in enumerate(groups):
        used = sum(lengths[i] for i in members)
        assert len(members) <= most_windows
        assert used <= most_tokens or len(members) == 1
        for following in groups[k + 1 : k + 2]:
            assert len(members) == most_windows or used + lengths[following[0]] > most_tokens


@pytest.mark.slow
@given(st.integers(0, 2000), st.integers(1, 300), st.randoms(use_true_random=False))
def test_windows_are_the_text_again(count: int, room: int, random: object) -> None:
    """Consecutive, none empty, none longer than the room, none of the tokens lost."""
    spans = token_budget.cut(count, room, [random.random() < 0.3 for _ in range(count)])
    assert spans[0][0] == 0 and spans[-1][1] == count
    assert all(after[0] == before[1] for before, after in itertools.pairwise(spans))
    assert all(0 < end - start <= room for start, end in spans) or count == 0


@pytest.mark.parametrize(
    ("count", "room", "words", "spans"),
    [
        (10, 10, 1, [(0, 10)]),
        (11, 10, 1, [(0, 5), (5, 11)]),  # halves, rather than ten and one
        (20, 10, 4, [(0, 8), (8, 16), (16, 20)]),  # no break at ten: a word is not torn for a full window
        (20, 10, 100, [(0, 10), (10, 20)]),  # one word longer than the room is
        (0, 10, 1, [(0, 0)]),
    ],
)
def test_windows_are_equal_and_end_between_words(count: int, room: int, words: int, spans: list) -> None:
    """A break is where a multiple of `words` tokens ends."""
    assert token_budget.cut(count, room, [i % words == 0 for i in range(count)]) == spans


def test_average_is_weighted_and_of_unit_length() -> None:
    """A window three times as long counts three times."""
    mean = token_budget.average(np.array([[1, 0], [0, 1]], np.float32), [3, 1])
    assert mean.dtype == np.float32
    assert mean == pytest.approx([3 / math.sqrt(10), 1 / math.sqrt(10)])


def test_normalised_rows_have_unit_length() -> None:
    """On any scale; a zero row stays zero for the check to refuse."""
    rows = token_budget.normalised(np.array([[3e-20, 4e-20], [3e20, 4e20], [0, 0]]))
    assert rows == pytest.approx(np.array([[0.6, 0.8], [0.6, 0.8], [0, 0]]))


def test_good_vectors_pass_the_check() -> None:
    """Also rounded ones, and they come back as float32."""
    rows = np.array([[0.6, 0.8], [1, 0.0001]])
    assert token_budget.check(rows, 2, 2).dtype == np.float32


@pytest.mark.parametrize("bad", [[math.nan, 1], [math.inf, 0], [-math.inf, math.inf], [0, 0], [0.5, 0.5], [3, 4]])
def test_a_bad_row_is_refused_by_its_position(bad: list[float]) -> None:
    """NaN, infinity, zero and any other length than one; the good neighbours are not blamed."""
    with pytest.raises(token_budget.VectorsRefused) as refused:
        token_budget.check(np.array([[1, 0], bad, [0, 1]], np.float32), 2, 3)
    assert refused.value.rows == (1,)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (1, 2), (2,), (0, 2)])
def test_a_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    """Another dimension or another number of vectors: no chunk in particular is blamed."""
    with pytest.raises(token_budget.VectorsRefused, match=r"expected \(2, 2\)") as refused:
        token_budget.check(np.ones(shape, np.float32), 2, 2)
    assert refused.value.rows == ()
