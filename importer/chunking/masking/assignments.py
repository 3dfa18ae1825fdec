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

from importer.chunking.masking.names import (
    ASSIGNED,
    HINT,
    KINDS_OF_KEYS,
    NAMES,
    NAMES_OF_TEXTS,
    NO_PASSWORDS,
    OTHER_KEYS,
    WIDE_NAMES,
)
from importer.chunking.masking.phrases import CLOSING, phrase
from importer.chunking.masking.spans import SecretSpan
from importer.chunking.masking.values import (
    drawn,
    erratic,
    plausible_bare,
    plausible_quoted,
    stands_for_one,
    with_digit,
    word_of_letters,
    word_with_number,
)

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_FLAG = re.compile(
    r"(?:--(?:[a-z]{1,16}[_-]){0,2}(?:api|auth|access)?|(?<![\w-])-)\Z"
)  # stands before the name of a command's flag
_TAG = re.compile(
    r"<[A-Za-z0-9_.:-]{0,38}(?:>|\s[a-z]{2,10}=[\"'])?[A-Za-z0-9_.:-]{0,38}\Z"
)  # stands before the name in a tag
_SETS = re.compile(
    r"(?:(?:\b(?:ENV|ARG|(?-i:set(?= [A-Z_]+\Z))|setx|SetEnv|set -g?x|setenv)|#define)[ \t]{1,4})[A-Z0-9_]{0,38}\Z",
    re.I,
)  # sets a variable
_CELL_END = re.compile(r"[*`\"']{0,2}[ \t]{0,80}(?:[|│┃║]|\r?$)", re.MULTILINE)
_ENVIRONMENT = re.compile(r"(?:\A|[\s\"'])[A-Z0-9_]{1,38}_\Z")
_NAME_BEFORE = re.compile(r"[A-Za-z0-9]_\Z|[A-Z0-9]\Z|[a-z0-9](?=\Z)")
_ASSIGNING = re.compile(
    r"[\\\"'\]]{0,4}(?::[^=\n]{0,60})?\s{0,20}(?:==?|:=|=>|(?P<pair>:))\s{0,20}[brfu@]{0,2}\\{0,2}[\"'`]\Z"
)
_DEFINES = re.compile(r"(?:define|env|environ\.get|setdefault)\(\s?[\"'][A-Z0-9_]{0,30}\Z")
_MORE_WORDS = re.compile(r"(?: [^\s\"'`\\(){}\[\]=:;,<>]{1,30}){1,8}(?=[\"'`])")
_MORE_LINES = re.compile(r"(?:[\"'] ?[+\\]?[ ]?\r?\n\s{0,60}[brfu]?[\"'][A-Za-z0-9+/=_-]{8,200}){1,20}(?=[\"'])")
_BEFORE_CHARS = 40

_NO_SIGNS = str.maketrans("", "", "!@#%^&*+=")
_LABELS = {"sec": "secret", "tok": "token", "key": "key", "cre": "credential", "psk": "key"}
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


def find(text: str) -> Iterator[SecretSpan]:
    """Yield the values given to secret names, from left to right; places within one are passed over."""
    done = 0
    for start in _places(text):
        given = start >= done and (
            HINT.match(text, start) or not "a" <= text[start] <= "z" or text[start - 1 : start] == "-"
        )
        span = phrase(text, start) or _value(text, start) if given else None
        if span:
            yield SecretSpan(*span, _label(text[start : start + 3]))
            done = span[1]


def _places(text: str) -> list[int]:
    """Return where names may start, ascending: found as plain strings, twenty times as fast as by a pattern."""
    folded = text.lower()
    if len(folded) != len(text):  # some letters grow in lower case; then positions would not be the same
        folded = text.translate(_ASCII_LOWER)
    names = NAMES if text.isascii() else (*NAMES, *WIDE_NAMES)
    found = [_occurrences(folded, name) for name in names if name in folded]
    return sorted(set(itertools.chain.from_iterable(found))) if found else []


def _occurrences(text: str, word: str) -> Iterator[int]:
    """Yield where the word begins, from left to right."""
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + len(word))


def _value(text: str, start: int) -> tuple[int, int] | None:
    """Find the value given to the name at `start`; None when it is no secret."""
    match = ASSIGNED.match(text, start)
    if not match or _about(match) or not _given(match):
        return None
    group = "bare" if match["quoted"] is None else "quoted"
    value, password = match[group], match[0][:3].lower() == "psk" or _label(match[0]) == "password"
    if match["key"] and not _is_secret_key(match, value):
        return None
    after = text[match.end() : match.end() + 1]
    if group == "quoted":
        plausible = plausible_quoted(value, password) or _literal(match, after)
    else:
        plausible = plausible_bare(value, password, after, bool(match["told"])) or _set_outside_code(match, after)
    if password and value.isdigit() and not match["rest"] and not match["gap"] and not match["says"]:
        plausible = 6 <= len(value) <= 16  # digits alone
    return (match.start(group), _quote_end(match) if match["quoted"] else match.end(group)) if plausible else None


def _about(match: re.Match[str]) -> bool:
    """Return True if a name speaks about a secret and is none; words of other languages have endings of their own."""
    rest = match["rest"]
    return bool(rest and _ABOUT.search(rest)) and not (match["told"] and rest.isalpha() and rest.islower())


def _quote_end(match: re.Match[str]) -> int:
    """Return where a value in quotes ends: with the words behind it, when the quote that opened it closes them."""
    more = _MORE_WORDS.match(match.string, match.end()) or _MORE_LINES.match(match.string, match.end())
    return more.end() if more and match.string[match.start("quoted") - 1] == match.string[more.end()] else match.end()


def _literal(match: re.Match[str], after: str) -> bool:
    """Return True if one word in quotes is assigned to a name of a password: `PASSWORD = 'swordfish'`.

    After a colon, as data has it, only a word in lower case counts: others label a field.
    """
    value = match["quoted"]
    if match[0][:3].lower() not in ("pas", "pwd", "sec") or match["told"] or match["pass"]:
        return False
    if not after or after not in CLOSING or match["rest"].strip("_0123456789") or not word_of_letters(value):
        return False
    before = match.string[slice(*_before(match))]
    if match["comma"]:
        return value.islower() and bool(_DEFINES.search(before))
    sign = _ASSIGNING.fullmatch(match.string, match.end("rest"), match.start("quoted"))
    if not sign or before.lower().rstrip("_-.").endswith(NAMES_OF_TEXTS):
        return False
    return not sign["pair"] or (value.islower() and _label(match[0]) == "password")


def _set_outside_code(match: re.Match[str], after: str) -> bool:
    """Return True if a value is given as no code gives it: by a flag of a command, or a variable of the environment."""
    name, value = match[0][: match.start("bare") - match.start()], match["bare"]
    if stands_for_one(value) or value.lower() in NO_PASSWORDS or (after and after in "([{"):
        return False
    if name.lower() in ("password=", "passwd=") and match.string[max(0, match.start() - 2) : match.start()] == "--":
        return len(value) >= 6 and not value.isupper() and not value.islower() and value.isascii()
    if name in ("SECRET=", "SECRET_KEY=") and _ENVIRONMENT.search(match.string, *_before(match)):
        return len(value) >= 8 and with_digit(value) and not word_with_number(value)
    return _of_environment(match, after)


def _of_environment(match: re.Match[str], after: str) -> bool:
    """Return True if words are the password of a line `DB_PASSWORD=letmein`, as only files of settings write it."""
    name, value = match[0][: match.start("bare") - match.start()], match["bare"]
    return (
        name in ("PASSWORD=", "PASSWD=", "PWD=", "PASS=")
        and _ENVIRONMENT.search(match.string, *_before(match)) is not None
        and (after in ("", "\n", "\r") and value.isalpha() and len(value) > 4)
        and not (stands_for_one(value) or value.lower() in NO_PASSWORDS)
    )


def _before(match: re.Match[str]) -> tuple[int, int]:
    """Return where the characters before a match begin and end."""
    return max(0, match.start() - _BEFORE_CHARS), match.start()


def _is_secret_key(match: re.Match[str], value: str) -> bool:
    """Return True if the words before `key` say that it is secret, or the value does and no word says otherwise."""
    rest = match["rest"]
    if rest and rest[0].isalpha() and rest[0].isupper() == match["key"][-1].isupper():
        return False  # a keyword, a keyboard
    before = match.string[slice(*_before(match))].lower().rstrip("_ -.")
    if before.endswith(KINDS_OF_KEYS):
        return True
    if before.endswith(OTHER_KEYS):
        return False
    if drawn(value) and (
        (len(value) == 44 and value[-1] == "=") or (len(value) >= 32 and value.isalnum() and erratic(value))
    ):
        return True  # 32 bytes in base64, or letters and digits that no word, hash or name has
    if not before[-1:].isalnum() or not _NAME_BEFORE.search(match.string, *_before(match)):
        return False
    hexadecimal = len(value) in (32, 40, 64) and not value.strip("0123456789abcdef")
    return len(value) >= 20 and drawn(value) and (match["key"].isupper() or not hexadecimal)


def _given(match: re.Match[str]) -> bool:
    """Return True if the text between name and value assigns: signs do, a space only after a flag or before quotes."""
    if match["gap"] or match["says"]:
        return _told_or_set(match)
    text, end = match.string, match.end()
    if match["tag"]:
        return text.startswith(("</", "]]></"), end) and bool(_TAG.search(text, *_before(match)))
    if match["cell"]:
        return bool(_CELL_END.match(text, end))
    if match["call"]:
        sets = text[max(0, match.start() - 5) : match.start()].lower().rstrip("_").endswith(("set", "with"))
        return sets or _drawn_by_an_issuer(match["quoted"] or "")
    if match["comma"] or match["attribute"]:
        return not match["pass"] or match["pass"].isupper()
    return not match["pass"] or _password_by_pass(match)


def _told_or_set(match: re.Match[str]) -> bool:
    """Return True if a space or a verb gives the value: behind a flag, or words that tell it."""
    text = match.string
    if match["gap"] and (_FLAG.search(text, *_before(match)) or _SETS.search(text, *_before(match))):
        return True
    if match["pass"]:
        return False
    strong = match["gap"] and _strong(match["quoted"] or match["bare"], _label(match[0]) == "password")
    return bool(strong) or _told(match)


def _strong(value: str, password: bool) -> bool:
    """Return True if a value behind a space can be nothing but secret: long and drawn, or a password of all classes."""
    if password:
        mixed = drawn(value) and not value.islower() and not value.isupper()
        return len(value) >= 8 and mixed and (any(sign in value for sign in "!@#%^&*$") or erratic(value))
    return _drawn_by_an_issuer(value)


def _drawn_by_an_issuer(value: str) -> bool:
    """Return True if a value is long, and hexadecimal or of letters of both cases and digits: no word, no name."""
    hexadecimal = len(value) >= 32 and not value.strip("0123456789abcdef")
    plain = value.translate(_NO_SIGNS)
    return hexadecimal or (len(value) >= 20 and plain.isalnum() and drawn(value) and not value.islower())


def _told(match: re.Match[str]) -> bool:
    """Return True if words tell a password: quoted as a whole with a digit, or one word unlike prose after a verb."""
    value = match["quoted"] or match["bare"]
    if _TECHNICAL.match(value) or not any(map(str.isdigit, value)):
        return False
    if _label(match[0]) != "password":
        return bool(match["says"]) and len(value) >= 16 and drawn(value)
    if match["quoted"]:
        name = match["gap"] and match.string[match.start("quoted") - 1] == "`" and not drawn(value)  # of a variable
        return not name and _closed(match)
    return (bool(match["says"]) or erratic(value)) and "/" not in value


def _closed(match: re.Match[str]) -> bool:
    """Return True if a quote stands behind a value; French sets a space before its own."""
    behind = match.string[match.end() : match.end() + 2]
    return behind[:1] in {*CLOSING} or behind.lstrip() == "»"


def _password_by_pass(match: re.Match[str]) -> bool:
    """Return True if `pass` names a password.

    Of `DB_PASS=…` every value may be one; others must look drawn, and `PASS: test_1` is what tests print.
    """
    start, value = match.start(), match["quoted"] or match["bare"]
    named = match.string[max(0, start - 1) : start].isalpha() or match.string[max(0, start - 1) : start] == "_"
    if named and match["pass"].isupper():
        return True
    told = not match["colon"] or (not match["pass"].isupper() and erratic(value))
    return drawn(value) and (named or match["quoted"] is not None or told)


def _label(name: str) -> str:
    """Return the label by the first letters of a name; the other names are "password" in one language or another."""
    first = name[:3].lower()
    return _LABELS.get(first, "password")
