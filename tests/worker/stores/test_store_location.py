"""Where a store is, and that only one process has it."""

from __future__ import annotations

from typing import Any

import pytest
from numbered_points import openers
from worker_told import store_settings

from importer.errors import StoreUnreachable, UsageError
from importer.worker import stores


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the client leaks its lock file
@pytest.mark.parametrize("kind", ["edge", "local"])
def test_only_one_process_has_it_open(kind: str, tmp_path: Any) -> None:
    """The second is told so, and may try again."""
    for opener in openers(kind, str(tmp_path)):
        opener()
        with pytest.raises(StoreUnreachable, match="another process"):
            opener()


@pytest.mark.parametrize("location", ["nosuch", "ftp://x", "no.such.module", "local:", ""])
def test_a_location_nobody_understands(location: str) -> None:
    """It is a usage error with the kinds there are."""
    with pytest.raises(UsageError):
        stores.load(store_settings(location), model="m", dimension=2)


def test_a_module_can_be_a_store() -> None:
    """Adding a kind is one file anywhere."""
    found = stores.load(store_settings("plugins.fake_store"), model="m", dimension=2)
    assert found.kind == "fake"
