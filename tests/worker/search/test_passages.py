"""Passages: the sentences that answer, and the places of the question's words in them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.protocol.query import Passage
from importer.worker.search.passages import MOST_SENTENCES, passages, terms

TALK = (
    "We spoke about the weather for a long while, and about lunch as well. "
    "The deployment failed because `fetchUserRows` timed out after 30 seconds in production. "
    "It was retried twice. Then we went home, for it was late and nothing else was to be done that day."
)


def best(question: str, *documents: str) -> Passage:
    return passages(question, documents or (TALK,))[0]


def marked(found: Passage) -> list[str]:
    return [found.text[start:end] for start, end in found.marks]


def test_the_sentence_that_answers() -> None:
    """It is found among others, and begins and ends as the sentence does."""
    found = best("why did the deployments fail?")
    assert found.text.startswith("The deployment failed")
    assert found.text.endswith("production.")
    assert marked(found) == ["deployment", "failed"]


@pytest.mark.parametrize("question", ["fetchUserRows", "fetch user rows", "user"])
def test_identifiers_are_matched_whole_and_in_parts(question: str) -> None:
    """As the index finds them."""
    assert marked(best(question))[0] in {"fetchUserRows", "User"}


@pytest.mark.parametrize(
    ("question", "document", "wanted"),
    [
        ("Größe", "Die groesse. Die GRÖSSE stimmt nicht, sie ist zu klein für den Rahmen der Seite.", ["GRÖSSE"]),
        ("テスト", "日本語のテストです。", ["テスト"]),
        ("v1.2.3", "First one. Released as v1.2.3 today, with nothing else in it at all, they say.", ["v1.2.3"]),
    ],
)
def test_other_scripts(question: str, document: str, wanted: list[str]) -> None:
    """Case and accents are folded; what is written without spaces is matched by pairs."""
    assert marked(best(question, document)) == wanted


def test_stop_words_are_not_marked() -> None:
    """They stand in every sentence."""
    assert terms("the of and") == frozenset()
    assert marked(best("what is the weather")) == ["weather"]


def test_without_a_match_the_beginning_is_shown() -> None:
    """A hit by meaning alone has no word in common."""
    found = best("zebra")
    assert (found.text[:8], found.marks) == ("We spoke", ())


def test_rare_words_choose() -> None:
    """A word that stands in every hit of the answer says less."""
    common = "The cache is full of things that are kept there. " * 3
    found = passages("cache eviction", [common + "An eviction was seen in the log of the machine that night.", common])
    assert "eviction" in found[0].text


@given(st.text(max_size=500), st.text(max_size=80))
def test_a_passage_is_of_its_document(document: str, question: str) -> None:
    """Its text stands there, its marks lie in it, in order and apart."""
    found = best(question, document)
    assert found.text in document
    assert all(0 <= start < end <= len(found.text) for start, end in found.marks)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(found.marks))


@pytest.mark.parametrize("document", ["a. " * 10**5, "x" * 10**6, "日" * 10**5, "\n" * 10**6, "fooBar" * 10**5])
def test_odd_documents_do_not_take_long(document: str) -> None:
    """Only the beginning of a chunk of any size is looked at."""
    assert best("foo 日", document).text.count(". ") <= MOST_SENTENCES
