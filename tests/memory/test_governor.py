"""Governor: named histories of memory, and what is done about each."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memory_samples import LIMITS, MB, done, growing, life, sample, told

from importer.memory.governor import Action, Do
from importer.memory.probes import GroupMemory, Sample


def test_a_worker_within_its_bounds_is_left_alone():
    """Nothing to do, no delay, the whole budget, not a word."""
    assert set(told(growing([300, 340, 310, 330] * 5))) == {Action(budget_tokens=2048)}


def test_without_any_number_nothing_is_done():
    """Where memory cannot be measured the import goes on."""
    assert told([(Sample(0.0), life()), (Sample(1.0), None)]) == [Action(budget_tokens=2048)] * 2


def test_above_the_soft_limit_a_trim_comes_first():
    """Only what a trim and a batch could not lower is recycled."""
    assert done(growing([300, 950, 950])) == ["nothing", "trim", "recycle"]
    assert done(growing([300, 950, 400])) == ["nothing", "trim", "nothing"]


def test_the_reason_of_a_recycle_is_one_word():
    """As it is counted and logged."""
    assert told(growing([950, 950]))[-1].reason == "rss"


def test_a_recycle_is_repeated_until_it_has_happened():
    """Between two batches is for the import to find; a new worker begins anew."""
    history = growing([950, 950, 960, 970])
    assert done([*history, (sample(9, 250), life(0, pid=8))]) == ["trim", *["recycle"] * 3, "nothing"]


def test_above_the_hard_limit_it_is_killed_at_once():
    """In the middle of its first batch too, until it is gone; the budget is halved once."""
    young = life(0, age_s=1.0)
    actions = told([(sample(0, 300), young), (sample(1, 1200), young), (sample(2, 1300), young), (sample(3), None)])
    assert [action.do for action in actions] == [Do.NOTHING, Do.KILL, Do.KILL, Do.NOTHING]
    assert [action.budget_tokens for action in actions] == [2048, 1024, 1024, 1024]


def test_critical_memory_trims_and_halves_the_budget_once_a_batch():
    """Down to the least, and slower."""
    batches = [5, 5, 6, 7, 8, 9]
    actions = told([(sample(n, 750), life(batch)) for n, batch in enumerate(batches)])
    assert [action.do.value for action in actions] == ["trim", "nothing", "trim", "trim", "trim", "trim"]
    assert [action.budget_tokens for action in actions] == [1024, 1024, 512, 256, 256, 256]
    assert {action.delay_s for action in actions} == {0.8}


def test_a_shrunk_budget_grows_back_when_it_is_calm():
    """Doubled after ten quiet batches, never beyond the profile's."""
    history = [(sample(0, 750), life(1)), *[(sample(n, 300), life(n)) for n in range(2, 40)]]
    budgets = [action.budget_tokens for action in told(history)]
    assert (budgets[0], budgets[9], budgets[10], budgets[-1]) == (1024, 1024, 2048, 2048)


@pytest.mark.parametrize(("worker_mb", "delay_s"), [(599, 0.0), (600, 0.3), (650, 0.55), (700, 0.8), (899, 0.8)])
def test_the_delay_follows_the_memory(worker_mb, delay_s):
    """None below the warning, then from the least to the most."""
    assert told([(sample(0, worker_mb), life())])[0].delay_s == pytest.approx(delay_s)


def test_a_few_mb_of_new_points_are_not_warned_of():
    """Points that are not in order yet stand in memory: half of what a worker is recycled for is worth a line."""
    assert not [text for action in told(growing([300] * 4 + [316, 332, 348])) for text in action.warnings]
    assert [text for action in told(growing([300] * 4 + [316, 332, 350])) for text in action.warnings]


def test_growth_is_warned_of_and_then_ended():
    """A leak of 30 MB a batch: a warning after three, a recycle when it amounts to something."""
    actions = told(growing([300] * 4 + [330, 360, 390, 420, 450]))
    assert [action.do.value for action in actions] == ["nothing"] * 7 + ["recycle"] * 2
    assert actions[-1].reason == "growth"
    assert [text for action in actions for text in action.warnings] == ["the worker grew by 90 MB over 3 batches"]


def test_peaks_are_no_growth():
    """Up and down as texts are long and short; the first batches fill the caches."""
    assert set(done(growing([200, 300, 380, 420, 350, 440, 360, 450, 370, 455, 365]))) == {"nothing"}


def test_a_leak_is_recycled_before_the_limits_whatever_its_size():
    """20 MB a batch, as in the drill: never near the soft limit."""
    actions = told(growing([300 + 20 * n for n in range(30)]))
    first = next(n for n, action in enumerate(actions) if action.do is Do.RECYCLE)
    assert 300 + 20 * first < 500


def test_many_files_end_a_worker():
    """At the number fixed at its birth; 0 is for ever."""
    assert told([(sample(0, 300), life(files=199, lifetime_files=200))])[0].do is Do.NOTHING
    assert told([(sample(0, 300), life(files=200, lifetime_files=200))])[0].reason == "files"
    assert told([(sample(0, 300), life(files=10**6))])[0].do is Do.NOTHING


def test_an_idle_worker_is_let_go():
    """Also one that never had a batch; not while it works."""
    assert told([(sample(0, 300), life(0, busy=False, idle_s=61.0))])[0].reason == "idle"
    assert told([(sample(0, 300), life(0, busy=True, idle_s=61.0))])[0].do is Do.NOTHING
    assert told([(sample(0, 300), life(0, busy=False, idle_s=59.0))])[0].do is Do.NOTHING


def test_little_free_memory_pauses_until_there_is_plenty():
    """Between the two thresholds nothing flips to and fro."""
    free = [0.5, 0.07, 0.05, 0.10, 0.14, 0.16, 0.12, 0.09, 0.5]
    history = [(sample(n, free=f), None) for n, f in enumerate(free)]
    assert done(history) == ["nothing", "pause", *["nothing"] * 3, "resume", *["nothing"] * 3]


def test_a_nearly_full_control_group_pauses_on_a_large_machine():
    """The container's limit counts, not the memory of the machine below it."""
    full = replace(sample(0, 300), group=GroupMemory(512 * MB, 490 * MB))
    action = told([(full, life())])[0]
    assert (action.do, action.reason) == (Do.PAUSE, "4% of the memory is free")


def test_pressure_pauses_and_half_of_it_resumes():
    """By the share of time in which everything waited for memory."""
    history = [(sample(n, full=full), None) for n, full in enumerate([19.0, 21.0, 15.0, 11.0, 10.0])]
    assert done(history) == ["nothing", "pause", "nothing", "nothing", "resume"]


def test_while_paused_a_worker_at_rest_gives_its_memory_back():
    """Once it is done with what it had, not before, and not in its first seconds."""
    pressed = {"worker_mb": 300, "free": 0.05}
    history = [
        (sample(0, **pressed), life(busy=True)),
        (sample(1, **pressed), life(busy=True)),
        (sample(2, **pressed), life(busy=False, age_s=9.0)),
        (sample(3, **pressed), life(busy=False)),
    ]
    assert done(history) == ["pause", "nothing", "nothing", "recycle"]
    assert told(history)[-1].reason == "pressure"


def test_a_pause_ends_by_its_limit_and_goes_on_slowly():
    """With the smallest batches and the longest delay, said once, until memory is plentiful."""
    history = [(sample(at, free=0.05), life(at)) for at in (0, 150, 299, 300, 301, 400)]
    actions = told([*history, (sample(500, free=0.5), life(500))])
    assert [action.do.value for action in actions] == ["pause", *["nothing"] * 2, "resume", *["nothing"] * 3]
    assert {(action.delay_s, action.budget_tokens) for action in actions[3:6]} == {(0.8, 256)}
    assert sum("stays short" in text for action in actions for text in action.warnings) == 1
    assert actions[-1].delay_s == 0.0


def test_after_a_pause_there_is_progress_before_the_next():
    """A limit too small for a worker would else mean pausing for ever with nothing done."""
    low, plenty = {"free": 0.05}, {"free": 0.5}
    history = [
        (sample(0, **low), life(1)),
        (sample(1, **plenty), life(0, pid=8)),
        (sample(2, **low), life(0, pid=8)),
        (sample(3, **low), life(1, pid=8)),
    ]
    assert done(history) == ["pause", "resume", "nothing", "pause"]


def test_the_daemon_itself_collects_and_then_leaves():
    """For the restart policy; a collection that helped is all it takes."""
    assert done([(sample(n, daemon_mb=mb), None) for n, mb in enumerate([100, 257, 257])]) == [
        "nothing",
        "collect",
        "leave",
    ]
    assert done([(sample(n, daemon_mb=mb), None) for n, mb in enumerate([257, 200, 257])]) == [
        "collect",
        "nothing",
        "collect",
    ]


def test_a_limit_of_the_daemon_can_be_off():
    """0 is no limit."""
    history = [(sample(n, daemon_mb=9000), None) for n in range(3)]
    assert set(done(history, limits=replace(LIMITS, daemon_limit_bytes=0))) == {"nothing"}


def test_warnings_come_early_and_once_an_episode():
    """Again only after it was clearly over."""
    megabytes = [500, 610, 620, 590, 610, 500, 610]
    said = [len(action.warnings) for action in told([(sample(n, mb), life(1)) for n, mb in enumerate(megabytes)])]
    assert said == [0, 1, 0, 0, 0, 0, 1]


def test_a_kill_by_the_kernel_is_named_and_answered():
    """One line, and half the budget from then on; kills before our time do not count."""
    actions = told([(sample(n, 300, oom_kills=kills), life(1)) for n, kills in enumerate([3, 3, 4, 4])])
    assert [len(action.warnings) for action in actions] == [0, 0, 1, 0]
    assert "kernel killed" in actions[2].warnings[0]
    assert [action.budget_tokens for action in actions] == [2048, 2048, 1024, 1024]
