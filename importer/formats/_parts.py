"""Parts of a large unit, decoded one by one: only what is wanted is built, and a bad part does the others no harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from importer.formats import _records

S = TypeVar("S", bound=msgspec.Struct)


def reader(kind: type[S]) -> Callable[[msgspec.Raw], S | None]:
    """A function that decodes a part as `kind`, as far as it fits; None for what is no object.

    The parts are `Raw`, views of the unit's bytes, until they are read.
    """
    decode = msgspec.json.Decoder(kind).decode

    def read(raw: msgspec.Raw) -> S | None:
        try:
            return decode(raw)
        except (ValueError, RecursionError):
            saved = _records.whole(bytes(raw)).parts  # the slow path, for this part alone
            return _records.fitting(saved[0], kind) if saved else None

    return read
