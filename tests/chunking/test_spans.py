"""Spans say where the secrets of a text stand, in the positions of that text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from importer.chunking.masking.spans import Span, beside_labels, joined, original, replaced
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
    assert joined([Span(4, 9, "sure"), Span(2, 6, "less"), Span(9, 12, "other")]) == [
        Span(2, 9, "sure"),
        Span(9, 12, "other"),
    ]


def test_positions_are_put_back_to_the_text_before_labels():
    """A place within a label stands for the whole of what it replaced."""
    found = [Span(3, 5, "a"), Span(8, 30, "b")]
    text = "x" * 40
    masked = replaced(text, found)
    assert masked == "xxx[secret:a]xxx[secret:b]xxxxxxxxxx"
    assert original(found, [Span(0, 3, ""), Span(5, 15, ""), Span(15, 20, ""), Span(26, 36, "")]) == [
        Span(0, 3, ""),
        Span(3, 7, ""),
        Span(7, 30, ""),
        Span(30, 40, ""),
    ]


def test_what_holds_labels_alone_is_no_secret():
    """A part of a label takes the whole of it along."""
    text = "a[secret:key]b"
    assert beside_labels(text, [Span(1, 13, "x"), Span(3, 8, "x"), Span(0, 4, "x")]) == [Span(0, 13, "x")]


PIECES = ["password=", "hunter22", TOKEN, " ", "\n", "[secret:key]", "Bearer ", "://a:", "@", "'", "x"]


@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
def test_replacing_what_is_found_is_masking(text):
    """Spans lie within the text, from left to right, and the text around them stays."""
    found = find(text)
    assert replaced(text, found) == mask(text)
    places = [place for span in found for place in span[:2]]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end, _ in found)
