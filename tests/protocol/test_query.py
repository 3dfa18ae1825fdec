"""A search as it reaches the store, asked for by a command or a page."""

from __future__ import annotations

import pytest

from importer.protocol.query import without_slash


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("/home/zoë/thesis/", "/home/zoë/thesis"), ("thesis//", "thesis"), ("/", "/"), ("", ""), ("/a", "/a")],
)
def test_a_slash_at_the_end_of_a_project_does_not_count(typed: str, meant: str) -> None:
    """Tab completion adds it; the root folder is nothing but one."""
    assert without_slash(typed) == meant
