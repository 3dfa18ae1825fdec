"""Name the kind of a record that a format does not know: for its maintainers, without a word of what is said in it.

A kind is made of the types that a record and its blocks say they have; of a record that has none, of the names of its
members, of which a few tell it well enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

MOST_TYPES, MOST_MEMBERS = 3, 8
KIND_CHARS = 40  # of one type
UNNAMED = "?"
_word = re.compile(r"[A-Za-z][\w.:-]*\Z")
_name = re.compile(r"[A-Za-z_][A-Za-z_]{1,29}\Z")
_TYPES = ("type", "subtype", "kind", "role", "sessionUpdate")
_HOLDERS = ("message", "payload", "data", "event", "update", "params", "content", "parts", "attachment", "part")


def kind_of(raw: bytes) -> str:
    """Return the kind of a record that is not known: the types in it, from outside in. Never raises."""
    try:
        record = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return UNNAMED
    found = dict.fromkeys(types_in(record))
    return "/".join(list(found)[:MOST_TYPES]) or _members(record)


def _members(record: Any) -> str:
    """Return the names of a record's members, in order, as far as they are single words; "?" for none."""
    names = [name for name in record if _name.match(name)] if isinstance(record, dict) else []
    return f"{{{','.join(sorted(names)[:MOST_MEMBERS])}}}" if names else UNNAMED


def _is_type(value: Any) -> bool:
    """Return True for a single word that is not long."""
    return isinstance(value, str) and len(value) <= KIND_CHARS and bool(_word.match(value))


def types_in(value: Any, depth: int = 4) -> Iterator[str]:
    """Yield the types that a value and what it holds say they have, as far as they are single words."""
    if isinstance(value, list) and depth:
        for one in value[:20]:
            yield from types_in(one, depth - 1)
    elif isinstance(value, dict) and depth:
        yield from (value[name] for name in _TYPES if _is_type(value.get(name)))
        for name in _HOLDERS:
            yield from types_in(value.get(name), depth - 1)
