"""Fates of the files that nothing is imported of; every other file is imported, or pending.

found = imported + empty + unrecognised + refused + pending
"""

from __future__ import annotations

from enum import StrEnum


class Fate(StrEnum):
    """Why nothing is imported of a file.

    EMPTY holds nothing but blanks. UNRECOGNISED is in no format that is known: it is looked at again when it grows,
    when there are other formats, or when it is named with one. REFUSED cannot be opened, or not as what it is.
    """

    EMPTY = "empty"
    UNRECOGNISED = "unrecognised"
    REFUSED = "refused"


PASSED_OVER = frozenset({Fate.UNRECOGNISED, Fate.REFUSED})
