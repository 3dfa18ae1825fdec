"""Pure: how near the best of an answer is to its question: strong, weak or nothing. Told, never a cut.

    words     = share of the question's stems in one line - 0.7 x share of its names that are missing
                + with a date named: 0.3 x fit - 0.4 x (1 - fit)
    closeness = cosine + 0.3 x words + 0.05 if the conversation with the best words ranks first

Below 0.61 what is found is about something else. A chunk that has every word of the question is never nothing: an
identifier means nothing to the model. Nor is, for a question without a name, a cosine of 0.43: a paraphrase shares no
word with what it asks for. Other models' cosines are not known so well; there, as in a search by keywords, words alone
decide.

Measured on LoCoMo's five dialogues, all 1,018 questions put to each of the other four: "nothing" is said of 94.3 %, at
2.9 % lost of the hits among the first five; in a search by keywords of 89 % at 2.2 %. Each dialogue told by a logistic
fit to the other four: 94.5 % at 3.1 %. A whole chunk's share in place of a line's gives half a point less, no agreement
a quarter, names looked for as parts of words ("Tim" in "time") half a point. What is left are plausible absences: of
the 656 that ask about a person of a name that the dialogue has, too, 65 % are told, of all others 99.9 %; of questions
whose names were replaced by the dialogue's own speakers 48 %. Beyond that these parts do not go: a fit to ninety
measures, with rarity of words, distances between cosines, and the model's own vectors of lines, words and tokens among
them, tells 94.3 % at 3 % and 95.0 % at 4 %; boosted trees 93.7 % at 3 %. A cross-encoder might.

Of the project's own questions whose conversation is among the first five, "nothing" is said of 58 % of the paraphrases,
6 % of the vague ones, 5 % of those in German and French, and of 2 % or less of every other kind: 89, 42, 33 and 12 %
while German nouns were taken for names, and questions without a name had no limit of their own. Of those about another
of these corpora 97 % or more are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Near = Literal["strong", "weak", "nothing"]

FIRST_CHUNKS = 10
MISSING, DATED, UNDATED = 0.7, 0.3, 0.4  # of the words
WORDS, AGREED = 0.3, 0.05  # beside the cosine
NOTHING_BELOW, STRONG_FROM = 0.61, 0.78
LEAST_COSINE = 0.43  # which alone is near enough to a question without a name
LEAST_WORDS, LEAST_NAMELESS, STRONG_WORDS = 0.33, 0.25, 0.75  # where the cosine is not known
MEASURED = "all-minilm-l6-v2"  # whose cosines these limits are of


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the first chunks of an answer say of its question.

    `line` and `chunk` are the largest shares of the question's distinct stems in one line and in one chunk; `missing`
    is the share of its names that no chunk has, and `named` tells if it has a name at all.
    """

    line: float
    chunk: float
    missing: float = 0.0
    named: bool = False


def near(
    cosine: float | None, said: Evidence, found: bool, *, dated: float | None = None, agreed: bool = False
) -> Near:
    """Return the word for an answer whose best cosine is given; `cosine` is None where it is not known.

    `dated` says how well the best chunk fits the question's dates (0 to 1, None for a question without), `agreed` that
    the conversation with the best words ranks first.
    """
    if not found:
        return "nothing"
    words = said.line - MISSING * said.missing
    words += 0.0 if dated is None else DATED * dated - UNDATED * (1 - dated)
    if cosine is None:
        least = LEAST_WORDS if said.named else LEAST_NAMELESS
        return _word(words, least, STRONG_WORDS, enough=said.chunk == 1.0)
    enough = said.chunk == 1.0 or (not said.named and cosine >= LEAST_COSINE)
    return _word(cosine + WORDS * words + AGREED * agreed, NOTHING_BELOW, STRONG_FROM, enough=enough)


def _word(value: float, least: float, strong: float, *, enough: bool) -> Near:
    """Return the word for a value by its limits; what is `enough` by itself is never nothing."""
    if value >= strong:
        return "strong"
    return "weak" if value >= least or enough else "nothing"
