"""Choose the line of a prompt that says what it is about: what its later pieces begin with (pure).

The first line of a prompt often says nothing ("Implement the following plan:", "Here is the error:"), and the plan's
title or the error stands behind it. How much a line says is measured by its words, not by a list of phrases: little
words of eight languages and words of two letters count nothing, other words one, names of code and numbers two. In
scripts without spaces two signs are a word, or four letters. Of the lines that say enough the first is taken; a heading
need say only half as much, a line that announces what follows, by the colon it ends in, twice as much, and one of code
is taken where nothing else says anything. Where no line says enough it is the one that says most, and the first of
equals: a prompt of one line keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from importer.chunking.split import first_line
from importer.protocol.foreign.languages import LITTLE

LOOK_CHARS = 2000  # of a prompt in which the line is looked for: what comes later is no beginning
ENOUGH = 3.0
MOST_LITTLE_CHARS = 2
HEADING, ANNOUNCEMENT, CODE = 2.0, 0.5, 0.2  # how much of what their words say counts
ANNOUNCES = (":", "\uff1a")
FENCES = ("```", "~~~")
# Asking words of a person to a machine, which stand in any request; the others stand in every sentence.
_ASKING = frozenset({"please", "just", "now", "let", "want", "need", "help", "following", "below", "above", "here"})
_SAYS_NOTHING = frozenset().union(*LITTLE.values()) | _ASKING
_MARKUP = re.compile(r"^(?:[#>*+|\s-]+|\d+[.)]\s+)+|[*_`#\s|]+$")
_TAGS = re.compile(r"</?[A-Za-z][^<>]*>")
_WORD = re.compile(r"[^\W_](?:[\w./:@-]*\w)?")
_SIGNS = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LETTERS = re.compile("[\u3040-\u30ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")  # kana, Thai, Lao, Burmese, Khmer
_CODE = re.compile(r".*\d.*|.*\w[./_:@]\w.*|.*[a-z][A-Z].*")


def lead(text: str, limit_chars: int) -> str:
    """Return the first line of a stripped prompt that says what it is about, ended at a word where it is too long."""
    best, most = first_line(text, limit_chars), 0.0
    for line, worth in _lines(text[:LOOK_CHARS]):
        if worth > most:
            best, most = first_line(line, limit_chars), worth
        if worth >= ENOUGH:
            break
    return best


def _lines(text: str) -> Iterator[tuple[str, float]]:
    """Yield the lines of a text, without the markup around them, with what each says."""
    code = False
    for raw in text.split("\n"):
        line = raw.strip()
        if line.startswith(FENCES):
            code = not code
        elif bare := _MARKUP.sub("", _TAGS.sub(" ", line)).strip():
            heading, announces = line.startswith("#"), bare.endswith(ANNOUNCES)
            yield bare, worth(bare) * (CODE if code else HEADING if heading else ANNOUNCEMENT if announces else 1.0)


def worth(line: str) -> float:
    """Return how much a line says: its distinct words by their weights."""
    signs, letters = len(_SIGNS.findall(line)), len(_LETTERS.findall(line))
    words = {word.lower(): word for word in _WORD.findall(_LETTERS.sub(" ", _SIGNS.sub(" ", line)))}
    return signs / 2 + letters / 4 + sum(_weight(word) for low, word in words.items() if low not in _SAYS_NOTHING)


def _weight(word: str) -> float:
    """Return what one word says that is no little word."""
    return 2.0 if _CODE.fullmatch(word) else 1.0 if len(word) > MOST_LITTLE_CHARS else 0.0
