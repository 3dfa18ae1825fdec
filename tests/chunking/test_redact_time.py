"""Masking takes time linear in the text, for texts made of nothing but pieces that its rules begin with."""

from __future__ import annotations

import itertools
import math
import time

import pytest
from portions import portion

from importer.chunking import redact
from importer.chunking.masking.rules import CAREFUL, SURE
from importer.chunking.redact import find

pytestmark = pytest.mark.slow

PIECES = (  # what rules begin with, and what may make them read on
    "a", "A1", "x1\n", "1234", "1234 ", "4539 5787 ", "DE89 3704 ", "'", "`", "\\", '\\"', "%3D", "%25", "&quot;", "&",
    "\\u003d", "\x1b[3m", "\x1b", "\u200b", "a\u200b\n", "“", "password", "password ", "password: ", "password=a&",
    "password is ", "my pw ", "pwd : a[", "token=", "token=a&b", "key", "_key=", "api_key, ", '"api_key", ', "secret ",
    "name: x, value: ", "| password | ", "<password>", "passphrase: a ",
    "пароль ", "密码", "--token ", "-p", " -p",
    "mysql -p", "mysql -pa:1 ", "curl -u a:b", "curl ", "echo a:b", "login a password ",
    "://", "://a:", "http://a:b", "@",
    "a@", "://a@", "Authorization: ", "Bearer ", "Basic a", "Cookie: a=", "cookie: a;", "sig=",
    "kind: Secret\n",
    "-----BEGIN PRIVATE KEY-----\n", "A1b2C3d4E5f6G7h8\n", "A" * 64 + "\n", "1:" + "A" * 64 + "\n", "$2b$", "$6$",
    ":AA",
    "ghp_a1", "ghp_a1\n", "sk-ant-", "sk-", "eyJa.", "eyJ", "xprv", "AKIA", "[secret:", "[secret:key]", "12: a",
    ":5432:a:",
    "new PDO(x, ", "INSERT INTO a (", "INSERT INTO a (b) VALUES (", "user: a pass: ", "password,", "| password |\n",
    "TOTP secret ", "password for ", "echo a | ", "net use \\\\\\\\a ", "ann@a.bc:", "admin/", "<<<", "btoa('a:", "sk:",
    "password 7 ", "Authenticator: abcd ", 'variable "password" {', "?key=", "token: |\n",
    "password....", "password....a1 ", "password: <b ", "<password a=\"b\" ", "password│", "│ password │ a1b2c3d4 │\n",
    "password [-a1", "user and password are both ", "is a1B2c3D4 ", "replace the password with ", "password isn't ",
    "log in with a and ", "password for the key is \"a ", "пароль от ", "-u a -p ", "-u a:b", "['mysql', '-p",
    "echo a1b2c3d4 | cat a", "user a\npassword ", "USER a\nPASS ", "331 password\n", "SETUSER a >", ": PSK \"",
    "a * b1c2d3 ", "{SSHA}A1", "set password ENC ", "stringData:\n a: b1\n", "secret_key = '\\a", "secret key: [1,",
    "private [", "1, ", "network_key: [1,", "ANSIBLE_VAULT;1\n" + "ab" * 10 + "\n", "-----END PRIVATE KEY-----\n",
    "A1b2" * 16 + "\n-----END PRIVATE KEY-----\n", "$ cat password\n", "password\n$ ", "334 UGFzc3dvcmQ6\n",
    "curl -b 'a=", "curl -b 'a=b;", '"name":"auth","value":"', "?code=", "?code=a1B2", "serial A1B2C-", "A1B2C-",
    "P12_BASE64=MII", "docker login -u a -p A1b2", "hook a1b2/", "https://a:b/private-",
    "password aB1!aB1! ", "aB1!aB1! ", "secret aB1xQ9kZ7vB2", "key:aB1/", "user a pass ", "user a and password ",
    "root:aB1!", "pin 1234 ", "code of a b 1234", "1234,", "passphrase a-b-c-", "abc-abd-", "password = $a*",
    "password=a?b=", "a=b?c&", "crypt('a1", "Client('a', ", "FTP(a, ", "auth a:b1", "://a/hooks/", "://hook.a/",
    "TOKEN  a1 ", "<D>" + "aB1/" * 10, "] :587 a:", "a b aB1 *\n", '"a" "aB1xQ9kZ"\n', "echo 'a1' | ",
    "user a using b1 ", " -U a -P b1", "salt: aB1", "bearer=aB1/", "api_hash=a1", "a:b.0123456789abcdef",
    "manually: ABC2", "session=aB1", "sessionId: ", "AES.new(b'a1', ", "set_password(a, 'b1', ", "ENC(aB1/",
    "USERPWD, \"a:b1", " /U a /P b1", "WPA Key: 12345678 ", "credentials are a / b1 ", "||password||\n|a1b2|\n",
    "datadog: a1", "private key ", "-k a1b2", "snmp community ", "a1" * 32 + " private key ", "Q~", "|", "=",
)  # fmt: skip
PREFIXES = [kind.prefixes.split()[0] for kind in SURE + CAREFUL]


def seconds(piece: str, chars: int, runs: int = 3) -> float:
    """The least processor time of some runs over a text of that many characters."""
    text = (piece * (chars // len(piece) + 1))[:chars]
    return min(once(text) for _ in range(runs))


def once(text: str) -> float:
    """The processor time of one run, in seconds."""
    begin = time.thread_time()
    find(text)
    return time.thread_time() - begin


def exponent(piece: str, sizes: tuple[int, ...]) -> float:
    """How time grows with size: 1 is linear, 2 is by squares; the least of each step, as noise only adds."""
    taken = [max(seconds(piece, size), 0.0005) for size in sizes]
    steps = list(itertools.pairwise(zip(sizes, taken, strict=True)))
    return min(math.log(after / before) / math.log(large / small) for (small, before), (large, after) in steps)


@pytest.mark.parametrize("piece", portion(PIECES, 2))
def test_time_grows_with_the_text(piece):
    """From 5,000 to 80,000 characters in two steps; by squares the exponent would be 2."""
    assert exponent(piece, (5_000, 20_000, 80_000)) < 1.35


@pytest.mark.slow
def test_time_grows_with_the_text_for_every_kind():
    """The first prefix of each row in turn, many times over."""
    slow = [one for one in dict.fromkeys(PREFIXES) if exponent(one, (1_000, 8_000)) > 1.6]
    assert not slow


@pytest.mark.parametrize("value", ["sk-or-v1-" * 4, "ghp_" + "a1B2c3" * 6])
@pytest.mark.parametrize("sign", ["", "/", ".", "-"])
def test_a_chain_of_secrets_takes_few_rounds(value: str, sign: str, monkeypatch: pytest.MonkeyPatch):
    """A secret may show the next one only when it is masked itself; all are masked, of any number."""
    rounds: list[str] = []
    once = redact._found_once

    def counted(text: str):
        rounds.append(text)
        return once(text)

    monkeypatch.setattr(redact, "_found_once", counted)
    for count in (40, 400):
        rounds.clear()
        masked = redact.mask(sign.join([value] * count))
        assert value not in masked and "[secret:" in masked
        assert len(rounds) <= redact.MOST_ROUNDS + 3


@pytest.mark.long
@pytest.mark.parametrize("piece", PIECES)
def test_time_grows_with_the_text_up_to_ten_megabytes(piece):
    """A hundred times the text; the exponent over the whole way is at most 1.2 in one of three runs, as noise adds."""
    before = max(seconds(piece, 100_000), 0.0005)
    runs = (math.log(max(seconds(piece, 10_000_000, 1), 0.0005) / before) / math.log(100) for _ in range(3))
    assert any(one <= 1.2 for one in runs)
