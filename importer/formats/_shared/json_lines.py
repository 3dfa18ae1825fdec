"""The loop that formats of JSON lines share: a raw line becomes typed records, each record one step of the fold.

Parts of a large unit, decoded one by one: only what is wanted is built, and a bad part does the others no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from importer.formats import Fed, Options
from importer.formats._shared import salvage
from importer.protocol.records import ConversationFacts, Turn

S = TypeVar("S", bound=msgspec.Struct)


def reader(kind: type[S]) -> Callable[[msgspec.Raw], S | None]:
    """Make a function that decodes a part as `kind`, as far as it fits, and gives None for what is no object.

    The parts are `Raw`, views of the unit's bytes, until they are read.
    """
    decode = msgspec.json.Decoder(kind).decode

    def read(raw: msgspec.Raw) -> S | None:
        try:
            return decode(raw)
        except (ValueError, RecursionError):
            saved = salvage.whole(bytes(raw)).parts  # the slow path, for this part alone
            found = salvage.fitting(saved[0], kind) if saved else None
            return found.record if found else None

    return read


L = TypeVar("L", bound=msgspec.Struct)


class Lines(Generic[L]):
    """Reads lines as structs of one kind: clean lines at the decoder's speed, damaged ones by what can be saved.

    The decoder is made once for each format: making it takes longer than decoding a line.
    """

    def __init__(self, kind: type[L]) -> None:
        self._kind = kind
        self._decode = msgspec.json.Decoder(kind).decode

    def feed(self, context: Any, raw: bytes, options: Options, step: Callable[[Any, L, Options], Fed]) -> Fed:
        """Feed the line's record to `step`, or all records saved from it. Raises nothing that `step` does not."""
        try:
            line = self._decode(raw)
        # Damaged, glued, or a field of another type than expected; and deeper than the decoder goes.
        except (ValueError, RecursionError):
            return self._feed_saved(context, raw, options, step)
        return step(context, line, options)

    def _feed_saved(self, context: Any, raw: bytes, options: Options, step: Callable[[Any, L, Options], Fed]) -> Fed:
        """Feed each record saved from a damaged line to `step`, the slow path; what was lost is a problem."""
        whole = salvage.whole(raw)
        problems, unknown = whole.problems, whole.strangers
        turns: tuple[Turn, ...] = ()
        facts: tuple[ConversationFacts, ...] = ()
        by_line: tuple[ConversationFacts, ...] = ()
        for part in whole.parts:
            found = salvage.fitting(part, self._kind)
            if found is None:
                problems += (salvage.TOO_DEEP,)
                continue
            fed = step(context, found.record, options)
            context, turns = fed.context, turns + fed.turns
            unknown += max(fed.unknown, found.lost)
            facts, by_line = facts + fed.facts, by_line + fed.by_line
        return Fed(context, turns, unknown, problems, facts, by_line)
