"""Spans say where the secrets of a text stand, in the positions of that text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from importer.chunking.masking.spans import SecretSpan, beside_labels, joined, original, replaced
from importer.chunking.redact import find, mask

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ"


def test_find_tells_where_each_secret_stands_and_its_kind():
    """The positions are those of the text given; a known token keeps its kind where a name would say less."""
    text = f"GITHUB_TOKEN={TOKEN}; password = 'hunter22!'"
    assert [(text[start:end], kind) for start, end, kind in find(text)] == [
        (TOKEN, "github-token"),
        ("hunter22!", "password"),
    ]
    assert find("nothing to see") == []


def test_spans_that_overlap_become_one_of_the_surest_kind():
    """The kind that came first stays; spans that only touch stay two."""
    assert joined([SecretSpan(4, 9, "sure"), SecretSpan(2, 6, "less"), SecretSpan(9, 12, "other")]) == [
        SecretSpan(2, 9, "sure"),
        SecretSpan(9, 12, "other"),
    ]


def test_positions_are_put_back_to_the_text_before_labels():
    """A place within a label stands for the whole of what it replaced."""
    found = [SecretSpan(3, 5, "a"), SecretSpan(8, 30, "b")]
    text = "x" * 40
    masked = replaced(text, found)
    assert masked == "xxx[secret:a]xxx[secret:b]xxxxxxxxxx"
    assert original(
        found, [SecretSpan(0, 3, ""), SecretSpan(5, 15, ""), SecretSpan(15, 20, ""), SecretSpan(26, 36, "")]
    ) == [
        SecretSpan(0, 3, ""),
        SecretSpan(3, 7, ""),
        SecretSpan(7, 30, ""),
        SecretSpan(30, 40, ""),
    ]


def test_what_holds_labels_alone_is_no_secret():
    """A part of a label takes the whole of it along."""
    text = "a[secret:key]b"
    assert beside_labels(text, [SecretSpan(1, 13, "x"), SecretSpan(3, 8, "x"), SecretSpan(0, 4, "x")]) == [
        SecretSpan(0, 13, "x")
    ]


PIECES = ["password=", "hunter22", TOKEN, " ", "\n", "[secret:key]", "Bearer ", "://a:", "@", "'", "x"]


@settings(deadline=None)  # the patterns are compiled by the first that needs them
@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
def test_replacing_what_is_found_is_masking(text):
    """Spans lie within the text, from left to right, and the text around them stays."""
    found = find(text)
    assert replaced(text, found) == mask(text)
    places = [place for span in found for place in span[:2]]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end, _ in found)
