"""Find passwords in the columns of tables: `| user | password |` above its rows, `user,password` above lines of CSV.

The head names the column; each row below it with as many cells gives one value. A row with another number ends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from importer.chunking.masking.spans import SecretSpan
from importer.chunking.masking.values import chosen_or_drawn, stands_for_one

MOST_ROWS = 200  # of one table
HEAD_CHARS = 600  # of the longest head
ROW_CHARS = 4000
_WORDS = (  # in lower case
    "password", "passwd", "passwort", "pwd", "secret", "token", "api key", "api_key", "apikey", "passphrase", "pass",
    "kennwort", "contraseña", "mot de passe", "пароль", "密码", "wpa key", "wifi key", "access key", "private key",
)  # fmt: skip
_NAMED = re.compile(rf"[\s*\"']{{0,6}}(?:\w{{1,20}}[ _])?(?:{'|'.join(_WORDS)})[\s*\"']{{0,6}}", re.IGNORECASE)
_CELL_ENDS = re.compile(r"[ *\"']{0,4}(?P<sign>[|│┃║,;\t\r\n])")
_RULE = re.compile(r"[\s|+:=_│┃║┼╪╬├┤─━═-]{1,600}")  # the line between the head and the rows
_VALUE = re.compile(r"[\s\"'`*]{0,6}(?P<secret>[^\s\"'`]{4,200}+)[\s\"'`*]{0,6}")


def find(text: str) -> Iterator[SecretSpan]:
    """Yield the values in the columns of passwords, keys and tokens, table by table."""
    if "\n" not in text:
        return
    folded, heads = text.lower(), set()
    for word in _WORDS:
        at = folded.find(word)
        while at >= 0:
            at += len(word)
            if _CELL_ENDS.match(folded, at):
                heads.add(folded.rfind("\n", 0, at) + 1)
            at = folded.find(word, at)
    if heads and len(folded) == len(text):  # some letters grow in lower case; then positions would not be the same
        for start in sorted(heads):
            yield from _table(text, start)


def _table(text: str, start: int) -> Iterator[SecretSpan]:
    """Yield the values below the head that begins at a place, if it is one."""
    end = text.find("\n", start)
    if end < 0 or end - start > HEAD_CHARS:
        return
    head = text[start:end].replace("||", "|")
    sign = next((sign for sign in "|│┃║\t;," if sign in head), "")
    cells = head.split(sign) if sign else []
    columns = [number for number, cell in enumerate(cells) if _NAMED.fullmatch(cell)]
    if columns and sum(map(bool, map(str.strip, cells))) > 1:
        yield from _below(text, end + 1, sign, len(cells), columns)


def _below(text: str, at: int, sign: str, cells: int, columns: list[int]) -> Iterator[SecretSpan]:
    """Yield the values in these columns of the rows that begin at a place."""
    for _ in range(MOST_ROWS):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if _RULE.fullmatch(text, at, end):
            at = end + 1
            continue
        row = text[at:end].split(sign) if end - at <= ROW_CHARS else []
        if len(row) != cells or any(_NAMED.fullmatch(row[column]) for column in columns):  # another head
            return
        for column in columns:
            start = at + sum(len(cell) + 1 for cell in row[:column])
            value = _VALUE.fullmatch(row[column])
            if value and chosen_or_drawn(value["secret"]) and not stands_for_one(value["secret"]):
                yield SecretSpan(start + value.start("secret"), start + value.end("secret"), "password")
        at = end + 1
