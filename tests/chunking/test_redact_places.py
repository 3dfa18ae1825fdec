"""Passwords told in commands, headers, tags, words and other languages are masked; what only looks so is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.chunking.masking.rows.places import PLACES, WORDS
from importer.chunking.redact import mask

MASKED = {
    "export DB_PASS=zxcvbn123qwe": "export DB_PASS=[secret:password]",
    "DB_PASS=hunter2": "DB_PASS=[secret:password]",
    "smtp_pass: q7w8e9r0": "smtp_pass: [secret:password]",
    "dbpass=q7w8e9r0": "dbpass=[secret:password]",
    "auth: { user: 'me', pass: 'abc123' }": "auth: { user: 'me', pass: '[secret:password]' }",
    "curl -u admin:s3cr3tpw9": "curl -u admin:[secret:password]",
    "curl -u 'admin:s3cr3tpw9' https://x": "curl -u 'admin:[secret:password]' https://x",
    "curl -sku admin:letmein \\\n https://x": "curl -sku admin:[secret:password] \\\n https://x",
    "curl -X POST \\\n  --user admin:letmein x": "curl -X POST \\\n  --user admin:[secret:password] x",
    "curl --proxy-user=me:letmein x": "curl --proxy-user=me:[secret:password] x",
    "mysql -u root -pMyS3cretPw": "mysql -u root -p[secret:password]",
    "mysqldump -uroot -p'letmein' db > x": "mysqldump -uroot -p'[secret:password]' db > x",
    "docker exec db mariadb -uroot -p1234": "docker exec db mariadb -uroot -p[secret:password]",
    "sshpass -p 'letmein' ssh me@host": "sshpass -p '[secret:password]' ssh me@host",
    "<password>xmlpw1234</password>": "<password>[secret:password]</password>",
    "<db.Password>xmlpw1234</db.Password>": "<db.Password>[secret:password]</db.Password>",
    "<apiKey>d41d8cd98f00b204</apiKey>": "<apiKey>[secret:key]</apiKey>",
    "passwd 'letmein77'": "passwd '[secret:password]'",
    "CREATE USER x WITH PASSWORD 'letmein77';": "CREATE USER x WITH PASSWORD '[secret:password]';",
    "Set-Cookie: session=abcdef1234567890abcdef": "Set-Cookie: session=[secret:cookie]",
    "set-cookie: sid=abcdef1234567890abcdef; Path=/; HttpOnly": "set-cookie: sid=[secret:cookie]; Path=/; HttpOnly",
    "Cookie: theme=dark; sid=s%3Aabcdef1234567890; x=1": "Cookie: theme=dark; sid=[secret:cookie]; x=1",
    '{"cookie": "sid=abcdef1234567890"}': '{"cookie": "sid=[secret:cookie]"}',
    "my password is swordfish12": "my password is [secret:password]",
    'WIFI password is "blue-Horse-77"': 'WIFI password is "[secret:password]"',
    "The password is now: letmein77, thanks": "The password is now: [secret:password], thanks",
    "passphrase: open sesame 42": "passphrase: [secret:password]",
    "Passphrase: open sesame 42, as ever": "Passphrase: [secret:password], as ever",
    'passphrase = "correct horse battery staple"': 'passphrase = "[secret:password]"',
    "Kennwort: geheim123": "Kennwort: [secret:password]",
    "Passwort: geheim123": "Passwort: [secret:password]",
    "das Passwort lautet Größe123": "das Passwort lautet [secret:password]",
    "пароль: qwerty789": "пароль: [secret:password]",
    "Пароль: длинный789": "Пароль: [secret:password]",
    "contraseña: secreto99": "contraseña: [secret:password]",
    "mot de passe : secret99x": "mot de passe : [secret:password]",
    "Mot de passe : soleil99": "Mot de passe : [secret:password]",
    "PASSWORD = 'swordfish'": "PASSWORD = '[secret:password]'",
    "DB_PASSWORD: str = 'swordfish'": "DB_PASSWORD: str = '[secret:password]'",
    '$passwd = "swordfish";': '$passwd = "[secret:password]";',
    'pwd := "Swordfish"': 'pwd := "[secret:password]"',
    "secret='swordfish'": "secret='[secret:secret]'",
    "if password == 'swordfish':": "if password == '[secret:password]':",
    "'password2' => 'swordfish'": "'password2' => '[secret:password]'",
    '{"user": "root", "password": "swordfish"}': '{"user": "root", "password": "[secret:password]"}',
    r"{\"password\": \"swordfish\"}": r"{\"password\": \"[secret:password]\"}",
    "db.password: 'swordfish'": "db.password: '[secret:password]'",
    "define('DB_PASSWORD', 'swordfish');": "define('DB_PASSWORD', '[secret:password]');",
    "os.environ.get('DB_PASSWORD', 'swordfish')": "os.environ.get('DB_PASSWORD', '[secret:password]')",
}

KEY_IN_HEX = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
MASKED |= {
    "snmp-server community S3cr3tRO RO": "snmp-server community [secret:snmp-community] RO",
    "rocommunity letmein 10.0.0.0/8": "rocommunity [secret:snmp-community] 10.0.0.0/8",
    "the SNMP community string is k7mRead": "the SNMP community string is [secret:snmp-community]",
    "snmpwalk -v2c -c k7mRead 10.0.0.1": "snmpwalk -v2c -c [secret:password] 10.0.0.1",
    "snmpget -v3 -u me -A authpw12 -X privpw12 h": "snmpget -v3 -u me -A [secret:password] -X [secret:password] h",
    f"tool -k {KEY_IN_HEX} x": "tool -k [secret:key] x",
    f"tool --key={KEY_IN_HEX[:32]} x": "tool --key=[secret:key] x",
    f"openssl enc -K {KEY_IN_HEX} -p": "openssl enc -K [secret:key] -p",
    f"the private key of the wallet: {KEY_IN_HEX}": "the private key of the wallet: [secret:private-key]",
    f"privkey 0x{KEY_IN_HEX}": "privkey 0x[secret:private-key]",
    f"{KEY_IN_HEX} is my private key": "[secret:private-key] is my private key",
    f"0x{KEY_IN_HEX}  # Private Key": "0x[secret:private-key]  # Private Key",
}

KEPT = (
    "snmpwalk -v2c -c public 10.0.0.1; rocommunity public; SNMP community: private, SNMP community strings are read",
    "the community welcomes everyone; snmp community of routers",
    f"private key fingerprint sha256 {KEY_IN_HEX}; {KEY_IN_HEX} holds no private key",
    f"git tool -k {KEY_IN_HEX[:40]}; see {KEY_IN_HEX}",
    "the password is wrong",
    "password is required",
    "the password is SHA-256 hashed, and password is 12-character at least",
    "passwords are hashed; my password is expired",
    "it passes -p 8080:80",
    "docker run -p 8080:80 nginx",
    "docker run --name mysql -p3306:3306 mysql:8",
    "docker run --name mysql -p127.0.0.1:3306:3306 -u 999:999 mysql:8",
    "ssh -p 2222 me@host",
    "cp -u a:b (no)",
    "use curl; then docker run -u node:nodejs12 x",
    "curl x | docker exec -u www:www-data -i db sh",
    "curl -u me: https://x",
    "curl --url=https://x/ -u $USER:$PASS",
    "curl -u <user>:<your-password> -u a:${DB_PASS} -u a:xxx",
    "git commit -u",
    "mysql -u root -p",
    "mysql -u root -p$PASS && ls -part1",
    "mysql -h db -port 3306 -password",
    "password = get_password()",
    "pass",
    "compass=3",
    "compass=n0rthw3st",
    "bypass: n0rthw3st1",
    "PASS: test_login_v2",
    "✓ pass: utf8check9000",
    "first_pass = stage1_result",
    "the tests pass 'step123'",
    "<your-password>",
    "password: xxx, password: <your-password>, password=${DB_PASS}, DB_PASS=$PASS",
    "<password>string</password> <password>${db.password}</password>",
    "if (password>minimum12) return a</b",
    "change the password 'field' of the form",
    "passphrase: see section 4 of the manual",
    "passphrase: Enter your passphrase",
    "passphrase: str, optional",
    "<MaxPasswordAge>90</MaxPasswordAge>",
    "hash the password `user_field2` first",
    "Cookie: theme=dark; lang=en-GB",
    "a cookie: something sweet",
    "Set-Cookie: a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Max-Age=2592000",
    "Passwort falsch, пароль неверный, contraseña incorrecta, mot de passe oublié",
    "Kennwort: erforderlich",
    '"password": "Passwort", "password": "Required", "password": "passord", password: "motdepasse"',
    "password: 'string', password: 'required', password = \"DBPASS\", password = 'fieldName'",
    "password = 'swordfish is in the sea', password = 'secretword', t('password') : 'swordfish'",
    'CONF_PASSWORD = "loginword"; label_password = "Kodeord"; type_password = "loginform"',
    "passwordHash: 'bcrypt', password_field = 'loginfield', \"secret\": \"kubernetes\", token = 'swordfish'",
    "('PASSWORD', 'loginform')",
    '"password": "Contraseña", "password": "Größe"',
    '"forgotPassword": "vergessen", "resetPassword": "neuw\u00e4hlen", placeholder_password = "Geheim"',
    "MTSomething.method.anotherMethodWithAVeryLongNameIndeed",
)


@pytest.mark.parametrize("text", MASKED)
def test_a_password_is_masked_where_it_is_told(text):
    """The value is replaced, the text around it stays, also within a text; masking again changes nothing."""
    assert mask(text) == MASKED[text]
    assert mask(f"(so)\n{text}\nand on") == f"(so)\n{MASKED[text]}\nand on"
    assert mask(MASKED[text]) == MASKED[text]


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_it_stays(text):
    """Prose, ports, options of other commands, code and placeholders are not masked."""
    assert mask(text) == text


PIECES = [
    *MASKED, *MASKED.values(), *KEPT, "curl ", "mysql ", "sshpass ", " -u ", " -p", "a:b", "cookie: ", "=", ";", "|",
    "\n", "password", " is ", "passphrase: ", "pass", "<", ">", "</", "'", '"', "x1y2z3w4", "[secret:", "]", " ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join))
def test_masking_again_changes_nothing(text):
    """mask(mask(x)) == mask(x), also for texts made of nothing but pieces of such places."""
    once = mask(text)
    assert mask(once) == once


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        *("mysql -pa:1 ", "mysql -pabc ", "curl -u a:b ", "curl -u a:bcd ", "curl ", "cookie: a=", "cookie: a;", "a="),
        *("password is ", "<password>", "pass=", "mot de passe", "MTa.", "MT", "пароль: ", 'passwd "a1', "curl -uu"),
        *(
            "passphrase: a ",
            "passphrase: a1 ",
            "passphrase:",
            " -p[secret:",
            "sshpass -p ",
            "pass:a1b2c3d4",
            "password",
        ),
    ],
)
def test_eight_times_the_text_takes_about_eight_times_as_long(piece):
    """Eight times the text takes about eight times as long; by squares it would be 64 times."""
    small, large = (piece * (size // len(piece) + 1) for size in (20_000, 160_000))
    assert min(_seconds(large) for _ in range(2)) < 25 * min(_seconds(small) for _ in range(5)) + 0.01


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["a", "password ", "-p", " -p"])
def test_as_much_again_takes_as_long_again(piece):
    """400,000 characters, and as many more: by squares it would be four times as long."""
    small, large = (piece * (size // len(piece)) for size in (400_000, 800_000))
    assert min(_seconds(large) for _ in range(3)) < 3 * min(_seconds(small) for _ in range(3)) + 0.02


def _seconds(text):
    begin = time.thread_time()
    mask(text)
    return time.thread_time() - begin


def test_no_place_is_looked_for_in_nearly_every_text():
    """A marker is more than one sign, which code is full of; `@` is rare enough."""
    assert not [marker for place in PLACES + WORDS for marker in place.markers if len(marker) < 2 and marker != "@"]
