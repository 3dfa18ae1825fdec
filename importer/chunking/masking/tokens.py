"""Find tokens by the table of prefixes: only long words are looked at, and most texts have few.

Time is linear in the text: words are found on bytes of two values, prefixes by one pattern that reads each letter a few
times, and shapes are bounded or possessive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from importer.chunking.masking import shapes
from importer.chunking.masking.rules import CAREFUL, SURE, Kind
from importer.chunking.masking.spans import SecretSpan
from importer.chunking.masking.values import drawn, scattered

WORD_CHARS = 14  # of the shortest word that is looked at, a value of a service
TOKEN_CHARS = 20  # no token with a prefix is shorter
LETTERS_CHARS = 30  # nor is one without a digit
_INSIDE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+/~$:-"
_WORDS = bytes(0x61 if chr(code) in _INSIDE else 0x20 for code in range(256))
_DIGITS = bytes(0x64 if 0x30 <= code <= 0x39 else 0x20 for code in range(256))
_GLUE = re.compile(  # what may stand before a token, though it ends in a letter or digit
    r"(?:\\[nrtbf]|(?:\A|[\s\"'])-[A-Za-z]|\[[0-9;]{0,12}m|%[0-9A-Fa-f]{2}|u00[0-9A-Fa-f]{2}|x[0-9A-Fa-f]{2})\Z"
)
_GLUE_CHARS = 15


class Word(NamedTuple):
    """A long word of a text: where it starts and ends, and whether it holds a digit."""

    start: int
    end: int
    digits: bool


class TokenShape(NamedTuple):
    """A prefix with its shape, as patterns. `glued`: known behind letters too; `careful`: the rest must be drawn."""

    kind: str
    prefix: str
    pattern: str
    rest: str
    glued: bool
    careful: bool


def find(text: str, words: list[Word]) -> Iterator[SecretSpan]:
    """Yield the tokens that begin in the long words of a text, from left to right."""
    return (SecretSpan(at, end, token.kind) for token, at, end in found_tokens(text, words))


def found_tokens(text: str, words: Iterable[Word]) -> Iterator[tuple[TokenShape, int, int]]:
    """Yield the tokens that begin in long words: their row of the table, where they start, and where they end."""
    for start, end, digits in words:
        if end - start >= TOKEN_CHARS and (digits or end - start >= LETTERS_CHARS):
            yield from _prefixed(text, start, end)


def long_words(text: str) -> Iterator[Word]:
    """Yield the runs of letters, digits and signs of tokens."""
    raw = text.encode("ascii", "replace")  # one byte a character
    words, digits = raw.translate(_WORDS), b""
    run = b"a" * WORD_CHARS
    start = words.find(run)
    while start >= 0:
        digits = digits or raw.translate(_DIGITS)
        end = words.find(b" ", start)
        end = len(words) if end < 0 else end
        yield Word(start, end, digits.find(b"d", start, end) >= 0)
        start = words.find(run, end)


def _prefixed(text: str, start: int, end: int) -> Iterator[tuple[TokenShape, int, int]]:
    """Yield the tokens that begin in a word: where, and where they end."""
    while match := PREFIXES.search(text, start, end):
        start = match.start() + 1
        for token in TOKENS[match[0]]:
            until = _end(token, text, match.start())
            if until:
                yield token, match.start(), until
                start = until
                break


def _end(token: TokenShape, text: str, at: int) -> int:
    """Return where a token that begins at a place ends, 0 when it is none."""
    begins = _begins(token, text, at)
    if not begins and not token.glued:
        return 0
    match = shapes.compiled(token.pattern).match(text, at)
    if not match:
        return _wrapped_end(token, text, at) if begins else 0
    tail = match[0][len(token.prefix) :]
    if len(set(tail.lower())) == 1:  # "ghp_xxxx…" stands for one
        return 0
    plausible = scattered(tail) if begins and token.careful else begins or drawn(tail)
    rest = shapes.compiled(token.rest).match(text, match.end()) if plausible else None
    return _further(text, at, rest.end()) if rest else 0


def _begins(token: TokenShape, text: str, at: int) -> bool:
    """Return True if a token may begin at a place: in no word, or behind what only wraps it."""
    before = text[at - 1 : at] if at else ""
    if not before or not (before.isascii() and (before.isalnum() or before in "_-./+")):
        return True
    if not before.isalnum():
        return not token.careful or (len(token.prefix) > 2 and token.prefix[-1] in "_-.")
    return bool(_GLUE.search(text, max(0, at - _GLUE_CHARS), at))


_RUN = re.compile(r"[A-Za-z0-9_.+/=~-]{1,200}+")
_BROKEN = re.compile(r"[A-Za-z0-9_.+/=~-]{1,200}+[ \t]{0,4}\\?\r?\n")
_BREAK = re.compile(r"[ \t]{0,4}\\?\r?\n(?:[ \t]{0,40}(?:[>+|*#-]|\d{1,5}[:|→\t-])?[ \t]{0,8})")
MOST_LINES = 60  # of a token that was wrapped
WIDE_CHARS = 40  # a line that was broken by its width is as long


def _pieces(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield the piece of a token that begins at a place, then those on the next lines: each a word that looks drawn."""
    piece = _RUN.match(text, at)
    for _ in range(MOST_LINES):
        if not piece:
            return
        yield piece.span()
        joint = _BREAK.match(text, piece.end())
        piece = _RUN.match(text, joint.end()) if joint else None
        if piece and (not any(map(str.isdigit, piece[0])) or _is_token(piece[0])):
            return


def _is_token(word: str) -> bool:
    """Return True if a word begins with a token of its own; a prefix alone may stand there by chance."""
    prefix = PREFIXES.match(word)
    return prefix is not None and any(shapes.compiled(token.pattern).match(word) for token in TOKENS[prefix[0]])


def _wrapped_end(token: TokenShape, text: str, at: int) -> int:
    """Return where a token ends that is broken over lines, 0 when there is none."""
    if not _BROKEN.match(text, at):
        return 0
    joined = ""
    for start, end in _pieces(text, at):
        first, joined = not joined, joined + text[start:end]
        match = None if first else shapes.compiled(token.pattern).match(joined)
        if match and drawn(match[0][len(token.prefix) :]):
            return end - (len(joined) - match.end())
    return 0


def _further(text: str, at: int, end: int) -> int:
    """Return where a token ends that its line's width broke: the lines after it are words that look drawn."""
    if end - at < WIDE_CHARS or text[end : end + 1] not in ("\n", "\r", "\\"):
        return end
    width = end - at + 4
    for start, until in _pieces(text, at):
        piece = text[start:until]
        alone = text[until : until + 1] in ("", "\n", "\r", "\\", '"', "'", "`")
        if start > end and (len(piece) > width or not alone or not _mixed(piece)):
            break
        end = max(end, until)
    return end


def _mixed(piece: str) -> bool:
    """Return True for a piece of a token: letters of both cases and digits, as in no word, path or hash."""
    return len(piece) >= 4 and not piece.islower() and not piece.isupper() and any(map(str.isdigit, piece))


def _compiled(kinds: tuple[Kind, ...], *, careful: bool) -> Iterator[TokenShape]:
    """Yield the tokens of a table."""
    for kind in kinds:
        shape, rest = shapes.pattern(kind.shape), shapes.rest(kind.shape)
        for prefix in kind.prefixes.split():
            glued = not careful and (prefix.startswith(("AKIA", "ASIA")) or (len(prefix) > 3 and prefix[-1] in "_-."))
            yield TokenShape(kind.name, prefix, re.escape(prefix) + shape, rest, glued, careful)


def _by_prefix(tokens: list[TokenShape]) -> dict[str, list[TokenShape]]:
    """Return for each prefix the tokens that may begin with it: its own, then those of shorter prefixes."""
    known: dict[str, list[TokenShape]] = {}
    for token in tokens:
        known.setdefault(token.prefix, []).append(token)
    return {own: [token for chars in range(len(own), 0, -1) for token in known.get(own[:chars], ())] for own in known}


def _any_of(words: set[str]) -> str:
    """Return a pattern of any of these words, the longest first, that reads no letter twice."""
    firsts = sorted({word[0] for word in words if word})
    branches = [re.escape(first) + _any_of({word[1:] for word in words if word[:1] == first}) for first in firsts]
    if not branches:
        return ""
    return f"(?:{'|'.join(branches)})" + ("?" if "" in words else "")


TOKENS = _by_prefix([*_compiled(SURE, careful=False), *_compiled(CAREFUL, careful=True)])
PREFIXES = re.compile(_any_of(set(TOKENS)))
