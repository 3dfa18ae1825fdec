"""Find values given to a name that says they are secret: `password = "…"`, `"api_key": "…"`, `TOKEN=…`, `--token …`.

Passwords are also told in words (`my password is …`, `passwd '…'`, `passphrase: …`), in tags, and in other languages.

Most such places in conversations are code, not secrets, so a value must earn it: `token: str`, `password = getpass()`,
`secret=os.environ["X"]`, `api_key=self.api_key`, `max_tokens: 4096` and `<your-token>` stay.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterator

from importer.chunking.redact_spans import Span

NAMES = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "kennwort",
    "contrase",
    "парол",
)  # in lower case; a name holds one of them
LONG_CHARS = 24  # from here on, a value may contain a word like "key" by chance

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_KINDS = ("api", "access", "account", "private", "auth", "encryption", "signing", "shared")
_WHOSE_KEY = "|".join(rf"(?<={kind})|(?<={kind}[_ -])" for kind in _KINDS)
# "pass" alone is mostly a word of its own: tests pass, a render pass
_ALONE = "(?P<pass>(?:(?<![A-Za-z0-9])|(?<=db)|(?<=user)|(?<=root)|(?<=admin)|(?<=smtp))pass(?![A-Za-z0-9_-]))"
_NAME = (
    rf"(?:passwo?r?d|passphrase|pwd|secret|token|credential|(?:{_WHOSE_KEY})key|{_ALONE}"
    rf"|(?P<told>passwort|(?<=mot de )passe|kennwort|contrase[nñ]a|пароль))(?P<rest>[A-Za-z0-9_-]{{0,40}}+)"
)
_TYPE = r"(?:\s{0,3}:\s{0,3}[A-Za-z_][A-Za-z0-9_.\[\]|, ]{0,40}+(?==))?"  # as in `password: str | None = …`
_SAYS = r"(?P<says>\s{1,3}(?:is|was|ist|lautet|est|es)(?: now)?(?:\s{0,2}:)?\s{1,3})"
_SIGN = rf"\\?[\"'`]?\]?{_TYPE}\s{{0,3}}(?::=|=>|=|(?P<colon>:))\s{{0,3}}"
_GIVES = rf"(?:{_SIGN}|(?P<tag>>\s{{0,3}})|{_SAYS}|(?P<gap>\s{{1,3}}))"
_CHARS = "[A-Za-zÀ-ɏЀ-ӿ0-9+/_.~!@#%^*-]"
_BARE = rf"{_CHARS}++(?>(?:&(?![A-Za-z_][A-Za-z0-9_.-]{{0,40}}=){_CHARS}*+)*)={{0,2}}"  # up to the next name of a query
_VALUE = rf"(?:\\?[\"'`](?P<quoted>[^\"'`\\\s]{{6,}}+)|(?P<bare>{_BARE}))"
_ASSIGNED = re.compile(_NAME + _GIVES + _VALUE, re.IGNORECASE)
_FLAG = re.compile(r"--(?:[a-z]{1,16}-){0,2}\Z")  # stands before the name of a command's flag
_TAG = re.compile(r"<[A-Za-z0-9_.:-]{0,38}\Z")  # stands before the name in a tag
_BEFORE_CHARS = 40

_PHRASE = re.compile(
    r"passphrase\\?[\"'`]?\s{0,3}[:=]\s{0,3}(?P<quote>\\?[\"'`])?"
    r"(?P<phrase>[A-Za-z0-9'-]{1,30}+(?>(?: [A-Za-z0-9-]{1,30}+){1,15}))(?![A-Za-z0-9_(\[{=:/-])",
    re.IGNORECASE,
)
_SENTENCE = re.compile(  # holding one of these, words after "passphrase:" speak about it
    r"\b(?:an?|the|this|that|it|to|for|of|in|on|at|by|with|from|is|are|be|and|or|not?|if|when|as|you|your|must|should"
    r"|can|will|enter|see|used?|required|optional|min|max|minimum|maximum|length|chars?|characters|words|bits|bytes"
    r"|section|line|version|passphrase|password|none|null|true|false)\b",
    re.IGNORECASE,
)
_TECHNICAL = re.compile(  # "the password is SHA-256 hashed", "… is 12-character"
    r"(?:sha|md|base|utf|aes|argon|pbkdf|rsa|rfc|iso|oauth|https?|tls)-?\d"
    r"|\d{1,4}-?(?:char|bit|byte|digit|letter|word|sec|min|hour|day|week|month|year)",
    re.IGNORECASE,
)

_ABOUT = re.compile(  # a name ending so speaks about a secret, and is not one
    r"(?:ids?|names?|types?|counts?|limits?|len|length|size|paths?|files?|dir|urls?|uri|endpoint|fields?|expir\w*|ttl|at"
    r"|budget|usage|policy|version|prefix|suffix|env|var|hint|label|format|regex|pattern|class|iz\w*|ary|s?_per\w*)\Z",
    re.IGNORECASE,
)
_STAND_IN = re.compile(
    r"\[secret:|[<${%]|\*\*|x{3}\Z|x{4,}|\.{3}|…|your[_-]|example|placeholder|changeme|(?:pass|password|pwd|token|secret)\Z",
    re.IGNORECASE,
)
_SAME_WORDS = re.compile(r"passw|pwd|token|secret|key|cred", re.IGNORECASE)
_PATH = re.compile(r"(?:\.{0,2}|~)/[\w.-]+/|[a-z]{2,12}://", re.IGNORECASE)
_DOTTED = re.compile(r"[A-Za-z_]\w{0,40}(?>(?:\.[A-Za-z_]\w{0,40})+)\.?")
_PLAIN_WORDS = re.compile(r"[A-Za-z]{1,40}(?:[_-][A-Za-z]{1,40}){0,8}[_-]?v?\d{0,2}")


def find(text: str) -> Iterator[Span]:
    """Yield the values given to secret names, from left to right; places within one are passed over."""
    done = 0
    for start in _places(text):
        span = _phrase(text, start) or _value(text, start) if start >= done else None
        if span:
            yield Span(*span, _label(text[start : start + 3]))
            done = span[1]


def _places(text: str) -> list[int]:
    """Return where names may start, ascending: found as plain strings, twenty times as fast as by a pattern."""
    folded = text.lower()
    if len(folded) != len(text):  # some letters grow in lower case; then positions would not be the same
        folded = text.translate(_ASCII_LOWER)
    found = [_occurrences(folded, name) for name in NAMES if name in folded]
    return sorted(itertools.chain.from_iterable(found)) if found else []


def _occurrences(text: str, word: str) -> Iterator[int]:
    """Yield where the word begins, from left to right."""
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + len(word))


def _phrase(text: str, start: int) -> tuple[int, int] | None:
    """Find the words of a passphrase: with a number among them, or four and more in quotes; never a sentence."""
    match = _PHRASE.match(text, start)
    if not match or _SENTENCE.search(match["phrase"]):
        return None
    many = match["quote"] and match["phrase"].count(" ") >= 3
    return match.span("phrase") if many or any(map(str.isdigit, match["phrase"])) else None


def _value(text: str, start: int) -> tuple[int, int] | None:
    """Find the value given to the name at `start`; None when it is no secret."""
    match = _ASSIGNED.match(text, start)
    if not match or (match["rest"] and _ABOUT.search(match["rest"])) or not _given(match):
        return None
    group = "bare" if match["quoted"] is None else "quoted"
    value, password = match[group], _label(match[0]) == "password"
    after = text[match.end() : match.end() + 1]
    if group == "quoted":
        plausible = plausible_quoted(value, password)
    else:
        plausible = plausible_bare(value, password, after, bool(match["told"]))
    return match.span(group) if plausible else None


def _given(match: re.Match[str]) -> bool:
    """Return True if the text between name and value assigns: signs do, a space only after a flag or before quotes."""
    text, start, end = match.string, match.start(), match.end()
    if match["tag"]:
        return text.startswith("</", end) and bool(_TAG.search(text, max(0, start - _BEFORE_CHARS), start))
    if match["gap"] and _FLAG.search(text, max(0, start - _BEFORE_CHARS), start):
        return True
    if match["gap"] or match["says"]:
        return not match["pass"] and _label(match[0]) == "password" and _told(match)
    return not match["pass"] or _password_by_pass(match)


def _told(match: re.Match[str]) -> bool:
    """Return True if words tell a password: quoted as a whole with a digit, or one word unlike prose after a verb."""
    value = match["quoted"] or match["bare"]
    if _TECHNICAL.match(value) or not any(map(str.isdigit, value)):
        return False
    if match["quoted"]:
        name = match["gap"] and match.string[match.start("quoted") - 1] == "`" and not drawn(value)  # of a variable
        return not name and match.string[match.end() : match.end() + 1] in {"'", '"', "`", "\\"}
    return bool(match["says"]) and "/" not in value


def _password_by_pass(match: re.Match[str]) -> bool:
    """Return True if `pass` names a password.

    Of `DB_PASS=…` every value may be one; others must look drawn, and `PASS: test_1` is what tests print.
    """
    start, value = match.start(), match["quoted"] or match["bare"]
    named = match.string[max(0, start - 1) : start].isalpha() or match.string[max(0, start - 1) : start] == "_"
    if named and match["pass"].isupper():
        return True
    return drawn(value) and (named or match["quoted"] is not None or not match["colon"])


def _label(name: str) -> str:
    """Return the label by the first letters of a name; the other names are "password" in one language or another."""
    first = name[:3].lower()
    return {"sec": "secret", "tok": "token", "key": "key", "cre": "credential"}.get(first, "password")


def stands_for_one(value: str) -> bool:
    """Return True for a placeholder, a template, or a label that is there already."""
    return bool(_STAND_IN.match(value))


def drawn(value: str) -> bool:
    """Return True if a value looks drawn at random.

    It has letters of both cases and a digit, or a sixth of it is digits, as in hexadecimal.
    """
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    mixed = not value.islower() and not value.isupper()
    return digits > 0 and letters > 1 and (mixed or digits * 6 >= len(value))


def plausible_quoted(value: str, password: bool) -> bool:
    """Return True if a value in quotes may be secret: a password has more than letters, any other is long and drawn."""
    if stands_for_one(value) or _PATH.match(value) or _DOTTED.fullmatch(value) or "|" in value:
        return False
    if password:
        return any(map(str.isdigit, value)) or not _PLAIN_WORDS.fullmatch(value)
    return len(value) >= 8 and drawn(value) and not _PLAIN_WORDS.fullmatch(value)


def plausible_bare(value: str, password: bool, after: str, told: bool = False) -> bool:
    """Return True if a value without quotes may be secret: it is no call, no expression and no other name.

    `after` is the character behind it.

    With `told` (words of another language) it is no code, so it may hold a word that names secrets.
    """
    if (after and after in "([{") or stands_for_one(value) or _PATH.match(value) or _DOTTED.fullmatch(value):
        return False
    if not told and _SAME_WORDS.search(value) and not (len(value) >= LONG_CHARS and drawn(value)):
        return False
    if password:
        return len(value) >= 6 and sum(map(str.isalpha, value)) > 1 and any(map(str.isdigit, value))
    return len(value) >= 8 and drawn(value) and not _PLAIN_WORDS.fullmatch(value)
