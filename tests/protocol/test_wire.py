"""Frames survive any way of being read, and closed, truncated, too large and garbled are told apart."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worker_told import told

from importer.errors import WireError
from importer.protocol import wire
from importer.protocol.outcome import Failure, Receipt
from importer.protocol.records import Chunk, Release

FAILURE = Failure(3, "embed", "EmbedError", "why", True, ("a",), 1.5)
RECEIPT = Receipt(3, 4, 5, 600, 70, 8 << 20, 0.25, 0.125)
CHUNK = Chunk("id", "text ✓ naïve", {"tools": ["Bash"], "chunk": 2}, "held")
FRAME = wire.encode(7, wire.Ask("search", {"text": "why"}))


def read(raw: bytes) -> tuple[int, bytes] | None:
    return wire.read_frame(io.BytesIO(raw).read)


@pytest.mark.parametrize(
    "message",
    [
        wire.Configure(told(), preload=True),
        wire.Import((CHUNK,), (Release("old", "held"),), 2048, True),
        wire.Ask("search", {"text": "x", "limit": 3}),
    ],
)
def test_requests_come_as_they_went(message: wire.Request) -> None:
    """Encoded, framed, read and decoded, a request is the same value."""
    frame = read(wire.encode(9, message))
    assert frame is not None
    assert (frame[0], wire.decode_request(frame[1])) == (9, message)


@pytest.mark.parametrize(
    "message",
    [
        wire.Ready(1, 2, "print", "edge:/x"),
        wire.Working(("a", "b")),
        wire.Done(RECEIPT),
        wire.Failed(FAILURE, 4, "try this"),
        wire.Answer([{"id": "a", "score": 0.5}]),
    ],
)
def test_replies_come_as_they_went(message: wire.Reply) -> None:
    """The same the other way."""
    frame = read(wire.encode(9, message))
    assert frame is not None
    assert (frame[0], wire.decode_reply(frame[1])) == (9, message)


@given(st.text(st.characters(codec=None)))
def test_any_question_can_be_sent(typed: str) -> None:
    """What is typed need not be UTF-8: bytes from a shell and halves of a pair are replaced, all else stays."""
    asked = wire.question("search", {"text": typed, "limit": 3})
    frame = read(wire.encode(9, asked))
    assert frame is not None
    assert wire.decode_request(frame[1]) == asked
    whole = not any("\ud800" <= sign <= "\udfff" for sign in typed)
    assert (asked.args["text"] == typed) == whole


@given(st.lists(st.integers(1, 20)))
def test_reads_may_return_less(sizes: list[int]) -> None:
    """However few bytes each read gives, the frame comes whole."""
    stream, pieces = io.BytesIO(FRAME), iter(sizes)

    def some(size: int) -> bytes:
        return stream.read(min(size, next(pieces, 7)))

    assert wire.read_frame(some) == read(FRAME)


def test_the_end_between_frames_is_clean() -> None:
    """Nothing more is None; several frames come one after the other."""
    stream = io.BytesIO(FRAME + FRAME)
    assert [wire.read_frame(stream.read) is None for _ in range(3)] == [False, False, True]


@given(st.integers(1, len(FRAME) - 1))
def test_the_end_within_a_frame_is_an_error(size: int) -> None:
    """A peer that died while it wrote is not taken for one that closed."""
    with pytest.raises(WireError, match="truncated"):
        read(FRAME[:size])


@given(st.integers(0, len(FRAME) - 1), st.integers(1, 255))
def test_no_garbled_frame_is_delivered(place: int, change: int) -> None:
    """A frame with any spoilt byte is refused; only the number is not covered by the checksum."""
    spoilt = bytearray(FRAME)
    spoilt[place] ^= change
    if 12 <= place < wire.HEADER.size:
        assert read(bytes(spoilt)) is not None
        return
    with pytest.raises(WireError):
        read(bytes(spoilt))


def test_a_torn_length_is_not_believed() -> None:
    """A frame that claims to be larger than any is refused before anything is read for it."""
    with pytest.raises(WireError, match="larger"):
        read(wire.HEADER.pack(wire.MAGIC, wire.MAX_FRAME_BYTES + 1, 0, 1))


@pytest.mark.parametrize("decode", [wire.decode_request, wire.decode_reply])
@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x81\xa4type\xa3ask", b"\x93\x01\x02\x03"])
def test_nonsense_is_no_message(decode: Callable[[bytes], object], body: bytes) -> None:
    """A body that is no message of its direction is an error of the wire, not of the program."""
    with pytest.raises(WireError, match="garbled message"):
        decode(body)


def test_messages_have_a_direction() -> None:
    """A reply is no request."""
    frame = read(wire.encode(1, wire.Working(())))
    assert frame is not None
    with pytest.raises(WireError):
        wire.decode_request(frame[1])
