"""Find values of services: a long word that has the shape of one, behind a name that says the service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from importer.chunking.masking import shapes
from importer.chunking.masking.services import SERVICES
from importer.chunking.masking.spans import SecretSpan
from importer.chunking.masking.tokens import Word
from importer.chunking.masking.values import scattered

_OPERATORS = "=:>|,("
_BETWEEN = " \t\"'`*\\[]{}"
_NAME_CHARS = 60
_NAME_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_PUBLIC = frozenset(
    (  # a name that ends so is of something public
        "url", "uri", "host", "commit", "sha", "sha1", "sha256", "md5", "hash", "digest", "checksum", "version",
        "uuid", "guid", "etag", "revision", "rev", "ref", "integrity", "branch", "fingerprint", "name", "path",
        "file", "build", "region", "image", "tag", "event", "issue", "run", "job", "trace", "span", "request",
        "thread", "message", "user", "channel", "guild", "container", "layer", "object", "blob", "tree", "node",
        "session", "page", "board", "card", "task", "ticket", "order", "product",
    )
)  # fmt: skip
_IDS = frozenset(("client", "access", "app", "application", "account", "api", "consumer"))  # of a login


def find(text: str, words: list[Word]) -> Iterator[SecretSpan]:
    """Yield the values of services among the long words of a text, from left to right."""
    for start, end, digits in words:
        if digits:
            yield from _values(text, start, end)


def _values(text: str, start: int, end: int) -> Iterator[SecretSpan]:
    """Yield the value of a service that a long word is, or that stands behind its last colon."""
    colon = text.rfind(":", start, end) + 1
    for at in (start, colon) if colon > start else (start,):
        for kind, shape in VALUES.get(_service(text, at), ()):
            match = shapes.compiled(shape).match(text, at)
            if match and match.end() >= end and _plausible(match[0]):
                yield SecretSpan(at, match.end(), kind)
                return


def _plausible(value: str) -> bool:
    """Return True if a value looks drawn; of letters and digits without a sign, one digit is enough."""
    return scattered(value) or (value.isalnum() and any(map(str.isdigit, value)))


def _service(text: str, at: int) -> str:
    """Return the service that the name before a value says; empty when it says none, or is of something public."""
    before = text[max(0, at - _NAME_CHARS) : at].rstrip(_BETWEEN)
    if not before.endswith(tuple(_OPERATORS)):
        return ""
    name = before.rstrip(_OPERATORS + _BETWEEN + "?").rpartition("\n")[2][-40:]
    words = [word.lower() for word in _NAME_WORDS.findall(name)][-6:]
    if not words or words[-1] in _PUBLIC or (words[-1] == "id" and not _IDS.intersection(words)):
        return ""
    pairs = [first + second for first, second in pairwise(words)]
    return next((word for word in [*pairs, *words] if word in VALUES), "")


VALUES = {
    name: [(f"{service.names.split()[0]}-key", shapes.pattern(shape)) for shape in service.shapes]
    for service in SERVICES
    for name in service.names.split()
}
