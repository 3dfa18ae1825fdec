"""Find values given to a name that says they are secret: `password = "…"`, `"api_key": "…"`, `TOKEN=…`, `--token …`.

Passwords are also told in words (`my password is …`, `passwd '…'`, `passphrase: …`), in tags, and in other languages.

Most such places in conversations are code, not secrets, so a value must earn it: `token: str`, `password = getpass()`,
`secret=os.environ["X"]`, `api_key=self.api_key`, `max_tokens: 4096` and `<your-token>` stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from importer.chunking.masking.chance import by_chance
from importer.chunking.masking.names import (
    ASSIGNED,
    HINT,
    KINDS_OF_KEYS,
    NAMES_OF_TEXTS,
    NO_PASSWORDS,
    OTHER_KEYS,
    OWNERS_OF_PASS,
)
from importer.chunking.masking.phrases import CLOSING, phrase
from importer.chunking.masking.shapes import UUID
from importer.chunking.masking.spans import SecretSpan
from importer.chunking.masking.values import (
    chosen,
    chosen_or_drawn,
    drawn,
    drawn_by_an_issuer,
    erratic,
    phrase_of_words,
    plausible_bare,
    plausible_quoted,
    stands_for_one,
    strong,
    with_digit,
    word_of_letters,
    word_with_number,
)

_FLAG = re.compile(  # stands before the name of a command's flag
    r"(?:--(?:[a-z]{1,16}[_-]){0,2}(?:api|auth|access)?|(?<![\w-])--?(?:[A-Za-z]{1,20}[_-]?){0,2})\Z"
)
_TAG = re.compile(
    r"<[A-Za-z0-9_.:-]{0,38}(?:>|\s[A-Za-z]{2,10}=[\"'])?[A-Za-z0-9_.:-]{0,38}\Z"
)  # stands before the name in a tag
_SETS = re.compile(
    r"(?:(?:\b(?:ENV|ARG|fastcgi_param|setx|SetEnv|set -g?x|setenv|option|set)|#define)[ \t]{1,4})[A-Z0-9_-]{0,38}\Z",
    re.I,
)  # sets a variable
_CELL_END = re.compile(r"[*`\"']{0,2}[ \t]{0,80}(?:[|│┃║]|\r?$)", re.MULTILINE)
_SETTER = re.compile(r"(?:set|Set|with|With)(?:_|[A-Z])?[A-Za-z0-9_]{0,30}\Z|(?:SET|set|with)\Z")
_OF_WIFI = re.compile(r"(?i:wpa2?|wep|wi-?fi|wlan|wireless\S{0,20})[_. -]{0,2}\Z")
_ENVIRONMENT = re.compile(r"(?:\A|[\s\"'])[A-Z0-9_]{1,38}_\Z")
_NAME_BEFORE = re.compile(r"[A-Za-z0-9]_\Z|[A-Z0-9]\Z|[a-z0-9](?=\Z)")
_ASSIGNING = re.compile(
    r"[\\\"'\]]{0,4}(?::[^=\n]{0,60})?\s{0,20}(?:==?|:=|=>|(?P<pair>:))\s{0,20}[brfu@]{0,2}\\{0,2}[\"'`]\Z"
)
_DEFINES = re.compile(r"(?:define|env|environ\.get|setdefault)\(\s?[\"'][A-Z0-9_]{0,30}\Z")
_MORE_WORDS = re.compile(r"(?: [^\s\"'`\\(){}\[\]=:;,<>]{1,30}){1,8}(?=[\"'`])")
_MORE_LINES = re.compile(r"(?:[\"'] ?[+\\]?[ ]?\r?\n\s{0,60}[brfu]?[\"'][A-Za-z0-9+/=_-]{8,200}){1,20}(?=[\"'])")
_BEFORE_CHARS = 40
_WITH_SIGNS = re.compile(  # what code has between values, within a password: no further name is assigned behind it
    r"(?:(?<==)[A-Za-z0-9]|[?=&])(?![A-Za-z_][\w.-]{0,40}=|[&?.=]|\w{1,40}[(\[])[A-Za-z0-9!@#$%^&*?+=._~-]{1,64}+(?=</|[\"'`;,<)]?(?:\s|\Z|[\"']))"
)

_LABELS = {"sec": "secret", "tok": "token", "key": "key", "cre": "credential", "psk": "key"}
_UUID = re.compile(UUID)
_ABOUT = re.compile(  # a name ending so speaks about a secret, and is not one
    r"(?:ids?|names?|types?|counts?|limits?|len|length|size|paths?|files?|dir|urls?|uri|endpoint|fields?|expir\w*|ttl|at"
    r"|budget|usage|policy|version|prefix|suffix|env|var|hint|label|format|regex|pattern|class|iz\w*|ary|s?_per\w*)\Z",
    re.IGNORECASE,
)


def find(text: str, places: list[int]) -> Iterator[SecretSpan]:
    """Yield the values given to secret names at these places, from left to right; places within one are passed over."""
    done = 0
    for start in places:
        given = start >= done and (
            HINT.match(text, start) or not "a" <= text[start] <= "z" or text[start - 1 : start] == "-"
        )
        span = phrase(text, start) or _value(text, start) if given else None
        if span:
            yield SecretSpan(*span, _label(text[start : start + 3]))
            done = span[1]


def _value(text: str, start: int) -> tuple[int, int] | None:
    """Find the value given to the name at `start`; None when it is no secret."""
    match = ASSIGNED.match(text, start)
    if not match or _about(match):
        return None
    group = "bare" if match["quoted"] is None else "quoted"
    value, password, end = match[group], match[0][:3].lower() == "psk" or _label(match[0]) == "password", match.end()
    password = password or bool(match["key"] and _OF_WIFI.search(text, *_before(match)))
    if password and group == "bare" and (more := _WITH_SIGNS.match(text, end)):
        value, end = value + more[0], more.end()
    if not _given(match, end):
        return None
    if match["key"] and not password and not _is_secret_key(match, value):
        return None
    if match["weak"] and not (drawn_by_an_issuer(value) or by_chance(value, 16)):
        return None
    after = text[end : end + 1]
    if group == "quoted":
        plausible = plausible_quoted(value, password) or _literal(match, after) or _phrase(match, value, after)
    else:
        plausible = plausible_bare(value, password, after, bool(match["told"])) or _set_outside_code(match, after)
    if password and value.isdigit() and not match["rest"] and not match["gap"] and not match["says"]:
        plausible = 6 <= len(value) <= 16  # digits alone
    return (match.start(group), _quote_end(match) if match["quoted"] else end) if plausible else None


def _phrase(match: re.Match[str], value: str, after: str) -> bool:
    """Return True if four words or more, joined by one sign, are given to a name of a password or secret."""
    named = _label(match[0]) in ("password", "secret") and not match["rest"] and not match["gap"]
    return named and after in {*CLOSING, "\n", "\r", "", " "} and phrase_of_words(value)


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
    if ((name.isupper() and "=" in name) or name[:5].lower() == "passp") and _phrase(match, value, after):
        return True
    data = match["tag"] or name.isupper() or match.string[match.start() - 1 : match.start()] == "_"
    data = data or bool(_FLAG.search(match.string, *_before(match)))
    if data and _label(name) == "password" and len(value) >= 6 and any(sign in value for sign in "!@#%^*?"):
        return True
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
    title = match["key"].istitle() and before[-1].isalpha()
    return len(value) >= 20 and drawn(value) and (match["key"].isupper() or title or not hexadecimal)


def _given(match: re.Match[str], end: int) -> bool:
    """Return True if the text between name and value assigns: signs do, a space only after a flag or before quotes."""
    if match["gap"] or match["says"]:
        return _told_or_set(match)
    text = match.string
    if match["tag"]:
        return text.startswith(("</", "]]></"), end) and bool(_TAG.search(text, *_before(match)))
    if match["cell"]:
        return bool(_CELL_END.match(text, end))
    if match["call"]:
        value = match["quoted"] or ""
        sets = bool(_SETTER.search(text, *_before(match))) or drawn_by_an_issuer(value) or by_chance(value, 10)
        return sets or (chosen(value) if _label(match[0]) == "password" else bool(_UUID.fullmatch(value)))
    if match["comma"] or match["attribute"]:
        return not match["pass"] or match["pass"].isupper() or drawn(match["quoted"] or match["bare"])
    return not match["pass"] or _password_by_pass(match)


def _told_or_set(match: re.Match[str]) -> bool:
    """Return True if a space or a verb gives the value: behind a flag, or words that tell it."""
    text = match.string
    if match["gap"] and (_FLAG.search(text, *_before(match)) or _SETS.search(text, *_before(match))):
        return True
    if match["pass"]:
        return False
    value = match["quoted"] or match["bare"]
    return bool(match["gap"] and strong(value, _label(match[0]) == "password")) or _told(match)


def _told(match: re.Match[str]) -> bool:
    """Return True if words tell a password: quoted as a whole with a digit, or one word unlike prose after a verb."""
    value = match["quoted"] or match["bare"]
    if not chosen_or_drawn(value) and not (value.isdigit() and len(value) > 5):
        return False
    if _label(match[0]) != "password":
        return bool(match["says"]) and len(value) >= 16 and drawn(value)
    if match["quoted"]:
        name = match["gap"] and match.string[match.start("quoted") - 1] == "`" and not drawn(value)  # of a variable
        return not name and _closed(match)
    return (bool(match["says"]) or erratic(value) or by_chance(value)) and "/" not in value


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
    told = not match["colon"] or (not match["pass"].isupper() and (erratic(value) or chosen(value)))
    owned = match.string[slice(*_before(match))].lower().rstrip("_ -.").endswith(OWNERS_OF_PASS)
    if owned and (named or match["colon"]) and with_digit(value):
        return True
    if named and match["quoted"] is not None and not word_with_number(value):
        return True
    return (drawn(value) or by_chance(value)) and (named or match["quoted"] is not None or told)


def _label(name: str) -> str:
    """Return the label by the first letters of a name; the other names are "password" in one language or another."""
    first = name[:3].lower()
    return _LABELS.get(first, "password")
