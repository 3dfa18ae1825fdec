"""Limits: a profile becomes thresholds in order, and one look is put in the words of the rules."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest

from importer.memory.probes import GroupMemory, Sample
from importer.memory.profiles import PROFILES
from importer.memory.thresholds import Observation, thresholds
from importer.protocol.units import MB
from importer.settings.schema import Settings

GB = 1024 * MB
BALANCED = thresholds(Settings(), PROFILES["balanced"])


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_gives_thresholds_in_order(name):
    """Warning, critical, soft, hard; less is free when pausing than when going on; delays and budgets too."""
    one = thresholds(Settings(), PROFILES[name])
    assert 0 < one.warn_bytes < one.critical_bytes < one.soft_bytes < one.hard_bytes
    assert 0 < one.system_low_fraction < one.system_resume_fraction < 1
    assert 0 <= one.delay_min_s <= one.delay_max_s < 10
    assert 0 < one.budget_min_tokens <= one.budget_tokens


def test_the_balanced_profile_is_the_designs():
    """900 MB soft, a quarter more hard, 300 to 800 ms, a minute idle, ten seconds of life."""
    assert (BALANCED.soft_bytes, BALANCED.hard_bytes) == (900 * MB, 1125 * MB)
    assert (BALANCED.delay_min_s, BALANCED.delay_max_s) == (0.3, 0.8)
    assert (BALANCED.idle_s, BALANCED.min_lifetime_s, BALANCED.daemon_limit_bytes) == (60.0, 10.0, 256 * MB)


def test_the_settings_beside_the_profile_count():
    """Lifetime, pause and the daemon's own limit are no profile's."""
    settings = Settings()
    settings = replace(settings, worker=replace(settings.worker, min_lifetime_s=3.0))
    settings = replace(settings, memory=replace(settings.memory, pause_limit_s=5.0))
    settings = replace(settings, daemon=replace(settings.daemon, operational_memory_mb=100))
    one = thresholds(settings, PROFILES["balanced"])
    assert (one.min_lifetime_s, one.pause_limit_s, one.daemon_limit_bytes) == (3.0, 5.0, 100 * MB)
    assert sum(a != b for a, b in zip(astuple(one), astuple(BALANCED), strict=True)) == 3


@pytest.mark.parametrize(
    ("available", "used", "full", "pressed", "relieved"),
    [
        (8, 100, 0.0, False, True),
        (1, 100, 0.0, True, False),
        (2, 100, 0.0, False, False),
        (8, 490, 0.0, True, False),
        (8, 450, 0.0, False, False),
        (8, 100, 21.0, True, False),
        (8, 100, 15.0, False, False),
        (8, 100, 10.0, False, True),
    ],
)
def test_short_and_plentiful_memory(available, used, full, pressed, relieved):
    """By the machine (16 GB), the control group (512 MB) and pressure, whichever is worst; between them neither."""
    sample = Sample(0.0, None, None, 16 * GB, available * GB, GroupMemory(512 * MB, used * MB), 0, full)
    look = Observation(sample, None, BALANCED)
    assert (bool(look.pressed), look.relieved) == (pressed, relieved)
