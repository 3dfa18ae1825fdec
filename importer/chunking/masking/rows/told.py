"""Table of the ways in which people tell a secret: a password and what it is for, codes, keys and phrases for recovery.

    the password for the server is …     mot de passe temporaire : …     your verification code is …     Geheimzahl: …

Words between a name and its value make a place less sure: then the value must look like a chosen password, or drawn.
"""

# ruff: noqa: RUF001 - words of many languages have letters that look like others

from __future__ import annotations

from importer.chunking.masking.marked import SecretPlace, each, found_if, place
from importer.chunking.masking.values import chosen, erratic, mixed_or_hex, told, with_digit

_WORD = r"(?P<secret>[^\s\"'`,;]{6,128}+)"
_SHORT = r"(?P<secret>[^\s\"'`,;:/()\[\]{}.]{8,64}+)(?![/.(])"
_QUOTES = "[\"'`„“«]"
_DIGITS = r"(?P<secret>(?:G-)?[0-9]{4,8}|[0-9]{3}[ -][0-9]{3}|[A-Z0-9]{4}-[A-Z0-9]{4})(?![\w.-])"
_GIVEN = r"(?:\s?[:=：]|\s(?:is|ist|lautet|est|es|é|è|to|je|jest|är|er|on|—|–|-)(?=\s)|は|是|为|は|：)\s{0,3}"

TOLD: tuple[SecretPlace, ...] = (
    place(
        "password",
        "word for, word of, wort f, word to, phrase for, phrase of, ken for, key for, secret for, роль от, роль для",
        r"(?:assword|asswort|assphrase|oken|key|ecret|ароль) (?:for|of|to|f[uü]r|от|для) [^\n:=]{1,40}?"
        rf"(?:\s?[:=]| is| [—–-])\s{{1,3}}[\"'`]?{_WORD}",
        sure=False,
    ),
    found_if(
        chosen, "password", "@", rf"@[\w-]{{1,63}}\.[a-z]{{2,12}}(?:\s?[:/|;,]\s?|\s)(?:pw |pass |password )?{_SHORT}"
    ),
    found_if(
        erratic,
        "password",
        "dmin/, dmin /, rator/, rator /, root/, root /, stgres/, stgres /",
        rf"(?:(?<![\w/.])[aA]d|istr|stg|(?<![\w/.])ro)(?:min|ator|res|ot)\s?/\s?{_SHORT}",
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
    found_if(
        with_digit,
        "totp-secret",
        "etup key, ecret key, anual key",
        r"(?:etup|ecret|anual) key(?: is|[:=])\s{1,3}"
        r"(?P<secret>[A-Za-z2-7]{4}(?: [A-Za-z2-7]{4}){3,15})(?![A-Za-z0-9])",
    ),
    place(
        "password",
        "as the pass, as my pass, as your pass, as pass, as a pass, as the token, as the secret, as the API, as API, "
        "as the admin, as the root, as the key, as token, as Passwort",
        r"(?:use|using|try|with|set|enter|type)\s{1,2}[\"'`]?(?P<secret>[^\s\"'`,;()]{8,64}+)[\"'`]?\s"
        r"as (?:(?:the|my|your|its|a) )?(?:\w{2,20} ){0,2}(?i:pass|pw|secret|token|key)",
        sure=False,
    ),
    found_if(
        with_digit,
        "password",
        "pass:, pass =, pw:, pwd:, assword:",
        r"(?i:pass(?:word)?|pw|pwd)(?::|\s=)\s{0,3}[\"'`]?(?P<secret>[^\s\"'`,;]{6,128}+)[\"'`]?[\s,;/]{1,3}"
        r"(?:and |for |with )?(?i:user(?:name)?|login|e?mail|account)\s?[:=]",
    ),
    place(  # a name between quotes, then the value that it is set to
        "key",
        "` to , ` as , ` with , ` is , ` = ",
        r"`\w{0,40}(?i:token|key|secret|pass(?:word|wd)?|pat|pwd|auth)` (?:to|as|with|is|=) (?:the )?(?:value )?"
        r"[`\"'](?P<secret>[^\s\"'`<>$]{8,200}+)[`\"']",
        sure=False,
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
    place(
        "one-time-code",
        "cation code, time code, rity code, ogin code, irmation code, evice code, iring code, cess code, -in code, "
        "time pass, 2FA code, OTP, TAN, cation passcode",
        r"(?:(?:ication|ne[- ]time|[Ss]ecurity|[Ll]ogin|irmation|[Dd]evice|airing|[Aa]ccess|in|2FA) (?:pass)?code"
        r"|ne[- ]time pass(?:word|code)|\b(?:OTP|TAN))(?: is|:|=) {0,2}\*{0,2}[\"'`]?"
        r"(?P<secret>(?:G-)?[0-9]{4,8}|[0-9]{3}[ -][0-9]{3}|[A-Z0-9]{4}-[A-Z0-9]{4})(?![\w.-])",
    ),
    place(
        "recovery-key", "ecovery, itLocker, ITLOCKER", r"(?<![\w-])(?P<secret>[0-9]{6}(?:-[0-9]{6}){7})(?![\w-])"
    ),  # of BitLocker
    place(
        "recovery-key",
        "ecovery key, ecovery Key, ergency key",
        r"(?:ecovery|ergency) [kK]ey\s{0,3}(?: is|[:=])\s{0,3}[\"'`]?"
        r"(?P<secret>[A-Za-z0-9]{4,6}(?:[ -][A-Za-z0-9]{4,6}){3,15})",
        sure=False,
    ),
    place(
        "seed-phrase",
        "hrase, nemonic, eed words, ecovery words",
        r"(?:hrase|nemonic|words)\W{1,6}"
        r"(?P<secret>(?>1[.):] ?[a-z]{3,8}(?:[\s,|]{1,4}\d{1,2}[.):] ?[a-z]{3,8}){11,23}))",
    ),
    # in other languages
    *(
        found_if(
            told,
            "password",
            f"{word} ",
            rf"{word}(?: [^\s:=：]{{1,20}}){{1,5}}?{_GIVEN}{_QUOTES}?(?P<secret>[^\s\"'`,;«»“”]{{8,64}}+)",
        )
        for word in (
            "assword",
            "lave",
            "asswort",
            "ennwort",
            "passe",
            "ontraseña",
            "ontrasena",
            "enha",
            "achtwoord",
            "asło",
            "eslo",
            "elszó",
            "arola",
            "asswords",
            "salasana",
            "dgangskode",
            "lösenord",
            "lösenordet",
            "ароль",
            "şifre",
        )
    ),
    *(
        found_if(
            mixed_or_hex,
            "key",
            name,
            rf"{name}(?: API| Api| api)?{_GIVEN}{_QUOTES}?(?P<secret>[A-Za-z0-9_-]{{16,256}}+)(?![\w./(-])",
        )
        for name in (
            "API-Schlüssel",
            "Api-Schlüssel",
            "API Schlüssel",
            "APIキー",
            "API キー",
            "API密钥",
            "API 密钥",
            "密钥",
            "密鑰",
            "API 키",
            "API키",
            "秘密鍵",
            "ключ",
            "ключ API",
            "API-ключ",
            "clé",
            "clé d'API",
            "clé secrète",
            "clave de API",
            "clave secreta",
            "clave API",
            "chave",
            "chave de API",
            "chave da API",
            "chiave",
            "chiave API",
            "chiave segreta",
            "API-sleutel",
            "klucz",
            "klíč",
            "API-nyckel",
            "nyckel",
            "nøgle",
            "anahtarı",
            "jeton",
            "jeton d'accès",
            "token d'accès",
            "token de acceso",
            "token de acesso",
            "токен",
            "令牌",
            "トークン",
            "토큰",
        )
    ),
    found_if(
        chosen,
        "password",
        "assword you, assword I, assword we, assword that, assword,",
        r"assword[^\n,:;.\"']{0,40}, [`\"']?(?P<secret>[^\s\"'`,;]{8,64}+)[`\"']?, ",
    ),
    found_if(
        chosen,
        "password",
        "assword",
        r"(?:use|used|using|set|type|enter|try) [`\"']?(?P<secret>[^\s\"'`,;:()=]{8,64}+)[`\"']? (?:for|as|in|into|at)"
        r" [a-z ]{0,30}password",
    ),
    place("pin", "PIN for, PIN of, PIN to", rf"PIN (?:for|of|to) [a-z ]{{1,30}} is {_DIGITS}"),
    place(
        "combination", "ombination", r"ombination (?:to|of|for) [a-z ]{1,30} is (?P<secret>\d{1,2}(?:-\d{1,2}){2,3})"
    ),
    place(
        "one-time-code",
        "actor code, ungscode, heitscode, erificación, ificação, érification, ode de sécurité, 验证码, 驗證碼, "
        "確認コード, "
        "認証コード, 인증번호, дтверждения, eryfikacyjny, icatiecode, di verifica, lama kodu, eheimzahl, 暗証番号, "
        "ode PIN, "
        "código es, ódigo PIN, codice PIN, PIN-Code, nlock code, elock code",
        r"(?:actor code|ungscode|heitscode|erificación|erificação|ificação|érification|sécurité|验证码|驗證碼"
        r"|確認コード"
        r"|認証コード|인증번호|дтверждения|eryfikacyjny|icatiecode|di verifica|lama kodu|eheimzahl|暗証番号|ode PIN"
        rf"|código|ódigo PIN|codice PIN|PIN-Code|[nr]e?lock code){_GIVEN}{_DIGITS}",
    ),
    place(
        "one-time-code",
        "verif, log in, sign in",
        rf"[Uu]se (?:the )?(?:code )?{_DIGITS} (?:to|as) (?:verify|log in|sign in|your|confirm)",
    ),
    place(
        "one-time-code",
        "is your ",
        r"(?P<secret>(?:G-)?[0-9]{4,8}) is your (?:[A-Z]?\w{1,20} ){0,3}(?:code|passcode|OTP|PIN)",
    ),
    place(
        "password",
        "pecific password, App password, app password, lication password",
        r"(?:pecific|[Aa]pp(?:lication)?) password(?: is|:)? {0,2}"
        r"(?P<secret>[a-z]{4}(?:[ -][a-z]{4}){3}|[A-Za-z0-9]{4}(?: [A-Za-z0-9]{4}){5}"
        r"|[A-Za-z0-9]{5}(?:-[A-Za-z0-9]{5}){4})(?![\w-])",
    ),
)
TOLD += tuple(  # told behind a few words: `the token you need: …`
    found_if(
        mixed_or_hex,
        "key",
        f"{word} ",
        rf"{word}(?: [a-z]{{2,12}}){{1,4}}(?::|\s[—–-]| is)\s{{1,3}}"
        r"[\"'`]?(?P<secret>[A-Za-z0-9_-]{20,256}+)(?![\w./(-])",
    )
    for word in ("oken", "ecret", "key", "assword", "edentials")
)
