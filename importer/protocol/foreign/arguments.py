"""Check the arguments of a question against the function that answers it: they come from another process, as JSON.

A wrong type, an unknown name, a number that no database holds or a nesting without end becomes a UsageError, before
anything is done and wherever it would have failed.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, TypeVar

import msgspec

from importer.errors import UsageError

MOST_DEEP = 32  # lists and objects within each other; the deepest question has four
MOST_INTEGER = 2**63 - 1  # of SQLite, of the store's engine and of frames

T = TypeVar("T")


def bound(function: Callable[..., Any], args: Mapping[str, Any], *, first: int = 0) -> dict[str, Any]:
    """Return the arguments as the function's annotations have them, without its `first` ones. Raises UsageError."""
    refuse_odd(args)
    known, rest, taken = _parameters(function, first)
    required = [name for name, (_, default) in known.items() if default is inspect.Parameter.empty]
    if missing := [name for name in required if name not in args]:
        raise UsageError(f"malformed question: {missing[0]} is missing")
    if unknown := [name for name in args if name not in known and (rest is None or name in taken)]:
        raise UsageError(f"malformed question: there is no {unknown[0]!r}")
    return {name: _one(name, value, known[name][0] if name in known else rest) for name, value in args.items()}


def converted(args: Mapping[str, Any], kind: type[T]) -> T:
    """Return the value of a dataclass or struct that the arguments make. Raises UsageError for wrong ones."""
    refuse_odd(args)
    names = {field.name for field in msgspec.inspect.type_info(kind).fields}  # type: ignore[attr-defined]
    if unknown := [name for name in args if name not in names]:
        raise UsageError(f"malformed question: there is no {unknown[0]!r}")
    try:
        return msgspec.convert(dict(args), kind)
    except (ValueError, TypeError) as error:
        raise UsageError(f"malformed question: {error}") from error


def refuse_odd(value: Any, deep: int = 0) -> None:
    """Raise UsageError for what JSON can say and frames, database and engine cannot hold."""
    if deep > MOST_DEEP:
        raise UsageError(f"malformed question: nested more than {MOST_DEEP} deep")
    if isinstance(value, int) and abs(value) > MOST_INTEGER:
        raise UsageError("malformed question: a number is too large")
    if isinstance(value, float) and not abs(value) < float("inf"):
        raise UsageError("malformed question: a number is none")
    for one in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        refuse_odd(one, deep + 1)


def _one(name: str, value: Any, wanted: Any) -> Any:
    """Return one argument. Raises UsageError when it is of another type."""
    try:
        return msgspec.convert(value, wanted)
    except ValueError as error:  # of msgspec, or text that is none
        raise UsageError(f"malformed question: {name}: {error}") from error


@cache
def _parameters(function: Callable[..., Any], first: int) -> tuple[dict[str, tuple[Any, Any]], Any, frozenset[str]]:
    """Return `(type, default)` of each parameter by name, the type of all other names, and the names that are taken.

    The second is None if there are no others. Taken are such as `self`, which a question must not give.
    """
    inner = function
    while isinstance(inner, partial):
        inner = inner.func
    hints = typing.get_type_hints(inner)
    parameters = list(inspect.signature(function).parameters.values())[first:]
    known = {p.name: (hints.get(p.name, Any), p.default) for p in parameters if p.kind is not p.VAR_KEYWORD}
    rest = next((hints.get(p.name, Any) for p in parameters if p.kind is p.VAR_KEYWORD), None)
    return known, rest, frozenset(inspect.signature(getattr(inner, "__func__", inner)).parameters)
