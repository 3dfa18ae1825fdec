"""Bound how many tokens a model makes of a text, where no tokenizer can be asked; pure, and the same for all models.

Tokenizers differ, so this is an upper bound, never a count. The one of all-MiniLM-L6-v2 makes half as many of this
repository's README, and four fifths of UUIDs, which are cut the smallest; of words that chance made, a tenth more.
"""

from __future__ import annotations

PARTS = 3  # of a token; in these parts a space is one and a letter two, and any other byte may be a token
MARK = " …"


def most_tokens(text: str) -> int:
    """Return at most how many tokens a text is."""
    return -(-sum(map(_weight, text)) // PARTS)


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many tokens: this one, or its beginning with a mark behind."""
    if most_tokens(text) <= most:
        return text
    room, kept = (most - most_tokens(MARK)) * PARTS, 0
    while (room := room - _weight(text[kept])) >= 0:
        kept += 1
    return f"{text[:kept].rstrip()}{MARK}"


def _weight(sign: str) -> int:
    """Return the most parts of a token that a character takes."""
    if sign.isascii():
        return 1 if sign.isspace() else 2 if sign.isalpha() else PARTS
    return PARTS * len(sign.encode("utf-8", "surrogatepass"))
