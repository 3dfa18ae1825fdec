"""Read the elements of a large JSON array one after the other: a benchmark's file may be larger than the memory.

LongMemEval's medium file has 2.7 GB in 500 elements. Decoded at once it would take several times that.
"""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from importer.protocol.system.plain import plain

BLOCK_BYTES = 1 << 20
BEHIND = frozenset(", ]\t\r\n")  # a value: a number may go on in the next block
_decoder = json.JSONDecoder()


def sha256(path: str) -> str:
    """Return the SHA-256 of a file's bytes. Raises OSError."""
    with open(path, "rb", opener=plain) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def elements(path: str) -> Iterator[Any]:
    """Yield the elements of the array in a file, or the one value that is none. Raises OSError, ValueError."""
    with open(path, "rb", opener=plain) as file:
        text = _Text(file)
        if text.next_character() != "[":
            yield text.value()
            text.end()
            return
        text.skip()
        while text.next_character() not in {"]", ""}:
            yield text.value()
            if text.next_character() == ",":
                text.skip()
            elif text.next_character() != "]":
                raise ValueError("the array is cut off, or has no comma between two elements")
        if text.next_character() != "]":
            raise ValueError("the array has no end")
        text.skip()
        text.end()


class _Text:
    """The text of a file from where reading has come to; only what the next value needs of it is in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._read: Callable[[int], bytes] = file.read
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text, self._at, self._ended = "", 0, False

    def next_character(self) -> str:
        """Return the next character that is no white space, "" at the end."""
        while True:
            left = self._text[self._at : self._at + 1]
            if left and not left.isspace():
                return left
            if left:
                self._at += 1
            elif not self._more(BLOCK_BYTES):
                return ""

    def skip(self) -> None:
        """Pass over one character."""
        self._at += 1

    def value(self) -> Any:
        """Return the value that begins with the next character, read in steps that double. Raises ValueError."""
        self.next_character()
        while True:
            try:
                found, end = _decoder.raw_decode(self._text, self._at)
            except ValueError:
                if not self._more(max(BLOCK_BYTES, len(self._text))):
                    raise
                continue
            if self._text[end : end + 1] in BEHIND or not self._more(BLOCK_BYTES):
                self._at = end
                return found

    def end(self) -> None:
        """Raise ValueError unless nothing follows."""
        if self.next_character():
            raise ValueError("something follows the value")

    def _more(self, count: int) -> bool:
        """Read so many bytes more; False at the end of the file."""
        if self._ended:
            return False
        block = self._read(count)
        self._ended = not block
        self._text, self._at = self._text[self._at :] + self._decode(block, self._ended), 0
        return True
