"""Pure: the stems of a text's own language, where that is plain from the text; other texts stay as they are.

The index of stems knows English alone. So what it is given of a line in another language are that language's Snowball
stems in place of the words. A language is plain from the little words that every sentence has: those of one must
outnumber those of every other, English among them; a line without a sign of its own goes by the whole text. Russian is
told by its letters. A question is short: one little word, or a letter such as "ñ", decides. Without any sign, and
without an English word, it is asked in all these languages at once: what stands in no text finds nothing.

Measured on 41 questions a language, asked in inflected words, in one store of 246 conversations (first hits in mode
hybrid, with English stems alone and so): German 0.56 and 0.78, Russian 0.59 and 0.98, French 0.85 and 0.88, Spanish
0.93 and 0.93. Chinese (0.98) and Japanese (0.93) are found by pairs of letters. Of LoCoMo's 1,547 chunks and 1,018
questions, all English, none was taken for another language, and 8 questions had no sign of one. A text of 1,000
characters takes 70 µs, and 0.4 ms where it is stemmed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping

from py_rust_stemmers import SnowballStemmer

from importer.protocol.foreign.languages import ENGLISH, LETTERS, LITTLE, RUSSIAN

OTHERS = tuple(name for name in LITTLE if name != ENGLISH)
LEAST_LITTLE, LEAST_OF_LINE = 3, 2  # different little words of a text, and of one line of it
MOST_WIDE_WORDS = (
    12  # of a question that is asked in every language: longer ones, such as logs, would ask for thousands
)
_WORD = re.compile(r"[^\W\d_]+")
# What is no part of an identifier, a path or a number
_PLAIN = re.compile(r"(?<![\w.@/\\-])[^\W\d_]{2,40}(?![\w@/\\])")
_CYRILLIC = re.compile("[\u0400-\u04ff]{3,40}")
_NOT_RUSSIAN = re.compile(
    "[\u0456\u0457\u0454\u0491\u045e\u0458\u0459\u045a\u045b]", re.IGNORECASE
)  # Ukrainian and others


def document(text: str) -> str:
    """Return a stored text with its plain words stemmed, line by line, where a line's language is not English."""
    text = _russian(text)
    lines = text.split("\n")
    said = [_said(line) for line in lines]
    counts = _little(frozenset().union(*said))
    there = [name for name in OTHERS if counts[name] >= LEAST_LITTLE]
    if not there:
        return text
    whole, among = _first(counts, LEAST_LITTLE), (ENGLISH, *there)
    languages = [_first(_little(words, among), LEAST_OF_LINE) or whole for words in said]
    if all(language in {"", ENGLISH} for language in languages):  # most are: other languages share words with English
        return text
    return "\n".join(map(_stemmed, lines, languages))


def question(text: str, *, wide: bool = False) -> str:
    """Return a question with its plain words stemmed; with `wide` in every language where there is no sign of one."""
    text = _russian(text)
    if language := _first(_little(_said(text)), 1) or _first(_by_letters(text), 1):
        return _stemmed(text, language, without=LITTLE[language])
    words = {word.lower() for word in _PLAIN.findall(text) if _is_plain(word)} if wide else set()
    if not 0 < len(words) <= MOST_WIDE_WORDS:
        return text
    known = {_stem(word, ENGLISH) for word in words}
    more = {stem for word in words for name in OTHERS if _stem(stem := _stem(word, name), ENGLISH) not in known}
    return " ".join((text, *sorted(more)))


def _said(text: str) -> frozenset[str]:
    """Return the different words of a text, in small letters."""
    return frozenset(_WORD.findall(text.lower()))


def _little(said: frozenset[str], among: Collection[str] = tuple(LITTLE)) -> dict[str, int]:
    """Return how many of these words are little words of each language."""
    return {name: len(said & LITTLE[name]) for name in among}


def _by_letters(text: str) -> dict[str, int]:
    """Return 1 for each language that has one of the text's particular letters."""
    said = frozenset(text.lower())
    return {name: int(not said.isdisjoint(letters)) for name, letters in LETTERS.items()}


def _first(counts: Mapping[str, int], least: int) -> str:
    """Return the language that has more than every other one, and `least` at least; "" for none."""
    best = max(counts, key=lambda name: counts[name])
    told = counts[best] >= least and sum(count == counts[best] for count in counts.values()) == 1
    return best if told else ""


def _russian(text: str) -> str:
    """Return a text with its Russian words stemmed; as it is where its letters are another language's."""
    if text.isascii() or not _CYRILLIC.search(text) or _NOT_RUSSIAN.search(text):
        return text
    return _CYRILLIC.sub(lambda word: _stem(word.group().lower(), RUSSIAN), text)


def _stemmed(text: str, language: str, without: Collection[str] = ()) -> str:
    """Return a text with its plain words stemmed; as it is for English, which the index itself stems."""
    if language in {"", ENGLISH}:
        return text

    def said(match: re.Match[str]) -> str:
        word = match.group()
        if not _is_plain(word):
            return word
        return "" if word.lower() in without else _stem(word.lower(), language)

    return _PLAIN.sub(said, text)


def _is_plain(word: str) -> bool:
    """Return False for camelCase."""
    return word[1:].islower() or word.isupper()


@functools.lru_cache(maxsize=20_000)
def _stem(word: str, language: str) -> str:
    """Return the stem of a word in small letters."""
    found: str = _stemmer(language).stem_word(word.replace("\u0451", "\u0435") if language == RUSSIAN else word)
    return found


@functools.cache
def _stemmer(language: str) -> SnowballStemmer:
    """Return the stemmer of a language."""
    return SnowballStemmer(language)
