"""Table of the calls, lists and maps of code and settings in which secrets stand: each names what its values are.

jwt.sign(payload, "…")     getenv("DB_PASS") ?: "…"     passwords = ["…", "…"]     tokens:\\n  - …
"""

from __future__ import annotations

from importer.chunking.masking.marked import SecretPlace, each, found_if, place
from importer.chunking.masking.values import chosen, chosen_or_drawn, drawn, mixed, mixed_or_hex, scattered

_Q = "[\"'`]"
_TEXT = r"[\"'][^\"'\s]{1,128}[\"']"
_DRAWN = r"[\"'](?P<secret>[^\s\"']{12,256}+)[\"']"
_CHOSEN = r"[\"'](?P<secret>[^\s\"'$<{]{6,128}+)"
_MANY = "(?:asswords|okens|ecrets|pi_?[kK]eys|PI_KEYS|PP_KEYS|SSWORDS|OKENS|ECRETS|redentials)"
_MARKERS = "asswords, okens, ecrets, pi_keys, piKeys, PI_KEYS, PP_KEYS, SSWORDS, OKENS, ECRETS, redentials"

CALLS: tuple[SecretPlace, ...] = (
    each(
        "secret",
        _MARKERS,
        rf"{_MANY}[\"']?\s?[:=]{{1,2}}\s?[\[{{(]\s{{0,20}}(?P<all>[^\]}})]{{1,2000}})",
        r"(?<=[\[\](){},:>\s])[\"'](?P<secret>[^\s\"':,]{8,256}+)[\"'](?!\s?[:=])",
    ),
    each(
        "secret",
        _MARKERS,
        rf"{_MANY}:[ \t]?\r?\n(?P<all>(?>(?:[ \t]{{1,20}}(?:- |[\w.-]{{1,40}}: )[^\n]{{1,400}}(?:\n|\Z)){{1,40}}))",
        r"(?m)^[ \t]+(?:- |[\w.-]{1,40}: )[\"']?(?P<secret>[^\s\"'{}\[\]]{8,256}+)[\"']?\r?$",
    ),
    each(
        "secret",
        "PP_KEYS, PI_KEYS, OKENS",
        r"(?:P[PI]_KEYS|TOKENS)=[\"']?(?P<all>[^\s\"']{16,2000}+)",
        r"(?P<secret>[^\s,;]{16,}+)",
    ),
    *(
        place(
            "password",
            marker,
            rf"{marker}\w{{0,10}}[\"'\]]{{1,2}}\s?\)?\s?(?:\)\s?(?:\.\w{{2,20}}\(|\?\?|\|\||\?:|or)|\.\w{{2,20}}\()\s?{_CHOSEN}",
            sure=False,
        )
        for marker in ("assword", "ASSWORD", "DB_PASS", "ecret", "SECRET", "oken", "TOKEN", "API_KEY")
    ),
    place(
        "password",
        "send , Send ",
        r"assword:?\\?s?\*?[\"'}]{1,2}\s{0,8}\{?\s{0,8}(?:exp_)?[sS]end(?: --)? [\"']?(?P<secret>[^\s\"'\\]{4,128}+)",
    ),
    found_if(mixed, "session", "ookie(", rf"ookie\(\s?{_TEXT},\s?{_DRAWN}"),
    place(
        "secret",
        "jwt., JWT., sign(, createHmac(, hmac.new(",
        rf"(?:(?:jwt|JWT)\.(?:sign|verify|encode|decode)\([^()\n]{{1,200}}?,|createHmac\([^()\n,]{{1,40}},|hmac\.new\()\s?b?{_DRAWN}",
        sure=False,
    ),
    place("key", "Fernet(", r"Fernet\(b?[\"'](?P<secret>[A-Za-z0-9_-]{43}=)"),
    place(
        "key",
        "fromhex(, unhexlify(, from_hex(",
        r"[kK](?:ey|EY)\w{0,20}\s?[:=]\s?[\w.]{0,20}(?:fromhex|unhexlify|from_hex)\(b?[\"'](?P<secret>[0-9a-fA-F]{32,128})",
    ),
    place("salt", "hash_salt, _SALT", rf"(?:hash_salt|_SALT)[\"'\]]{{0,2}}\s?[=,]\s{{0,8}}{_DRAWN}", sure=False),
    place(
        "key",
        "'crypt', \"crypt\"",
        r"[\"']crypt[\"']\s?(?:=>|:)\s?[\[{{]\s{0,8}[\"']key[\"']\s?(?:=>|:)\s?[\"'](?P<secret>[^\s\"']{16,128}+)",
    ),
    place("key", "ryptionKey=, idationKey=", r"(?:ryption|idation)Key=[\"'](?P<secret>[0-9A-Fa-f]{32,256})"),
    found_if(mixed, "session", "_SESSION=", r"_SESSION=[\"']?(?P<secret>[A-Za-z0-9+/=_-]{24,}+)"),
    # addresses with a key in their path
    found_if(
        mixed_or_hex,
        "url-key",
        "infura.io/, alchemy.com/, quiknode.pro/, ankr.com/, alchemyapi.io/, drpc.org/, getblock.io/, moralis.io/",
        r"(?:infura\.io|alchemy(?:api)?\.(?:com|io)|quiknode\.pro|ankr\.com|drpc\.org|getblock\.io|moralis\.io)"
        r"/(?:[\w-]{1,20}/){0,3}(?P<secret>[A-Za-z0-9_-]{20,80}+)",
    ),
    place(
        "stream-key",
        "rtmp://, rtmps://",
        r"rtmps?://[\w.-]{1,80}(?::\d{2,5})?/(?:[\w-]{1,20}/){1,2}(?P<secret>[A-Za-z0-9_-]{12,128}+)",
        sure=False,
    ),
    # of servers
    place("password", "stats auth", r"stats auth [\w.@-]{1,64}:(?P<secret>\S{4,128}+)"),
    place("password", "login=", r"cache_peer [^\n]{1,120}login=[\w.@-]{1,64}:(?P<secret>\S{4,128}+)"),
    place(
        "password",
        "enable secret, enable password",
        r"enable (?:secret|password) (?:level \d{1,2} )?(?P<secret>[^\s\"']{6,64}+)$",
        sure=False,
    ),
    place("password", '" *', r'"[^"\s]{1,64}"\s{1,8}\*\s{1,8}"(?P<secret>[^"\s]{4,64}+)"'),
    place(
        "password-hash",
        "SCRAM-SHA-",
        r"(?P<secret>SCRAM-SHA-\d{1,3}\$\d{3,7}:[A-Za-z0-9+/=]{8,}\$[A-Za-z0-9+/=:]{20,}+)",
    ),
    place("password-hash", '"md5', r'"\w{1,64}" "(?P<secret>md5[0-9a-f]{32})"'),
    place("password-hash", "ControlPassword", r"ControlPassword (?P<secret>16:[0-9A-F]{40,})"),
    place("password", "rootpw", r"rootpw (?:--?(?:plaintext|iscrypted) )?(?P<secret>[^\s-]\S{3,128}+)"),
    place(
        "password", "password password, password-again password", r"password(?:-again)? password (?P<secret>\S{4,128}+)"
    ),
    place(
        "password",
        "chpasswd:",
        r"chpasswd:\s{1,8}(?:expire: \w{1,8}\s{1,8})?(?:list|users): ?\|?\s{1,12}(?:- )?\w{1,32}:"
        r"(?P<secret>\S{4,128}+)",
    ),
    place("password", "Password><", r"Password><Value>(?P<secret>[^\s<]{4,128}+)"),
    place("key", "reshared-key", r"reshared-key <\(echo (?P<secret>[A-Za-z0-9+/]{43}=)"),
    place("password", "-extpass, -passcmd", r"-(?:extpass|passcmd)[ =][\"']?echo (?P<secret>[^\s\"']{4,128}+)"),
    found_if(
        scattered,
        "key",
        "authorize-account, authorize_account",
        r"authorize[-_]account [0-9a-f]{12,25} (?P<secret>[A-Za-z0-9+/]{25,}+)",
    ),
    place("password", "open -u", r"open -u [^\s,]{1,64},(?P<secret>[^\s]{3,128}+)"),
    place("token", ".login=", r"-D[a-z.]{1,30}\.login=(?P<secret>[0-9a-f]{32,64})"),
    place(
        "token",
        " auth ",
        r"(?:snyk|ngrok|railway|doppler|sentry-cli|turso|supabase|stripe|exo) auth (?:login )?"
        r"(?P<secret>[A-Za-z0-9_-]{20,128}+)",
        sure=False,
    ),
    place("token", "--auth", r"--auth(?:-?token)?[ =][\"']?(?P<secret>[A-Za-z0-9_-]{20,128}+)", sure=False),
    found_if(chosen_or_drawn, "password", "toCharArray()", r"\"(?P<secret>[^\s\"]{6,128}+)\"\.toCharArray\(\)"),
    found_if(chosen_or_drawn, "password", "gen_salt(", r"crypt\('(?P<secret>[^'\s]{4,128})',\s?gen_salt\("),
    found_if(
        chosen_or_drawn, "password", "DENTIFIED BY, dentified by", r"(?i:identified by) (?P<secret>[^\s\"';]{5,64}+)"
    ),
    found_if(
        mixed_or_hex,
        "key",
        "lient(, .init(, nitialize(, ealtime(, onfigure(",
        r"(?:[cC]lient|\.init|nitialize|ealtime|onfigure)\((?:(?:[\"'][^\"'\n]{1,100}[\"']|[\w.]{1,40}),\s?){0,3}"
        r"[\"'](?P<secret>[A-Za-z0-9_.:+=-]{20,256}+)[\"']",
    ),
    place("private-key", "<RSAKeyValue>, <D>", r"<(?:D|P|Q|DP|DQ|InverseQ)>(?P<secret>[A-Za-z0-9+/]{40,}+={0,2})<"),
    place("jenkins-secret", "{AQAAABAAAA", r"\{(?P<secret>AQAAABAAAA[A-Za-z0-9+/]{20,}+={0,2})\}"),
    place("registry-login", "dockerconfigjson", r"dockerconfigjson[\"']?: [\"']?(?P<secret>[A-Za-z0-9+/]{20,}+={0,2})"),
    place("password-hash", ":::", r":\d{3,6}:(?P<secret>[0-9a-fA-F]{32}:[0-9a-fA-F]{32}):::"),
    place("django-key", "django-insecure-", r"django-insecure-(?P<secret>[^\s\"']{20,128}+)"),
    place(
        "identity-secret", "dentity.secret", r"dentity\.secret[:=]\s?[\"']?(?P<secret>[0-9a-f]{10}:\d:[0-9a-f:]{64,})"
    ),
    place("wifi-key", "keyMaterial>", r"<keyMaterial>(?P<secret>[^\s<]{8,64}+)<"),
    place(
        "wifi-key",
        "chlüssel",
        r"(?i:w-?lan|netzwerk)[\w-]{0,12}schlüssel:? (?P<secret>[0-9]{16,63}|[0-9]{4}(?: [0-9]{4}){3,4})",
    ),
    found_if(drawn, "password", "cipher ", r"cipher (?P<secret>[^\s\"']{12,128}+)"),
    found_if(mixed_or_hex, "key", "key 7 ", r"key 7 (?P<secret>[0-9A-F]{8,}+)"),
    found_if(
        chosen_or_drawn,
        "password",
        "]:587 , ]:465 , ]:25 ",
        r"\]:\d{2,5}\s{1,8}[\w.@+-]{1,64}:(?P<secret>[^\s:]{6,128}+)",
    ),
    found_if(
        chosen_or_drawn,
        "password",
        "auth",
        r"auth\w{0,6}(?: digest| basic)?[ =][\w.@-]{1,64}:(?P<secret>[^\s\"':/]{8,128}+)(?![\w:/])",
    ),
    found_if(
        chosen_or_drawn,
        "password",
        '\t*, " *,  *\n',
        r"(?m)^[\w.*\"-]{1,40}[ \t]{1,8}[\w.*\"-]{1,40}[ \t]{1,8}\"?(?P<secret>[^\s\"*]{6,64}+)\"?[ \t]{1,8}\*[ \t]*$",
    ),
    found_if(
        scattered,
        "url-key",
        "://",
        r"://[^\s\"'`<>?#]{3,120}?/(?:hooks?|push|webhooks?|magic(?:[-_]?(?:link|login))?|invite|invitation|reset(?:[-_]password)?"
        r"|password[-_]reset|verify|confirm|unsubscribe|activate|login|token|auth|share|i|catch)"
        r"/(?P<secret>[A-Za-z0-9_-]{10,256}+)",
    ),
    found_if(scattered, "url-key", "://hook.", r"://hooks?\.[\w.-]{3,60}/(?P<secret>[A-Za-z0-9_-]{20,128}+)"),
    found_if(
        chosen_or_drawn,
        "password",
        "PASS, SECRET, TOKEN, KEY, PWD",
        r"(?m)^[ \t]{0,8}[A-Z][A-Z0-9_]{0,40}(?:PASS(?:WORD|WD)?|SECRET|TOKEN|KEY|PWD) {2,60}"
        r"(?P<secret>[^\s\"'(){}|=,;]{6,200}+)[ \t]*$",
    ),
    place("key", "api_hash", r"api_hash[\"']?\s?[=:]\s?[\"']?(?P<secret>[0-9a-f]{32})"),
    place(
        "unleash-token",
        ":production., :development., :default.",
        r"(?P<secret>[*\w-]{1,40}:[\w-]{1,40}\.[0-9a-f]{50,}+)",
    ),
    place("token", "APIToken=", r"APIToken=[\w.@-]{1,64}![\w.-]{1,64}=(?P<secret>[0-9a-f-]{36})"),
    place("session", "connect.sid", r"connect\.sid=(?P<secret>s(?:%3A|:)[A-Za-z0-9%+/=_.-]{16,}+)"),
    place(
        "social-security-number",
        "ecurity number",
        r"ocial [sS]ecurity [nN]umber(?: is|:)? (?P<secret>\d{3}-\d{2}-\d{4})(?![\w-])",
    ),
    place(
        "totp-secret",
        "ecret key is, code manually, etup key, ey manually",
        r"(?:key|manually)(?: is)?:? (?P<secret>[A-Z2-7]{16,64}+)(?![\w-])",
        sure=False,
    ),
    found_if(
        chosen_or_drawn,
        "password",
        "FTP(, CreateAsync(, linkedsrvlogin, SMTP(, dbConnect(",
        r"(?:FTP\(|CreateAsync\(|linkedsrvlogin |SMTP\(|dbConnect\()(?:[^\n(),]{1,80},\s?){1,5}"
        r"[\"'](?P<secret>[^\s\"']{6,128}+)[\"']",
    ),
    found_if(
        chosen_or_drawn,
        "password",
        "endline(, send(",
        r"(?:endline|send)\([\"'](?P<secret>[^\s\"']{6,128}+)[\"']\)[^\n]{0,20}assword",
    ),
    each(
        "key",
        "AES.new(, HMAC256(, HMAC384(, HMAC512(, signWith(, CookieStore(, hexdigest(, "
        "_encrypt(, _decrypt(, ipheriv(, KeySpec(, "
        "ncrypt(, ecrypt(, HMAC(",
        r"(?:AES\.new|HMAC\d{0,3}|signWith|CookieStore|hexdigest|_encrypt|_decrypt|ipheriv|KeySpec|ncrypt|ecrypt)\("
        r"(?P<all>[^\n]{1,200})",
        r"[\"'](?P<secret>[^\s\"']{16,128}+)[\"']",
        mixed_or_hex,
    ),
    place("password", "ENC(", r"ENC\((?P<secret>[A-Za-z0-9+/]{16,}+={0,2})\)"),
    each(
        "password",
        "set_password(, password_verify(, PasswordAsync(, asic_auth(, "
        "asicAuth(, PlainCredentials(, addlogin, CredentialsProvider(",
        r"(?:set_password|password_verify|PasswordAsync|asic_auth|"
        r"asicAuth|PlainCredentials|addlogin|CredentialsProvider)[( ]"
        r"(?P<all>[^\n]{1,200})",
        r"(?:[\"']|(?<=, ))(?P<secret>[^\s\"'(),;]{6,128}+)(?=[\"']|$)",
        chosen_or_drawn,
    ),
    found_if(
        chosen_or_drawn,
        "password",
        "USERPWD, user.info",
        r"(?:USERPWD|user\.info)[\"']?[\s,=:>]{1,5}[\"']?[\w.@-]{1,64}:(?P<secret>[^\s\"':/]{6,256}+)",
    ),
    found_if(chosen_or_drawn, "password", " /P ", r" /U \S{1,64} /P [\"']?(?P<secret>[^\s\"']{6,128}+)"),
    found_if(
        chosen, "password", "connect(", r"connect\([\"'][\w.@-]{1,64}[\"'],\s?[\"'](?P<secret>[^\s\"'/]{6,128}+)[\"']"
    ),
    place(
        "wifi-key",
        "WPA, WiFi, Wifi, Wi-Fi, WLAN, wifi",
        r"(?:WPA|W[iI]-?[fF]i|WLAN|wifi)\d?(?:[ /_-](?:[nN]etwork|[pP]assword|[kK]ey|PSK|[sS]ecurity)){1,3}"
        r"\s?[:=]\s{0,3}(?P<secret>\d{8,63})(?![\w.-])",
    ),
)
