"""Text becomes words to be found by, the same for every store.

The embedded engine indexes these words itself (nothing of its dictionary stays in memory); servers get them as a sparse
vector, encoded with the same tokenizer. It takes identifiers whole and in parts (`foo_bar`, `fooBar` also as foo, bar)
and folds case and accents. Two things the tokenizer cannot do are prepared here:

- compounds joined by punctuation (`v1.2.3`, `a-b`, a path, an address) also count as one word each, or texts that
  happen to have the parts would outrank the text that has the whole;
- runs of scripts written without spaces become overlapping pairs, for a part of a run must be found as well.

Twice: exact words, and stems beside them (English ones, or those of the text's own language: see `tongues`), for a
common stem can outrank the very word that was asked for. On 1,500 titles as questions stems gain little (first hit /
first five: words 0.26 / 0.51, stems 0.27 / 0.54), on questions in plain words much (LoCoMo, half of it: 0.674 / 0.890
and 0.707 / 0.922); ranking adds both. Preparing and encoding a chunk takes about 140 µs, one in German 0.5 ms.
"""

from __future__ import annotations

import hashlib
import re
import string

from qdrant_edge import (
    Bm25,
    Bm25Config,
    DisabledStemmer,
    Language,
    SnowballLanguage,
    SnowballParams,
    StopwordsSet,
    TokenizerType,
)

from importer.worker.stores import tongues

TOKENIZER, STOPWORDS = TokenizerType.Code, StopwordsSet(languages={Language.English})
EXACT, ENGLISH = DisabledStemmer(), SnowballParams(SnowballLanguage.English)
STEM_SPACE = 0x5BD1E995  # moves a stem's index, so that a server's one vector holds words and stems apart
AVERAGE_WORDS = 150.0  # of a chunk of about 1,000 characters; for every store, however long its chunks are
K, B = 1.2, 0.75  # how fast a repeated word stops counting, and how much the length counts: the usual values

# A compound is what a reader copies as one thing: cut at white space and brackets, without punctuation at its ends.
BREAKS = str.maketrans(dict.fromkeys("\"'`()[]{}<>,;|", " "))
ENDS = string.punctuation + "\u2026\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u3001\u3002"  # and typographic ones
MAX_COMPOUND_CHARS = 200  # longer ones are encoded blobs, which people do not type
# Han, kana, and the scripts of Thai, Lao, Khmer and Burmese
UNSPACED = re.compile(
    "[\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\U00020000-\U0003134f]+"
)


def _encoder(stemmer: DisabledStemmer | SnowballParams, b: float = B) -> Bm25:
    """Return an encoder that reads text as the embedded engine's index does."""
    return Bm25(
        Bm25Config(
            k=K,
            b=b,
            avg_len=AVERAGE_WORDS,
            tokenizer=TOKENIZER,
            stemmer=stemmer,
            stopwords=STOPWORDS,
            ascii_folding=True,
            lowercase=True,
        )
    )


_exact, _english, _counting = _encoder(EXACT), _encoder(ENGLISH), _encoder(EXACT, b=0.0)


def stemmable(text: str) -> str:
    """`text` prepared for the index of stems: in another language than English, where that is plain, its stems."""
    return words(text, tongues.document(text))


def stemmed_question(text: str, *, wide: bool) -> str:
    """Return a question prepared for the index of stems; `wide` asks in several languages where none is plain."""
    return words(text, tongues.question(text, wide=wide))


def words(text: str, said: str | None = None) -> str:
    """`text`, or what is `said` in its place, prepared for the tokenizer; a question is prepared in the same way."""
    plain = text if said is None else said
    spaced = plain if plain.isascii() else UNSPACED.sub(_pairs, plain)
    return " ".join((spaced, *map(_name, _compounds(text))))


def encode_document(text: str, *, stems: bool = False) -> tuple[list[int], list[float]]:
    """Return indices and values of a stored text; both empty when it has no word at all.

    Weights are BM25's term frequencies; how rare a word is (IDF) the server adds, so they never grow old.
    """
    found = _english.embed_document(stemmable(text)) if stems else _exact.embed_document(words(text))
    return _placed(found.indices, stems), found.values


def encode_lines(text: str) -> list[list[int]]:
    """Return the indices of the stems of each line of a stored text; its languages are told from the whole."""
    lines = zip(text.split("\n"), tongues.document(text).split("\n"), strict=True)
    encoded = (_english.embed_document(words(plain, said)).indices for plain, said in lines if plain.strip())
    return [_placed(indices, stems=True) for indices in encoded] or [[]]


def encode_query(text: str, *, stems: bool = False, wide: bool = False) -> tuple[list[int], list[float]]:
    """Return indices and values of a question: weight 1 for each word. `wide` as for `stemmed_question`."""
    found = _english.embed_query(stemmed_question(text, wide=wide)) if stems else _exact.embed_query(words(text))
    return _placed(found.indices, stems), found.values


def lengths(prepared: str) -> tuple[dict[int, int], int]:
    """Return how often each word stands in a prepared text, by its index, and how many words that are in all."""
    found = _counting.embed_document(prepared)
    # Without lengths a weight is tf (k + 1) / (tf + k).
    counts = {index: round(w * K / (K + 1 - w)) for index, w in zip(found.indices, found.values, strict=True)}
    return counts, sum(counts.values())


def _placed(indices: list[int], stems: bool) -> list[int]:
    """Return the indices of words as they are, those of stems where no word's are."""
    return [index ^ STEM_SPACE for index in indices] if stems else indices


def _compounds(text: str) -> list[str]:
    """Return words joined by punctuation; plain words and snake_case are left to the tokenizer. Linear in the text."""
    found = (word.strip(ENDS) for word in text.translate(BREAKS).split() if not word.isalnum())
    return [word for word in found if 1 < len(word) <= MAX_COMPOUND_CHARS and not word.replace("_", "").isalnum()]


def _name(compound: str) -> str:
    """Return a word without punctuation that stands for the compound."""
    return "x" + hashlib.blake2b(compound.casefold().encode(errors="replace"), digest_size=6).hexdigest()


def _pairs(run: re.Match[str]) -> str:
    """Return a run's overlapping pairs (日本語 -> 日本 本語); a single character stands for itself."""
    found = run.group()
    return f" {' '.join(found[at : at + 2] for at in range(max(1, len(found) - 1)))} "
