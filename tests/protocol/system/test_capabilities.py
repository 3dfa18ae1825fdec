"""Capabilities: found by trying, switched off for tests, and never read off the system's name."""

from __future__ import annotations

import os
import pathlib
import re

import pytest

from importer.protocol.system import capabilities
from importer.protocol.system.capabilities import CAPABILITIES, SWITCH, cores, has

PACKAGE = pathlib.Path(capabilities.__file__).parents[2]


@pytest.mark.parametrize("name", sorted(CAPABILITIES))
def test_a_capability_is_what_its_probe_finds(monkeypatch, name):
    """The switch named alone takes one away, and no other."""
    monkeypatch.delenv(SWITCH, raising=False)
    has.cache_clear()
    assert has(name) is CAPABILITIES[name].probe()
    other = next(one for one in CAPABILITIES if one != name)
    monkeypatch.setenv(SWITCH, f"{name},nothing")
    has.cache_clear()
    assert (has(name), has(other)) == (False, CAPABILITIES[other].probe())
    has.cache_clear()


@pytest.mark.usefixtures("plain_system")
def test_all_can_be_switched_off():
    """Then every twin works; the number of cores is the machine's."""
    assert not any(map(has, CAPABILITIES))
    assert cores() == os.cpu_count()


def test_every_name_that_is_asked_for_has_a_row():
    """And every row is asked for somewhere: a capability without a user is none."""
    asked = {
        name for path in PACKAGE.rglob("*.py") for name in re.findall(r'\bhas\("([\w-]+)"\)', path.read_text("utf-8"))
    }
    assert asked == set(CAPABILITIES)


def test_no_module_asks_for_the_system_s_name():
    """A name says what a system was called once, not what it can do here; `bench` writes it into its report."""
    named = re.compile(r"sys\.platform|os\.name\b|platform\.system|os\.uname")
    assert [path.name for path in PACKAGE.rglob("*.py") if named.search(path.read_text("utf-8"))] == []
