"""What a model may write for an argument, and what it is told where that means nothing."""

from __future__ import annotations

from typing import Any

import pytest

from importer.errors import UsageError
from importer.protocol.foreign.tool_arguments import read
from importer.serve.tools import SPECS

NOTHING: tuple[Any, ...] = (None, "", "  ", "\n\t")
WRONG: tuple[Any, ...] = (7, 2.5, True, [], ["x"], {}, {"a": 1}, "\x00", "\ud800", "x" * 5_000, float("nan"), 10**400)
SCHEMAS = [(spec.name, name, spec.given) for spec in SPECS for name in spec.given["properties"]]


@pytest.mark.parametrize(("tool", "name", "schema"), SCHEMAS)
def test_nothing_is_as_if_left_out(tool: str, name: str, schema: dict[str, Any]) -> None:
    """Null, an empty text and white space say no more than leaving an argument out."""
    given = dict.fromkeys(schema["required"], "kiln")
    for value in NOTHING:
        if name in schema["required"]:
            with pytest.raises(UsageError):
                read({**given, name: value}, schema)
        else:
            assert read({**given, name: value}, schema) == given


@pytest.mark.parametrize(("tool", "name", "schema"), SCHEMAS)
def test_any_value_is_read_or_told_of(tool: str, name: str, schema: dict[str, Any]) -> None:
    """No value of any type makes another error than one that names the argument, in few words."""
    given = dict.fromkeys(schema["required"], "kiln")
    for value in WRONG:
        try:
            found = read({**given, name: value}, schema)[name]
        except UsageError as error:
            assert name in error.message and len(error.message) < 200
        else:
            assert isinstance(found, str | int) and "\ud800" not in str(found)


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ({"mode": " Keyword "}, "keyword"),
        ({"limit": " 3 "}, 3),
        ({"all": " TRUE"}, True),
        ({"project": " shop "}, "shop"),
    ],
)
def test_loosely_written(given: dict[str, Any], read_as: Any) -> None:
    """Case, white space and the way numbers are written do not matter."""
    assert read({"query": "kiln", **given}, SPECS[0].given)[next(iter(given))] == read_as


def test_numbers_that_are_corrected() -> None:
    """Too small a number is passed on where the tool corrects it, and refused elsewhere; a missing name is told."""
    assert read({"query": "x", "max_tokens": 3}, SPECS[0].given, ("max_tokens",))["max_tokens"] == 3
    for given in ({"query": "x", "max_tokens": 3}, {"query": "x", "limit": 0}, {}):
        with pytest.raises(UsageError, match=r"max_tokens|limit|query is missing"):
            read(given, SPECS[0].given)
