"""Table of places where a secret must stand: key blocks, headers, URLs, cookies, webhooks, hashes of passwords.

One row a place: its kind, markers of which one must occur in the text, and a pattern whose group `secret` is it.
"""

from __future__ import annotations

from collections.abc import Iterator

from importer.chunking.masking.marked import SecretPlaces, behind, each, found_if, place
from importer.chunking.masking.spans import SecretSpan
from importer.chunking.masking.values import chosen_or_drawn, mixed, scattered

_RUN = "[A-Za-z0-9_-]"
_BASE64 = "[A-Za-z0-9._~+/-]"
_SIGNATURE = "[A-Za-z0-9%+/_=.~-]"
_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

# Base64 lines and headers of a key block, with anything that joins them: escaped newlines, quotes, a diff's signs, the
# file and number that grep puts before a line.
# Atomic groups, no possessive repeat of one: before 3.11.5 (gh-106052) that does not go back when it fails halfway.
_NUMBER = r"(?<=[\n\r])[ \t]{0,8}(?:[\w./-]{1,80}[:-])?\d{1,6}(?:[:|→│-]|[ \t]{1,4})"
_GAP = rf"(?>(?:{_NUMBER}|\s|\\+[nrt]|[\"'`,>#|*;│\\]|\+(?=\s))*)"
_HEADER = r"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Subject|Charset): ?[^\n\\]{0,100}+"
_DASHES = "-{4,5} ?"
_END = rf"{_DASHES}END [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)? ?-{{4,5}}"
_KEY_BLOCK = (
    rf"{_DASHES}BEGIN [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)? ?-{{4,5}}"
    rf"(?P<secret>(?>(?:{_GAP}(?:{_HEADER}|[A-Za-z0-9+/=]{{16,}}+))+)"
    rf"(?:{_GAP}[A-Za-z0-9+/=]{{1,15}}+(?={_GAP}(?:=|{_DASHES}END)))?"
    rf"(?:{_GAP}=[A-Za-z0-9+/]{{4}}(?={_GAP}{_DASHES}END))?)(?:{_GAP}{_END})?"
)
_PUTTY = (
    r"Private-Lines: {0,2}\d{1,4}"
    r"(?P<secret>(?>(?:\s{1,4}[A-Za-z0-9+/=]{16,}+)+)(?:\s{1,4}[A-Za-z0-9+/=]{1,15}+(?=\s))?)"
)

_PAIR = r"[A-Za-z0-9_.%!#$&*+^|~-]{1,100}+(?:=[^;,\s\"'\\]*+)?"
_COOKIES = rf"ookie(?:[\"']?\s{{0,2}}[:=]|(?=\s))\s{{0,2}}\\?[\"']?(?P<all>{_PAIR}(?>(?:;\s?{_PAIR})*))"
_AUTHORIZATION = r"(?i:uthorization)[\"'`*\]]{0,4}\s{0,3}[:=,>]{1,2}\s{0,3}\\?[\"'`*]{0,3}(?P<all>[^\r\n]{6,600}+)"
_CODE = (
    "(?:\\d{1,2}[.)] |[-*] )?(?:[A-Za-z0-9]{4,5}(?:-[A-Za-z0-9]{4,5}){1,3}|\\d{4} \\d{4}|[a-z0-9]{8,10}(?=[\\s,;]|$))"
)
_WORD = "(?!(?:the|and|for|with|this|that|your|are|from|must|should|have|will|not|but|its)\\b)[a-z]{3,8}"
_SEED = (
    rf"[a-z ]{{0,10}}[\"'`*]{{0,3}}(?: is|:|=| =)\s{{0,3}}[\"'`]?(?P<secret>{_WORD}(?: {_WORD}){{11,23}})(?![A-Za-z])"
)
_PAIR_OF_LOGIN = r"[:\s]\s{0,3}[\w.@-]{1,40}\s?[/:]\s?(?P<secret>[^\s\"'`/:,]{8,64}+)"
_HEX_KEY = r"(?:0x)?(?P<secret>[0-9a-fA-F]{64})(?![0-9A-Za-z])"
_KEY_OF_HEX = r"(?P<secret>(?>[0-9a-fA-F]{32}(?:[0-9a-fA-F]{16}|[0-9a-fA-F]{32}){0,3}))(?![0-9A-Za-z])"
_COMMUNITY = r"\s{1,3}[\"']?(?!public\b|private\b)(?P<secret>[^\s\"'`,;()]{3,64}+)"
_HASH = "[./A-Za-z0-9+=,$]"

PLACES = (
    place("private-key", "PRIVATE", _KEY_BLOCK),
    place("private-key", "Private-Lines", _PUTTY),
    place("private-key", "OpenVPN Static", r"OpenVPN Static key V\d-{4,5}(?P<secret>(?>(?:\s{1,4}[0-9a-f]{32,})+))"),
    place("private-key", '"kty"', r'"(?:d|p|q|dp|dq|qi|k)"\s{0,3}:\s{0,3}"(?P<secret>[A-Za-z0-9_-]{20,}+)"'),
    place(
        "url-password",
        "://",
        r"://[^\s/:@\"'`<>\[\](){}]{0,64}+:(?P<secret>[^\s/\"'`<>@]{1,256}+(?>(?:@[^\s/\"'`<>@]{1,128}+(?=@))*))@",
    ),
    place("url-token", "://", rf"://(?P<secret>{_RUN}{{16,200}}+)(?::[^\s@/]{{1,256}}+)?@", sure=False),
    behind(
        r"(?:thin:|(?i:conn(?:ect)?) |sqlplus (?:-\w{1,20} ){0,2})[A-Za-z0-9_$#]{1,30}",
        bool,
        "url-password",
        "thin:, onn , onnect , CONN, sqlplus",
        r"/\"?(?P<secret>[^\s/@\"']{3,64}+)\"?@",
    ),
    place(
        "bearer-token",
        "earer, EARER",
        rf"(?i:earer)[ +]{{1,3}}(?:\\?\r?\n\s{{0,8}})?(?P<secret>{_BASE64}{{16,}}+={{0,2}})",
        sure=False,
    ),
    place("basic-login", "asic ", rf"asic (?<=[Bb]asic ) {{0,2}}(?P<secret>{_BASE64}{{12,}}+={{0,2}})", sure=False),
    each("authorization", "uthorization, UTHORIZATION", _AUTHORIZATION, rf"(?P<secret>{_BASE64}{{8,2000}}+={{0,2}})"),
    place("totp-secret", "otpauth:", r"otpauth://[^\s\"'`]{1,200}?secret=(?P<secret>[A-Z2-7a-z]{12,}+)"),
    place("wecom-webhook", "/webhook/send?", rf"/webhook/send\?key=(?P<secret>{_UUID})"),
    place("registry-login", '"auth"', r'"auth"\s{0,3}:\s{0,3}"(?P<secret>[A-Za-z0-9+/]{12,}+={0,2})"', sure=False),
    place("registry-login", "_auth", r"_auth ?= ?\"?(?P<secret>[A-Za-z0-9+/]{12,}+={0,2})", sure=False),
    place("registry-login", ":_password", r":_password ?= ?\"?(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})"),
    place(
        "password",
        "login",
        r"login\s{1,4}\S{1,100}+\s{1,8}(?:account\s{1,4}\S{1,100}+\s{1,8})?password\s{1,4}(?P<secret>[^\s\"']{3,128}+)",
    ),
    place(
        "password",
        ":5432:, :*:, :5433:, :6432:",
        r"(?m):(?:\d{4}|\*):[\w*-]{1,64}+:[\w*.@-]{1,64}+:(?P<secret>[^\s:]{4,128}+)$",
    ),
    each(
        "kubernetes-secret",
        "Secret",
        r"kind[\"']?: {0,3}[\"']?Secret\b(?P<all>(?>(?:[^\n]{0,4000}+\n?){1,60}))",
        r"(?m)^ {1,8}[\w.-]{1,80}: {1,3}[\"']?(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})[\"']?$",
    ),
    place(  # of a wallet
        "private-key",
        "rivate, rivkey, rivKey, riv_key",
        r"riv(?:ate[ _-]?|_?)[kK]ey(?:(?!sha|SHA|hash|Hash|ngerprint|igest|ublic)[^\n]){1,40}?"
        rf"(?<![0-9A-Za-z]){_HEX_KEY}",
    ),
    place(
        "private-key",
        "rivate",
        rf"(?<![0-9A-Za-z]){_HEX_KEY}[\"'`]{{0,2}}[\s(#/,*-]{{1,12}}(?:(?:is|was|as|my|the|your|a|its|wallet) ){{0,3}}"
        r"(?i:private[ _-]?key)",
    ),
    place("key", "-k, -K, --key", rf"-(?<![\w-]-)(?:[kK]|-key)(?:=|\s{{1,3}})[\"']?(?:0x)?{_KEY_OF_HEX}"),
    place("snmp-community", "community", rf"(?:snmp-server|snmp-agent|r[ow])[ ]?community6?{_COMMUNITY}"),
    found_if(
        chosen_or_drawn,
        "snmp-community",
        "ommunity",
        rf"(?i:snmp)[ _-]{{0,2}}[cC]ommunity(?:[ _-]string)?[\"']?(?: is| ?:| ?=)?{_COMMUNITY}",
    ),
    place("seed-phrase", "nemonic, NEMONIC", rf"(?i:nemonic){_SEED}"),
    place("seed-phrase", "hrase, HRASE", rf"(?i:hrase){_SEED}"),
    place("seed-phrase", "seed: , Seed: , seed = ", rf"[sS]eed{_SEED}"),
    place("seed-phrase", "allet", rf"allet{_SEED}"),
    place("seed-phrase", "ecovery", rf"ecovery{_SEED}"),
    found_if(chosen_or_drawn, "password", "redentials", rf"redentials(?: are| is)?{_PAIR_OF_LOGIN}"),
    found_if(chosen_or_drawn, "password", "user/pass, sername/password, u/p", rf"/p(?:ass(?:word)?)?{_PAIR_OF_LOGIN}"),
    found_if(chosen_or_drawn, "password", "ugangsdaten", rf"ugangsdaten{_PAIR_OF_LOGIN}"),
    place("password", "assword (", r"assword \((?P<secret>[^\s()\"']{8,64}+)\)", sure=False),
    place("password", "@", r":(?<=\w:)(?P<secret>[^\s:@/\"'`<>(){}\[\],;=\\]{8,64}+)@(?=[\w-]{1,63}\.)", sure=False),
    place(
        "password",
        "reateUser(",
        r"reateUser\(\s?[\"'][^\"'\s]{1,64}[\"'],\s?[\"'](?P<secret>[^\"'\s]{6,128}+)[\"']",
        sure=False,
    ),
    place(
        "wifi-key",
        "WEP, WPA, wifi, Wifi, WiFi, Wi-Fi",
        r"(?i:wep|wpa2?|wi-?fi) key:? {1,2}(?P<secret>[^\s\"']{8,64}+)",
        sure=False,
    ),
    place(
        "backup-codes",
        "cratch code, ackup code, ecovery code",
        rf"(?:ackup|ecovery) codes?:?\s{{1,4}}(?P<secret>{_CODE}(?>(?:[,\s]{{1,3}}{_CODE})*))",
    ),
    place(
        "card-code",
        "CVV, cvv, CVC, cvc",
        r"(?i:cvv2?|cvc2?)(?: code)?(?: is|:|=|(?= )) {0,2}(?P<secret>[0-9]{3,4})(?![\w.-])",
    ),
    place("password", "login", rf"login{_PAIR_OF_LOGIN}", sure=False),
    place(
        "password",
        "uth(, uth=(, uth = (, UTH = (, UTH=(",
        r"(?:uth|UTH)\s?=?\s?\(\s{0,3}[\"'][^\"'\s]{1,64}[\"'],\s{0,3}[\"'](?P<secret>[^\"'\s]{6,128}+)[\"']",
        sure=False,
    ),
    place("pin", "PIN", r"PIN(?: code)?(?: is|:|=) {0,2}(?P<secret>[0-9]{4,8})(?![\w.-])"),
    place("social-security-number", "SSN", r"SSN[:=#]? {0,2}(?P<secret>[0-9]{3}-[0-9]{2}-[0-9]{4})(?![\w-])"),
    place(
        "password-hash",
        "$argon2, $scrypt$, $pbkdf2",
        rf"\$(?P<secret>(?:argon2(?:id|i|d)|scrypt|pbkdf2[\w-]*)\${_HASH}{{20,}}+)",
    ),
    found_if(
        mixed,
        "key",
        "PAT:, PAT=, pat:, pat=, sk:, login=",
        r"(?:PAT|pat|sk|login)(?<![a-z]sk)(?<![a-z]pat)[\"'`]?\s{0,2}[:=]\s{0,2}[\"'`]?"
        r"(?P<secret>[A-Za-z0-9]{20,256}+)(?![\w./(-])",
    ),
    found_if(mixed, "key", "X-Key, x-key", r"[xX]-[kK]ey[\"']?\s?[:,=]\s{0,2}[\"']?(?P<secret>[A-Za-z0-9_-]{20,256}+)"),
    found_if(mixed, "key", "?key=, &key=", r"[?&]key=(?P<secret>[A-Za-z0-9_-]{20,256}+)"),
    each("cookie", "ookie", _COOKIES, r"(?<==)(?P<secret>[^;,\s\"'\\]{12,}+)"),
    place("session", "_session=", r"_session=(?P<secret>[A-Za-z0-9%_+/=-]{16,}+)", sure=False),
    place(
        "session",
        "SESS",
        r"(?:PHPSESSID|JSESSIONID|ASPSESSIONID\w{0,10})(?:=|: ?)(?P<secret>[A-Za-z0-9._-]{16,}+)",
        sure=False,
    ),
)

WORDS = (  # within one long word
    # addresses that let anyone write, or read
    place("telegram-token", ":AA", rf"(?<![0-9])[0-9]{{8,10}}:(?P<secret>AA{_RUN}{{32,}}+)"),
    place("slack-webhook", "hooks.slack.com/", r"hooks\.slack\.com/[a-z]{4,12}/(?P<secret>[A-Za-z0-9/_-]{20,}+)"),
    place("discord-webhook", "/webhooks/", rf"/api/(?:v\d+/)?webhooks/[0-9]{{15,}}+/(?P<secret>{_RUN}{{30,}}+)"),
    place("telegram-token", "telegram.org/bot", rf"org/bot(?P<secret>[0-9]{{8,10}}:{_RUN}{{30,}}+)"),
    found_if(scattered, "mattermost-webhook", "/hooks/", r"/hooks/(?P<secret>[a-z0-9]{26})(?![\w-])"),
    place("teams-webhook", "office.com/webhook", r"office\.com/webhookb?2?/(?P<secret>[A-Za-z0-9@/-]{40,}+)"),
    place("zapier-webhook", "hooks.zapier.com/", r"hooks\.zapier\.com/hooks/catch/(?P<secret>[0-9]+/[A-Za-z0-9]{6,}+)"),
    place("ifttt-key", "/with/key/", rf"/with/key/(?P<secret>{_RUN}{{16,}}+)"),
    place("feishu-webhook", "/bot/v2/hook/", r"/bot/v2/hook/(?P<secret>[A-Za-z0-9-]{20,}+)"),
    place("pagerduty-key", "pagerduty.com/integration/", r"pagerduty\.com/integration/(?P<secret>[A-Za-z0-9]{20,}+)"),
    place("ping-key", "hc-ping.com/", rf"hc-ping\.com/(?P<secret>{_UUID})"),
    # tokens known by their middle or end
    place("salesforce-token", "!AQ", r"(?<![\w.])(?P<secret>00D[A-Za-z0-9]{12,15}!AQ[A-Za-z0-9._-]{60,}+)"),
    place("azure-secret", "Q~", r"(?<![A-Za-z0-9_~.-])(?P<secret>[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{28,40})"),
    place("terraform-token", ".atlasv1.", rf"(?<![A-Za-z0-9])(?P<secret>[A-Za-z0-9]{{14}}\.atlasv1\.{_RUN}{{40,}}+)"),
    place("maxmind-key", "_mmk", r"(?<![A-Za-z0-9])(?P<secret>[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk)"),
    place("mailchimp-key", "-us", r"(?<![0-9a-f])(?P<secret>[0-9a-f]{32}-us[0-9]{1,2})(?![0-9a-z])"),
    place("newrelic-key", "NRAL", r"(?<![0-9a-zA-Z])(?P<secret>[0-9a-f]{32,36}NRAL)"),
    place(
        "aws-secret",
        "AKIA, ASIA",
        r"(?:AKIA|ASIA)[A-Z0-9]{16}[\s,:;|/\"'`&]{1,6}(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        sure=False,
    ),
    # hashes of passwords
    place("password-hash", "$2", r"\$(?P<secret>2[abxy]?\$\d\d\$[./A-Za-z0-9]{53})"),
    place(
        "password-hash",
        "$1$, $5$, $6$, $7$, $8$, $9$, $y$, $apr1$, $md5",
        rf"\$(?P<secret>(?:[156789y]|apr1|md5)\${_HASH}{{20,}}+)",
    ),
    place("password-hash", "$P$, $H$, $S$", r"\$(?P<secret>[PHS]\$[./A-Za-z0-9]{31,55})"),
    place("password-hash", "$krb5", r"\$(?P<secret>krb5\w{2,8}\$[^\s]{20,}+)"),
    place(
        "password-hash",
        "pbkdf2, scrypt:, SHA}",
        rf"(?P<secret>(?:pbkdf2[:_]sha\d{{1,3}}[:$]|scrypt:\d|\{{S?SHA\d{{0,3}}\}}){_HASH}[:{_HASH[1:-1]}]{{20,}}+)",
    ),
)

_SIGNED_IN = (
    "://",
    "haredAccessSignature",
    "X-Amz-",
    "X-Goog-",
    "sv=20",
    "&se=",
    "&Key-Pair-Id=",
    "Policy=",
    "&sp=",
)  # addresses, whole or the end of one
SIGNED = tuple(
    place("url-signature", f"{name}=", rf"{name}=(?<![A-Za-z0-9]{name}=)(?P<secret>{_SIGNATURE}{{16,}}+)", sure=False)
    for name in (
        "sig", "X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "X-Goog-Signature", "X-Goog-Credential",
        "Signature", "hmac", "jwt",
    )
)  # fmt: skip
_SIGNED = SecretPlaces(SIGNED)


def signatures(text: str) -> Iterator[SecretSpan]:
    """Yield the signatures of addresses."""
    return _SIGNED.spans(text) if any(map(text.__contains__, _SIGNED_IN)) else iter(())
