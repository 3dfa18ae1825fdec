"""Pure: what of a point is compared where its whole payload is too much to carry or keep: prints of text and metadata.

The worker prints what is stored, the daemon what the files give; equal payloads have equal prints on both sides. They
are made anew for each comparison and never kept, so they may change from one version to the next.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

PRINT_BYTES = 8  # compared per id only, so that 64 bits leave nothing to chance
# Of the metadata, and not compared: the first of several hosts with the same files writes its own name, a file knows
# of no other conversation, and points of earlier versions do not tell who speaks in them.
NOT_PRINTED = frozenset({"host", "conversations", "roles", "asked_chars"})
TOLD = ("source", "conversation_id", "host", "project", "project_name", "timestamp")  # what judging a point needs

_encode = msgspec.json.Encoder(order="deterministic").encode


def text_print(document: object) -> str:
    """Return the digest of a document, 16 hexadecimal digits."""
    return _print(document)


def facts_print(metadata: Mapping[str, Any]) -> str:
    """Return the digest of metadata, 16 hexadecimal digits; the order does not count, nor does NOT_PRINTED."""
    return _print({name: value for name, value in metadata.items() if name not in NOT_PRINTED})


def told(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the few fields of metadata by which points are told apart; values that are no text are left out."""
    return {name: value for name in TOLD if isinstance(value := metadata.get(name), str)}


def ours(point: str) -> bool:
    """Return True if an id is of the kind that an importer derives from content (a UUID of version 5)."""
    try:
        return uuid.UUID(point).version == 5
    except ValueError:
        return False


def _print(value: object) -> str:
    """Hash the value's JSON with sorted keys, so that a store may give them back in any order."""
    try:
        content = _encode(value)
    except UnicodeEncodeError:  # half a surrogate pair, which no store takes
        content = repr(value).encode()
    return hashlib.blake2b(content, digest_size=PRINT_BYTES).hexdigest()
