"""Table of lines in which a secret stands: of sessions at a terminal, of protocols, of files that programs read.

USER ann / PASS …     : PSK "…"     set psksecret ENC …     $ argocd admin initial-password / …     Password    …
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from importer.chunking.masking.marked import SecretPlace, each, found_if, place
from importer.chunking.masking.values import chosen, drawn, mixed_or_hex, scattered, with_digit

_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_WORD = r"(?P<secret>[^\s\"'`,;]{6,128}+)"
_COMMAND_CHARS = 180  # before the word that says so
_PROMPT = re.compile(r"[$#>%] ")
_MOST_LINES = 200  # of a key whose beginning is not there
_KEY_LINE = re.compile(r"(?:[^\sA-Za-z0-9+/]{0,3}|[\w./-]{1,80}[:-]\d{1,6}[:-]|\s{0,8}\d{1,6}[:|→\t ])\s{0,12}")
_OF_KEY = re.compile(r"[\"']?(?P<secret>[A-Za-z0-9+/]{16,}+={0,2})(?:\\n)?[\"' +\\]{0,5}\r?")


def _above(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the lines of a key above its end, from the last to the first, as long as they are of its letters."""
    text, end = match.string, match.string.rfind("\n", 0, match.start())
    for _ in range(_MOST_LINES):
        if end < 0:
            return
        start = text.rfind("\n", 0, end) + 1
        before = _KEY_LINE.match(text, start, end)
        line = _OF_KEY.fullmatch(text, before.end() if before else start, end)
        if not line:
            return
        yield line.span("secret")
        end = start - 1


def _likely(value: str) -> bool:
    """Return True if a line behind a command that prints a secret is one: a chosen password, or drawn."""
    return mixed_or_hex(value) or chosen(value) or (with_digit(value) and drawn(value))


def _printed(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the line below a command that asks for a secret, if it may be one; a prompt stands before the command."""
    start = match.string.rfind("\n", max(0, match.start() - _COMMAND_CHARS), match.start()) + 1
    if _PROMPT.search(match.string, start, match.start()) and _likely(match["secret"]):
        yield match.span("secret")


LINES: tuple[SecretPlace, ...] = (
    SecretPlace("private-key", ("END ",), r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY", _above),
    place("vault-block", "$ANSIBLE_VAULT", r"ANSIBLE_VAULT;[^\n]{1,60}(?P<secret>(?>(?:\\?\s{1,20}[0-9a-f]{20,}+)+))"),
    place(
        "private-key",
        "ecret, rivate, eypair",
        r"(?:ecret|rivate|eypair)[^\n\[\]]{0,30}\[\s?(?P<secret>(?:\d{1,3},\s{0,3}){31,127}\d{1,3})\s?\]",
    ),
    place(
        "key",
        "work_key, ocal_key, tion_key",
        r"(?:network|local|encryption)_key[\"']?\s?[:=]\s?\[\s?(?P<secret>(?:(?:0x)?[0-9a-fA-F]{1,3},\s{0,3}"
        r"){15,63}(?:0x)?[0-9a-fA-F]{1,3})\s?\]",
    ),
    # of protocols
    place(
        "password",
        "PASS ",
        r"USER \S{1,64}\r?\n(?:[^\n]{0,200}\n){0,2}?(?:[^\n]{0,30}[>:] ?|quote )?PASS (?P<secret>\S{4,128}+)",
    ),
    place(
        "password", "PASS ", r"\d{3}[^\n]{0,30}assword[^\n]{0,60}\r?\n(?:[^\n]{0,30}[>:] ?)?PASS (?P<secret>\S{4,128}+)"
    ),
    found_if(
        with_digit,
        "login",
        "AUTH ",
        r"AUTH PLAIN(?:\r?\n334[^\n]{0,8}\n(?:[^\n]{0,4}[>:] )?| )(?P<secret>[A-Za-z0-9+/]{12,}+={0,2})",
    ),
    found_if(
        with_digit,
        "password",
        "334 UGFzc3dvcmQ6",
        r"334 UGFzc3dvcmQ6\r?\n(?:[^\n]{0,4}[>:] )?(?P<secret>[A-Za-z0-9+/]{6,}+={0,2})",
    ),
    found_if(
        with_digit,
        "password",
        "NickServ, nickserv, Q@",
        rf"(?i:nickserv|q@\S{{1,60}}) (?i:identify|auth)(?: [\w|-]{{1,32}}(?= \S))? {_WORD}",
    ),
    found_if(
        with_digit, "password", "AUTH ", r"(?m)(?:^|> |\d )AUTH (?:[\w.@-]{1,64} )?(?P<secret>[^\s\"'`:()=]{6,128}+)$"
    ),
    found_if(with_digit, "password", "SETUSER", r"(?i:setuser) [^\n]{1,100}? >(?P<secret>\S{4,128}+)"),
    found_if(
        with_digit,
        "password",
        "LOGIN ",
        r"\b[aA]\d{1,4} LOGIN [\"']?[\w.@-]{1,64}[\"']? [\"']?(?P<secret>[^\s\"']{4,128}+)",
    ),
    # of files
    place(
        "password",
        "PLAIN}, CRYPT}, MD5}, CLEAR}, CLEARTEXT}",
        r":\{(?:PLAIN|CRYPT|BLF-CRYPT|PLAIN-MD5|MD5|CLEAR|CLEARTEXT|CRAM-MD5)\}(?P<secret>[^\s:]{4,256}+)",
    ),
    found_if(
        with_digit,
        "password",
        "assword , pass ",
        r"(?m)^[ \t]*(?:user|login|account|host|from|machine|poll)\b[^\n]{1,80}\n(?:[^\n]{0,80}\n){0,2}?[ \t]*(?"
        r":password|passwd|pass)[ \t]{1,8}(?P<secret>[^\s\"'=:(){}]{6,128}+)$",
    ),
    found_if(
        with_digit,
        "key",
        "option key, option pa, option psk, option secret",
        r"option (?:key|password|passphrase|psk|secret) [\"'](?P<secret>[^\s\"']{6,128}+)",
    ),
    place("password", "@tcp(, @unix(, @udp(", r"[\w-]{1,32}:(?P<secret>[^\s:@\"'`/]{3,128}+)@(?:tcp|unix|udp)\("),
    found_if(
        with_digit, "password", "assword={, PWD={, Pwd={, pwd={", r"(?i:password|pwd)=\{(?P<secret>[^\s{}]{6,128}+)\};"
    ),
    place("pre-shared-key", "PSK, XAUTH, EAP", r":\s{1,4}(?:PSK|XAUTH|EAP|NTLM)\s{1,4}\"(?P<secret>[^\"\n]{4,128}+)\""),
    found_if(
        with_digit,
        "password",
        " * ",
        r"(?m)^[\w.@\\-]{1,64}[ \t]{1,8}\*[ \t]{1,8}(?P<secret>[^\s\"*]{6,64}+)[ \t]{1,8}\*[ \t]*$",
    ),
    found_if(
        with_digit,
        "password",
        "requirepass, masterauth",
        r"(?:requirepass|masterauth)\s{1,3}[\"']?(?P<secret>[^\s\"']{6,128}+)",
    ),
    place(
        "password",
        "set p, set secret, set authp, set k",
        r"set (?:[a-z-]{0,20}(?:psk|secret|passwd|password|key))(?: ENC)? \"?(?P<secret>[A-Za-z0-9+/]{40,}+={0,2})",
    ),
    place("password", "assword 5", r"password 51:b:(?P<secret>[0-9A-Fa-f]{20,}+)"),
    place(
        "password",
        'assword>{, assword="{, assword=\'{, assword: "{, assword": "{, assword={, Secret>{, hrase>{, PW={',
        r"(?:[Pp]ass(?:word|phrase)?|Secret|RootPW)(?:>|[\"']?[:=] ?[\"']?)\{(?P<secret>[A-Za-z0-9+/]{16,}+={0,2})\}",
    ),
    place("password-hash", "SHA}", r"\{S?SHA\d{0,3}\}(?P<secret>[A-Za-z0-9+/]{20,}+={0,2})"),
    each(
        "kubernetes-secret",
        "stringData",
        r"stringData:[ \t]?\r?\n(?P<all>(?>(?:[ \t]{1,8}[\w.-]{1,80}: [^\n]{1,400}(?:\n|\Z)){1,40}))",
        r"(?m)(?<=: )[\"']?(?P<secret>[^\s\"'{}\[\]]{6,256}+)[\"']?\r?$",
    ),
    place(
        "key",
        "AUTH_KEY', AUTH_SALT', IN_KEY', IN_SALT', NONCE_KEY', NONCE_SALT'",
        r"(?:AUTH|LOGGED_IN|NONCE)_(?:KEY|SALT)',\s{1,20}'(?P<secret>[^'\n]{20,128}+)'",
    ),
    place(
        "key",
        "secret_key, SECRET_KEY",
        r"(?i:secret_key)\s?=\s?b?(?P<quote>[\"'])(?P<secret>(?:(?!(?P=quote))[^\n\\]|\\.){12,128}+)(?P=quote)",
        sure=False,
    ),
    found_if(scattered, "token", "_PAT", r"_PAT[\"']?\s?[:=]\s?[\"']?(?P<secret>[A-Za-z0-9]{20,256}+)(?![\w./(-])"),
    found_if(
        mixed_or_hex,
        "key-file",
        "BASE64, base64, B64, P12, PFX, pfx, p12",
        r"(?i:(?:p12|pfx|jks|keystore|cert\w{0,12}|key\w{0,8}|profile)_?(?:base64|b64|data|content)?)[\"']?\s?[:"
        r"=]\s?[\"']?(?P<secret>(?:MII|/u3\+7Q|LS0tLS1CRUdJTi)[A-Za-z0-9+/]{60,}+={0,2})",
    ),
    place("approle-secret", "secret_id", rf"secret_id[\"']?\s{{0,2}}[:=]\s{{0,2}}[\"']?(?P<secret>{_UUID})"),
    each(
        "session",
        "curl",
        r"curl\b[^\n]{0,200}? (?:-b|--cookie)[ =][\"'](?P<all>[^\"'\n]{8,2000}+)",
        r"(?<==)(?P<secret>[^;,\s\"'\\]{12,}+)",
        scattered,
    ),
    found_if(
        drawn,
        "session",
        '"name"',
        r"\"name\":\s?\"[\w.-]{0,40}(?i:sess|sid|auth|csrf|xsrf|jwt|remember)[\w.-]{0,40}\",\s{0,20}\"value\":"
        r"\s?\"(?P<secret>[^\s\"]{16,4096}+)",
    ),
    # of dumps
    found_if(
        with_digit,
        "password",
        'assword"\n, assword"\r\n, ecret"\n, ecret"\r\n, oken"\n, oken"\r\n',
        r"name=\"\w{0,20}(?:assword|ecret|oken)\"\r?\n(?:[\w-]{1,40}: [^\n]{1,80}\n){0,3}\r?\n(?P<secret>[^\s\""
        r"]{6,512}+)(?=\r?\n|\Z)",
    ),
    found_if(
        with_digit,
        "password",
        'assword"], ecret"], oken"], _key"]',
        r"(?:assword|ecret|oken|_key)\"(?::\w{1,20}:?\w{0,20})?\]\s?=>\s{1,12}string\(\d{1,4}\) \"(?P<secret>[^"
        r"\s\"]{6,512}+)",
    ),
    found_if(
        with_digit,
        "password",
        "Out[",
        r"In \[\d{1,4}\]: [^\n]{0,60}(?:assword|ecret|oken|_key)[^\n]{0,20}\n\s{0,4}Out\[\d{1,4}\]: [\"'](?P<sec"
        r"ret>[^\s\"']{6,512}+)",
    ),
    # in addresses
    found_if(
        mixed_or_hex,
        "url-key",
        "appid=, APPID=, ?code=, &code=, sessionid=, sessionId=, ?sid=, &sid=, ?ticket=, &ticket=, SAMLRe, &asse"
        "rtion=, "
        "?k=, ?sign=, &sign=, ?auth=, &auth=, &otp=, ?invite=, ?magic=",
        r"(?:[?&;]|\A|(?<=[\s\"'`]))(?:(?i:appid|jsessionid|sessionid)|code|sid|ticket|SAML(?:Response|Request)|"
        r"assertion|k|sign|auth|invite|magic|otp)"
        r"=(?P<secret>[A-Za-z0-9._~+/%-]{16,8192}+={0,2})",
    ),
    place(
        "url-key",
        "/ical, /feed, basic.ics, calendar",
        rf"(?:/private-|/ical/|calendar/)(?P<secret>[0-9a-f]{{32,64}}|{_UUID})(?=[/.])",
    ),
    place(
        "url-key",
        "/t/",
        rf"(?:conda\.[a-z.]{{2,40}}|anaconda\.\w{{2,10}})/t/(?P<secret>(?:[a-z]{{2}}-)?[0-9a-f]{{2}}-{_UUID}"
        rf"|{_UUID})",
    ),
    # printed or set beside a name
    SecretPlace(
        "printed-secret",
        ("assword", "ecret", "oken"),
        r"(?:assword|ecret|oken)[^\n]{0,160}\n(?:```\w{0,10}\n)?(?P<secret>[^\s\"'`:(){}<>,/\\]{8,256}+)(?=\r?\n|\Z)",
        _printed,
    ),
    found_if(
        _likely,
        "password",
        "assword",
        r"assword[^\n]{0,120}\n(?:New|Generated|Current|Temporary) (?:value|password): (?P<secret>\S{6,128}+)",
    ),
    found_if(
        chosen,
        "password",
        "assword  , asswort  , Pass  , pass  ",
        r"(?m)^[ \t]{0,12}(?:[A-Z][\w-]{1,20} )?(?:[Pp]assw(?:ord|ort)|[Pp]ass) {2,40}(?P<secret>[^\s\"'`()=:,"
        r"]{6,128}+)[ \t]*$",
    ),
    found_if(
        with_digit,
        "license-key",
        "product key, roduct Key, icense key, icense Key, icence key, icence Key, ivation key, ivation Key, seri"
        "al, Serial, indows key",
        r"(?:[kK]ey|[sS]erial|icen[sc]e)(?: number| code)?[^\n\w]{1,6}(?:is |was )?(?P<secret>(?:[A-Z]{2}-)?[A-Z"
        r"0-9]{4,5}(?:-[A-Z0-9]{4,5}){3,5})(?![\w-])",
    ),
)
