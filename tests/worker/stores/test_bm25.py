"""Words: anything a person can point at in a text is found by typing it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.worker.stores.bm25 import encode_document, encode_query, words

TEXT = "see foo_bar-42 in src/main.rs:17, fooBar of v1.2.3 (Straße, 日本語のテスト) by someone@example.org"


@pytest.mark.parametrize(
    "asked",
    ["foo_bar-42", "foo_bar", "bar", "FOOBAR", "main.rs", "v1.2.3", "strasse", "日本", "テスト", "someone@example.org"],
)
def test_part_and_whole_are_found(asked: str) -> None:
    """At least one word of the question is in the text, and all of them where it stands there as typed."""
    stored, wanted = set(encode_document(TEXT)[0]), set(encode_query(asked)[0])
    assert wanted & stored
    assert asked not in TEXT.split() or wanted <= stored


def test_the_whole_counts_beside_its_parts() -> None:
    """A text with the parts apart lacks one word of the question."""
    wanted = set(encode_query("v1.2.3")[0])
    assert wanted <= set(encode_document("from v1.2.3 on")[0])
    assert not wanted <= set(encode_document("v1 and 2 or 3")[0])


def test_other_words_are_not_found() -> None:
    """No stems, no prefixes."""
    assert not set(encode_query("university")[0]) & set(encode_document("universal laws")[0])


@pytest.mark.parametrize("text", ["", " ", "…!?", "the of and", "👍"])
def test_nothing_to_find_is_empty(text: str) -> None:
    """No index without a value, no error."""
    assert encode_document(text) == ([], [])


@given(st.text(max_size=200))
def test_any_text_can_be_encoded(text: str) -> None:
    """Distinct indices, positive weights; a question finds itself."""
    indices, values = encode_document(text)
    assert len(set(indices)) == len(indices) == len(values)
    assert all(value > 0 for value in values)
    assert set(encode_query(text)[0]) == set(indices)


@pytest.mark.parametrize("text", ["a." * 10**5, "-" * 10**5, "日" * 10**5, "a-b " * 10**5, "x" * 10**5])
def test_preparing_is_linear(text: str) -> None:
    """Odd texts grow by a small factor and do not stop the worker."""
    assert len(words(text)) <= 6 * len(text)
