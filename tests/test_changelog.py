"""The changelog has this version first, and every version once."""

from __future__ import annotations

import pathlib
import re

from importer import __version__
from importer.assistants.wiring.places import places

TEXT = (pathlib.Path(__file__).parents[1] / "CHANGELOG.md").read_text()


def test_this_version_is_first() -> None:
    """A release without its changes cannot be made."""
    versions = re.findall(r"^## (\d+\.\d+\.\d+)\b", TEXT, re.MULTILINE)
    assert versions[0] == __version__ and len(versions) == len(set(versions))


def test_it_counts_the_assistants() -> None:
    """The number that is told is the number that there is."""
    assert f"sets up {len(places({}, '/home/ann'))} assistants" in TEXT
