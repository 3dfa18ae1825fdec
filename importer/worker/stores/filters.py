"""Scopes become an engine's filters. Both engines name their conditions alike but build them differently: a dialect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from importer.worker.stores import Scope

# metadata keys a field of the scope must equal; with several keys one of them is enough
MATCHED = {
    "project": ("project", "project_name"),
    "source": ("source",),
    "kind": ("kind",),
    "conversation": ("conversation_id",),
    "host": ("host",),
}


class Dialect(Protocol):
    """How one engine spells a filter; the values returned are its own."""

    def equal(self, keys: Sequence[str], value: str) -> Any:
        """`metadata.<key>` equals `value` for one of the keys."""

    def between(self, key: str, since: str, until: str) -> Any:
        """The time `metadata.<key>` is not before `since` and not after `until`; "" leaves a side open."""

    def every(self, conditions: list[Any]) -> Any:
        """A filter where all conditions hold."""


def build(scope: Scope, dialect: Dialect) -> Any | None:
    """The filter of a scope, None for everything.

    Conditions of different fields must hold together.
    """
    conditions = [dialect.equal(keys, value) for name, keys in MATCHED.items() if (value := getattr(scope, name))]
    if scope.since or scope.until:
        conditions.append(dialect.between("timestamp", scope.since, scope.until))
    return dialect.every(conditions) if conditions else None
