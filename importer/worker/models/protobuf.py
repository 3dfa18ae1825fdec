"""Write and read Protocol Buffers' wire format: enough of it for ONNX graphs, which need no schema compiler then.

A field is its number and a value: an int is a varint, a float four bytes, anything else is bytes with their length
(https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

Value = int | float | str | bytes | memoryview
VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5  # kinds on the wire


def message(fields: Iterable[tuple[int, Value]]) -> bytes:
    """Return the fields as the bytes of a message, in their order."""
    return b"".join(part for number, value in fields for part in _encoded(number, value))


def _encoded(number: int, value: Value) -> tuple[bytes, ...]:
    """Return the parts of one field: its key, and its value."""
    if isinstance(value, int):
        return _varint(number << 3 | VARINT), _varint(value & 0xFFFF_FFFF_FFFF_FFFF)
    if isinstance(value, float):
        return _varint(number << 3 | FOUR), struct.pack("<f", value)
    raw = value.encode() if isinstance(value, str) else bytes(value)
    return _varint(number << 3 | BYTES), _varint(len(raw)), raw


def _varint(value: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def fields(raw: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field; values of a fixed size stay bytes. Raises ValueError for other bytes."""
    at = 0
    while at < len(raw):
        key, at = _read_varint(raw, at)
        if key & 7 == VARINT:
            number, at = _read_varint(raw, at)
            yield key >> 3, number
            continue
        if key & 7 == BYTES:
            size, at = _read_varint(raw, at)
        else:
            size = {EIGHT: 8, FOUR: 4}.get(key & 7, len(raw) + 1)
        if at + size > len(raw):
            raise ValueError(f"no message of Protocol Buffers (at byte {at})")
        yield key >> 3, raw[at : at + size]
        at += size


def _read_varint(raw: memoryview, at: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place behind it. Raises ValueError."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            break
        value |= (raw[at] & 0x7F) << shift
        at += 1
        if raw[at - 1] < 0x80:
            return value, at
    raise ValueError(f"no number of Protocol Buffers (at byte {at})")
