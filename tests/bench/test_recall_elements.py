"""Elements of a large array are read one after the other, wherever a block of the file ends."""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.bench.recall import elements

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(VALUES, max_size=6), st.integers(1, 9), st.booleans(), st.sampled_from([None, 1]))
def test_an_array_is_read_as_json_reads_it(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], block: int, ascii_only: bool, indent: int | None
) -> None:
    """Numbers, escapes and letters of several bytes may be cut by the end of a block."""
    path = tmp_path_factory.mktemp("elements") / "array.json"
    path.write_text(json.dumps(values, ensure_ascii=ascii_only, indent=indent), encoding="utf-8", errors="replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elements, "BLOCK_BYTES", block)
        assert list(elements.elements(str(path))) == json.loads(path.read_bytes())
    assert elements.sha256(str(path)) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_value_that_is_no_array_is_the_one_element(tmp_path: pathlib.Path) -> None:
    """A byte order mark in front is none of it."""
    path = tmp_path / "object.json"
    path.write_bytes(b"\xef\xbb\xbf" + b' {"a": [1]} ')
    assert list(elements.elements(str(path))) == [{"a": [1]}]


@pytest.mark.parametrize("text", ["", "[", "[1", "[1,", "[1 2]", "[1] 2", "{} []", "[\xff]", "nope"])
def test_what_is_damaged_is_refused(tmp_path: pathlib.Path, text: str) -> None:
    """A file that is cut off is never taken for a shorter one."""
    path = tmp_path / "damaged.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"."):
        list(elements.elements(str(path)))
