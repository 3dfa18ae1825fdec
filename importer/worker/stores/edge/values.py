"""Our values in the embedded engine's, and back: points, filters, update operations.

Besides what every store has, the payload carries here what its indexes read: words (twice, for one key has one index)
and tags. No reader sees those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import qdrant_edge

from importer.errors import UsageError
from importer.worker.stores import Ownership, Point
from importer.worker.stores.bm25 import stemmable, words
from importer.worker.stores.edge.shard import STEMS, TAGS, WORDS
from importer.worker.stores.filters import FILES, MATCHED, READ, last_name
from importer.worker.stores.schema import METADATA, document, metadata, owned

edge: Any = qdrant_edge  # its stub wants invariant lists of unions
VISIBLE = edge.PayloadSelector.Exclude([WORDS, STEMS, TAGS])  # our own indexes are not shown
TAGGED = tuple(dict.fromkeys(key for keys in (*MATCHED.values(), *READ.values()) for key in keys))
LATER = frozenset(key for keys in READ.values() for key in keys)  # that points of older versions have no tags for
NAME = "name"  # tag of a file's last name: few points have one, and its whole path is read in these alone


def native(given: Point, dense: str) -> Any:
    """Return a point with its vector under the name `dense`, and what the indexes read."""
    text = document(given.payload)
    private = {WORDS: words(text), STEMS: stemmable(text), TAGS: tags(metadata(given.payload))}
    vector = np.asarray(given.dense, np.float32).tolist()  # an array's numbers are asked for one at a time otherwise
    return edge.Point(given.id, {dense: vector}, {**given.payload, **private})


def tags(facts: Mapping[str, Any]) -> list[str]:
    """`key=value` for each metadata key that filters ask for, and for the last name of each file."""
    found = [(key, one) for key in TAGGED if facts.get(key) for one in _each(facts[key])]
    found += [(NAME, name) for file in _each(facts.get(FILES) or []) if (name := last_name(str(file)))]
    return list(dict.fromkeys(f"{key}={value}" for key, value in found))


def _each(value: Any) -> list[Any]:
    """Return the values of a key that has one or several."""
    return value if isinstance(value, list) else [value]


def point(record: Any, dense: str) -> Point:
    """Return a stored point as ours."""
    return Point(str(record.id), (record.vector or {}).get(dense, ()), record.payload or {})


def held(record: Any, standing: Ownership) -> Any:
    """Return a stored point whole, with its new ownership.

    Its words stay as they are, for the text is the same; the tags go by the metadata and are made anew.
    """
    payload = owned(record.payload or {}, standing)
    return edge.Point(str(record.id), record.vector, {**payload, TAGS: tags(metadata(payload))})


def stemmed(record: Any) -> Any | None:
    """Return a stored point whole, with the stems that an older version did not write; None if it has them."""
    payload = record.payload or {}
    if STEMS in payload:
        return None
    return edge.Point(str(record.id), record.vector, {**payload, STEMS: stemmable(document(payload))})


def retagged(record: Any) -> Any | None:
    """Return a stored point whole, with today's tags and stems; None if it has them."""
    payload = record.payload or {}
    wanted = {TAGS: tags(metadata(payload)), STEMS: stemmable(document(payload))}
    if payload.get(TAGS, []) == wanted[TAGS] and payload.get(STEMS) == wanted[STEMS]:
        return None
    return edge.Point(str(record.id), record.vector, {**payload, **wanted})


class EdgeDialect:
    """Filters as the embedded engine spells them; until all points are `tagged` some keys are read in the points."""

    def __init__(self, *, tagged: bool) -> None:
        self._tagged = tagged

    def equal(self, keys: Sequence[str], *values: str) -> Any:
        """Return one condition for all keys: two that are joined by "or" take three times as long.

        Keys without tags, one at a time, are read in the points.
        """
        if keys[0] not in TAGGED or (keys[0] in LATER and not self._tagged):
            return edge.FieldCondition(f"{METADATA}.{keys[0]}", match=edge.MatchAny(list(values)))
        return edge.FieldCondition(TAGS, match=edge.MatchAny([f"{key}={value}" for key in keys for value in values]))

    def holding(self, key: str, part: str) -> Any:
        """Return a condition on a part of a text; without an index of words the engine compares letter by letter."""
        return edge.FieldCondition(f"{METADATA}.{key}", match=edge.MatchText(part))

    def named(self, file: str) -> Any | None:
        """Return a condition on the last name of a file, None until all points have tags of them."""
        name = last_name(file)
        return edge.FieldCondition(TAGS, match=edge.MatchAny([f"{NAME}={name}"])) if name and self._tagged else None

    def between(self, key: str, since: str, until: str) -> Any:
        """Return a condition on a time, both sides inclusive. Raises UsageError for a time the engine cannot read."""
        try:
            times = edge.RangeDateTime(gte=since or None, lte=until or None)
            return edge.FieldCondition(f"{METADATA}.{key}", range=times)
        except ValueError as error:
            said = f"{since or until!r} is no time: {error}"
            raise UsageError(said, hint="RFC 3339: 2026-01-31T12:00:00Z") from error

    def every(self, conditions: list[Any]) -> Any:
        """Return a filter where all conditions hold."""
        return edge.Filter(must=conditions)

    def one_of(self, conditions: list[Any]) -> Any:
        """Return a condition that holds where one of these does."""
        return edge.Filter(should=conditions)

    def none_of(self, conditions: list[Any]) -> Any:
        """Return a condition that holds where none of these does."""
        return edge.Filter(must_not=conditions)
