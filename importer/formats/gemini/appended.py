"""Find what is new of a message that comes again under its id, longer than before: a fold only ever appends.

Remembered of the last few messages is not what they said but its length and a hash: enough to see that a text begins
with the former one.
"""

from __future__ import annotations

from importer.formats._shared.turns import key

MOST = 4  # messages that may still grow: it is the last one, or one beside it
DIGITS = 12  # of each hash: the context is small

Told = tuple[tuple[str, int, str], ...]  # id, characters and hash of a text, the newest at the end


def rest(told: Told, id_: str, text: str) -> str:
    """Return what a message says beyond what it said before under this id; all of it where it does not begin so."""
    for known, chars, digest in told:
        if known == _short(id_) and _short(text[:chars]) == digest:
            return text[chars:].strip()
    return text


def remember(told: Told, id_: str, text: str) -> Told:
    """Remember what a message says now; without an id it cannot come again."""
    if not (id_ and text):
        return told
    others = [one for one in told if one[0] != _short(id_)]
    return (*others, (_short(id_), len(text), _short(text)))[-MOST:]


def _short(text: str) -> str:
    """Return a short hash."""
    return key(text)[:DIGITS]
