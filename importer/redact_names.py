"""Values given to a name that says they are secret: `password = "…"`, `"api_key": "…"`, `TOKEN=…`, `--token …`.

Most such places in conversations are code, not secrets, so a value must earn it: `token: str`, `password = getpass()`,
`secret=os.environ["X"]`, `api_key=self.api_key`, `max_tokens: 4096` and `<your-token>` stay.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

NAMES = (
    "passw",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "key",
    "credential",
)  # in lower case; a name holds one of them
LONG_CHARS = 24  # from here on, a value may contain a word like "key" by chance

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_KINDS = ("api", "access", "account", "private", "auth", "encryption", "signing", "shared")
_WHOSE_KEY = "|".join(rf"(?<={kind})|(?<={kind}[_ -])" for kind in _KINDS)
_NAME = rf"(?:passwo?r?d|passphrase|pwd|secret|token|credential|(?:{_WHOSE_KEY})key)(?P<rest>[A-Za-z0-9_-]{{0,40}}+)"
_TYPE = r"(?:\s{0,3}:\s{0,3}[A-Za-z_][A-Za-z0-9_.\[\]|, ]{0,40}+(?==))?"  # as in `password: str | None = …`
_GIVES = rf"(?:\\?[\"'`]?\]?{_TYPE}\s{{0,3}}(?::=|=>|=|:)\s{{0,3}}|(?P<flag>\s{{1,3}}))"
_CHARS = "[A-Za-z0-9+/_.~!@#%^*-]"
_BARE = rf"{_CHARS}++(?:&(?![A-Za-z_][A-Za-z0-9_.-]{{0,40}}=){_CHARS}*+)*+={{0,2}}"  # up to the next name of a query
_VALUE = rf"(?:\\?[\"'`](?P<quoted>[^\"'`\\\s]{{6,}}+)|(?P<bare>{_BARE}))"
_ASSIGNED = re.compile(_NAME + _GIVES + _VALUE, re.IGNORECASE)
_FLAG = re.compile(r"--(?:[a-z]{1,16}-){0,2}\Z")  # stands before the name of a command's flag
_FLAG_CHARS = 40

_ABOUT = re.compile(  # a name ending so speaks about a secret, and is not one
    r"(?:ids?|names?|types?|counts?|limits?|len|length|size|paths?|files?|dir|urls?|uri|endpoint|fields?|expir\w*|ttl|at"
    r"|budget|usage|policy|version|prefix|suffix|env|var|hint|label|format|regex|pattern|class|iz\w*|ary|s?_per\w*)\Z",
    re.IGNORECASE,
)
_STAND_IN = re.compile(
    r"\[secret:|[<${%]|\*\*|x{4,}|\.{3}|…|your[_-]|example|placeholder|changeme|(?:pass|password|pwd|token|secret)\Z",
    re.IGNORECASE,
)
_SAME_WORDS = re.compile(r"passw|pwd|token|secret|key|cred", re.IGNORECASE)
_PATH = re.compile(r"(?:\.{0,2}|~)/[\w.-]+/|[a-z]{2,12}://", re.IGNORECASE)
_DOTTED = re.compile(r"[A-Za-z_]\w{0,40}(?:\.[A-Za-z_]\w{0,40})++\.?")
_PLAIN_WORDS = re.compile(r"[A-Za-z]{1,40}(?:[_-][A-Za-z]{1,40}){0,8}[_-]?v?\d{0,2}")


def mask(text: str) -> str:
    """The text with values given to secret names masked, once from left to right."""
    parts: list[str] = []
    done = 0
    for start in _places(text):
        # places within a value that was just masked are passed over
        match = _ASSIGNED.match(text, start) if start >= done else None
        span = _secret(match) if match else None
        if match and span:
            parts += (text[done : span[0]], f"[secret:{_label(match[0])}]")
            done = span[1]
    return "".join([*parts, text[done:]])


def _places(text: str) -> list[int]:
    """Where names may start, ascending: found as plain strings, twenty times as fast as by a pattern."""
    folded = text.lower()
    if len(folded) != len(text):  # some letters grow in lower case; then positions would not be the same
        folded = text.translate(_ASCII_LOWER)
    return sorted(place for name in NAMES for place in _occurrences(folded, name))


def _occurrences(text: str, word: str) -> Iterator[int]:
    """Where the word begins, from left to right."""
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + len(word))


def _secret(match: re.Match[str]) -> tuple[int, int] | None:
    """Where the value stands, None when it is no secret."""
    if match["rest"] and _ABOUT.search(match["rest"]):
        return None
    if match["flag"] and not _FLAG.search(match.string, max(0, match.start() - _FLAG_CHARS), match.start()):
        return None
    group = "bare" if match["quoted"] is None else "quoted"
    value, password = match[group], _label(match[0]) == "password"
    after = match.string[match.end() : match.end() + 1]
    plausible = plausible_quoted(value, password) if group == "quoted" else plausible_bare(value, password, after)
    return match.span(group) if plausible else None


def _label(name: str) -> str:
    """By the first letters of the name; what is left over is a credential."""
    first = name[:3].lower()
    return {"pas": "password", "pwd": "password", "sec": "secret", "tok": "token", "key": "key"}.get(
        first, "credential"
    )


def stands_for_one(value: str) -> bool:
    """A placeholder, a template, or a label that is there already."""
    return bool(_STAND_IN.match(value))


def drawn(value: str) -> bool:
    """Does it look drawn at random? Letters of both cases and a digit, or a sixth of it digits, as in hexadecimal."""
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    mixed = not value.islower() and not value.isupper()
    return digits > 0 and letters > 1 and (mixed or digits * 6 >= len(value))


def plausible_quoted(value: str, password: bool) -> bool:
    """A value in quotes: a password has more than letters in it, anything else is long and drawn."""
    if stands_for_one(value) or _PATH.match(value) or _DOTTED.fullmatch(value) or "|" in value:
        return False
    if password:
        return any(map(str.isdigit, value)) or not _PLAIN_WORDS.fullmatch(value)
    return len(value) >= 8 and drawn(value) and not _PLAIN_WORDS.fullmatch(value)


def plausible_bare(value: str, password: bool, after: str) -> bool:
    """A value without quotes, and the character after it: neither a call, an expression, nor another name."""
    if (after and after in "([{") or stands_for_one(value) or _PATH.match(value) or _DOTTED.fullmatch(value):
        return False
    if _SAME_WORDS.search(value) and not (len(value) >= LONG_CHARS and drawn(value)):
        return False
    if password:
        return len(value) >= 6 and sum(map(str.isalpha, value)) > 1 and any(map(str.isdigit, value))
    return len(value) >= 8 and drawn(value) and not _PLAIN_WORDS.fullmatch(value)
