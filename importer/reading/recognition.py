"""Recognise the format of a file by its first lines, or by the keys of its first object, as far in as it must.

Most files are decided by their first 64 KiB. In others the first line is longer (a pasted screenshot), many records of
unknown kinds come first, or the telling keys of a document stand behind a long value. Then the look goes on, up to the
limit of a line. Memory is bounded by one line; of a document no more than its keys and short values is held.

    first 64 KiB ──► lines, a block at a time      ──► the first records that a format claims
                 └─► members of the first objects  ──► the first keys that a format claims
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from importer import formats
from importer.formats._shared import json_text, salvage
from importer.formats._shared.json_text import Outline
from importer.reading import document, drift, tail, zstd

BLOCK_BYTES = 256 * 1024
SALVAGED_BYTES = 1024 * 1024  # of damaged lines, which are taken apart slowly
SHORT_BYTES = 4096  # of a value that is kept whole
ELEMENTS = 20  # of a long list in a record that are kept
UNITS = 200  # of a list that are looked at, for the first may be empty, or of a kind that no format knows
UNITS_BYTES = 4 * 1024 * 1024  # how far in the list of a document's units may begin; each slice looks for it: 50 ms

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


def head_of(fd: int) -> bytes:
    """Return the first `formats.HEAD_BYTES` of a file, unpacked. Raises OSError."""
    if zstd.is_packed(fd):
        return zstd.head(fd, formats.HEAD_BYTES)
    return os.pread(fd, formats.HEAD_BYTES, 0)


def recognise(fd: int, max_line_bytes: int) -> str | None:
    """Return the name of the format that a file is in, None if none of them knows it. Raises OSError."""
    packed, head = zstd.is_packed(fd), head_of(fd)
    found = formats.claims(head)
    if not packed and not _is_sure(found) and (len(head) == formats.HEAD_BYTES or _is_list(head)):
        found = _by_outlines(fd, head, max_line_bytes) or found
    if not found:
        blocks = _unpacked(fd, max_line_bytes) if packed else _lines(fd, max_line_bytes)
        found = _by_lines(blocks, spread=json_text.spread(head))
    return next(iter(found), None)


def _is_sure(found: tuple[str, ...]) -> bool:
    """Return True if a format claims a file that does not only take what no other one does."""
    return bool(found) and not getattr(formats.load(found[0]), "LAST", False)


def _is_list(head: bytes) -> bool:
    """Return True if a text begins as a list does."""
    at = json_text.first(head)
    return head[at : at + 1] == b"["


def version_of(fd: int) -> str:
    """Return the version of the tool that the first lines of a file name, "" for none. Raises OSError."""
    return next(filter(None, map(drift.version_of, head_of(fd).split(b"\n")[: drift.LOOKED_AT])), "")


def is_blank(fd: int) -> bool:
    """Return True if a file holds nothing but blanks, as far as one block shows. Raises OSError."""
    block = os.pread(fd, BLOCK_BYTES, 0)
    return not block.strip(b" \t\r\n\0\xef\xbb\xbf") and len(block) < BLOCK_BYTES


def _by_lines(blocks: Iterator[list[bytes]], *, spread: bool) -> tuple[str, ...]:
    """Return the formats that claim the first lines they know."""
    salvaged = 0
    for lines in blocks:
        records: list[Mapping[str, Any]] = []
        for line in lines:
            record = _record(line)
            if record is not None:
                records.append(record)
            elif b"{" in line and salvaged + len(line) <= SALVAGED_BYTES:
                salvaged += len(line)
                records += [msgspec.json.decode(part) for part in salvage.whole(line).parts]
        if found := formats.claims_lines(lines, records, spread=spread):
            return found
    return ()


def _record(line: bytes) -> Mapping[str, Any] | None:
    """Return the record of a line, with its long values cut; None if it is no clean JSON object."""
    if line.lstrip()[:1] != b"{":
        return None
    try:
        value = _shortened(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _shortened(raw: bytes | msgspec.Raw) -> Any:
    """Decode a value; of long lists only the first elements, of long texts nothing but that they are there."""
    view = memoryview(raw)
    if view.nbytes <= SHORT_BYTES:
        return msgspec.json.decode(view)
    opening = bytes(view[:64]).lstrip()[:1]
    if opening == b"{":
        return {key: _shortened(value) for key, value in _members.decode(view).items()}
    if opening == b"[":
        return [_shortened(value) for value in _elements.decode(view)[:ELEMENTS]]
    return "…"


def _lines(fd: int, max_line_bytes: int) -> Iterator[list[bytes]]:
    """Yield the first lines of a file in blocks: `max_line_bytes` of them, and one line too long is passed over.

    What stands behind the last newline counts if it is a whole record.
    """
    at, size = 0, os.fstat(fd).st_size
    limit = max(max_line_bytes, formats.HEAD_BYTES) + BLOCK_BYTES
    passed_over = False
    while at < min(size, limit):
        *whole, rest = os.pread(fd, BLOCK_BYTES, at).split(b"\n")
        if whole:
            yield whole
            at += sum(map(len, whole)) + len(whole)
            continue
        newline, searched = tail.find_newline(fd, at + len(rest), min(size, at + 2 * limit))
        end = newline if newline >= 0 else searched
        if end - at <= max_line_bytes:
            line = os.pread(fd, end - at, at)
            if newline >= 0 or _record(line) is not None:
                yield [line]
        elif passed_over:
            return
        else:
            passed_over, limit = True, limit + end - at
        at = end + 1


def _unpacked(fd: int, max_line_bytes: int) -> Iterator[list[bytes]]:
    """Yield the first lines of a packed file in blocks, as `_lines` does of another."""
    stream = zstd.UnpackedStream(fd)
    while stream.at <= max_line_bytes and len(stream.ahead) <= max_line_bytes:
        more = stream.more()
        *whole, rest = bytes(stream.ahead).split(b"\n")
        yield whole if more else [*whole, rest]
        stream.advance(stream.at + len(stream.ahead) - len(rest))
        if not more:
            return


def _by_outlines(fd: int, head: bytes, limit_bytes: int) -> tuple[str, ...]:
    """Return the formats that claim a document by the keys of its first object, or of the first in its list."""
    for outlined in _outlines(fd, head, limit_bytes):
        for opening in outlined.openings():
            if found := formats.claims_outline(outlined.outline, opening):
                return found
    return ()


def outline_of(fd: int, head: bytes) -> Outline:
    """Return the outline of a text whose first object goes on behind its head, as far as units are looked for.

    Raises OSError.
    """
    return next((outlined.outline for outlined in _outlines(fd, head, UNITS_BYTES)), Outline())


@dataclass(frozen=True, slots=True)
class _Outlined:
    """The outline of an object, its short members as text, and the beginnings of its long ones that have parts."""

    outline: Outline
    short: tuple[bytes, ...]
    long: tuple[bytes, ...]

    def openings(self) -> Iterator[bytes]:
        """Yield texts that begin as the object does, were it without its long members but one."""
        bracket = b"[" if self.outline.listed else b""
        for last in self.long or (b"",):
            yield bracket + b"{" + b",".join([*self.short, last])


def _outlines(fd: int, head: bytes, limit_bytes: int) -> Iterator[_Outlined]:
    """Yield the outlines of the first objects, within a limit."""
    at = json_text.first(head)
    listed = head[at : at + 1] == b"["
    at += listed
    limit = min(os.fstat(fd).st_size, max(limit_bytes, formats.HEAD_BYTES))
    for _ in range(UNITS if listed else 1):
        text = os.pread(fd, SHORT_BYTES, at)
        at += json_text.skip_gap(text, 0)
        if os.pread(fd, 1, at) != b"{":
            return
        end, outlined = _outlined(fd, at + 1, limit, listed=listed)
        yield outlined
        if end is None:
            return
        at = end


def _outlined(fd: int, at: int, limit: int, *, listed: bool) -> tuple[int | None, _Outlined]:
    """Outline the object that opens just before `at`; return its end as well, None where the limit comes first."""
    keys: list[str] = []
    short: list[bytes] = []
    long: list[bytes] = []
    end: int | None = None
    while len(keys) < document.STEP_MEMBERS:
        text = os.pread(fd, SHORT_BYTES, at)
        key = json_text.KEY.match(text, json_text.skip_gap(text, 0))
        if key is None or key.end() == len(text):
            closing = json_text.skip_gap(text, 0)
            end = at + closing + 1 if text[closing : closing + 1] == b"}" else None
            break
        keys.append(key[1].decode("utf-8", "replace"))
        begin = at + key.end()
        value_end = _value_end(fd, text[key.end() :], begin, limit)
        if value_end is not None and value_end - begin <= SHORT_BYTES:
            short.append(key[0] + os.pread(fd, value_end - begin, begin))
        elif text[key.end() : key.end() + 1] in (b"[", b"{"):
            long.append(key[0] + os.pread(fd, formats.HEAD_BYTES, begin))
        if value_end is None:
            break
        at = value_end
    behind = os.pread(fd, document.BEHIND_BYTES, end) if end is not None and not listed else b""
    alone = json_text.skip_gap(behind, 0) >= len(behind)
    return end, _Outlined(Outline(tuple(keys), listed, alone), tuple(short), tuple(long))


def _value_end(fd: int, text: bytes, begin: int, limit: int) -> int | None:
    """Return where the value at `begin`, which opens with `text`, ends; None if that is behind the limit."""
    if not document.begins(text):
        end = json_text.BARE.match(text).end()  # type: ignore[union-attr]  # it matches nothing, too
        return begin + max(end, 1) if end < len(text) else None
    scanned = document.ScanState.of(text, begin)
    while scanned.offset < limit:
        before = scanned.offset
        found, scanned = document.scan(fd, limit, scanned)
        if found is not None:
            return found
        if scanned.offset == before:
            break
    return None
