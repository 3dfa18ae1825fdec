"""What is saved of damaged lines."""

from __future__ import annotations

import json

import msgspec
import pytest

from importer.formats._shared.salvage import fitting, records, whole

A, B = b'{"a":1}', b'{"b":{"c":[2]}}'


class Inner(msgspec.Struct):
    word: str = ""


class Outer(msgspec.Struct, rename="camel"):
    some_word: str | None = None
    inner: Inner | None = None
    both: str | list[Inner] | None = None
    rest: msgspec.Raw = msgspec.Raw(b"null")


@pytest.mark.parametrize(
    ("raw", "parts", "problems"),
    [
        (A, [A], 0),
        (A + B, [A, B], 0),
        (A + b" \r\n" + B, [A, B], 0),
        (b"\0\0" + A + b"\0", [A], 0),
        (b"\xef\xbb\xbf" + A, [A], 0),
        (b'{"a":"cut' + B, [B], 1),
        (b'{"a":{"x":{"y":1}},"b":[{"z":2},{"cut' + B, [B], 1),
        (A + b'{"cut', [A], 1),
        (b"junk" + A, [A], 1),
        (A + b"junk", [A], 1),
        (b"junk", [], 1),
        (b"", [], 0),
        (b"\0\0 \r", [], 0),
    ],
)
def test_good_records_are_saved_and_broken_ones_counted(raw, parts, problems):
    """Only the broken record is lost, and an object inside it is not taken for a record."""
    found = whole(raw)
    assert [json.loads(part) for part in found.parts] == [json.loads(part) for part in parts]
    assert len(found.problems) == problems


@pytest.mark.parametrize(
    "raw", [b'{"a":1}', b' {"a":1}\r', b"[1]", b'"x"', b"", b"\xef\xbb\xbf{}", b'{"a":1}{"b":2}', b"\0{}"]
)
def test_records_are_those_that_are_whole(raw):
    """Decoded at once or taken apart, a line gives the same."""
    assert records(raw) == [json.loads(part) for part in whole(raw).parts]


def test_objects_inside_a_broken_record_are_not_records():
    """A record cut at its end leaves whole objects behind, which were not written as lines."""
    assert whole(b'{"message":{"role":"user"},"data":{"x":1},"cut').parts == ()


@pytest.mark.parametrize("raw", [b"[1,2]", b"7", b'"text"', b"null"])
def test_json_that_is_no_object_is_a_stranger(raw):
    """JSON that is no object is neither broken nor a record."""
    found = whole(raw)
    assert (found.parts, found.problems, found.strangers) == ((), (), 1)


def test_parts_are_clean_json():
    """Lone surrogates, wrong bytes, NaN, endless digits and raw control characters come out as plain JSON."""
    raw = b'{"s":"\\ud83d!","u":"\xff","n":NaN,"i":' + b"9" * 5000 + b',"f":1e999,"t":"a\tb"}'
    (part,) = whole(raw).parts
    assert msgspec.json.decode(part) == {"s": "\ufffd!", "u": "\ufffd", "n": None, "i": 0, "f": None, "t": "a\tb"}


@pytest.mark.parametrize("raw", [b'{"a":' * 100_000, A + b"[" * 100_000, b'{"a":"' + b'{"b":[' * 50_000])
def test_depth_is_a_problem_and_keeps_what_came_before(raw):
    """Nesting too deep to read is a problem, not a crash."""
    found = whole(raw)
    assert found.problems
    assert len(found.parts) == raw.startswith(A)


def test_search_in_a_broken_line_is_bounded():
    """A line made to be tried at every byte gives up its search instead of the loop's time."""
    found = whole(b'{"a":"' * 200_000 + B)
    assert found.parts == ()
    assert len(found.problems) == 1


def test_fitting_keeps_what_has_the_right_type():
    """Fields and items of other types are left out at every level."""
    raw = b'{"someWord":7,"inner":{"word":[]},"both":[{"word":"x"},3,{"word":null}],"rest":{"any":1},"new":0}'
    found = fitting(raw, Outer)
    assert found and found.lost == 0
    found = found.record
    assert found.some_word is None
    assert (found.inner, found.both) == (Inner(), [Inner("x"), Inner()])
    assert bytes(found.rest) == b'{"any":1}'


def test_fitting_refuses_what_is_no_object():
    """A list gives no record."""
    assert fitting(b"[1]", Outer) is None
