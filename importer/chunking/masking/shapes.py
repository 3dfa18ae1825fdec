"""Say how a token looks, one word a part: `A36` is 36 letters and digits, `h32 '-us' d1-2` hexadecimal and an ending.

A count is the least there may be, and all that follows of the same class belongs to the token; `=16` is exactly
16, followed by none of the class. `3-9` is a range. Patterns made so are read once from left to right.
"""

from __future__ import annotations

import functools
import re

MOST_CHARS = 1000  # of a part when a token is judged, so that a text of nothing but prefixes takes linear time
CLASSES = {
    "h": "[0-9a-f]",
    "H": "[0-9A-Fa-f]",
    "d": "[0-9]",
    "a": "[a-z0-9]",
    "U": "[A-Z0-9]",
    "l": "[A-Za-z]",
    "A": "[A-Za-z0-9]",
    "W": "[A-Za-z0-9_]",
    "R": "[A-Za-z0-9_-]",
    "D": "[A-Za-z0-9_.=-]",
    "B": "[A-Za-z0-9+/]",
    "S": "[1-9A-HJ-NP-Za-km-z]",
    "E": "[A-Za-z0-9+/=_-]",
}
UUID = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_PART = re.compile(
    r"'(?P<literal>[^']*)'|(?P<uuid>uuid)|(?P<kind>[A-Za-z])(?P<exact>=)?(?P<least>\d+)(?:-(?P<most>\d+))?"
)
_ALPHABET = "qZ7vK2mX9wP4tR8nJ3bL6hD5sF1gC0yTkWpNaEdHuVeQiBzMcGxYfUjSrAo"  # a lot of each class, in no order of its own
_HEX = "9f3ac07e5d18b264"


@functools.cache
def compiled(source: str) -> re.Pattern[str]:
    """Compile a pattern of a table once, when it is first needed: all of them take a tenth of a second at a start."""
    return re.compile(source)


def pattern(shape: str) -> str:
    """Return the pattern of a shape; parts are separated by a space."""
    return "".join(map(_pattern_of, _PART.finditer(shape)))


def rest(shape: str) -> str:
    """Return the pattern of what follows a token of that shape and still belongs to it."""
    last = list(_PART.finditer(shape))[-1]
    return f"{CLASSES[last['kind']]}*+" if last["kind"] and not last["exact"] and not last["most"] else ""


def _pattern_of(part: re.Match[str]) -> str:
    """Return the pattern of one part."""
    if part["literal"] is not None:
        return re.escape(part["literal"])
    if part["uuid"]:
        return UUID
    letters, least = CLASSES[part["kind"]], part["least"]
    if part["exact"]:
        return f"{letters}{{{least}}}(?!{letters})"
    return f"{letters}{{{least},{part['most'] or MOST_CHARS}}}" + ("" if part["most"] else "+")


def example(shape: str) -> str:
    """Return a text of that shape, made up, the same each time."""
    return "".join(_example_of(part, number) for number, part in enumerate(_PART.finditer(shape)))


def _example_of(part: re.Match[str], turn: int) -> str:
    """Return an example of one part; `turn` keeps the parts of a token unlike each other."""
    if part["literal"] is not None:
        return part["literal"]
    if part["uuid"]:
        return "3b2f8c1e-7a4d-4e96-b0c5-9d1f6a2e8b47"
    allowed = re.compile(CLASSES[part["kind"]])
    source = _HEX if part["kind"] in "hH" else _ALPHABET
    letters = [letter for letter in source if allowed.match(letter)]
    return "".join(letters[(turn * 5 + place) % len(letters)] for place in range(int(part["least"])))
