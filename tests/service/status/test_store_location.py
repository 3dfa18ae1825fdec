"""The location of the store is derived from the settings, and a look at it makes nothing."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest

from importer.service.status import store_location
from importer.service.status.store_location import Location


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("edge", Location("edge", "/s/edge", "c")),
        ("local:/data/q", Location("local", "/data/q", "c")),
        ("https://q.example:6333", Location("server", "https://q.example:6333", "c")),
    ],
)
def test_a_location_is_a_place(location: Any, expected: Any) -> None:
    """A setting gives a folder or a URL, and its kind."""
    assert store_location.locate(location, "c", "/s/edge") == expected


def test_a_folder_is_looked_at_and_not_made(tmp_path: pathlib.Path) -> None:
    """A missing folder is no failure and holds no points; in an existing one only its opener can count them."""
    there = str(tmp_path / "edge")
    assert (store_location.probe_folder(there).reachable, store_location.probe_folder(there).points) == (None, 0)
    assert not os.path.exists(there)
    os.mkdir(there)
    assert (store_location.probe_folder(there).reachable, store_location.probe_folder(there).points) == (True, None)
