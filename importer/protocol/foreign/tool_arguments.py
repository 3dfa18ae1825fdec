"""Read the arguments that a model gives to a tool: lenient in how they are written, strict in what they mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from importer.errors import UsageError
from importer.protocol.foreign.quoting import printable

MOST_CHARS = 1_000  # of a name, a path, a time; a query may be longer, and is cut where it is searched for
MOST_TOLD = 40  # characters of a wrong value that are told
LONG = frozenset({"query"})
NONE: Mapping[str, str] = {}


def read(
    given: Mapping[str, Any],
    schema: Mapping[str, Any],
    corrected: Collection[str] = (),
    instead: Mapping[str, str] = NONE,
) -> dict[str, Any]:
    """Return the arguments that the schema of a tool knows, in their types; null and "" are as if left out.

    Models and clients send 3.0 and "3" for numbers, "" for what they do not mean, and names that a tool does not have.
    Numbers in `corrected` may be too small: the tool says what it took. `instead` names what does for a required one.
    Raises UsageError for values that mean nothing, so that the model reads why (SEP-1303 of the protocol).
    """
    known = {name: value for name, value in given.items() if name in schema["properties"] and not _is_nothing(value)}
    if missing := [name for name in schema["required"] if not {name, instead.get(name, name)} & known.keys()]:
        raise UsageError(f"{missing[0]} is {'empty' if missing[0] in given else 'missing'}")
    return {name: _argument(name, value, schema["properties"][name], corrected) for name, value in known.items()}


def _is_nothing(value: Any) -> bool:
    """Return True for what says no more than leaving an argument out."""
    return value is None or (isinstance(value, str) and not value.strip())


def _argument(name: str, value: Any, wanted: Mapping[str, Any], corrected: Collection[str]) -> str | int:
    """Return one argument in its type. Raises UsageError for another type, a word or a number that is not allowed."""
    if wanted["type"] == "boolean":
        return _boolean(name, value)
    if wanted["type"] == "string":
        return _text(name, value, wanted)
    number, least, most = _whole(value), wanted.get("minimum", 0), wanted["maximum"]
    if number is not None and number < least and name in corrected:
        return number
    if number is None or not least <= number <= most:
        raise UsageError(f"{name} is a whole number from {least} to {most}, not {_told(value)}")
    return number


def _boolean(name: str, value: Any) -> bool:
    """Return true or false."""
    word = str(value).strip().lower()
    if word not in ("true", "false"):
        raise UsageError(f"{name} is true or false, not {_told(value)}")
    return word == "true"


def _text(name: str, value: Any, wanted: Mapping[str, Any]) -> str:
    """Return a text without white space around it; words that are listed may be written in any case."""
    if not isinstance(value, str):
        raise UsageError(f"{name} is a text, not {_told(value)}")
    text = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").strip()
    if "enum" in wanted:
        if text.lower() not in wanted["enum"]:
            raise UsageError(f"{name} is one of {', '.join(wanted['enum'])}, not {_told(value)}")
        return text.lower()
    if len(text) > MOST_CHARS and name not in LONG:
        raise UsageError(f"{name} has {len(text):,} characters, and at most {MOST_CHARS:,} are read")
    return text


def _told(value: Any) -> str:
    """Return the beginning of a wrong value."""
    shown = printable(repr(value))
    return shown if len(shown) <= MOST_TOLD else f"{shown[:MOST_TOLD]}…"


def _whole(value: Any) -> int | None:
    """Return a whole number that is written as 3, 3.0 or "3", None for all else; true is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else None
