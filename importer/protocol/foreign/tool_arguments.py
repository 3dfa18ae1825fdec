"""Read the arguments that a model gives to a tool: lenient in how they are written, strict in what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from importer.errors import UsageError


def read(given: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that the schema of a tool knows, in their types; null is as if it were left out.

    Models and clients send 3.0 and "3" for numbers, and names that a tool does not have. Raises UsageError for values
    that mean nothing, so that the model reads why (SEP-1303 of the protocol).
    """
    known = {name: value for name, value in given.items() if name in schema["properties"] and value is not None}
    if missing := [name for name in schema["required"] if name not in known]:
        raise UsageError(f"{missing[0]} is missing")
    return {name: _argument(name, value, schema["properties"][name]) for name, value in known.items()}


def _argument(name: str, value: Any, wanted: Mapping[str, Any]) -> str | int:
    """Return one argument in its type. Raises UsageError for another type, a word or a number that is not allowed."""
    if wanted["type"] == "boolean":
        if str(value).lower() not in ("true", "false"):
            raise UsageError(f"{name} is true or false")
        return str(value).lower() == "true"
    if wanted["type"] == "string":
        if not isinstance(value, str):
            raise UsageError(f"{name} is a text")
        if value not in wanted.get("enum", (value,)):
            raise UsageError(f"{name} is one of {', '.join(wanted['enum'])}")
        return value
    number = _whole(value)
    if number is None or not 0 <= number <= wanted["maximum"]:
        raise UsageError(f"{name} is a whole number from 0 to {wanted['maximum']}")
    return number


def _whole(value: Any) -> int | None:
    """Return a whole number that is written as 3, 3.0 or "3", None for all else; true is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else None
