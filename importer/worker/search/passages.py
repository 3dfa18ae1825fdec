"""Pure: the one to three sentences of a chunk that answer a question best, and the places of its words in them.

Words match exactly or by their English stems, identifiers whole or in parts (`fooBar` by "foo"), scripts without spaces
by pairs. Of all windows the one with the most weight of distinct words wins; a rare word weighs more than a common one
of the same answer. Ties go to the shorter window, then to the earlier. Each distinct word of a chunk is looked at once.
"""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from py_rust_stemmers import SnowballStemmer

from importer.protocol.query import Passage
from importer.worker.stores.bm25 import UNSPACED, encode_query

MOST_SENTENCES = 3
SHORT_CHARS = 60  # a window below this gets its next sentence, which often answers
MOST_SENTENCE_CHARS = 400  # a longer one, such as a log, is read in pieces
JOINTS = frozenset("._-/:@")  # between parts of one word
MOST_QUESTION_TERMS, MOST_CHARS = 200, 20_000  # of what is looked at

_SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|(?<=[\u3002\uff01\uff1f])|\n+")
_WORD = re.compile(r"\w+")
_PART = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_stemmer = SnowballStemmer("english")


class WordPiece(NamedTuple):
    """A word or a part of one: its terms, and its place in the text."""

    terms: frozenset[str]
    start: int
    end: int


def terms(question: str) -> frozenset[str]:
    """Return what a question's words are matched by, without stop words."""
    pieces = (piece for _, piece in zip(range(MOST_QUESTION_TERMS), _pieces(question[:MOST_CHARS]), strict=False))
    return frozenset(term for piece in pieces for term in piece.terms if _counts(question[piece.start : piece.end]))


def passages(question: str, documents: Sequence[str]) -> list[Passage]:
    """Return the best passage of each chunk of one answer."""
    wanted = terms(question)
    said = [list(_matching(text[:MOST_CHARS], wanted)) for text in documents]
    holding = Counter(term for pieces in said for term in {term for piece in pieces for term in piece.terms & wanted})
    weights = {term: math.log1p(len(documents) / count) for term, count in holding.items()}
    return [_best(text[:MOST_CHARS], pieces, weights) for text, pieces in zip(documents, said, strict=True)]


def _best(text: str, pieces: Sequence[WordPiece], weights: dict[str, float]) -> Passage:
    """Return the window of sentences with the most weight; the beginning where no word of the question stands."""
    sentences = list(_sentences(text))
    if not sentences:
        return Passage("", ())
    inside = [
        frozenset(term for piece in pieces if start <= piece.start < end for term in piece.terms if term in weights)
        for start, end in sentences
    ]
    windows = (
        (sum(weights[term] for term in frozenset().union(*inside[at : at + size])), -size, -at)
        for size in range(1, MOST_SENTENCES + 1)
        for at in range(len(sentences) - size + 1)
    )
    _, size, at = max(windows)
    first, count = -at, -size
    while count < MOST_SENTENCES and first + count < len(sentences) and _chars(sentences, first, count) < SHORT_CHARS:
        count += 1
    return _cut(text, sentences[first][0], sentences[first + count - 1][1], pieces)


def _chars(sentences: Sequence[tuple[int, int]], first: int, count: int) -> int:
    """Return how long a window is."""
    return sentences[first + count - 1][1] - sentences[first][0]


def _cut(text: str, start: int, end: int, pieces: Sequence[WordPiece]) -> Passage:
    """Return a stretch of the text with the places, in it, of the words that match; touching ones are one."""
    marks: list[tuple[int, int]] = []
    for piece in pieces:
        if start <= piece.start and piece.end <= end:
            if marks and _joined(text[start + marks[-1][1] : piece.start]):
                marks[-1] = (marks[-1][0], max(marks[-1][1], piece.end - start))
            else:
                marks.append((piece.start - start, piece.end - start))
    return Passage(text[start:end], tuple(marks))


def _joined(between: str) -> bool:
    """Return True for what joins two parts of one word, such as the dots of v1.2.3."""
    return not between or between in JOINTS


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where sentences and lines begin and end, without white space around them."""
    start = 0
    for end, after in [*((found.start(), found.end()) for found in _SENTENCE.finditer(text)), (len(text), len(text))]:
        for at in range(start, end, MOST_SENTENCE_CHARS):
            part = text[at : min(end, at + MOST_SENTENCE_CHARS)]
            if part.strip():
                begin = at + len(part) - len(part.lstrip())
                yield begin, at + len(part.rstrip())
        start = after


def _matching(text: str, wanted: frozenset[str]) -> Iterator[WordPiece]:
    """Yield the pieces of a text that have a wanted term, in order."""
    holding = {word for word in set(_WORD.findall(text)) if not wanted.isdisjoint(_terms(word))}
    words = _WORD.finditer(text) if holding else ()
    for word in (found for found in words if found.group() in holding):
        yield from (piece for piece in _split(word.group(), word.start()) if piece.terms & wanted)


def _pieces(text: str) -> Iterator[WordPiece]:
    """Yield the words of a text in order, or their parts."""
    for word in _WORD.finditer(text):
        yield from _split(word.group(), word.start())


def _split(word: str, start: int) -> Iterator[WordPiece]:
    """Yield a plain word whole, an identifier in parts, a run without spaces in pairs."""
    if word.isascii() and word.isalpha() and (word.islower() or word[1:].islower()):  # most words, at once
        yield WordPiece(_forms(word), start, start + len(word))
    elif not word.isascii() and UNSPACED.search(word):
        yield from _pairs(word, start)
    else:
        for part in _PART.finditer(word):
            yield from _humps(part.group(), start + part.start())


@functools.lru_cache(maxsize=50_000)
def _terms(word: str) -> frozenset[str]:
    """Return the terms of a word and of all its parts."""
    return frozenset().union(*(piece.terms for piece in _split(word, 0)))


def _humps(part: str, start: int) -> Iterator[WordPiece]:
    """Yield the humps of camelCase; a part without any as it is."""
    at = 0
    for hump in _CAMEL.split(part):
        yield WordPiece(_forms(hump), start + at, start + at + len(hump))
        at += len(hump)


def _pairs(run: str, start: int) -> Iterator[WordPiece]:
    """Yield overlapping pairs of letters; a single letter stands for itself."""
    for at in range(max(1, len(run) - 1)):
        yield WordPiece(frozenset({run[at : at + 2]}), start + at, start + min(len(run), at + 2))


def _forms(word: str) -> frozenset[str]:
    """Return a word's stem, without case and accents: exact words have equal stems, too."""
    folded = word.casefold()
    if not folded.isascii():
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return frozenset({_stemmer.stem_word(folded)})


@functools.lru_cache(maxsize=2_000)
def _counts(word: str) -> bool:
    """Return False for a stop word: the index has none of them."""
    return bool(encode_query(word)[0])
