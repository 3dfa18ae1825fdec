"""Secrets are masked; code, hashes and prose are not; and it takes linear time on any text."""

from __future__ import annotations

import gc
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.chunking.masking import shapes
from importer.chunking.masking.commands import COMMANDS
from importer.chunking.masking.rows.places import PLACES, SIGNED, WORDS
from importer.chunking.masking.rules import CAREFUL, SURE
from importer.chunking.masking.services import SERVICES
from importer.chunking.redact import mask

RANDOM = "a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ0123456789abcdefABCDEF_-xYz0"
ALNUM = "a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ"
KEY_LINE = "MIIEpAIBAAKCAQEA1c7f0Yk2m3n4b5v6c7x8z9Q1w2E3r4T5y6U7i8O9p0AaSsDd"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

DISCORD = ("MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT")

LABEL = re.compile(r"\[secret:[a-z0-9-]+\]")
TAILS = {
    "AKIA": "Z7Q2M4P8W3R6T9Y5",
    "ASIA": "Z7Q2M4P8W3R6T9Y5",
    "xox": f"b-123456789012-{ALNUM}",
    "AIza": RANDOM[:35],
    "npm_": ALNUM,
    "SG.": f"{RANDOM[:22]}.{RANDOM[:43]}",
    "dop_v1_": "0123456789abcdef" * 4,
    "dapi": "0123456789abcdef" * 2,
    "shpat_": "0123456789abcdef" * 2,
    "sbp_": "0123456789" * 4,
    "AGE-SECRET-KEY-1": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2,
    "eyJ": JWT.removeprefix("eyJ"),
    "sk-": RANDOM,
    "glpat-": RANDOM[-20:],
    "sk-or-v1-": "0123456789abcdef" * 4,
    **dict.fromkeys(DISCORD, f"{RANDOM[:24]}.{RANDOM[:6]}.{RANDOM[:38]}"),
}

MASKED = {
    "password = 'hunter22!'": "password = '[secret:password]'",
    'password: str = "correct9horse"': 'password: str = "[secret:password]"',
    "Password: hunter2": "Password: [secret:password]",
    "DB_PASSWORD=s3cr3t-value": "DB_PASSWORD=[secret:password]",
    '"api_key": "d41d8cd98f00b204"': '"api_key": "[secret:key]"',
    "headers['x-api-key'] = 'abc123def456'": "headers['x-api-key'] = '[secret:key]'",
    "QDRANT_API_KEY=9f86d081884c7d65": "QDRANT_API_KEY=[secret:key]",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzz12KEY1": "aws_secret_access_key = [secret:secret]",
    "curl --token abc12345XYZ x": "curl --token [secret:token] x",
    "?access_token=h480djs93hd8&refresh_token=tGzv3J45": "?access_token=[secret:token]&refresh_token=[secret:token]",
    "Authorization: Bearer abcdEFGH1234567890": "Authorization: Bearer [secret:bearer-token]",
    "authorization: basic dXNlcjpwYXNzd29yZDE=": "authorization: basic [secret:basic-login]",
    "postgres://me:s3cr3t@db:5432/x": "postgres://me:[secret:url-password]@db:5432/x",
    "https://hooks.slack.com/services/T0/B0/abcdefghijklmnop": "https://hooks.slack.com/services/[secret:slack-webhook]",
    "bot 123456789:AAabcdefghijklmnopqrstuvwxyz0123456": "bot 123456789:[secret:telegram-token]",
}

KEPT = (
    "password = getpass()",
    "token: str",
    "token: Optional[str] = None",
    "api_key=self.api_key",
    "secret = os.environ['SECRET_2']",
    "token=access_token2",
    "max_tokens: 4096, token_count = 12345678a",
    "password: ${DB_PASSWORD}",
    "TOKEN=<your-token-123>",
    "key = 3f786850e387550fdab836ed7e6dc881de23001b",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "id 123e4567-e89b-12d3-a456-426614174000",
    "sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "class='sk-folding-cube-2-container-wrapper'",
    "tokenizer='gpt2-xl-1558M'",
    "the bearer of this letter of authorisation",
    "http://localhost:8080/a?b=c@d",
    "postgres://user:password@localhost/db",
    "the -----BEGIN PRIVATE KEY----- header starts it",
    "The password is the secret token that unlocks the key.",
    "git@github.com:owner/repository.git",
    "pwd = /home/someone/project1",
)


@pytest.mark.parametrize("kind", SURE + CAREFUL, ids=lambda kind: kind.prefixes)
def test_every_kind_of_the_table_is_masked(kind):
    """An example of each row, with each of its prefixes, wherever a word may stand."""
    own = kind.prefixes.split()[0]
    for prefix in kind.prefixes.split():
        token = prefix + kind.example.removeprefix(own)
        label = mask(token)
        assert LABEL.fullmatch(label)
        for before, after in (("", ""), ("use ", " now"), ('"', '"'), ("x=", ";"), ("\\n", "\\n"), ("(", ")")):
            assert mask(before + token + after) == before + label + after


@pytest.mark.parametrize(("prefix", "tail"), TAILS.items())
def test_tokens_as_their_issuers_make_them_are_masked(prefix, tail):
    """Prefix and tail together, in a sentence."""
    assert LABEL.fullmatch(mask(prefix + tail))
    assert LABEL.search(mask(f"it is {prefix}{tail}, I think"))


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.names)
def test_every_service_of_the_table_is_masked(service):
    """An example of each shape behind each name, and none behind a name of something public."""
    for name in service.names.split():
        for shape in service.shapes:
            value = shapes.example(shape)
            assert value[:12] not in mask(f"{name}_app = '{value}'"), (name, shape)
            assert mask(f"{name}_commit = {value[:0]}") == f"{name}_commit = "


@pytest.mark.parametrize("text", MASKED)
def test_a_secret_is_masked_where_it_stands(text):
    """The value is replaced, the text around it stays."""
    assert mask(text) == MASKED[text]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_secret_stays(text):
    """Code, hashes, ids, placeholders and prose are not masked."""
    assert mask(text) == text


@pytest.mark.parametrize("newline", ["\n", "\\n", '\\n" +\n  "'])
def test_a_key_block_is_masked_as_a_whole(newline):
    """Lines joined in any way are masked, also when the end is missing."""
    lines = ["-----BEGIN RSA PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED", KEY_LINE, KEY_LINE, "c2hvcnQ="]
    whole = newline.join([*lines, "-----END RSA PRIVATE KEY-----", "after"])
    for text in (whole, newline.join(lines)):
        assert KEY_LINE[:16] not in mask(text)
    assert "c2hvcnQ" not in mask(whole)
    assert mask(whole).endswith(newline + "after")


def test_a_masked_text_says_what_was_there():
    """A label names the kind, so that a reader of the conversation understands it."""
    assert mask(f"export GITHUB_TOKEN=ghp_{ALNUM}") == "export GITHUB_TOKEN=[secret:github-token]"
    assert len({kind.name for kind in SURE + CAREFUL}) > 120


MARKERS = [prefix for kind in SURE + CAREFUL for prefix in kind.prefixes.split()]
MARKERS += [marker for place in PLACES + WORDS + SIGNED for marker in place.markers]
MARKERS += [one for command in COMMANDS for one in (command.marker, *command.commands)]
FRAGMENTS = [
    *MARKERS, *MASKED, *MASKED.values(), *KEPT, RANDOM, ALNUM, JWT, KEY_LINE, "[secret:", "]", "token", "password",
    "api_key",
    "=", ":", "'", '"', " ", "\n", "\\n", "--", "://", "@", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----",
]  # fmt: skip


@pytest.mark.slow
@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=12).map("".join))
def test_masking_again_changes_nothing(text):
    """mask(mask(x)) == mask(x), also for texts made of nothing but pieces of secrets."""
    once = mask(text)
    assert mask(once) == once


@given(st.text(st.characters(exclude_categories=("Nd", "Lu", "Cs")), max_size=200))
def test_a_text_without_digits_and_capitals_stays(text):
    """Nothing drawn at random looks like it, apart from passwords in places made for them."""
    if not any(marker in text for place in PLACES + WORDS for marker in place.markers):
        assert mask(text) == text


@pytest.mark.parametrize("piece", [*FRAGMENTS[-16:], "a", "token=", "pwd : a["])
def test_time_is_linear(piece):
    """Eight times the text takes about eight times as long, for texts of any pieces; squared it would be 64."""
    small, large = (piece * (size // len(piece) + 1) for size in (20_000, 160_000))
    assert min(_seconds(large) for _ in range(2)) < 25 * min(_seconds(small) for _ in range(5)) + 0.01


def test_names_of_secrets_in_prose_stay_and_cost_little(capsys):
    """A megabyte of it is unchanged; the speed is printed (embedding does about 0.06 MB/s)."""
    text = ("Now let me run the tests; the token budget and `password = getpass()` are in settings.py. " * 12_000)[
        :1_000_000
    ]
    taken_s = min(_seconds(text) for _ in range(3))
    with capsys.disabled():
        print(f" {len(text) / taken_s / 1e6:.0f} MB/s ", end="")
    assert mask(text) == text


def _seconds(text):
    gc.disable()  # in a process that has run thousands of tests a full collection takes longer than the text
    try:
        begin = time.thread_time()
        mask(text)
        return time.thread_time() - begin
    finally:
        gc.enable()
