"""Memory profiles: complete, coherent, overridable, and refused where a worker could not start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.errors import UsageError
from importer.memory.profiles import DAEMON_BYTES, FLOOR_BYTES, PROFILES, Profile, auto, cores, resolve
from importer.protocol.units import MB
from importer.settings.load import DECLARED, effective, load

LARGE = 16 * 1024 * MB


def resolved(document: Mapping[str, Any], limit_bytes: int = LARGE) -> Profile:
    return resolve(load({}, {}, document, home="/h").settings, limit_bytes)


@pytest.mark.parametrize("profile", [*PROFILES.values(), auto(LARGE), auto(512 * MB)], ids=lambda p: p.name)
def test_thresholds_stand_in_order(profile: Profile) -> None:
    """Floor < warning < critical < soft < hard, and a pause ends below where it began."""
    limits = (profile.warning_bytes, profile.critical_bytes, profile.soft_limit_bytes, profile.hard_limit_bytes)
    assert profile.soft_limit_bytes > FLOOR_BYTES
    assert list(limits) == sorted(set(limits))
    assert profile.resume_used_share < profile.pause_used_share


def test_each_threshold_has_a_setting() -> None:
    """What a profile decides can be set by hand, and it decides all that is left to it: no name is on one side only."""
    of_settings = {name.rpartition(".")[2] for name, declared in DECLARED.items() if declared.profile}
    assert set(PROFILES["balanced"].values()) == of_settings
    assert set(PROFILES) | {"auto"} == set(DECLARED["memory.profile"].among)


def test_a_setting_overrides_its_profile() -> None:
    """One value set by hand changes that value of the chosen profile, and nothing else."""
    plain = resolved({"memory": {"profile": "conservative"}})
    by_hand = resolved({"memory": {"profile": "conservative"}, "embed": {"token_budget": 4096}})
    assert by_hand.token_budget == 4096
    assert {**by_hand.values(), "token_budget": plain.token_budget} == plain.values()


@given(st.integers(0, 1 << 37))
def test_auto_fits_into_the_memory_it_is_given(limit_bytes: int) -> None:
    """Hard limit and daemon together stay below the container's limit, for any limit."""
    profile = auto(limit_bytes)
    assert profile.soft_limit_mb == 0 or profile.hard_limit_bytes + DAEMON_BYTES < limit_bytes


def test_auto_grows_with_the_memory() -> None:
    """More memory never gives smaller thresholds, and never more than balanced takes."""
    found = [auto(size * MB) for size in range(0, 4096, 64)]
    assert [p.soft_limit_mb for p in found] == sorted(p.soft_limit_mb for p in found)
    assert [p.token_budget for p in found] == sorted(p.token_budget for p in found)
    assert found[-1].soft_limit_mb == PROFILES["balanced"].soft_limit_mb


@pytest.mark.parametrize("name", ["balanced", "aggressive", "development"])
def test_a_profile_too_large_for_its_container_is_shrunk_and_says_so(name: str) -> None:
    """In 512 MB every profile keeps below the kernel's limit, in place of being killed by it."""
    profile = resolved({"memory": {"profile": name}}, 512 * MB)
    assert profile.hard_limit_bytes + DAEMON_BYTES < 512 * MB
    assert f"{PROFILES[name].soft_limit_mb} -> {profile.soft_limit_mb} MB" in profile.adapted
    assert not resolved({"memory": {"profile": name}}).adapted


@pytest.mark.parametrize(
    ("document", "limit_bytes"),
    [({"worker": {"soft_limit_mb": 180}}, LARGE), ({"memory": {"profile": "auto"}}, 256 * MB), ({}, 200 * MB)],
)
def test_a_limit_the_worker_cannot_start_in_is_refused_with_both_numbers(
    document: Mapping[str, Any], limit_bytes: int
) -> None:
    """At or below the floor the import could only be a circle of recycles, so it does not begin."""
    with pytest.raises(UsageError, match=r"worker.soft_limit_mb: \d+ MB; the worker needs more than 180 MB"):
        resolved(document, limit_bytes)


def test_thresholds_that_contradict_each_other_are_all_named() -> None:
    """Limits set by hand are checked together with those of the profile."""
    memory = {"warning_share": 0.9, "resume_used_share": 0.95, "delay_min_ms": 900}
    with pytest.raises(UsageError) as caught:
        resolved({"memory": memory})
    assert [line.partition(":")[0] for line in caught.value.message.splitlines()[1:]] == [f"memory.{n}" for n in memory]


@pytest.mark.parametrize(
    ("threads", "available", "once", "expected"),
    [(0, 8, False, 4), (0, 8, True, 8), (0, 1, False, 1), (3, 8, True, 3), (-1, 8, False, 8)],
)
def test_threads_of_the_model(threads: int, available: int, once: bool, expected: int) -> None:
    """A daemon is a guest and takes half of the cores, a backlog all; a number set by hand is that number."""
    assert cores(threads, available, once=once) == expected


def test_the_listing_shows_the_thresholds() -> None:
    """`importer config` prints a profile complete: no setting is left without a value."""
    loaded = load({}, {}, {}, home="/h")
    rows = effective(loaded, resolve(loaded.settings, LARGE).values())
    assert all(row.value != "None" for row in rows)
    assert {row.origin for row in rows} == {"default", "profile balanced"}
