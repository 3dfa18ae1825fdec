"""Table of the ways in which code, SQL, devices and people tell a login: a user's name, and the password beside it.

    new PDO($dsn, "app", "…")     INSERT INTO users (name, password) VALUES ('ann', '…')     username ann secret 5 …

One row a place, as in `places`: its kind, markers of which one must occur in the text, and a pattern whose group
`secret` is the password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from importer.chunking.masking.marked import SecretPlace, found_if, place
from importer.chunking.masking.values import chosen_or_drawn, mixed_or_hex, stands_for_one

_Q = "[\"'`]"
_TEXT = r"[\"'][^\"'\s]{1,128}[\"']"
_SECOND = r"[\"'](?P<secret>[^\"'\s]{6,128}+)[\"']"
_WORD = r"(?P<secret>[^\s\"'`,;]{6,128}+)"
_SHORT = r"(?P<secret>[^\s\"'`,;:/()\[\]{}.]{8,64}+)(?![/.(])"
_COLUMNS = re.compile(r"[^,]{1,200}")
_VALUES = re.compile(r"\s{0,20}(?:[NE]?'(?P<text>[^'\n]{0,500})'|[^',()\n]{1,200})\s{0,20}(?:,|$)")
_OF_PASSWORD = re.compile(r"\W{0,4}(?:\w{1,20}_)?(?:pass(?:word|wd)?|pwd|secret|api_?key|\w{1,20}token)\W{0,4}", re.I)


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


LOGINS: tuple[SecretPlace, ...] = (
    # in code
    found_if(
        chosen_or_drawn,
        "password",
        "redentials(, ogin(, uthenticate(, ogin_user(, setAuth(",
        rf"(?:redentials|[lL]ogin(?:_user)?|uthenticate|setAuth)\(\s{{0,3}}(?:{_TEXT}|[\w.]{{1,40}}),\s{{0,3}}{_SECOND}",
    ),
    found_if(
        chosen_or_drawn,
        "password",
        "connect(, Connection(, PDO(, mysqli(, Sequelize(",
        rf"(?:connect|Connection|PDO|mysqli|Sequelize)\((?:[^()\"'\n]{{1,60}}|[\"'][^\"'\n]{{1,200}}[\"']),\s{{0,3}}{_TEXT}"
        rf",\s{{0,3}}{_SECOND}",
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
    # of networks
    place("wifi-key", "WIFI:", r"WIFI:[^\s\"]{0,100}?P:(?P<secret>[^\s;\"]{4,64}+);"),
    place("wifi-key", "Key Content", r"Key Content\s{1,20}: (?P<secret>[^\s]{8,64})"),
    place(
        "wifi-key",
        "WLAN, wlan, W-LAN, Wi-Fi, WiFi, Wifi, wifi",
        r"(?i:w-?lan|wi-?fi)[ -]"
        r"(?i:schlüssel|passwort|code|key|clave|clé|chiave|chave|heslo|hasło|пароль)\s?(?: ist|[:=])\s{1,3}"
        r"[\"'`„“]?(?P<secret>[^\s\"'`“]{8,63}+)",
        sure=False,
    ),
    place("password", "<auth-user-pass>", r"<auth-user-pass>\s{0,4}\S{1,64}\s{1,4}(?P<secret>[^\s<]{3,128}+)"),
    # of programs
    place("password", "AUTH ", r"> AUTH (?:\S{1,64} )?(?P<secret>[^\s\"']{6,128}+)", sure=False),
    place("password", "NEO4J_AUTH", r"NEO4J_AUTH[\"']?\s?[:=]\s?[\"']?\w{1,32}/(?P<secret>[^\s\"']{4,128}+)"),
    place("password", "Ident", r"AuthIdent:\s{1,3}[\"']?[\w.@-]{1,64}:(?P<secret>[^\s\"']{4,128}+)"),
    place(
        "session-key",
        "BW_SESSION, OP_SESSION",
        r"(?:BW|OP)_SESSION\w{0,40}=[\"']?(?P<secret>[A-Za-z0-9+/_-]{20,}+={0,2})",
    ),
    place(
        "unseal-key",
        "nseal Key, nseal key",
        r"nseal [kK]ey(?: \d{1,2})?(?: \([\w ]{1,20}\))?: (?P<secret>[A-Za-z0-9+/]{32,}+={0,2})",
    ),
    place("bootstrap-token", "--token", r"--token(?:=|\s{1,3})(?P<secret>[a-z0-9]{6}\.[a-z0-9]{16})(?![\w.-])"),
    place(
        "key", '"username"', r'"username":\s?"[^"\s]{1,64}",\s{0,8}"key":\s?"(?P<secret>[0-9a-f]{32,64})"', sure=False
    ),
    place(
        "key",
        "lgoliasearch(, lient(",
        r"(?:lgoliasearch|lient)\([\"'][\w-]{6,40}[\"'],\s?[\"'](?P<secret>[0-9a-f]{32,64})[\"']",
        sure=False,
    ),
    place(
        "private-key",
        "ccounts:, ccounts =",
        r"ccounts(?::| =)\s{0,3}\[\s{0,8}[\"'](?:0x)?(?P<secret>[0-9a-fA-F]{64})[\"']",
    ),
    found_if(
        mixed_or_hex,
        "token",
        " login , uth login , config set ",
        r"login(?<=[a-z] login)(?: --?[a-z-]{1,20}(?:[= ][\w./:@-]{1,60})?){0,3} "
        r"(?P<secret>[A-Za-z0-9_-]{32,256}+)(?![\w./:@(-])",
    ),
)
_NAMED = r"\w{0,40}(?:TOKEN|KEY|SECRET|PASS)\w{0,20}"
_PRINTING = (  # commands that print a secret: how each begins, and the pattern of its rest
    ("pwgen ", r"[^\n|]{1,20}"),
    ("openssl rand -", r"(?:hex|base64)[^\n|]{0,20}"),
    ("wg gen", "(?:key|psk)"),
    ("printenv ", _NAMED),
    ("echo $", _NAMED),
    ('echo "$', rf"\{{?{_NAMED}\}}?\""),
    ("cat ", r"[^\s|]{0,80}(?:pass|secret|token|cred|api_?key)[\w.-]{0,20}"),
    ("pass show ", r"[^\n|]{1,60}"),
    ("op read ", r"[^\n|]{1,80}"),
    ("auth token", ""),
    ("auth print-", r"\w{1,10}-token"),
    ("get-login-password", r"[^\n|]{0,60}"),
    ("base64 -d", r"(?:ecode)?"),
    ("base64 --decode", ""),
)
LOGINS += tuple(
    found_if(
        mixed_or_hex,
        "printed-secret",
        begin,
        rf"{re.escape(begin)}{rest}\n(?:```\w{{0,10}}\n)?(?P<secret>[A-Za-z0-9+/=_.-]{{12,512}}+)(?=\r?\n|\Z)",
    )
    for begin, rest in _PRINTING
)
