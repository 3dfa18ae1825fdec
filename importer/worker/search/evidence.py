"""Gather what the first chunks of an answer say of its question: how many of its words, and which names they lack.

Words count where they stand together in one line, such as a turn or a paragraph: spread over a chunk they are less
evidence. A word counts in any form that the search looks for. A name is a number, a path or what has a capital behind
the first word, but for German, which writes all nouns so; and a word in small letters that the chunks write with a
capital only. It must stand there whole: "Tim" is not in "time".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importer.protocol.foreign.languages import GERMAN, language_of
from importer.worker.search.near import FIRST_CHUNKS, Evidence
from importer.worker.stores.bm25 import encode_document, encode_lines, encode_query

MOST_CAPITALS = 0.5  # of the words: more are a heading, in which a capital says nothing
MOST_WORDS = 200  # of a question, looked at for names
_WORD = re.compile(r"[^\W_][\w./:-]*\w|\w")
_NUMBER_OR_PATH = re.compile(r".*\d.*|.*\w[./_:]\w.*")
_CAPITAL = re.compile(r"[A-Z].+")


def gathered(question: str, texts: Sequence[str]) -> Evidence:
    """Return what the first texts say of a question."""
    first = texts[:FIRST_CHUNKS]
    line, chunk = shares(question, first)
    said = "\n".join(first)
    nouns_are_capital = (language_of(question) or language_of(said)) == GERMAN
    found = names(question, nouns_are_capital=nouns_are_capital)
    small = said.lower()
    missing = sum(not _stands(name.lower(), small) for name in found) / len(found) if found else 0.0
    return Evidence(line, chunk, missing, bool(found) or (not nouns_are_capital and _has_name(question, said)))


def shares(question: str, texts: Sequence[str]) -> tuple[float, float]:
    """Return the largest share of the question's distinct stems in one line, and in one of the texts."""
    count = len(encode_query(question, stems=True)[0])
    if not count:
        return 0.0, 0.0
    wanted = frozenset(encode_query(question, stems=True, wide=True)[0])
    in_texts = [len(wanted.intersection(encode_document(text, stems=True)[0])) for text in texts]
    best = 0
    for found, text in sorted(zip(in_texts, texts, strict=True), key=lambda one: -one[0]):
        if found <= best:  # no line has more than its text
            break
        best = max(best, *(len(wanted.intersection(line)) for line in encode_lines(text)))
    return min(1.0, best / count), min(1.0, max(in_texts, default=0) / count)


def names(question: str, *, nouns_are_capital: bool = False) -> list[str]:
    """Return the names, numbers and paths of a question: what a text about something else would lack."""
    words = _WORD.findall(question)[:MOST_WORDS]
    found = [
        word
        for word in words[1:]
        if len(word) > 1 and (_NUMBER_OR_PATH.fullmatch(word) or (not nouns_are_capital and _CAPITAL.fullmatch(word)))
    ]
    return [] if len(found) > MOST_CAPITALS * len(words) else found


def _has_name(question: str, said: str) -> bool:
    """Return True for a question in small letters with a word that the texts write with a capital only."""
    words = {word for word in _WORD.findall(question)[:MOST_WORDS] if word.isalpha() and word.islower()}
    return any(_stands(word.capitalize(), said) and not _stands(word, said) for word in words if encode_query(word)[0])


def _stands(word: str, said: str) -> bool:
    """Return True if a word stands in the text whole."""
    return word in said and bool(re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", said))
