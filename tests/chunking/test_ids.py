"""Ids are what they were: another way to make them would store everything twice."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.chunking.ids import RING_CHARS, chunk_id, ring_key


def test_ids_stay_what_they_are() -> None:
    """Ids of known chunks never change, so points of earlier versions are found again."""
    assert chunk_id("claude-code", "anchor", 0, "Hello.") == "3456eb14-bb49-5da5-8ef1-19b0cfb9021f"
    assert ring_key("conversation", "key") == "q43PPN1TLaU"


@pytest.mark.slow
@given(st.text(), st.text(), st.integers(0, 9))
def test_ids_depend_on_all_they_are_made_of(anchor: str, text: str, ordinal: int) -> None:
    """Change anything, and it is another chunk; they are UUIDs, as Qdrant wants them."""
    one = chunk_id("a", anchor, ordinal, text)
    others = [("b", anchor, ordinal, text), ("a", f"{anchor}.", ordinal, text), ("a", anchor, ordinal, f"{text}.")]
    assert one not in [chunk_id(*other) for other in [*others, ("a", anchor, ordinal + 1, text)]]
    assert str(uuid.UUID(one)) == one


@given(st.lists(st.text(alphabet=st.characters()), min_size=1, max_size=3))
def test_ring_keys_have_one_length(parts: list[str]) -> None:
    """Keys have a fixed length for any parts, lone surrogates included."""
    assert len(ring_key(*parts, "\ud800")) == RING_CHARS
