"""Scopes become an engine's filters. Both engines name their conditions alike but build them differently: a dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from importer.worker.stores import Scope
from importer.worker.stores.candidates import Times

# metadata keys a field of the scope must equal; with several keys one of them is enough
MATCHED = {
    "project": ("project", "project_name"),
    "source": ("source",),
    "kind": ("kind",),
    "conversation": ("conversation_id", "conversations"),
    "host": ("host",),
    "names": ("conversation_id",),
}
# The same, of keys that came later: an engine reads them in the points of a store that has no index of them yet.
READ = {"branch": ("git_branch",), "tool": ("tools",), "model": ("model",), "role": ("roles",)}
FILES, SLASHES = "files", "/\\"


class Dialect(Protocol):
    """How one engine spells a filter; the values returned are its own."""

    def equal(self, keys: Sequence[str], *values: str) -> Any:
        """`metadata.<key>` equals one of the values for one of the keys."""

    def holding(self, key: str, part: str) -> Any:
        """Require that `metadata.<key>` is a text with this part in it, letter by letter, or a list that has one."""

    def named(self, file: str) -> Any | None:
        """Require a file with this last name, where an index tells that; None where `holding` must read all points."""

    def between(self, key: str, since: str, until: str) -> Any:
        """Require that the time `metadata.<key>` is not before `since` and not after `until`; "" leaves a side open."""

    def every(self, conditions: list[Any]) -> Any:
        """Return a filter where all conditions hold."""

    def one_of(self, conditions: list[Any]) -> Any:
        """Return a condition that holds where one of these does."""

    def none_of(self, conditions: list[Any]) -> Any:
        """Return a condition that holds where none of these does."""


def build(scope: Scope, dialect: Dialect, times: Sequence[Times] = ()) -> Any | None:
    """Return the filter of a scope, None for everything. Conditions of different fields must hold together.

    With `times`, a point's time must lie within one of them, too.
    """
    asked = {**MATCHED, **READ}
    conditions = [dialect.equal(keys, value) for name, keys in asked.items() if (value := getattr(scope, name))]
    if scope.projects:
        conditions.append(dialect.equal(("project",), *scope.projects))
    if scope.file:
        ends = [dialect.holding(FILES, f"{slash}{scope.file}") for slash in SLASHES]
        conditions.append(dialect.one_of([dialect.equal((FILES,), scope.file), *ends]))
        conditions += filter(None, [dialect.named(scope.file)])
    if scope.without_kind:
        conditions.append(dialect.none_of([dialect.equal(MATCHED["kind"], *scope.without_kind)]))
    if scope.since or scope.until:
        conditions.append(dialect.between("timestamp", scope.since, scope.until))
    if times:
        conditions.append(dialect.one_of([dialect.between("timestamp", *one) for one in times]))
    return dialect.every(conditions) if conditions else None


def last_name(file: str) -> str:
    """Return the last part of a path, "" where it ends with a slash."""
    return file.replace("\\", "/").rpartition("/")[2]


def has_file(facts: Mapping[str, Any], file: str) -> bool:
    """Return True if metadata name a file by this path or by this end of its path; "" is any.

    Engines know no ends of texts: what `build` asks for lets `app.py.bak` pass for `app.py`, too.
    """
    named = facts.get(FILES)
    paths = [str(one) for one in named] if isinstance(named, list) else [str(named)]
    return not file or any(one == file or one.endswith(tuple(f"{slash}{file}" for slash in SLASHES)) for one in paths)
