"""Table of the ways in which people mention a password by the way, and of commands whose words hold one in a list.

log in with ann@… and …     both are …     is … the right password?     replace the old password with …
"""

# ruff: noqa: RUF001 - words of many languages have letters that look like others

from __future__ import annotations

from importer.chunking.masking.chance import by_chance
from importer.chunking.masking.marked import SecretPlace, behind, each, found_if, place
from importer.chunking.masking.values import chosen, chosen_or_drawn, drawn, mixed_or_hex, phrase_of_words, with_digit

_WORD = r"[\"'`„“]?(?P<secret>[^\s\"'`,;()]{6,128}+)"
_LONG = r"[\"'`„“]?(?P<secret>[^\s\"'`,;()]{8,128}+)"
_KEY = r"[\"'`„“]?(?P<secret>[A-Za-z0-9_-]{16,256}+)(?![\w./(-])"
_NAMES = "password|passwort|passphrase|pass|pw|pwd|login|secret|token"


def _argument(value: str) -> bool:
    """Return True if an argument may be a password: it has a digit, is no option, and no path unless it looks drawn."""
    return chosen_or_drawn(value) and value[0] != "-" and ("/" not in value or mixed_or_hex(value))


ASIDES: tuple[SecretPlace, ...] = (
    found_if(
        chosen,
        "password",
        "n with , n using ",
        rf"(?:log ?in|sign ?in|[lL]ogged in) (?:with|using) [\w.@+-]{{1,64}}(?: and| /| with)(?: the)?(?: passwo"
        rf"rd)? {_LONG}",
    ),
    found_if(
        with_digit,
        "password",
        "both are, are both, both is, is both, both: ",
        rf"(?i:{_NAMES})s? (?:are |is )?both(?: are| is)?:? {_WORD}",
    ),
    found_if(
        chosen,
        "password",
        "assword",
        rf"\b[iI]s {_LONG}[\"'`]? (?:still |really )?(?:the|your|my|our|a)(?: \w{{2,12}}){{0,2}} password",
    ),
    found_if(chosen, "password", "assword", rf"assword (?:isn['’]t|is not|was not|wasn['’]t|is no longer|was) {_LONG}"),
    found_if(
        chosen,
        "password",
        "assword",
        rf"assword (?:isn['’]t|is not|was not|wasn['’]t|is no longer|was) [^\n]{{1,100}}?(?:it['’]s|but|it is|no"
        rf"w) {_LONG}",
    ),
    found_if(
        chosen,
        "password",
        "assword",
        rf"(?:eplace|hange|wap|pdate|otate)d?\b[^\n.]{{0,40}}? password\b[^\n]{{0,100}}?(?:with|to|by|for) {_LONG}",
    ),
    found_if(chosen, "password", "assword as", rf"assword as {_LONG}"),
    found_if(with_digit, "password", "(pass , (pw , (pass: , (pw: , (pwd: , (pwd ", rf"\((?:pass|pw|pwd):? {_WORD}\)"),
    found_if(
        chosen,
        "password",
        "ароль от, ароль для, ароль до, ароль к, ароля",
        rf"арол[ья] (?:от|для|до|к)(?: [^\s:=—-]{{1,24}}){{1,2}} {_LONG}",
    ),
    found_if(
        chosen,
        "password",
        "mdp, MDP",
        rf"(?i:\bmdp)(?: [^\s:=]{{1,20}}){{0,3}}?(?: est| c['’]est|\s?[:=])\s{{1,3}}{_LONG}",
    ),
    found_if(
        chosen,
        "password",
        "ass for , ASS for , pw for , pwd for ",
        rf"\b(?i:pass|pw|pwd) for [^\n:=]{{1,40}}?(?:\s?[:=]| is)\s{{1,3}}{_LONG}",
    ),
    place(
        "pin",
        "PIN lautet, PIN ist, PIN est, PIN es , PIN è, PIN to ",
        r"PIN (?:lautet|ist|est|es|è|to):? (?P<secret>[0-9]{4,8})(?![\w.-])",
    ),
    found_if(
        mixed_or_hex, "token", "curl", r"curl\b[^\n]{0,200}? (?:-u|--user)[ =][\"']?(?P<secret>[A-Za-z0-9_-]{20,200}+):"
    ),
    place(
        "passphrase",
        "hrase",
        r"hrase(?: [a-z]{1,12}){0,5}(?: is|:) [\"“„](?P<secret>[A-Za-z]{2,20}(?: [A-Za-z0-9]{1,20}){3,11})[\"”“]",
    ),
    found_if(with_digit, "password", "answer", rf"(?:ecurity|ecret|ecovery) answer(?: is|:|=)\s{{1,3}}{_WORD}"),
    each(
        "password",
        "[-",
        r"assword[\"']?\s?[:=]\s?(?P<all>\[-[^\n\]]{1,128}-\]\{\+[^\n}]{1,128}\+\})",
        r"(?<=[-+])(?P<secret>[^\s\[\]{}]{4,120}?)(?=[-+][\]}])",
    ),
    # keys in other languages, with a word that says they are secret before or behind
    found_if(
        mixed_or_hex,
        "key",
        "chlüssel, оступа, ecreta, ecrète, egreta",
        rf"(?:(?:eheimer |ugriffs|ugangs|ivater )[sS]chlüssel|лю[чЧ] доступа|lave secreta|lé secrète|have secret"
        rf"a|hiave segreta)(?:\s?[:=]| ist| est| es| é| è)\s{{1,3}}{_KEY}",
    ),
    # in calls, and in commands as lists of words
    found_if(
        drawn,
        "secret",
        "SecretStr(, unsafePlainText(, fromPlain(, secretFrom",
        r"(?:SecretStr|unsafePlainText|fromPlain\w{0,10})\([\"'](?P<secret>[^\s\"']{6,256}+)[\"']",
    ),
    found_if(
        drawn,
        "secret",
        "jwt., JWT.",
        r"(?:jwt|JWT)\.(?:sign|verify|encode|decode)\([^()\n]{1,200}?,\s?[\"'](?P<secret>[^\s\"']{8,11})[\"']",
    ),
    found_if(
        with_digit,
        "password",
        "'-p, \"-p",
        r"[\"'](?:mysql\w{0,10}|mariadb[\w-]{0,10}|sshpass|mongo\w{0,10}|docker|7z|twine)[\"'][^\n\]]{0,200}?[\""
        r"']-p(?:[\"'],\s{0,3}[\"'])?(?P<secret>[^\s\"':/.]{6,128}+)[\"']",
    ),
    found_if(
        with_digit,
        "password",
        "'curl, \"curl",
        r"[\"']curl[\"'][^\n\]]{0,300}?[\"'](?:-u|--user)[\"'],\s{0,3}[\"'][\w.@-]{1,64}:(?P<secret>[^\s\"'"
        r"]{4,128}+)",
    ),
    found_if(
        with_digit, "password", "password_hash", r"\{\{ ?[\"'](?P<secret>[^\s\"']{6,128}+)[\"'] ?\| ?password_hash"
    ),
    found_if(
        with_digit,
        "password",
        "<<<",
        r"(?:stdin|passphrase|password)[^\n|<]{0,60}<<<\s?[\"']?(?P<secret>[^\s\"'|$]{6,128}+)",
    ),
    found_if(
        with_digit,
        "password",
        "-stdin",
        r"(?:echo|printf)(?: -n| '%s')? [\"']?(?P<secret>[^\s\"'|$`]{6,128}+)[\"']? ?\| ?[a-z][\w.-]{1,20}[^\n|"
        r"]{0,80}(?:-stdin|--stdin|stdinpass)",
    ),
    found_if(
        chosen, "password", " -u ,  --user", r" (?:-u|--user)[ =][\"']?[\w.@-]{1,64}:(?P<secret>[^\s\"'`:/|$]{6,128}+)"
    ),
    found_if(  # of a command that is not in the table: a user, then the password
        _argument,
        "password",
        " -p ,  -P ,  -w , -password ",
        r" (?:-u|-U|-l|--user(?:name)?)[ =][\"']?[\w.@\\/+-]{1,64}[\"']? (?:-p|-P|-w|-password|--pass)[ =][\"']?"
        r"(?P<secret>[^\s\"'`:,;|$]{6,128}+)",
    ),
    *(
        behind(
            r"(?i:user(?:name)?|login|account|benutzer(?:name)?|utilisateur|identifiant|usuario|логин)[ :=：]{1,3}"
            r"(?:\w{1,12} )?[^\s,;:/]{1,64}[\s,;/]{1,3}(?i:(?:and|with|und|et|y|mit) )?(?i:the |dem )?[\wп]?",
            chosen_or_drawn,
            "password",
            markers,
            rf"{name}(?: is| ist)?[ :=：]{{1,3}}[\"'`]?{_WORD}",
        )
        for markers, name in (
            ("assword, asswort, asse , pass , pass:, Pass:, pass=", "ass(?:word|wort|wd|e)?"),
            (" pw , pw:, /pw ", "pw"),
            ("pwd:, pwd=, pwd ", "pwd"),
            ("mdp, ennwort", "(?:mdp|ennwort)"),
            ("ontraseña", "ontraseña"),
            ("ароль", "ароль"),
        )
    ),
    found_if(
        chosen,
        "password",
        "assword from, pass from, asswort von",
        rf"(?:ass(?:word|wort)?) (?:from|von) {_WORD} (?:to|auf)\b",
    ),
    behind(
        r"(?:\A|[^\w/.@:-])(?:root|[aA]dmin|user|[aA]dministrator|guest|pi|ubuntu|postgres|sa)",
        chosen,
        "password",
        "root:, dmin:, user:, rator:, guest:, pi:, ubuntu:, stgres:, sa:",
        r":(?P<secret>[^\s\"'`:/,;]{6,64}+)",
    ),
    found_if(
        chosen,
        "wifi-key",
        "ifi: , Fi: , LAN: , SSID: ",
        rf"(?:[wW]i-?[fF]i|WLAN|SSID): [\w.-]{{1,32}}(?: /|,|;) (?:\w{{2,10}}: )?{_WORD}",
    ),
    found_if(
        phrase_of_words,
        "passphrase",
        "hrase, assword",
        r"(?:hrase|assword)[^\n\"'`]{0,40} [\"'`“„](?P<secret>[a-z]{3,10}(?:[-_.][a-z]{3,10}){3,11})[\"'`”“]",
    ),
    found_if(
        chosen_or_drawn,
        "password",
        "assword, asswort",
        r"asswor[dt](?: [^\s:=：]{1,20}){1,5}? (?:is|ist|was)[: ]{1,2}[\"“„`](?P<secret>[^\s\"”“`]{6,128}+)[\"”“`]",
    ),
    found_if(
        chosen_or_drawn, "password", " -Usa -P,  -Usa, -U sa", r" -U ?[\w.@-]{1,64} -P ?(?P<secret>[^\s\"'`$]{6,128}+)"
    ),
    found_if(
        chosen_or_drawn,
        "password",
        " USING ,  using ",
        r"(?i: user \S{1,64} using )[\"']?(?P<secret>[^\s\"';]{6,128}+)",
    ),
    found_if(by_chance, "password", '" "', r'(?m)^"[\w.@-]{1,64}" "(?P<secret>[^"\s]{8,128}+)"\r?$'),
    place(
        "password",
        "echo ', printf '",
        r"(?:echo|printf)(?: -n)? '(?P<secret>[^'\s|]{6,128}+)' ?\| ?"
        r"(?:sudo |secret-tool|\S{2,20} (?:login|luks|store))",
    ),
    found_if(
        chosen,
        "password",
        "ugang: , ugangsdaten, dentifiants, creds are , reds: , redentials are , redentials: , "
        "ogin: , cceso: , оступ: ",
        r"(?:ugang(?:sdaten)?|dentifiants?|reds|redentials|ogin|cceso|оступ)(?: are| sind)?\s?:?\s{1,2}"
        r"[`\"']?[\w.@-]{1,64}[`\"']? ?[/|] ?[`\"']?(?P<secret>[^\s\"'`,;]{6,128}+)",
    ),
    found_if(
        chosen_or_drawn,
        "password",
        "auth , priv ",
        r"(?:auth|priv) (?:md5|sha|aes|des|3des|text|MD5|SHA|AES)(?:[ -]?\d{3})? (?P<secret>[^\s\"']{6,128}+)",
    ),
    found_if(chosen_or_drawn, "password", "uthentication text ", r"uthentication text (?P<secret>[^\s\"']{6,128}+)"),
    found_if(chosen_or_drawn, "password", "AsPlainText", r"-AsPlainText [\"'](?P<secret>[^\s\"'$]{6,128}+)"),
    found_if(
        chosen_or_drawn, "wifi-key", "iFi.begin(", r"iFi\.begin\([^,\n]{1,60},\s?[\"'](?P<secret>[^\s\"']{8,63}+)"
    ),
    found_if(
        chosen, "password", " to log in,  to sign in,  to login", rf"(?:[uU]se|with) {_WORD} to (?:log ?in|sign in)"
    ),
)
