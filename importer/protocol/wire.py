"""Frames and messages between the daemon and its worker.

A frame, all integers big-endian:

    +---------+--------+-------+----------+--------------------+
    | "IMP1"  | length | crc32 |  number  |  msgpack message   |
    | 4 bytes |  u32   |  u32  |   u64    |  `length` bytes    |
    +---------+--------+-------+----------+--------------------+

`number` is the batch's or the request's; the answer carries the same one. End of file between two frames is a clean
close (`None`); anywhere else it is `WireError`.

    daemon -> worker                      worker -> daemon
    Configure (first frame, number 0)     Ready | Failed
    Import                                Working* then Done (a receipt) | Failed
    Embed (where there are several)       Working* then Vectors | Failed
    Ask (search, count, …)                Answer | Failed
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from importer.errors import UsageError, WireError
from importer.protocol.outcome import Failure, MemoryTaken, Receipt
from importer.protocol.records import Chunk, ConversationFacts, Release
from importer.protocol.worker_settings import WorkerSettings

MAGIC = b"IMP1"
HEADER = struct.Struct("!4sIIQ")
MAX_FRAME_BYTES = 64 * 1024 * 1024  # a batch is far below a megabyte; anything near this is a torn length


class Configure(msgspec.Struct, frozen=True, tag="configure"):
    """First frame: everything the worker needs to know, secrets included (they never stand in argv or environment).

    `standby` imports what is needed, and leaves store and model alone until a second such frame. `preload` loads the
    model before `Ready`. `backlog` says that many files are waiting.
    """

    settings: WorkerSettings
    standby: bool = False
    preload: bool = False
    backlog: bool = False


class Import(msgspec.Struct, frozen=True, tag="import"):
    """Embed and store these chunks, then let go of the outgrown open ones. `token_budget` bounds its model runs.

    `news` are facts of whole conversations, each with its source: what is stored of them is to tell these, too.
    `vectors` are those that another worker has made already, by chunk (see `Vectors`); the rest is embedded here.
    """

    chunks: tuple[Chunk, ...]
    releases: tuple[Release, ...] = ()
    token_budget: int = 0
    urgent: bool = False
    news: tuple[tuple[str, ConversationFacts], ...] = ()
    vectors: Mapping[str, bytes] = {}


class Embed(msgspec.Struct, frozen=True, tag="embed"):
    """Embed these texts, each with its chunk's id, and store nothing. `token_budget` bounds the model runs."""

    texts: tuple[tuple[str, str], ...]
    token_budget: int = 0


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """A question: `op` names a function of `importer.worker.answers`, `args` its keyword arguments."""

    op: str
    args: Mapping[str, Any] = {}


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker has its store open. `points` is what it counts; `fingerprint` names its model, schema and birth."""

    pid: int
    points: int
    fingerprint: str
    store: str


class Working(msgspec.Struct, frozen=True, tag="working"):
    """These chunks are in the model now: a worker that dies next died on them."""

    ids: tuple[str, ...]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """A receipt, after the durable write."""

    receipt: Receipt


class Vectors(msgspec.Struct, frozen=True, tag="vectors"):
    """The vectors of an `Embed` by chunk: float32, little-endian. `tokens` were embedded in `seconds` of wall time."""

    vectors: Mapping[str, bytes]
    tokens: int
    seconds: float
    memory: MemoryTaken = MemoryTaken()


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The batch or the question failed; nothing of it is acknowledged. `exit_code` is the error's."""

    failure: Failure
    exit_code: int = 1
    hint: str = ""


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The answer to an `Ask`."""

    value: Any = None


Request = Configure | Import | Embed | Ask
Reply = Ready | Working | Done | Vectors | Failed | Answer

_encoder = msgspec.msgpack.Encoder()
_requests = msgspec.msgpack.Decoder(Request)
_replies = msgspec.msgpack.Decoder(Reply)


def question(op: str, args: Mapping[str, Any]) -> Ask:
    """Return an `Ask` that can be sent: typed text need not be UTF-8, so half of a surrogate pair becomes "?".

    Raises UsageError for what no frame can hold.
    """
    asked = Ask(op, {_utf8(name): _utf8(value) if isinstance(value, str) else value for name, value in args.items()})
    try:
        size = len(_encoder.encode(asked))
    except (OverflowError, ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"malformed question: {error}") from error
    if size > MAX_FRAME_BYTES:
        raise UsageError(f"malformed question: {size} bytes are more than {MAX_FRAME_BYTES}")
    return asked


def _utf8(text: str) -> str:
    """`text` as UTF-8 can hold it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def encode(number: int, message: Request | Reply) -> bytes:
    """Return one frame, ready to write."""
    body = _encoder.encode(message)
    return HEADER.pack(MAGIC, len(body), zlib.crc32(body), number) + body


def decode_header(header: bytes) -> tuple[int, int, int]:
    """Return `(length, crc32, number)` of a frame's first `HEADER.size` bytes. Raises WireError for no header."""
    magic, length, checksum, number = HEADER.unpack(header)
    if magic != MAGIC:
        raise WireError(f"garbled frame: it begins with {magic!r}")
    if length > MAX_FRAME_BYTES:
        raise WireError(f"frame of {length} bytes is larger than {MAX_FRAME_BYTES}")
    return length, checksum, number


def check(body: bytes, checksum: int) -> bytes:
    """Return the body itself. Raises WireError when its checksum is another."""
    if zlib.crc32(body) != checksum:
        raise WireError("garbled frame: the checksum does not match")
    return body


def decode_request(body: bytes) -> Request:
    """Return a message for the worker. Raises WireError when the bytes are none."""
    return _decode(_requests, body)  # type: ignore[no-any-return]


def decode_reply(body: bytes) -> Reply:
    """Return a message from the worker. Raises WireError when the bytes are none."""
    return _decode(_replies, body)  # type: ignore[no-any-return]


def _decode(decoder: msgspec.msgpack.Decoder[Any], body: bytes) -> Any:
    """Return the message, checked against its type; its checksum was right, so an error is most likely of versions."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise WireError(f"garbled message: {error}") from error


def read_frame(read: Callable[[int], bytes]) -> tuple[int, bytes] | None:
    """Read `(number, body)` with a blocking `read(n)` that may return less; None at a clean end of file."""
    header = _read_exactly(read, HEADER.size)
    if not header:
        return None
    if len(header) < HEADER.size:
        raise WireError(f"truncated frame: {len(header)} bytes of a header")
    length, checksum, number = decode_header(header)
    body = _read_exactly(read, length)
    if len(body) < length:
        raise WireError(f"truncated frame: {len(body)} of {length} bytes")
    return number, check(body, checksum)


def _read_exactly(read: Callable[[int], bytes], size: int) -> bytes:
    """`size` bytes, or fewer at end of file: whether that was clean is for the caller to tell."""
    parts: list[bytes] = []
    while size > 0 and (part := read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
