"""Text becomes keyword weights, the same for every store: two encodings of the engine's BM25, laid over each other.

- *stemmed*: the engine's default (words, English stems and stop words), so that "tests" finds "test", and so that
  whoever asks the collection with the stock encoder finds something too;
- *exact*: identifiers whole and in parts (`foo_bar`, `fooBar` also as foo, bar), accents folded, and compounds joined
  by punctuation (`v1.2.3`, `a-b`, a path, an address) as one word each, so that the text that has the very word wins
  over texts that merely share its stem or its parts.

Runs of scripts written without spaces become overlapping pairs, for a part of such a run must be found as well.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

from qdrant_edge import Bm25, Bm25Config, DisabledStemmer, Language, StopwordsSet, TokenizerType

EXACT_WEIGHT, STEM_WEIGHT = 1.0, 0.5  # of a query's words; more for the word itself, or a common stem could outrank it
AVERAGE_TOKENS = 150.0  # of a chunk of about 1,000 characters

# A compound is what a reader copies as one thing: cut at white space and brackets, without punctuation at its ends.
BREAKS = str.maketrans(dict.fromkeys("\"'`()[]{}<>,;|", " "))
ENDS = string.punctuation + "\u2026\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u3001\u3002"  # and typographic ones
MAX_COMPOUND_CHARS = 200  # longer ones are encoded blobs, which nobody types
# Han, kana, and the scripts of Thai, Lao, Khmer and Burmese
UNSPACED = re.compile(
    "[\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\U00020000-\U0003134f]+"
)

_stemmed = Bm25(Bm25Config(avg_len=AVERAGE_TOKENS))
_exact = Bm25(
    Bm25Config(
        avg_len=AVERAGE_TOKENS,
        tokenizer=TokenizerType.Code,
        stemmer=DisabledStemmer(),
        stopwords=StopwordsSet(languages={Language.English}),
        ascii_folding=True,
    )
)
_whole = Bm25(
    Bm25Config(
        avg_len=AVERAGE_TOKENS,
        tokenizer=TokenizerType.Whitespace,
        stemmer=DisabledStemmer(),
        stopwords=StopwordsSet(),
        ascii_folding=True,
    )
)

Weights = tuple[list[int], list[float]]


def encode_document(text: str) -> Weights:
    """Indices and values of a stored text; both empty when it has no word at all."""
    spaced, compounds = _spaced(text), _compounds(text)
    parts = [_exact.embed_document(spaced), _stemmed.embed_document(spaced)]
    if compounds:
        parts.append(_whole.embed_document(compounds))
    return _laid_over(zip(part.indices, part.values, strict=True) for part in parts)


def encode_query(text: str) -> Weights:
    """Indices and values of a question."""
    spaced, compounds = _spaced(text), _compounds(text)
    exact = [*_exact.embed_query(spaced).indices, *_whole.embed_query(compounds).indices]
    stems = _stemmed.embed_query(spaced).indices
    return _laid_over([((index, EXACT_WEIGHT) for index in exact), ((index, STEM_WEIGHT) for index in stems)])


def _laid_over(parts: Iterable[Iterable[tuple[int, float]]]) -> Weights:
    """The greatest weight of each index."""
    weights: dict[int, float] = {}
    for part in parts:
        for index, value in part:
            if value > weights.get(index, 0.0):
                weights[index] = value
    return list(weights), list(weights.values())


def _compounds(text: str) -> str:
    """Words joined by punctuation, separated by spaces; plain words and snake_case are left to the tokenizer."""
    words = (word.strip(ENDS) for word in text.translate(BREAKS).split() if not word.isalnum())
    return " ".join(
        word for word in words if 1 < len(word) <= MAX_COMPOUND_CHARS and not word.replace("_", "").isalnum()
    )


def _spaced(text: str) -> str:
    if text.isascii():
        return text
    return UNSPACED.sub(lambda run: f" {_pairs(run.group())} ", text)


def _pairs(run: str) -> str:
    """日本語 -> 日本 本語; a single character stands for itself."""
    return " ".join(run[at : at + 2] for at in range(max(1, len(run) - 1)))
