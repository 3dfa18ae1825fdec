"""Find values drawn by chance near a word that names secrets: `I reset it to wcJmjUyW9t, please change the password`.

Nothing need assign the value: devices, commands and people set it behind or before the word in ways of their own. So
the value must be unlike all that is written by hand, and stand alone between spaces or quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from importer.chunking.masking.chance import by_chance, share
from importer.chunking.masking.spans import SecretSpan
from importer.chunking.masking.values import is_name, stands_for_one

SURELY = 0.5  # of the neighbours are strange in what is no path, though it has slashes
BEFORE_CHARS, AFTER_CHARS = 90, 110  # around the word
_VALUE = re.compile(  # a word between spaces or quotes, with what closes it
    r"(?<![^\s\"'`„“«(:=>])(?P<secret>(?:[A-Za-z0-9!#$%&*+_]|-(?=[0-9_]))[A-Za-z0-9!@#$%^&*?+=._~/-]{7,199}+)"
    r"(?=[\"'`”»)<,;:]{0,3}(?:\s|\Z|\\[nr\"])|[\"'`](?![\w]))"
)
_NAMES = re.compile(  # of secrets: what tells a password from another kind of value
    r"(?P<password>(?-i:(?<![a-z])pass|Pass|PASS)(?![a-z])|pass(?:wor[dt]|wd|phrase|code)|pwd?\b|psk|kennwort|contrase|senha|wachtwoord|heslo|has[lł]o|creds|credential|"
    r"парол|密码|パスワード|비밀번호)|secret|token|(?<!public[_ -])(?<!socket-)key(?![a-z])",
    re.IGNORECASE,
)
# behind a value that is itself the key of a map
_KEY_OF_MAP = re.compile(r"\\{0,3}[\"']\s?(?::|=>)")
_ENDS = ".!?*_"  # of a sentence or of emphasis, not of a value
_NO_VALUE = re.compile(  # SSH keys, queries, addresses, versions, `name=value`, URLs, variables, file names
    r"AAAA[A-Z0-9]{2}.*|.*[&?]\w+=.*|(?:wpa|wep|psk).{0,8}|[\w.+-]+@[\w-]+\.[a-z]{2,12}|[a-z][\w.-]*@[a-z0-9.-]+|[@A-Za-z/._-]+@v?[\d.]+[\w.-]*|[A-Za-z][\w.-]*[=:].*[^=]"
    r"|\w+://.*|\$\{?\w+\}?|%\w+%|[A-Z0-9_]+|[#@]\w+|.*\.(?:py|js|ts|json|md|txt|ya?ml|html?|css)",
    re.DOTALL,
)
_PATH = re.compile(r"(?:\.{0,2}|~|[\w.-]{1,40})/[\w.-]+/")


def find(text: str, places: list[int]) -> Iterator[SecretSpan]:
    """Yield the values near the places of names, from left to right; each character is read once."""
    done = 0
    for place in places:
        line = text.rfind("\n", max(0, place - BEFORE_CHARS), place) + 1
        start = max(done, line, place - BEFORE_CHARS)
        end = text.find("\n", place, place + AFTER_CHARS)
        end = place + AFTER_CHARS if end < 0 else end
        if end <= done:
            continue
        for match in _VALUE.finditer(text, start, min(end, len(text))):
            value = match["secret"].rstrip(_ENDS)
            if _may_be_secret(value) and not _KEY_OF_MAP.match(text, match.end()):
                kind = _kind(text, start, end)
                if kind == "password" or (kind and _long(value)):
                    yield SecretSpan(match.start("secret"), match.start("secret") + len(value), kind)
        done = end


def _kind(text: str, start: int, end: int) -> str:
    """Return the label of the surest name in a part of a line."""
    kinds = {"password" if name["password"] else "secret" for name in _NAMES.finditer(text, start, end)}
    return min(kinds, default="")


def _may_be_secret(value: str) -> bool:
    """Return True if a value is drawn by chance, or a password as rules ask for, and nothing that programs write."""
    if len(value) < 8 or not (by_chance(value) or _of_all_classes(value)) or stands_for_one(value) or is_name(value):
        return False
    path = _PATH.match(value) and not (len(value) >= 40 and share(value) >= SURELY)
    return not path and not _NO_VALUE.fullmatch(value)


def _long(value: str) -> bool:
    """Return True if a value is long enough for anything but a password."""
    mixed = len(value) >= 12 and not value.islower() and not value.isupper() and any(map(str.isdigit, value))
    return (mixed or len(value) >= 20) and by_chance(value)


def _of_all_classes(value: str) -> bool:
    """Return True if a value has what rules for passwords ask for: a capital, a small letter, a digit and a sign."""
    signs = any(sign in value for sign in "!@#$%^&*?+=")
    classes = not value.islower() and not value.isupper() and any(map(str.isdigit, value)) and value[0].isalnum()
    return signs and classes
