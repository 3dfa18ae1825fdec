"""Ask a database what its format asks: which conversations there are, and what the rows of one of them tell.

A row becomes lines of JSON. A line ends with a digest of all lines up to it. What cannot be told is a line that no
format can read, and so is set aside like one.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import msgspec

from importer import formats
from importer.formats import Tables
from importer.protocol.foreign.kinds import KIND_CHARS, MOST_TYPES, types_in
from importer.protocol.system.zstandard import library, unpacker
from importer.sources.databases.indexed import lacks_index

MOST_MEMBERS = 200_000
WINDOW_LOG = 27  # what unpacking a row may remember: 128 MB
ROW_BYTES = 32 * 1024 * 1024  # of one line, and of one value in a row
VALUE_BYTES = 256 * 1024 * 1024  # of what the library itself takes into memory; a query that meets more of it ends
CHAIN_DIGITS = 24
OPTIONAL = re.compile(r"\{(\w+\.\w+)\}")
SAFE = " !#$&'()+,:;=@[]{}~"  # in a path, beside letters and digits


@dataclass(frozen=True, slots=True)
class Member:
    """A conversation in a database: its name there, the time of its last change, and a number that changes with it."""

    name: str | int
    changed_ms: int
    version: int


@dataclass(frozen=True, slots=True)
class DatabaseListing:
    """The conversations of a database by the names that their paths have; `format` is "" if no format knows it.

    `indexes` are those by which the rows of a conversation are found; none where it has them all.
    """

    format: str = ""
    form: Tables | None = None
    columns: frozenset[str] = frozenset()
    indexes: tuple[str, ...] = ()
    members: dict[bytes, Member] = field(default_factory=dict)


def conversations(connection: sqlite3.Connection) -> DatabaseListing:
    """Ask a database for its conversations, in the first form that fits it."""
    columns = _columns(connection)
    for name in formats.names():
        for form in getattr(formats.load(name), "TABLES", ()):
            if all(f"{table}.{one}" in columns for table, ones in form.needs.items() for one in ones.split()):
                rows = connection.execute(_filled(form.members, columns)).fetchmany(MOST_MEMBERS)
                found = [_member(row) for row in rows if isinstance(row[0], str | int) and row[0] != ""]
                indexes = tuple(_index(_filled(one, columns)) for one in form.looked_up)
                indexes = indexes if lacks_index(connection, indexes) else ()
                return DatabaseListing(name, form, columns, indexes, {_path_name(one.name): one for one in found})
    return DatabaseListing()


def _columns(connection: sqlite3.Connection) -> frozenset[str]:
    """Return all columns as `table.column`."""
    query = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
    return frozenset(f"{table}.{column}" for table, column in connection.execute(query))


def _filled(query: str, columns: frozenset[str]) -> str:
    """Return a query with each `{table.column}` as that column, or NULL where the database has none."""
    return OPTIONAL.sub(lambda found: found[1] if found[1] in columns else "NULL", query)


def _index(wanted: str) -> str:
    """Return an index without the table's name before its columns, which is not allowed there."""
    table, _, columns = wanted.partition(" ")
    return f"{table} {columns.replace(f'{table}.', '')}"


def _member(row: tuple[Any, ...]) -> Member:
    """Return the member of a row. A time that cannot be is no time: the digest alone tells a change then."""
    changed = row[1] if isinstance(row[1], int | float) else 0
    version = int.from_bytes(sha256(repr(row).encode("utf-8", "replace")).digest()[:6], "big")
    sound = 0 < changed < (time.time() + 3600) * 1000
    return Member(row[0], int(changed) if sound else 1 + version % 10**9, version)


def _path_name(name: str | int) -> bytes:
    """Return a conversation's name as the last part of a path."""
    return quote(str(name), safe=SAFE).encode()


def units(connection: sqlite3.Connection, listing: DatabaseListing, member: Member) -> Iterator[Any]:
    """Yield what the format tells of the rows of a conversation."""
    told: Callable[[dict[str, Any]], Iterable[Any]] = formats.load(listing.format).told  # type: ignore[attr-defined]
    for query in listing.form.rows if listing.form else ():
        for row in _rows(connection, _filled(query, listing.columns), member.name):
            yield from _told(told, row)


def _rows(connection: sqlite3.Connection, query: str, member: str | int) -> Iterator[dict[str, Any] | str]:
    """Yield the rows of a query by the names of their columns; a text in place of what cannot be had."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
    try:
        cursor = connection.execute(query, {"member": member})
        names = [column[0] for column in cursor.description]
        for row in cursor:
            large = next((name for name, value in zip(names, row, strict=True) if _is_large(value)), "")
            values = dict(zip(names, map(_unpacked, row), strict=True))
            yield f"a row with too long a value in {large}" if large else values
    except sqlite3.DataError as error:
        yield f"rows that cannot be read: {error}"


def _is_large(value: Any) -> bool:
    return isinstance(value, str | bytes) and len(value) > ROW_BYTES


def _unpacked(value: Any) -> Any:
    """Return a value as it is, and bytes as text: packed ones are unpacked, as far as a row may be long."""
    if not isinstance(value, bytes):
        return value
    if value.startswith(b"\x28\xb5\x2f\xfd"):
        try:
            value = unpacker(WINDOW_LOG).decompress(value, ROW_BYTES)
        except library().ZstdError:
            return ""
    return value.decode("utf-8", "replace")


def _told(told: Callable[[dict[str, Any]], Iterable[Any]], row: dict[str, Any] | str) -> Iterator[Any]:
    """Yield what a format makes of a row; a text where it fails."""
    if isinstance(row, str):
        yield row
        return
    try:
        for unit in told(row):
            yield _with_kind(unit, row) if _strange(unit) else unit
    except Exception as error:  # a row of a shape that its format does not know must not hide the others
        yield f"a row that cannot be told: {type(error).__name__}"


def _strange(unit: Any) -> bool:
    """Return True if a unit counts something that its format does not know."""
    return bool(unit.get("unknown") if isinstance(unit, dict) else getattr(unit, "unknown", 0))


def _with_kind(unit: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a unit with the kind of what is not known in its row: the types in its values that are JSON."""
    kinds = dict.fromkeys(kind for value in row.values() for kind in _kinds(value))
    told: dict[str, Any] = dict(unit) if isinstance(unit, dict) else msgspec.to_builtins(unit, str_keys=True)
    return {**told, "type": ".".join(list(kinds)[:MOST_TYPES])[:KIND_CHARS]} if kinds else told


def _kinds(value: Any) -> list[str]:
    """Return the types that a value of a row says it has, if it is JSON."""
    try:
        held = msgspec.json.decode(value) if isinstance(value, str) and value[:1] in ("{", "[") else value
    except (ValueError, RecursionError):
        return []
    return list(types_in(held)) if isinstance(held, dict | list) else []


def line(unit: Any, chain: Any) -> bytes:
    """Return a line of JSON that ends with the digest of all before it; of a text one that no format can read.

    A unit that says nothing gives no line.
    """
    try:
        raw: bytes = msgspec.json.encode(unit)
    except (UnicodeEncodeError, TypeError, RecursionError) as error:
        raw = msgspec.json.encode(f"a row that cannot be written: {type(error).__name__}")
    if len(raw) > ROW_BYTES:
        raw = msgspec.json.encode(f"a row of {len(raw)} bytes, more than {ROW_BYTES}")
    if raw == b"{}":
        return b""
    chain.update(raw)
    digest: bytes = chain.hexdigest()[:CHAIN_DIGITS].encode()
    if raw.startswith(b"{") and len(raw) > 2:
        return raw[:-1] + b',"chain":"' + digest + b'"}\n'
    return b"! " + raw[1:-1] + b" (" + digest + b")\n"
