"""Bound what a server may answer: a client reads all of an answer, and unpacks it, before anything looks at it.

A server that is broken, or none of Qdrant's at all, may send without end (3 GB were taken in), pack gigabytes into
kilobytes, or send a byte a second, which no time-out of the client's sees.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx

MOST_BYTES = 64 << 20  # of an answer, unpacked; the largest that is asked for, vectors of a page, takes some 10 MB
MOST_TIMES = 3  # the client's time-out for a part, for the whole of an answer
MOST_S = 300.0  # where it has none
MOST_WAIT_S = 86_400.0  # until tomorrow: then a day's limit is anew
GZIP = 31  # of zlib: with gzip's head
HEADERS = {"Accept-Encoding": "gzip"}  # the one packing that is unpacked here
GRPC_OPTIONS = {"grpc.max_receive_message_length": MOST_BYTES}


class AnswerTooLargeError(httpx.DecodingError):
    """An answer has no end, or none that is waited for."""


def wait_s(asked_s: float) -> float:
    """Return how long to wait where a server asks for so long: it may say "inf", or the year 9999."""
    return min(max(0.0, asked_s), MOST_WAIT_S)  # 0 for what is no number


def bound(response: httpx.Response) -> None:
    """Have the body of a response end with an error where it is too long; to be called before it is read."""
    packing = response.headers.pop("content-encoding", "").strip().lower()
    if packing not in {"", "identity", "gzip"}:
        raise AnswerTooLargeError(f"it is packed as {packing[:20]!r}, which was not asked for")
    part_s = response.request.extensions.get("timeout", {}).get("read")
    most_s = MOST_TIMES * part_s if part_s else MOST_S
    response.stream = BoundedStream(response.stream, packed=packing == "gzip", most_s=most_s)


class BoundedStream(httpx.SyncByteStream):
    """The bytes of a body, unpacked. Raises AnswerTooLargeError behind `most_bytes`, and after `most_s`."""

    def __init__(
        self,
        body: Any,
        *,
        packed: bool,
        most_bytes: int = MOST_BYTES,
        most_s: float = MOST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._body, self._most_bytes, self._clock = body, most_bytes, clock
        self._unpacking = zlib.decompressobj(GZIP) if packed else None
        self._end_s = clock() + most_s

    def __iter__(self) -> Iterator[bytes]:
        """Yield the parts as they come."""
        size = 0
        for raw in self._body:
            for part in self._unpacked(raw):
                size += len(part)
                if size > self._most_bytes:
                    raise AnswerTooLargeError(f"it is longer than {self._most_bytes:,} bytes")
                yield part
            if self._clock() > self._end_s:
                raise AnswerTooLargeError("it does not end")

    def _unpacked(self, raw: bytes) -> Iterator[bytes]:
        """Yield what is packed in some bytes, a bounded part at a time. Raises ValueError where that is damaged."""
        if self._unpacking is None:
            yield raw
            return
        try:
            while raw:
                yield self._unpacking.decompress(raw, 1 << 20)
                raw = self._unpacking.unconsumed_tail
        except zlib.error as error:
            raise httpx.DecodingError(f"it is damaged: {error}") from error

    def close(self) -> None:
        """Give the connection back."""
        self._body.close()
