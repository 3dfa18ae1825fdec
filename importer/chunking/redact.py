"""Mask secrets before text is stored or sent: `mask(text)` is pure, deterministic and idempotent.

    sk-ant-api03-…               [secret:anthropic-key]
    password = "hunter22!"       password = "[secret:password]"
    postgres://me:s3cr3t@db/x    postgres://me:[secret:url-password]@db/x

Three kinds are known: tokens whose prefix names the service that issued them; places where a secret must stand (a key
block, an Authorization header, a URL's password, `curl -u`); and values given to a name such as `api_key` (see
`redact_assignments`). Where the prefix alone does not tell, a value counts when it looks drawn at random: hashes, prose
and code stay. In paths and branches only tokens are masked (`mask_facts`), since filters compare them.

Time is linear in the text: a pattern is tried only when its marker occurs, starts only where a run of letters starts,
and repeats possessively, so nothing is read again from every position.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from importer.chunking import redact_assignments
from importer.chunking.redact_assignments import drawn, stands_for_one
from importer.chunking.redact_spans import Span, beside_labels, joined, label, original, replaced
from importer.protocol.records import ConversationFacts, Facts

Found = Callable[[re.Match[str]], Iterator[tuple[int, int]]]


TOKEN_CHARS = 20  # no known token is shorter, so shorter words need no look
COMMAND_CHARS = 300  # between a command and its password


@dataclass(frozen=True, slots=True)
class Secret:
    """A kind of secret: `pattern` is tried when `marker` occurs in the text.

    `found` gives the positions of the secrets of a match, none when it is none.
    """

    kind: str
    marker: str
    pattern: re.Pattern[str]
    found: Found
    ambiguous: bool = False

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the secrets of this kind from left to right."""
        for match in self.pattern.finditer(text):
            for start, end in self.found(match):
                yield Span(start, end, self.kind)


def mask(text: str) -> str:
    """Replace the secrets of a text by `[secret:<kind>]`; `mask(mask(text)) == mask(text)`."""
    return replaced(text, found) if (found := find(text)) else text


def find(text: str) -> list[Span]:
    """Return the secrets that `mask` replaces, from left to right, none within another.

    Repeated until nothing is found: what stands beside a masked secret may be one only now. Each round leaves fewer
    characters outside labels, so it ends; a text without secrets takes one.
    """
    found: list[Span] = []
    masked = text
    while more := beside_labels(masked, joined(_found_once(masked))):
        found = joined([*found, *original(found, more)])
        masked = replaced(text, found)
    return found


def _found_once(text: str) -> list[Span]:
    """Return the secrets seen at once, the surest kinds first; most texts have no word that is as long as a token."""
    found: list[Span] = []
    long_words = " ".join([word for word in text.split() if len(word) >= TOKEN_CHARS])
    if long_words:
        for secret in LONG:
            if secret.marker in long_words:
                found += secret.spans(text)
    for secret in PLACES:
        if secret.marker in text:
            found += secret.spans(text)
    found += redact_assignments.find(text)
    return found


def mask_conversation(facts: ConversationFacts) -> ConversationFacts:
    """Mask what `mask_facts` masks in the facts of a whole conversation."""
    return replace(
        facts,
        title=mask(facts.title) if facts.title else "",
        project=_mask_name(facts.project),
        cwd=_mask_name(facts.cwd),
        git_branch=_mask_name(facts.git_branch),
    )


def mask_facts(facts: Facts) -> Facts:
    """Mask tokens in names, and any secret in the title; return the same object when there is none."""
    masked = replace(
        facts,
        title=mask(facts.title) if facts.title else "",
        project=_mask_name(facts.project),
        cwd=_mask_name(facts.cwd),
        git_branch=_mask_name(facts.git_branch),
        files=tuple(map(_mask_name, facts.files)),
    )
    return facts if masked == facts else masked


@lru_cache(maxsize=512)  # a conversation names the same few again and again
def _mask_name(name: str) -> str:
    """Mask tokens in a path or branch: only what no name looks like, so that other names stay byte for byte."""
    if len(name) < TOKEN_CHARS:
        return name
    for secret in TOKENS:
        if secret.marker in name:
            name = secret.pattern.sub(lambda match, secret=secret: _unlike_a_name(secret, match), name)  # type: ignore[misc]
    return name


def _unlike_a_name(secret: Secret, match: re.Match[str]) -> str:
    """Return what replaces a token in a name: the match itself when it may be a part of the name."""
    tail = match[0][len(secret.marker) :]
    named = _NAMED.fullmatch(tail) or (secret.ambiguous and (tail.islower() or tail.isupper()))
    return match[0] if named or not list(secret.found(match)) else label(secret.kind)


def _token(kind: str, prefix: str, tail: str, *, ambiguous: bool = False) -> Secret:
    """Define a token by its prefix, which starts a run of letters or follows an escaped newline.

    The lookbehinds come after the prefix: `re` searches fast only for patterns that begin with a literal.
    """
    literal = re.escape(prefix)
    start = rf"{literal}(?:(?<![A-Za-z0-9_-]{literal})|(?<=\\[nrt]{literal}))"

    def found(match: re.Match[str]) -> Iterator[tuple[int, int]]:
        if not ambiguous or drawn(match[0][len(prefix) :]):
            yield match.span()

    return Secret(kind, prefix, re.compile(start + tail), found, ambiguous)


def _place(kind: str, marker: str, pattern: str, *, sure: bool = True, of: tuple[str, ...] = ()) -> Secret:
    """Define a secret in a known place: the group `secret`, unless it is a placeholder.

    Not `sure`: if it looks drawn. `of` commands: if it is an argument of one of them.
    """

    def found(match: re.Match[str]) -> Iterator[tuple[int, int]]:
        value = match["secret"]
        if not stands_for_one(value) and (sure or drawn(value)) and (not of or _argument(of, match)):
            yield match.span("secret")

    return Secret(kind, marker, re.compile(pattern), found)


def _argument(commands: tuple[str, ...], match: re.Match[str]) -> bool:
    """Return True if one of the commands stands before the match, and no other one begins between them."""
    text, start = match.string, match.start()
    begin = max(text.rfind(command, max(0, start - COMMAND_CHARS), start) for command in commands)
    return begin >= 0 and not _NEXT_COMMAND.search(text, begin, start)


def _cookies(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield those of a header's cookies that look as only machines make them."""
    for pair in _COOKIE_VALUE.finditer(match.string, match.start(), match.end()):
        if drawn(pair[0]) and not stands_for_one(pair[0]):
            yield pair.span()


_NAMED = re.compile(r"(?:(?:[A-Z]?[a-z]+|[A-Z]+)\d{0,4}|\d{1,8})(?:[-_.](?:(?:[A-Z]?[a-z]+|[A-Z]+)\d{0,4}|\d{1,8}))+")
_NEXT_COMMAND = re.compile(r"[|;]|&&|(?<!\\)\n")

_RUN = "[A-Za-z0-9_-]"
_ALNUM = "[A-Za-z0-9]"
_HEX = "[0-9a-f]"
_BASE64 = "[A-Za-z0-9._~+/-]"

# Base64 lines and headers of a key block, with anything that joins them (escaped newlines, quotes, a diff's signs).
# Atomic groups, no possessive repeat of one: before 3.11.5 (gh-106052) that does not go back when it fails halfway.
_GAP = r"(?>(?:\s|\\[nrt]|[\"'`,>#|*]|\+(?=\s))*)"
_HEADER = r"(?:Proc-Type|DEK-Info|Version|Comment|Hash): [^\n\\]{0,100}+"
_END = r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_KEY_BLOCK = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    rf"(?P<secret>(?>(?:{_GAP}(?:{_HEADER}|[A-Za-z0-9+/=]{{16,}}+))+)"
    rf"(?:{_GAP}[A-Za-z0-9+/=]{{1,15}}+(?={_GAP}-----END))?)(?:{_GAP}{_END})?"
)

_ARGUMENT = r"(?P<secret>[^\s\"'`|;)\\]{3,128}+)"
_LOGIN = rf"-(?<=\s-)(?:[A-Za-z]{{0,6}}u|-(?:proxy-)?user)(?:=|\s{{1,3}})?\\?[\"']?[^\s:=/@\"'`]{{1,64}}+:{_ARGUMENT}"
_SQL_PASSWORD = rf"-p(?<=\s-p)\\?[\"']?(?!assw|ort\b|rotocol|[\d.]*:\d|[\d.]+:\d){_ARGUMENT}"
_PAIR = r"[A-Za-z0-9_.%!#$&*+^|~-]{1,100}+(?:=[^;,\s\"'\\]*+)?"
_COOKIES = rf"ookie(?:[\"']?\s{{0,2}}[:=]|(?=\s))\s{{0,2}}\\?[\"']?{_PAIR}(?>(?:;\s?{_PAIR})*)"
_COOKIE_VALUE = re.compile(r"(?<==)[^;,\s\"'\\]{12,}+")

TOKENS: tuple[Secret, ...] = (  # in this order: a prefix comes before a shorter one that it begins with
    _token("anthropic-key", "sk-ant-", f"{_RUN}{{20,}}+"),
    _token("api-key", "sk-or-v1-", f"{_HEX}{{64}}"),  # OpenRouter
    _token("api-key", "sk-", f"{_RUN}{{20,}}+", ambiguous=True),  # OpenAI, DeepSeek …
    *(_token("github-token", f"gh{kind}_", f"{_ALNUM}{{30,}}+") for kind in "pousr"),
    _token("github-token", "github_pat_", "[A-Za-z0-9_]{30,}+"),
    *(_token("gitlab-token", f"gl{kind}-", f"{_RUN}{{20,}}+") for kind in ("pat", "dt", "rt", "ptt")),
    *(_token("aws-key", prefix, "[A-Z0-9]{16}(?![A-Za-z0-9])") for prefix in ("AKIA", "ASIA")),
    _token("slack-token", "xox", "[abeoprs]-[A-Za-z0-9-]{10,}+"),
    _token("slack-token", "xapp-", "[A-Za-z0-9-]{20,}+"),
    _token("google-key", "AIza", f"{_RUN}{{35}}(?!{_RUN})"),
    _token("google-token", "ya29.", f"{_RUN}{{20,}}+"),
    _token("google-secret", "GOCSPX-", f"{_RUN}{{20,}}+"),
    _token("npm-token", "npm_", f"{_ALNUM}{{36}}(?!{_ALNUM})"),
    _token("pypi-token", "pypi-AgE", f"{_RUN}{{30,}}+"),
    _token("huggingface-token", "hf_", f"{_ALNUM}{{30,}}+"),
    *(
        _token("stripe-key", f"{kind}_{mode}_", f"{_ALNUM}{{16,}}+")
        for kind in ("sk", "rk")
        for mode in ("live", "test")
    ),
    _token("stripe-key", "whsec_", "[A-Za-z0-9+/=]{24,}+"),
    _token("sendgrid-key", "SG.", rf"{_RUN}{{16,}}+\.{_RUN}{{16,}}+", ambiguous=True),
    _token("voyage-key", "pa-", f"{_RUN}{{40,}}+", ambiguous=True),
    _token("groq-key", "gsk_", f"{_ALNUM}{{40,}}+"),
    _token("xai-key", "xai-", f"{_ALNUM}{{40,}}+"),
    _token("perplexity-key", "pplx-", f"{_ALNUM}{{40,}}+"),
    _token("replicate-token", "r8_", f"{_ALNUM}{{37,}}+"),
    _token("tavily-key", "tvly-", f"{_RUN}{{20,}}+", ambiguous=True),
    _token("notion-token", "ntn_", f"{_ALNUM}{{40,}}+"),
    _token("linear-key", "lin_api_", f"{_ALNUM}{{30,}}+"),
    _token("vault-token", "hvs.", f"{_RUN}{{24,}}+"),
    _token("docker-token", "dckr_pat_", f"{_RUN}{{20,}}+"),
    _token("digitalocean-token", "dop_v1_", f"{_HEX}{{64}}"),
    _token("databricks-token", "dapi", f"{_HEX}{{32}}"),
    _token("shopify-token", "shpat_", f"{_HEX}{{32}}"),
    _token("supabase-token", "sbp_", f"{_HEX}{{40}}"),
    _token("atlassian-token", "ATATT3", "[A-Za-z0-9_=-]{50,}+"),
    _token("age-key", "AGE-SECRET-KEY-1", "[0-9A-Z]{50,}+"),
    _token("jwt", "eyJ", rf"{_RUN}{{10,}}+\.eyJ{_RUN}{{6,}}+\.{_RUN}{{10,}}+"),
    *(  # the bot's number in base64, which begins with a digit
        _token("discord-token", digit, rf"{_RUN}{{22,26}}+\.{_RUN}{{6,7}}+\.{_RUN}{{27,40}}+", ambiguous=True)
        for digit in ("MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT")
    ),
)

WORDS: tuple[Secret, ...] = (  # places within one long word
    _place("telegram-token", ":AA", rf":(?P<secret>AA(?<=[0-9]{{8}}:AA){_RUN}{{32,}}+)"),
    _place("slack-webhook", "hooks.slack.com/", r"hooks\.slack\.com/[a-z]{4,12}/(?P<secret>[A-Za-z0-9/_-]{20,}+)"),
    _place("discord-webhook", "/webhooks/", rf"/api/webhooks/[0-9]{{15,}}+/(?P<secret>{_RUN}{{30,}}+)"),
)

PLACES: tuple[Secret, ...] = (
    _place("private-key", "PRIVATE KEY", _KEY_BLOCK),
    _place("url-password", "://", r"://[^\s/:@\"'`<>\[\](){}]{0,64}+:(?P<secret>[^\s/@\"'`<>]{1,256}+)@"),
    _place(
        "bearer-token", "earer ", rf"earer (?<=[Bb]earer ) {{0,2}}(?P<secret>{_BASE64}{{16,}}+={{0,2}})", sure=False
    ),
    _place("basic-login", "asic ", rf"asic (?<=[Bb]asic ) {{0,2}}(?P<secret>{_BASE64}{{12,}}+={{0,2}})", sure=False),
    _place("password", "curl", _LOGIN, of=("curl",)),
    _place("password", "-p", _SQL_PASSWORD, of=("mysql", "mariadb")),
    _place("password", "sshpass", rf"-p(?<=\s-p)\s{{0,2}}\\?[\"']?{_ARGUMENT}", of=("sshpass",)),
    Secret("cookie", "ookie", re.compile(_COOKIES), _cookies),
)

LONG = TOKENS + WORDS
