"""Save what can be saved of a line that is not one clean JSON object.

Two records glued together (`}{`), a record cut off with a good one behind it, runs of NUL, a byte order mark, bytes
that are no UTF-8, lone surrogates: all seen in real transcripts. Clean lines do not come to `whole`, which is slow.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_origin

import msgspec

SURROGATE = re.compile("[\ud800-\udfff]")
BLANK = " \t\r\n"
LONGEST_INTEGER_DIGITS = 30  # nothing we read is longer; Python itself refuses to convert beyond 4,300
SCAN_FACTOR = 4  # looking for a good record in a broken line may read it this many times, and no more
SCAN_FLOOR_CHARS = 100_000
TOO_DEEP = "nested too deeply"

S = TypeVar("S", bound=msgspec.Struct)


class Whole(msgspec.Struct, frozen=True):
    """The records saved from a line, each as clean JSON bytes of one object, and why the rest was passed over.

    `strangers` counts values that are JSON but no object.
    """

    parts: tuple[bytes, ...] = ()
    problems: tuple[str, ...] = ()
    strangers: int = 0


def _integer(digits: str) -> int:
    """Convert an integer; 0 for one of endless digits."""
    return int(digits) if len(digits) <= LONGEST_INTEGER_DIGITS else 0


def _number(digits: str) -> float | None:
    """Convert a number; None for one too large to be one."""
    value = float(digits)
    return value if math.isfinite(value) else None


# msgspec refuses a text with anything wrong in it; this one takes control characters, NaN and endless numbers.
_json = json.JSONDecoder(parse_int=_integer, parse_float=_number, parse_constant=lambda _: None, strict=False)


def whole(raw: bytes) -> Whole:
    """Split a line into the JSON objects that are whole in it. Never raises.

    A line of nothing but NULs and blanks has neither parts nor problems. After a broken record, reading goes on at the
    next object that is followed by the end of the line or by another object: an object inside the broken one is not.

    NULs are dropped first: a crash leaves runs of them between records, and no JSON text has any.
    """
    text = raw.replace(b"\0", b"").decode("utf-8", "replace").lstrip("\ufeff").strip(BLANK)
    if not text:
        return Whole()
    parts: list[bytes] = []
    problems: list[str] = []
    strangers = at = 0
    while at < len(text):
        try:
            value, end = _json.raw_decode(text, at)
            clean = _clean(value)
        except json.JSONDecodeError as error:
            problems.append(f"no JSON: {error.msg}")
            at = _next_record(text, at + 1)
        except RecursionError:
            problems.append(TOO_DEEP)
            break
        else:
            parts += [clean] * isinstance(value, dict)
            strangers += not isinstance(value, dict)
            at = _past_blanks(text, end)
    return Whole(tuple(parts), tuple(problems), strangers)


def records(raw: bytes) -> list[dict[str, Any]]:
    """Return the JSON objects of a line decoded: at once where it is clean, as most are, else those saved from it."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [msgspec.json.decode(part) for part in whole(raw).parts]
    return [value] if isinstance(value, dict) else []


def _next_record(text: str, start: int) -> int:
    """Find where the next record that stands by itself begins; the text's length if none does or the search grows long.

    Tried at each `{"`, so a hostile line could take quadratic time: hence the budget.
    """
    budget_chars = SCAN_FACTOR * len(text) + SCAN_FLOOR_CHARS
    at = text.find('{"', start)
    while at >= 0 and budget_chars > 0:
        try:
            end = _json.raw_decode(text, at)[1]
        except json.JSONDecodeError as error:
            budget_chars -= _effort(error, at)
        except RecursionError:
            break
        else:
            after = _past_blanks(text, end)
            if after == len(text) or text[after] == "{":
                return at
            budget_chars -= end - at + 64
        at = text.find('{"', at + 1)
    return len(text)


def _effort(error: json.JSONDecodeError, start: int) -> int:
    """About how many characters a failed attempt from `start` has read.

    An unterminated string is reported where it begins, after reading to the end. Making the error counts the newlines
    before it, at a multiple of the speed.
    """
    end = len(error.doc) if error.msg.startswith("Unterminated") else error.pos
    return end - start + error.pos // 16 + 64


def _past_blanks(text: str, at: int) -> int:
    """Return the first position from `at` on that is no blank."""
    while at < len(text) and text[at] in BLANK:
        at += 1
    return at


def _clean(value: Any) -> bytes:
    """JSON without lone surrogates, which are valid in JSON and impossible in UTF-8."""
    return SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False)).encode()


class Fitted(NamedTuple, Generic[S]):
    """A record as far as it fits, and how many of the parts that were left out hold text."""

    record: S
    lost: int


def fitting(raw: bytes, kind: type[S]) -> Fitted[S] | None:
    """Decode a clean record as struct `kind`, leaving out fields and list items of another type than expected.

    None when it is no object, or nested deeper than can be decoded.

    Decoded twice and encoded once: it is the slow path, for lines of a shape the format does not expect.
    """
    lost: list[Any] = []
    try:
        value = msgspec.json.decode(raw)
        if not isinstance(value, dict):
            return None
        record = msgspec.json.decode(msgspec.json.encode(_fit(value, kind, lost)), type=kind)
    except (ValueError, RecursionError):
        return None
    return Fitted(record, sum(map(_has_text, lost)))


def _fit(value: Any, kind: Any, lost: list[Any]) -> Any:
    """Return the part of `value` that decodes as `kind`; UNSET, which encodes to nothing, if no part does.

    A union is tried branch by branch: the first that is a list or a struct, as the value is, takes it. What does not
    fit goes to `lost`.
    """
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=kind)
        return value
    except msgspec.ValidationError:
        pass
    for option in get_args(kind) if get_origin(kind) is not list else (kind,):
        if isinstance(value, list) and get_origin(option) is list:
            inner = get_args(option)[0]
            return [fit for item in value if (fit := _fit(item, inner, lost)) is not msgspec.UNSET]
        if isinstance(value, dict) and _is_struct(option):
            return _fit_fields(value, option, lost)
    if isinstance(value, dict) and _is_struct(kind):
        return _fit_fields(value, kind, lost)
    lost.append(value)
    return msgspec.UNSET


def _fit_fields(value: dict[str, Any], kind: type[msgspec.Struct], lost: list[Any]) -> dict[str, Any]:
    """Return the fields that struct `kind` has, each as far as it fits."""
    types = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    fits = {name: _fit(item, types[name], lost) for name, item in value.items() if name in types}
    return {name: item for name, item in fits.items() if item is not msgspec.UNSET}


def _has_text(value: Any) -> bool:
    """Return True if a value may say something: a mark, such as a number or a single word, does not."""
    if isinstance(value, str):
        return " " in value.strip()
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list) and any(isinstance(one, str | list | dict) and one for one in value)


def _is_struct(kind: Any) -> bool:
    """Return True if a type is a struct and so can be fitted field by field."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
