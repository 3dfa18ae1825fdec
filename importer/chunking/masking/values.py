"""Judge whether a value may be a secret: it looks drawn at random, and is no placeholder, expression, path or name."""

from __future__ import annotations

import re
from itertools import pairwise

from importer.chunking.masking.names import NO_PASSWORDS

FIRST_CHARS = 200  # of a value are judged
LONG_CHARS = 20  # from here on, a value may contain a word like "key" by chance

_STAND_IN = re.compile(
    r"\[secret:|[<${%]|\*\*|x{3}\Z|x{4,}|\.{3}|…|your[_-]|example|placeholder|changeme|\[?(?:redacted|masked|hidden|filtered|removed|omitted)\]?\Z|(?:pass|password|pwd|token|secret)\Z",
    re.IGNORECASE,
)
_SAME_WORDS = re.compile(r"passw|pwd|token|secret|key|cred", re.IGNORECASE)
_PATH = re.compile(r"(?:\.{0,2}|~)/[\w.-]+/|[a-z]{2,12}://", re.IGNORECASE)
_DOTTED = re.compile(r"[A-Za-z_]\w{0,40}(?>(?:\.[A-Za-z_]\w{0,40})+)\.?")
_PLAIN_WORDS = re.compile(r"[A-Za-z]{1,40}(?:[_-][A-Za-z]{1,40}){0,8}[_-]?v?\d{0,2}")

_HEXADECIMAL = re.compile("[0-9a-f]+|[0-9A-F]+")
_FOR_ONE_APP = re.compile(r"[a-z]{4}(?:-[a-z]{4}){3}")
_TURNS = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")  # from letters to digits or back; names have two or three


def word_of_letters(value: str) -> bool:
    """Return True for one word of letters that may be a password: not all in capitals, and none that code writes."""
    return (
        len(value) >= 6
        and value.isalpha()
        and (value.islower() or value.istitle())
        and value.lower() not in NO_PASSWORDS
        and not stands_for_one(value)
        and not _SAME_WORDS.search(value)
    )


def word_with_number(value: str) -> bool:
    """Return True for plain words, joined by signs, with a short number behind them: `my-secret-v2`."""
    return bool(_PLAIN_WORDS.fullmatch(value))


def stands_for_one(value: str) -> bool:
    """Return True for a placeholder, a template, or a label that is there already."""
    return bool(_STAND_IN.match(value))


def drawn(value: str) -> bool:
    """Return True if a value looks drawn at random.

    It has letters of both cases and a digit, or a sixth of it is digits, as in hexadecimal.
    """
    value = value[:FIRST_CHARS]
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    mixed = not value.islower() and not value.isupper()
    return digits > 0 and letters > 1 and (mixed or digits * 6 >= len(value))


def mixed(value: str) -> bool:
    """Return True if a value looks drawn from letters of both cases and digits; hexadecimal is more often an id."""
    return drawn(value) and not value.islower() and not value.isupper()


def mixed_or_hex(value: str) -> bool:
    """Return True if a value looks drawn and is mixed, or is as long as keys in hexadecimal are."""
    return mixed(value) or (len(value) >= 32 and drawn(value) and bool(_HEXADECIMAL.fullmatch(value)))


def chosen(value: str) -> bool:
    """Return True if a value looks like a password of a person: letters, a digit, and a sign or odd capitals."""
    signs = any(sign in value for sign in "!@#%^&*$+") or (len(value) >= 8 and "_" in value[1:] and not value.islower())
    value = value.removesuffix(".")
    return with_digit(value) and value[-1] not in ").:" and (signs or erratic(value)) and not _PATH.match(value)


def with_digit(value: str) -> bool:
    """Return True if a value has letters and a digit, as passwords that people choose do."""
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def scattered(value: str) -> bool:
    """Return True if a value looks drawn, or is of capitals and digits, or of digits, as issuers draw them too."""
    value = value[:FIRST_CHARS]
    digits = sum(map(str.isdigit, value))
    if drawn(value) or not value.isalnum():
        return drawn(value)
    return digits == len(value) or (digits > 1 and value == value.upper()) or len(_TURNS.findall(value)) >= 5


def erratic(value: str) -> bool:
    """Return True if letters of both cases and digits change more often than in words and names that are joined.

    `aX9kQ2mZ` changes at almost each letter, `Base64Encoded` twice. A capital before small letters begins a word.
    """
    kinds = [
        "d" if sign.isdigit() else "l" if sign.islower() else "u" for sign in value[:FIRST_CHARS] if sign.isalnum()
    ]
    changes = sum(before != after and (before, after) != ("u", "l") for before, after in pairwise(kinds))
    return len(set(kinds)) == len("dlu") and len(value) >= 8 and changes * 3 > len(kinds)


def issued(value: str) -> bool:
    """Return True for a password for one app as Apple and Google issue it: four groups of four small letters."""
    return bool(_FOR_ONE_APP.fullmatch(value))


def is_name(value: str) -> bool:
    """Return True for names joined by dots, as code has them; none of them is long and of letters and digits mixed."""
    return bool(_DOTTED.fullmatch(value)) and not any(len(part) >= 16 and drawn(part) for part in value.split("."))


def plausible_quoted(value: str, password: bool) -> bool:
    """Return True if a value in quotes may be secret: a password has more than letters, any other is long and drawn."""
    if stands_for_one(value) or _PATH.match(value) or is_name(value) or "|" in value:
        return False
    if password:
        words = value.isalpha() or _PLAIN_WORDS.fullmatch(value)
        return any(map(str.isdigit, value)) or not words or issued(value)
    return (
        len(value) >= 8
        and (drawn(value) or (len(value) >= 16 and scattered(value)))
        and not _PLAIN_WORDS.fullmatch(value)
    )


def plausible_bare(value: str, password: bool, after: str, told: bool = False) -> bool:
    """Return True if a value without quotes may be secret: it is no call, no expression and no other name.

    `after` is the character behind it.

    With `told` (words of another language) it is no code, so it may hold a word that names secrets.
    """
    if (after and after in "([{") or stands_for_one(value) or _PATH.match(value) or is_name(value):
        return False
    by_chance = erratic(value) or (len(value) >= LONG_CHARS and drawn(value))
    if not told and _SAME_WORDS.search(value) and not by_chance:
        return False
    if password:
        return issued(value) or (len(value) >= 6 and sum(map(str.isalpha, value)) > 1 and any(map(str.isdigit, value)))
    return (
        len(value) >= 8
        and (drawn(value) or (len(value) >= 16 and scattered(value)))
        and not _PLAIN_WORDS.fullmatch(value)
    )
