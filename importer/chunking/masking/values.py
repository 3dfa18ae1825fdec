"""Judge whether a value may be a secret: it looks drawn at random, and is no placeholder, expression, path or name."""

from __future__ import annotations

import re
from itertools import pairwise

from importer.chunking.masking.chance import by_chance, share, unlike_words
from importer.chunking.masking.names import NO_PASSWORDS

FIRST_CHARS = 200  # of a value are judged
NO_NAME = 0.55  # of the neighbours are strange in what is no name, though dots join it
LONG_CHARS = 20  # from here on, a value may contain a word like "key" by chance

_STAND_IN = re.compile(
    r"\[secret:|[<${%]|\*\*|x{3}\Z|x{4,}|\.{3}|…|your[_-]|example|placeholder|changeme|\[?(?:redacted|masked|hidden|filtered|removed|omitted)\]?\Z|(?:pass|password|pwd|token|secret)\Z",
    re.IGNORECASE,
)
_SIGN_FIRST = re.compile(
    r"[$%](?:(?![A-Za-z_]\w*[.%\[(:-])[\w.-]*[!@#^&*?+=]|[!@#^&*?+=])(?!.*\$\w)", re.DOTALL
)  # no variable
_TECHNICAL = re.compile(  # "the password is SHA-256 hashed", "… is 12-character"
    r"(?:sha|md|base|utf|aes|argon|pbkdf|rsa|rfc|iso|oauth|https?|tls|ipv|python|node|version|v|ubuntu|debian|windows"
    r"|step|line|page|section|chapter|part|level|phase|port|error|option|case|table|figure|day|week|type)[ -]?\d"
    r"|\d{1,4}-?(?:char|bit|byte|digit|letter|word|sec|min|hour|day|week|month|year|step|factor)|\d+(?:st|nd|rd|th)\b",
    re.IGNORECASE,
)
_NAMED_NUMBER = re.compile(r"[A-Za-z_.-]+=[\w.-]*")
_WORD_OF_PEOPLE = re.compile(r"[A-Z][a-z]{3,20}\d{2,8}[.]?")
_WORD_WITH_NUMBER = re.compile(r"[a-z]{5,20}\d{1,4}")
_WORDS_OF_PEOPLE = re.compile(r"[a-z0-9]{2,12}\.[A-Z][a-z]{2,20}\d{2,8}")
_PHRASE = re.compile(r"[a-z]{3,10}(?P<join>[-_. ])[a-z]{3,10}(?:(?P=join)[a-z]{3,10}){2,11}")
_SAME_WORDS = re.compile(r"passw|pwd|token|secret|key|cred", re.IGNORECASE)
_PATH = re.compile(r"(?:\.{0,2}|~)/[\w.-]+/|[a-z]{2,12}://", re.IGNORECASE)
_DOTTED = re.compile(r"[A-Za-z_]\w{0,40}(?>(?:\.[A-Za-z_]\w{0,40})+)\.?")
_PLAIN_WORDS = re.compile(r"[A-Za-z]{1,40}(?:[_-][A-Za-z]{1,40}){0,8}[_-]?v?\d{0,2}")

_NO_SIGNS = str.maketrans("", "", "!@#%^&*+=")
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


def phrase_of_words(value: str) -> bool:
    """Return True for four words and more joined by one sign, as passphrases are: `yellow-walnut-silver-garden`."""
    return bool(_PHRASE.fullmatch(value)) and not _SAME_WORDS.search(value)


def stands_for_one(value: str) -> bool:
    """Return True for a placeholder, a template, or a label that is there already."""
    return bool(_STAND_IN.match(value)) and not (_SIGN_FIRST.match(value) and by_chance(value[1:]))


def drawn(value: str) -> bool:
    """Return True if a value looks drawn at random.

    It has letters of both cases and a digit, or a sixth of it is digits, as in hexadecimal, or it is like no words.
    """
    value = value[:FIRST_CHARS]
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    mixed = not value.islower() and not value.isupper()
    return (digits > 0 and letters > 1 and (mixed or digits * 6 >= len(value))) or by_chance(value, 10)


def mixed(value: str) -> bool:
    """Return True if a value looks drawn from letters of both cases and digits; hexadecimal is more often an id."""
    return drawn(value) and not value.islower() and not value.isupper()


def mixed_or_hex(value: str) -> bool:
    """Return True if a value looks drawn and is mixed, or is as long as keys in hexadecimal are."""
    return mixed(value) or (len(value) >= 32 and drawn(value) and bool(_HEXADECIMAL.fullmatch(value)))


def chosen(value: str) -> bool:
    """Return True if a value looks like a password of a person: letters, a digit, and a sign or odd capitals."""
    signs = any(sign in value for sign in "!@#%^&*$+?=") or (
        len(value) >= 8 and "_" in value[1:] and not value.islower()
    )
    value = value.removesuffix(".")
    usual = signs or erratic(value) or bool(_WORD_OF_PEOPLE.fullmatch(value) or _WORDS_OF_PEOPLE.fullmatch(value))
    named = _TECHNICAL.match(value) or _NAMED_NUMBER.fullmatch(value)
    plausible = (with_digit(value) and usual and not named) or by_chance(value)
    return plausible and value[-1:] not in ").:" and not _PATH.match(value)


def told(value: str) -> bool:
    """Return True if a value that words tell may be a password: chosen, or a small word with a number behind it."""
    return chosen(value) or bool(_WORD_WITH_NUMBER.fullmatch(value) and not _TECHNICAL.match(value))


def chosen_or_drawn(value: str) -> bool:
    """Return True if a value may be any password of a person: letters with a digit, or drawn by chance."""
    return (with_digit(value) and not _TECHNICAL.match(value)) or by_chance(value)


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


def strong(value: str, password: bool) -> bool:
    """Return True if a value behind a space can be nothing but secret: long and drawn, or a password of all classes."""
    if password:
        both_cases = mixed(value)
        signs = both_cases and any(sign in value for sign in "!@#%^&*$?=+")
        return len(value) >= 8 and (signs or (both_cases and erratic(value)) or by_chance(value))
    return drawn_by_an_issuer(value)


def drawn_by_an_issuer(value: str) -> bool:
    """Return True if a value is long, and hexadecimal or of letters of both cases and digits: no word, no name."""
    hexadecimal = len(value) >= 32 and not value.strip("0123456789abcdef")
    plain = value.translate(_NO_SIGNS).isalnum() and not value.islower()
    return hexadecimal or (plain and ((len(value) >= 20 and drawn(value)) or by_chance(value, 12)))


def issued(value: str) -> bool:
    """Return True for a password for one app as Apple and Google issue it: four groups of four small letters."""
    return bool(_FOR_ONE_APP.fullmatch(value))


def is_name(value: str) -> bool:
    """Return True for names joined by dots, as code has them; none of them is long and of letters and digits mixed."""
    if not _DOTTED.fullmatch(value) or _WORDS_OF_PEOPLE.fullmatch(value) or share(value) >= NO_NAME:
        return False
    return not any(len(part) >= 16 and drawn(part) for part in value.split("."))


def plausible_quoted(value: str, password: bool) -> bool:
    """Return True if a value in quotes may be secret: a password has more than letters, any other is long and drawn."""
    if stands_for_one(value) or _PATH.match(value) or is_name(value) or "|" in value:
        return False
    if password:
        words = value.isalpha() or _PLAIN_WORDS.fullmatch(value)
        return any(map(str.isdigit, value)) or not words or issued(value) or unlike_words(value)
    return _secret_key(value)


def plausible_bare(value: str, password: bool, after: str, told: bool = False) -> bool:
    """Return True if a value without quotes may be secret: it is no call, no expression and no other name.

    `after` is the character behind it.

    With `told` (words of another language) it is no code, so it may hold a word that names secrets.
    """
    if (after and after in "([{") or stands_for_one(value) or _PATH.match(value) or is_name(value):
        return False
    mixed_up = erratic(value) or (len(value) >= LONG_CHARS and drawn(value))
    if not told and _SAME_WORDS.search(value) and not mixed_up:
        return False
    if password:
        of_a_person = len(value) >= 6 and sum(map(str.isalpha, value)) > 1 and any(map(str.isdigit, value))
        return of_a_person or issued(value) or unlike_words(value)
    return _secret_key(value)


def _secret_key(value: str) -> bool:
    """Return True if a value may be a key or token: it looks drawn, and is no plain words."""
    if len(value) >= 16 and by_chance(value):
        return True
    looks_drawn = drawn(value) or (len(value) >= 16 and scattered(value))
    return len(value) >= 8 and looks_drawn and not _PLAIN_WORDS.fullmatch(value)
