"""Table of names that say a value is secret, in many languages, and of the ways in which a value is given to a name.

`password = "…"`, `"api_key": "…"`, `TOKEN=…`, `**Password:** …`, `| password | … |`, `<password>…</password>`,
`setdefault("SECRET", "…")`, `name: TOKEN, value: …`, `my password is …`, `Passwort: …`.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterator

NAMES = (  # in lower case; a name holds one of them
    "pass", "paswor", "pw", "psk", "secret", "token", "key", "credential", "creds", "kennwort", "contrase", "senha",
    "clave", "wachtwoord", "salasana", "haslo", "heslo", "jelszo", "parol", "losenord", "adgangskode", "kata sandi",
    "sifre", "mdp", "parool", "contrasen", "contrasinal", "lozink", "zapork", "geslo", "kodeord", "kata laluan",
    "fjalekalim", "pasahitz", "nenosiri",
    "salt", "seed", "bearer", "auth", "community", "session", "cookie", "jwt", "licen", "otp",
)  # fmt: skip
WIDE_NAMES = (
    "парол", "hasło", "lösenord", "jelszó", "şifre", "mật khẩu", "κωδικός", "密码", "密碼", "口令",
    "パスワード", "비밀번호",
    "암호", "비번", "סיסמה", "סיסמא", "סיסמת", "كلمة المرور", "كلمة مرور", "كلمة السر",
    "الرقم السري", "पासवर्ड", "รหัสผ่าน",
    "лозинк", "slaptažod", "slaptazod", "lykilorð", "fjalëkalim", "رمز عبور", "گذرواژه", "پاس ورڈ", "পাসওয়ার্ড",
    "கடவுச்சொல்", "პაროლი", "գաղտնաբառ",
)  # fmt: skip
KINDS_OF_KEYS = (  # what may stand before "key" when it is secret
    "api", "access", "account", "private", "auth", "encryption", "decryption", "encrypt", "signing", "sign", "shared",
    "secret", "license", "licence", "admin", "application", "app", "master", "root", "service", "server", "deploy",
    "webhook", "integration", "ingest", "insert", "ingestion", "write", "search", "rest", "hmac", "jwt", "session",
    "storage", "subscription", "functions", "function", "sas", "host", "client", "consumer", "cipher", "aes", "crypto",
    "personal", "product", "activation", "symmetric", "preshared", "wallet", "vapid", "maps", "authentication",
    "pre-shared", "my", "our", "openai", "anthropic", "gemini", "google", "stripe", "github", "gitlab", "slack",
    "discord", "telegram", "twilio", "sendgrid", "mistral", "cohere", "groq", "deepseek", "huggingface", "azure", "aws",
    "certificate", "network", "link", "mesh", "zigbee", "bluetooth", "unseal", "fernet", "recovery", "agent", "bot",
    "stream", "vault", "local", "instrumentation", "merchant", "transaction", "payment", "bucket", "sdk", "bearer",
    "enc", "dec", "authenticated", "functions", "user", "team", "project", "workspace", "org", "hash", "wifi", "wlan",
    "wpa", "wireless", "ssh", "passwd", "security", "signature", "validation", "verification", "partner", "developer",
)  # fmt: skip
OTHER_KEYS = (  # and when it is not
    "public", "primary", "foreign", "cache", "sort", "partition", "lookup", "dict", "map", "hash", "object", "s3",
    "row", "index", "group", "unique", "routing", "natural", "composite", "i18n", "translation", "query", "etag",
    "idempotency", "dedupe", "content", "image", "file", "doc", "test", "commit", "sha", "pub", "module",
)  # fmt: skip
OWNERS_OF_PASS = (  # what may stand before "pass" when it is a password
    "db", "sql", "database", "pg", "postgres", "mongo", "redis", "mqtt", "smtp", "mail", "imap", "pop", "sudo", "admin",
    "root", "user", "usr", "ftp", "ssh", "wifi", "wlan", "login", "auth", "proxy", "bind", "ldap", "key", "store",
    "app", "api", "svc", "service", "http", "vpn", "become", "my", "temp", "rpc", "rcon", "snmp", "radius", "ap", "sta",
    "ota", "stream",     "broker", "server", "client", "account", "bot", "registry", "router", "net",
)  # fmt: skip
NAMES_OF_TEXTS = (  # before a name, they say that its value names a field, a text or a way to sign in
    "conf", "config", "attr", "attribute", "field", "fields", "label", "labels", "type", "grant", "error",
    "errors", "messages", "invalid", "wrong", "missing", "auth", "method", "prop", "param", "arg", "opt",
    "option", "mode", "scope", "column", "role", "event", "reset", "set", "forgot", "forgotten", "change", "show",
    "hide", "confirm", "toggle", "update", "enter", "repeat", "placeholder",
)  # fmt: skip
NO_PASSWORDS = (  # in lower case; what stands in quotes where a password might
    "string", "required", "optional", "hidden", "default", "unknown", "invalid", "missing", "disabled", "enabled",
    "plaintext", "encrypted", "undefined", "change", "changed", "redacted", "masked", "removed", "omitted",
    "private", "public", "database", "username", "basic", "digest", "bearer", "oauth", "client", "server",
    "vault", "manager", "keyring", "prompt", "environ", "environment", "config", "settings", "number", "boolean",
    "object", "varchar", "sensitive", "nothing", "notset", "unused", "ignored", "always", "never", "manual",
    "random", "generated", "replace", "replaceme", "insert", "yours", "varchar2", "integer", "confidential",
    "passwort", "passord", "kennwort", "wachtwoord", "motdepasse", "contraseña", "contrasena", "senha", "parola",
    "parole", "lösenord", "losenord", "adgangskode", "hasło", "heslo", "salasana", "jelszó", "пароль",
)  # fmt: skip

# "pass" alone is mostly a word of its own: tests pass, a render pass
_ALONE = (
    "(?P<pass>(?:(?<![A-Za-z0-9])|(?<=[a-z])(?<!by)(?<!com)(?<!tres)(?<!sur)(?<!over)(?<!under)(?<!im)(?<!tow)"
    "(?<!com)(?<!multi)(?<!single))pass(?![A-Za-z0-9_-]))"
)
_TOLD = (
    "passwort|passord|(?<=mot.de.)passe|(?<=motde)passe|(?<=palavra-)passe|kennwort"
    "|contrase[nñ]a|senha|clave(?: de acceso)?|wachtwoord|salasana"
    "|has[lł]o"
    "|heslo|(?<![A-Za-z])mdp(?![A-Za-z])|jelsz(?:[oó]|av)"
    "|parol[aă](?: d['’]ordine)?|parole|parool|l[oö]senord|adgangskode|kodeord"  # noqa: RUF001
    "|kata (?:sandi|laluan)|[sş]ifre|contrasenya|contrasinal|lozink[aeiu]|zapork[aeiu]|geslo|slapta[zž]od(?:is|į|žio)"
    "|lykilorð|fjal[eë]kalim|pasahitz|nenosiri|парол(?:ь|я|ю|ата)|лозинк[аеиу]|mật khẩu|κωδικός(?: πρόσβασης)?"
    "|密[码碼]|口令|パスワード|비밀번호|비번|암호|סיסמ[האת]|كلمة (?:المرور|مرور|السر)|الرقم السري"
    "|رمز عبور|گذرواژه|پاس ورڈ"
    "|पासवर्ड|পাসওয়ার্ড|கடவுச்சொல்|პაროლი|գաղտնաբառ|รหัสผ่าน"
)
_WEAK = (  # what these names are given is secret only if it was drawn by an issuer
    r"(?P<weak>(?:salt|seed|bearer|auth|community|licen[cs]e|session(?:_?id)?|cookie|jwt|otp)"
    r"(?-i:(?![a-z])|(?<=[A-Z])(?![A-Z])))"
)
_NAME = (
    r"(?:pass?wo?r?d|pass[_ -]?phrase|pass[_-]?code|secret|token|credential|creds|(?P<key>key)|pwd"
    rf"|(?:(?<![A-Za-z0-9])|(?<=bind)|(?<=root)|(?<=master)|(?-i:(?<=[a-z])(?=Pw)))(?:pw|psk)(?![a-z])|(?P<told>{_TOLD})|{_ALONE}|{_WEAK})(?P<r"
    rf"est>[A-Za-z0-9_-]{{0,40}}+)"
)
_QUOTE = "\"'`“”„«»‘’＂「」『』"  # noqa: RUF001
_OPEN = rf"\\{{0,15}}(?:«[ \u00a0\u202f]?|\"\"\"|'''|'\"|\"'|[{_QUOTE}])"  # French sets a space within its quotes
_TYPE = (  # as in `password: str | None = …`, `token: &'static str = …`, and `var password string = …`
    r"(?:\s{0,3}:\s{0,3}"
    r"(?:&\s?(?:'\w{1,20} )?(?:mut )?)?[A-Za-z_][A-Za-z0-9_.\[\]|, ]{0,40}+(?==\D)"
    r"|\s(?:As\s)?(?:string|\[\]byte)(?=\s?=))?"
)
_ASIDE = r"(?:\s(?:\([^()\n]{1,30}\)|\[[^\[\]\n]{0,30}\])(?=\s{0,3}:))?"  # `Password (temporary):`, `Key [None]:`
_VERBS = "is|was|to|ist|lautet|est|c'est|c’est|es|é|è|és|är|er|on|jest|je|este|ir|yra|adalah|là|е|είναι|это|هي|הוא|היא"  # noqa: RUF001
_CHANGED = "(?:(?:is|was|has been|to be|got) )?(?:re)?(?:set|changed|rotated|updated|configured) to"
_IS = "是为為は는은"
_SAYS = (
    rf"(?P<says>[{_QUOTE}]?(?:\s{{1,3}}(?:{_CHANGED}|{_VERBS})(?: now)?|\s?[{_IS}])(?:\s{{0,2}}:)?\s{{0,3}}(?<=[\s"
    rf":{_IS}])(?:```[a-z]{{0,12}}\s)?[*_]{{0,3}})"
)
_SIGN = (
    rf"\\{{0,15}}[{_QUOTE}*_\])¹²³]{{0,4}}{_ASIDE}(?:\[\d{{1,3}}\])?{_TYPE}\s{{0,20}}(?::=|=>|->|\?=|\|\|=?|\?\?"
    rf"|!==?|[=＝]{{1,3}}|<-|\.{{4,80}}[ :]?(?!\S{{300}})|[→–—➜➔➡⇒]|(?<=\s)-(?=\s)|(?P<colon>[:：]{{1,2}}))"  # noqa: RUF001
    r"[*_]{0,2}\s{0,20}(?:<[a-z]{1,8}(?:\s[^<>\n]{0,60})?>|\{\w{1,20}\}\s|\[-|"
    r"\{\+|\\\r?\n\s{0,20}|\((?=\s{0,20}[\"'])\s{0,20}|```[a-z]{0,12}\s"
    r"|(?:(?<=:)|(?<=:\s))(?:!!?[a-z]{1,12}\s|[|>][+-]?[ \t]{0,4}\r?\n\s{1,40}))?"
)
_COMMA = rf"(?P<comma>{_OPEN}\s{{0,3}}\)?,\s{{0,20}}(?={_OPEN}))"
_ATTRIBUTE = (
    rf"(?P<attribute>[{_QUOTE}]?\s{{0,3}},?\s{{0,40}}[{_QUOTE}]?(?:value|val|v)[{_QUOTE}]?\s{{0,2}}[:=]\s{{0,3}})"
)
_CELL = r"(?P<cell>[*`]{0,2}[ \t]{0,40}[|│┃║][ \t]{0,40}[*]{0,2})"
_MARKED = (
    rf"(?P<tag>(?:\s[A-Za-z:]{{1,20}}=[\"'][^\"'<>\n]{{0,200}}[\"']){{0,3}}[\"']?>\s{{0,3}}(?:<!\[CDATA\[|<value>)?|</"
    rf"\w{{1,6}}>\s{{0,60}}<\w{{1,8}}(?:\s[^<>\n]{{0,80}})?>)"
    rf"|{_SAYS}|(?P<call>\(\s?(?={_OPEN}))|(?P<gap>\s{{1,3}})"
)
_GIVES = rf"(?:{_SIGN}|{_COMMA}|{_ATTRIBUTE}|{_CELL}|{_MARKED})"
_CHARS = "[A-Za-zÀ-ɏЀ-ӿ0-9+/_.~!@#%^*$-]"
_QUERY = rf"(?>(?:&(?![A-Za-z_][A-Za-z0-9_.-]{{0,40}}=){_CHARS}*+)*)"  # up to the next name of a query
_OWNER = r"(?:base64:|[a-z]{2,12}:(?=[A-Za-z0-9+/]{24})|[0-9]{13,17}\|)?"  # before a value, as some issuers write it
_BARE = rf"(?:(?<!:)\?(?=[A-Za-z0-9]))?{_OWNER}{_CHARS}++{_QUERY}={{0,2}}"
_MAKERS = r"Secret|SecretStr|String|bytes|from|quote|Some|Just|sensitive|\[\]byte|toBytes"  # of a value from a text
_CALL = rf"(?:[A-Za-z]{{1,20}}(?:\.|::))?(?:{_MAKERS})\(\s?"
_WRAPPER = rf"(?:(?:[brfuN@]{{1,2}}|{_CALL})(?=[\"']))?"
_VALUE = (
    rf"(?:{_WRAPPER}{_OPEN}(?P<quoted>[^{_QUOTE}\\\s]{{6,}}+)|(?:\[\[|\{{\w{{2,10}}\}}|OBF:|Just\s)?(?P<bare>{_BARE}))"
)
ASSIGNED = re.compile(_NAME + _GIVES + _VALUE, re.IGNORECASE)
HINT = re.compile(  # what must follow the start of a name for a value to be given to it, read fast
    rf"\w{{0,60}}+(?: (?:khẩu|sandi|laluan)\w{{0,8}})?(?:(?:[ -]\w{{1,20}}+)?\\{{0,15}}[{_QUOTE}*\[\])(¹²³]|\s[(\[]"
    rf"|[- \r\n]{{1,2}}\w{{1,20}}+\s{{0,20}}[:=：＝]"  # noqa: RUF001
    rf"|\s{{0,20}}[:=<>|?!,：＝→–—➜➔➡⇒│┃║-]|\.{{4}}"  # noqa: RUF001
    rf"|\s{{1,3}}(?:(?:{_VERBS}|has|got|string)\s|\\{{0,15}}[{_QUOTE}])|\s?[是为為は는은]|\s{{1,3}}(?:[^\s\d]{{0,30}}+\d|[^\s\d]{{0,30}}?(?-i:[a-z][A-Z])))",
    re.IGNORECASE,
)
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def named_places(text: str) -> list[int]:
    """Return where secret names may start, ascending: found as plain strings, twenty times as fast as by a pattern."""
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
