"""Pure: read JSON with comments and trailing commas as a tree whose parts know their places in the text."""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

BOM = "\ufeff"
_TOKEN = re.compile(
    r"""(?P<text>"[^"\\]*(?:\\.[^"\\]*)*")|(?P<comment>//[^\r\n]*|/\*.*?\*/)|(?P<sign>[{}\[\]:,])"""
    r"""|(?P<space>[ \t\r\n]+)|(?P<word>[^\s{}\[\]:,"/]+)""",
    re.DOTALL,
)
CLOSING = {"{": "}", "[": "]"}


class UnreadableSettings(Exception):
    """A file whose form is not understood; nothing is changed in it."""


class JsonToken(NamedTuple):
    """A text, sign or word that means something, and where it stands."""

    said: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class JsonNode:
    """A value and its place; `parts` are those of an object or array, `closing` is where its last bracket stands."""

    start: int
    end: int
    parts: tuple[JsonPart, ...] = ()
    opens: str = ""

    @property
    def closing(self) -> int:
        """The place of the closing bracket."""
        return self.end - 1

    def named(self, key: str) -> int:
        """Return the index of the part with this key, the last one as for parsers, -1 for none."""
        return max((at for at, part in enumerate(self.parts) if part.key == key), default=-1)


@dataclass(frozen=True, slots=True)
class JsonPart:
    """A member of an object, or an element of an array, whose `key` is ""; `comma` behind it stands there, or at -1."""

    key: str
    start: int
    value: JsonNode
    comma: int = -1


def tokens(text: str) -> Iterator[JsonToken]:
    """Yield what means something, with its place. Raises Unreadable for what is no JSON with comments."""
    at = 1 if text.startswith(BOM) else 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise UnreadableSettings(
                f"it is no JSON that can be read: line {text.count(chr(10), 0, at) + 1} is not understood"
            )
        at = found.end()
        if found.lastgroup not in {"comment", "space"}:
            yield JsonToken(found[0], found.start(), at)


@functools.lru_cache(maxsize=8)
def tree(text: str) -> JsonNode | None:
    """Return the value in a text, None where there is none. Raises Unreadable."""
    reader = _TokenReader(list(tokens(text)))
    if not reader.tokens:
        return None
    try:
        value = reader.value()
    except RecursionError as error:
        raise UnreadableSettings("it is nested too deeply") from error
    if reader.at < len(reader.tokens):
        raise UnreadableSettings("it is no JSON that can be read: something follows its end")
    return value


def value_of(text: str) -> Any:
    """Return what a text says, {} for one that says nothing. Raises Unreadable."""
    if is_strict(text):
        return json.loads(text.removeprefix(BOM))
    if tree(text) is None:
        return {}
    kept = list[str]()
    for token in tokens(text):
        if token.said in {"}", "]"} and kept[-1] == ",":
            kept.pop()  # allowed by some assistants, not by Python
        kept.append(token.said)
    try:
        return json.loads(" ".join(kept))
    except (ValueError, RecursionError) as error:
        raise UnreadableSettings(f"it is no JSON that can be read: {error}") from error


@functools.lru_cache(maxsize=8)
def is_strict(text: str) -> bool:
    """Return True for JSON that needs no allowances; large files are nearly always so, and are read at full speed."""
    try:
        json.loads(text.removeprefix(BOM))
    except (ValueError, RecursionError):
        return False
    return True


def trailing_commas(text: str) -> int:
    """Return how many commas stand before a closing bracket: not every assistant allows them."""
    if is_strict(text):
        return 0
    said = [token.said for token in tokens(text)]
    return sum(one == "," and after in {"}", "]"} for one, after in itertools.pairwise(said))


def line_comments(text: str) -> set[int]:
    """Return where comments end that last until their line does: what follows must stay on another line."""
    comments = (found for found in _TOKEN.finditer(text) if found.lastgroup == "comment")
    return {found.end() for found in comments if found[0].startswith("//")}


def blank(text: str) -> bool:
    """Return True for a text that has neither values nor comments."""
    return not text.removeprefix(BOM).strip()


class _TokenReader:
    """Reads tokens from the first to the last."""

    def __init__(self, tokens: list[JsonToken]) -> None:
        self.tokens, self.at = tokens, 0

    def take(self, *wanted: str) -> JsonToken:
        """Return the next token, which must be one of those. Raises Unreadable."""
        if self.at >= len(self.tokens) or (wanted and self.tokens[self.at].said not in wanted):
            raise UnreadableSettings(f"it is no JSON that can be read: {' or '.join(wanted) or 'a value'} is missing")
        self.at += 1
        return self.tokens[self.at - 1]

    def value(self) -> JsonNode:
        """Read a value."""
        first = self.take()
        if first.said in CLOSING:
            return self.parts(first)
        if first.said in {"}", "]", ",", ":"}:
            raise UnreadableSettings(f"it is no JSON that can be read: {first.said} stands where a value should be")
        return JsonNode(first.start, first.end)

    def parts(self, first: JsonToken) -> JsonNode:
        """Read what follows an opening bracket, up to the one that closes it."""
        closing, found = CLOSING[first.said], list[JsonPart]()
        while self.tokens[self.at : self.at + 1] and self.tokens[self.at].said != closing:
            part = self.part(named=closing == "}")
            after = self.take(",", closing)
            if after.said == closing:
                return JsonNode(first.start, after.end, (*found, part), first.said)
            found.append(JsonPart(part.key, part.start, part.value, after.start))
        return JsonNode(first.start, self.take(closing).end, tuple(found), first.said)

    def part(self, *, named: bool) -> JsonPart:
        """Read a member or an element."""
        if not named:
            value = self.value()
            return JsonPart("", value.start, value)
        key = self.take()
        if not key.said.startswith('"'):
            raise UnreadableSettings(f"it is no JSON that can be read: {key.said} is no name")
        self.take(":")
        try:
            return JsonPart(json.loads(key.said), key.start, self.value())
        except ValueError as error:
            raise UnreadableSettings(f"it is no JSON that can be read: {error}") from error
