"""Tell what was drawn by chance from what people write: `wcJmjUyW9tHv` from `getUserName`, `silverribbon3`, `sha256`.

Neighbours are counted: letters that seldom follow each other in words, a capital behind a small letter, a change
between letters, digits and signs. Words and names have few of them, however they are joined; drawn values have many.
"""

from __future__ import annotations

import re
from itertools import pairwise

# of the neighbours at least: 95 of 100 drawn values of 12 letters and digits, 6 of 1,000 other long words
CHANCE = 0.36
LETTERS, LETTERS_OF_FEW = 0.2, 0.3  # of the neighbours in small letters that are no words
JUDGED_CHARS = 100

# what follows a letter in 97.5 % of the neighbours within the words of manuals and programs
_FOLLOWERS = {
    "a": "abcdefghiklmnprstuvwxy", "b": "abcdefijloprstuy", "c": "abcdefhiklmnoprstuy", "d": "abcdefgilmnoprstuvy",
    "e": "abcdefghiklmnopqrstuvwxyz", "f": "abcdefgilnoprstuy", "g": "acefghilmnoprstu", "h": "aeilmorstuy",
    "i": "abcdefgklmnoprstuvxz", "j": "aeiosu", "k": "aeilosuw", "l": "abcdefiklmnopstuvy", "m": "abdeilmoprstuy",
    "n": "abcdefghiklmnoprstuvy", "o": "abcdefgiklmnoprstuvwx", "p": "acdefhiloprstuy", "q": "u",
    "r": "abcdefgiklmnoprstuvy", "s": "acdefghiklmnopqrstuvwy", "t": "abcdefghilmnoprstuvwy", "u": "abcdefgilmnoprst",
    "v": "aeios", "w": "aehilnors", "x": "acdefilmpst", "y": "aceilmnopst", "z": "aei",
}  # fmt: skip
_USUAL = frozenset(first + second for first, followers in _FOLLOWERS.items() for second in followers)
_JOINS = "-_./ "  # between words
_CODES = re.compile(  # numbers as programs and standards write them
    r"[\d.,:_/-]+|(?:0x|U\+?|u|#)?[0-9a-fA-F_-]+|\d+(?:[a-z]+\d*)?|[Vv]?\d+(?:\.\w+)+|[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2})+"
)


def share(value: str) -> float:
    """Return the share of neighbours that words seldom have, of those that no sign joins."""
    neighbours = strange = 0
    for first, second in pairwise(value[:JUDGED_CHARS]):
        if first in _JOINS or second in _JOINS:
            continue
        neighbours += 1
        if first == second:
            continue
        if first.isalpha() and second.isalpha():
            strange += (first.islower() and second.isupper()) or (first + second).lower() not in _USUAL
        else:
            strange += first.isdigit() != second.isdigit() or not (first.isalnum() and second.isalnum())
    return strange / neighbours if neighbours else 0.0


def unlike_words(value: str) -> bool:
    """Return True if a value was drawn by chance; of small letters alone, fewer strange neighbours are enough."""
    letters = value.isascii() and value.isalpha() and value.islower() and len(value) >= 8
    return by_chance(value) or (letters and share(value) >= (LETTERS if len(value) >= 12 else LETTERS_OF_FEW))


def by_chance(value: str, least_chars: int = 8) -> bool:
    """Return True if a value of ASCII was drawn by chance; hexadecimal and other numbers are judged by others."""
    return len(value) >= least_chars and value.isascii() and not _CODES.fullmatch(value) and share(value) >= CHANCE
