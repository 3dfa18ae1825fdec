"""Table of the ways in which code, SQL, devices and people tell a login: a user's name, and the password beside it.

    new PDO($dsn, "app", "…")     INSERT INTO users (name, password) VALUES ('ann', '…')     username ann secret 5 …

One row a place, as in `places`: its kind, markers of which one must occur in the text, and a pattern whose group
`secret` is the password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from importer.chunking.masking.places import SecretPlace, each, found_if, place
from importer.chunking.masking.spans import SecretSpan
from importer.chunking.masking.values import erratic, stands_for_one

_Q = "[\"'`]"
_TEXT = r"[\"'][^\"'\s]{1,128}[\"']"
_SECOND = r"[\"'](?P<secret>[^\"'\s]{6,128}+)[\"']"
_WORD = r"(?P<secret>[^\s\"'`,;]{6,128}+)"
_SHORT = r"(?P<secret>[^\s\"'`,;:/()\[\]{}.]{8,64}+)(?![/.(])"
_COLUMNS = re.compile(r"[^,]{1,200}")
_VALUES = re.compile(r"\s{0,20}(?:[NE]?'(?P<text>[^'\n]{0,500})'|[^',()\n]{1,200})\s{0,20}(?:,|$)")
_OF_PASSWORD = re.compile(r"\W{0,4}(?:\w{1,20}_)?(?:pass(?:word|wd)?|pwd|secret|api_?key|\w{1,20}token)\W{0,4}", re.I)


def find(text: str) -> Iterator[SecretSpan]:
    """Yield the passwords of the logins that a text tells, row by row."""
    for row in LOGINS:
        if row.may_stand(text):
            yield from row.spans(text)


def _inserted(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the values of an SQL insert that stand in the place of a column for passwords."""
    columns = [_OF_PASSWORD.fullmatch(name[0]) for name in _COLUMNS.finditer(match["columns"])]
    at = match.start("values")
    for of_password in columns:
        value = _VALUES.match(match.string, at, match.end("values"))
        if not value:
            return
        if of_password and value["text"] and not stands_for_one(value["text"]):
            yield value.span("text")
        at = value.end()


LOGINS = (
    # in code
    place(
        "password",
        "redentials(, ogin(, uthenticate(, ogin_user(, setAuth(",
        rf"(?:redentials|[lL]ogin(?:_user)?|uthenticate|setAuth)\(\s{{0,3}}{_TEXT},\s{{0,3}}{_SECOND}",
        sure=False,
    ),
    place(
        "password",
        "connect(, Connection(, PDO(, mysqli(",
        rf"(?:connect|Connection|PDO|mysqli)\((?:[^()\"'\n]{{1,60}}|[\"'][^\"'\n]{{1,200}}[\"']),\s{{0,3}}{_TEXT}"
        rf",\s{{0,3}}{_SECOND}",
        sure=False,
    ),
    place(
        "password",
        "btoa(, b64encode(, Buffer(, Buffer.from(, ncodeToString(",
        rf"(?:btoa|b64encode|Buffer|from|ncodeToString)\(b?{_Q}[\w.@-]{{1,64}}+:(?P<secret>[^\s\"'`${{}}]{{6,128}}+){_Q}",
        sure=False,
    ),
    place(
        "password",
        "password_hash(, make_password(, hashpw(, bcrypt(, bcrypt.hash(, strcmp(, compare(",
        r"(?:password_hash|make_password|hashpw|bcrypt|bcrypt\.hash|(?:strcmp|compare)\(\w{0,20}[pP]ass\w{0,20},)\s{0,2}\(?"
        rf"b?{_SECOND}",
        sure=False,
    ),
    place(
        "secret",
        'variable "',
        r"variable \"[\w-]{0,40}(?:password|secret|token|key)\"\s{0,3}\{[^{}]{0,300}?default\s{0,20}=\s{0,3}"
        r"\"(?P<secret>[^\s\"]{6,})\"",
        sure=False,
    ),
    # in SQL
    place(
        "password",
        "PASSWORD FOR, password for",
        r"(?i:password for) [^\s=]{1,130}\s?=\s?(?:(?i:password)\()?[\"'](?P<secret>[^\"'\s]{4,128}+)",
    ),
    SecretPlace(
        "password",
        ("INSERT INTO", "insert into", "Insert Into"),
        (
            r"(?i:insert into) [\w.\"`\[\]]{1,130}\s{0,3}\((?P<columns>[^()]{1,600}+)\)\s{0,20}"
            r"(?i:values)\s{0,20}\((?P<values>[^()\n]{1,4000}+)\)"
        ),
        _inserted,
    ),
    # of network devices
    place(
        "password", "assword 7 , ecret 5 , ecret 8 , ecret 9 ", r"(?:assword|ecret) [5789] (?P<secret>[^\s\"']{6,}+)"
    ),
    place("password", "assword 0 , ecret 0 ", r"(?:assword|ecret) 0 (?P<secret>[^\s\"']{4,}+)"),
    place(
        "key",
        "pre-shared-key, server key, server-key, -server host",
        rf"(?:pre-shared-key|(?:radius|tacacs)-server(?: host \S{{1,60}})?(?: key|-key))"
        rf"(?: (?:ascii-text|hexadecimal|local|remote|[07]))?\s{{1,3}}{_Q}?{_WORD}",
        sure=False,
    ),
    # told by people
    place(
        "password",
        "word for, word of, wort f, word to, phrase for, phrase of, ken for, key for, secret for, роль от, роль для",
        r"(?i:password|passwort|passphrase|token|key|secret|пароль) (?:for|of|to|f[uü]r|от|для) [^\n:=]{1,40}?"
        rf"(?:\s?[:=]| is)\s{{1,3}}[\"'`]?{_WORD}",
        sure=False,
    ),
    found_if(
        erratic, "password", "@", rf"@[\w-]{{1,63}}\.[a-z]{{2,12}}(?:\s?[:/|;,]\s?|\s)(?:pw |pass |password )?{_SHORT}"
    ),
    found_if(
        erratic,
        "password",
        "dmin/, dmin /, rator/, rator /, root/, root /, stgres/, stgres /",
        rf"(?:(?<![\w/.])[aA]d|istr|stg|(?<![\w/.])ro)(?:min|ator|res|ot)\s?/\s?{_SHORT}",
    ),
    place(
        "password",
        " pass: , pass=,  pass ,  Pass:, /pass ,  pw: ,  pw ,  pwd:, \npass,  mdp",
        r"(?i:user(?:name)?|login|utilisateur|benutzer(?:name)?|usuario)(?::|=|\s)\s{0,3}[^\s,;/]{1,64}+[\s,;/]{1,3}"
        rf"(?:and |with )?(?i:pass|pw|pwd|mdp)(?::|=|\s)\s{{0,3}}[\"'`]?{_WORD}",
        sure=False,
    ),
    place(
        "password",
        "login is , login with , in with , in as , account is , creds, Creds, CREDS, redentials are ",
        r"(?:(?:login|account|redentials|reds) (?:is|are|with)|in (?:with|as)|(?i:creds)[:=]?)\s{1,3}[\"'`]?"
        rf"[\w.@-]{{1,64}}\s?[/:]\s?{_WORD}",
        sure=False,
    ),
    place(
        "totp-secret",
        "OTP, totp s, totp k, 2FA , 2fa , MFA , mfa ",
        r"(?i:totp|2fa|mfa)(?i:[ _-](?:secret|seed|key|code|setup key)){1,2}(?:is|[\s:=\"'`]){1,6}"
        r"(?P<secret>[A-Z2-7]{16,128}+)(?![A-Za-z0-9])",
    ),
    each(
        "totp-secret",
        "uthenticator",
        r"uthenticator[^\n]{0,60}?[:=]\s(?P<all>[A-Za-z2-7]{4}(?: [A-Za-z2-7]{4}){3,15})(?![A-Za-z0-9])",
        r"(?P<secret>[A-Za-z2-7 ]{19,}+)",
    ),
    place(
        "pin",
        "pin_code, pinCode, PIN_CODE, pin code, pincode, PUK",
        r"(?i:pin[_ ]?code|puk)[\"']?(?: is|\s?[:=])\s{0,3}[\"']?(?P<secret>[0-9]{4,8})(?![\w.-])",
    ),
    place(
        "door-code",
        "oor code, ate code, arm code, ock code, afe code, age code",
        r"(?:oor|ate|arm|ock|afe|age) code(?: is|:|=)? {1,2}#?(?P<secret>[0-9]{4,8})(?![\w.-])",
    ),
)
