"""Documents are cut into the same units in any slices and any layout, also when one unit is damaged."""

from __future__ import annotations

import json
import os
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from read_units import in_memory, units

from importer import formats
from importer.formats._shared import json_text
from importer.reading import document
from importer.reading.document import BEHIND, BROKEN_OFF, NO_MEMBERS
from importer.sources import files

MIB = 1 << 20
TEXT = st.text(st.sampled_from('ab"\\{}[],: \n\u00e9\u2028'), max_size=12)
VALUES = st.recursive(
    TEXT | st.integers() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=5)
LAYOUTS = st.sampled_from([{}, {"indent": 2}, {"indent": 0}, {"separators": (",", ":")}, {"ensure_ascii": False}])
SLICES = st.sampled_from([1, 2, 3, 7, 40, 1 << 20])


def parsed(name: str, raw: bytes, **limits: Any) -> list[Any]:
    """Return the units as values, those without bytes left out; units lie end to end and end with the file."""
    found = units(name, raw, **limits)
    assert [unit.start for unit in found] == [0, *(unit.end for unit in found)][:-1]
    assert not found or found[-1].end == len(raw) or not limits.get("settled", True)
    return [json.loads(unit.raw) for unit in found if unit.raw and not unit.problem]


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(OBJECTS, max_size=5), LAYOUTS, SLICES, st.sampled_from(["", "\n", " \n\n"]))
def test_a_list_is_its_elements(said: list[Any], layout: dict[str, Any], slice_bytes: int, end: str) -> None:
    """Strings may hold any bracket and quote, the document any blanks, and a slice may end anywhere."""
    raw = (json.dumps(said, **layout) + end).encode()
    assert parsed("chatgpt", raw, slice_bytes=slice_bytes) == said


@pytest.mark.slow
@settings(deadline=None)
@given(OBJECTS, st.lists(OBJECTS, max_size=5), OBJECTS, LAYOUTS, SLICES)
def test_an_object_is_its_head_and_the_elements_of_its_list(
    before: dict[str, Any], said: list[Any], after: dict[str, Any], layout: dict[str, Any], slice_bytes: int
) -> None:
    """Other members come first and all together, before or behind the list."""
    whole = {**before, "sessionId": "s", "projectHash": "p", "messages": said, **after}
    rest = {name: value for name, value in whole.items() if name != "messages"}
    raw = json.dumps(whole, **layout).encode()
    assert parsed("gemini", raw, slice_bytes=slice_bytes) == [rest, *said]


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(OBJECTS, min_size=1, max_size=3), LAYOUTS, SLICES)
def test_values_that_stand_by_themselves_are_units(said: list[Any], layout: dict[str, Any], slice_bytes: int) -> None:
    """One conversation is a unit, and so is each of several in a row."""
    raw = "\n".join(json.dumps(one, **layout) for one in said).encode()
    assert parsed("chatgpt", raw, slice_bytes=slice_bytes) == said


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(OBJECTS, max_size=4), SLICES, st.integers(0, 400), st.booleans())
def test_a_broken_off_document(said: list[Any], slice_bytes: int, at: int, settled: bool) -> None:
    """What is whole is there; the rest, if any, waits, and is a problem once no program writes any more."""
    document = json.dumps([{**one, "n": number} for number, one in enumerate(said)]).encode()
    raw = document[:at]
    found = units("chatgpt", raw, slice_bytes=slice_bytes, settled=settled)
    good, end = whole(raw)
    missing = end < len(raw) < len(document)
    assert [unit.problem for unit in found if unit.problem] == [BROKEN_OFF] * (settled and missing)
    assert [json.loads(unit.raw)["n"] for unit in found if unit.raw and not unit.problem] == list(range(good))


def whole(raw: bytes) -> tuple[int, int]:
    """Return how many elements are whole in the beginning of a list, and where the last one ends."""
    count, at, text = 0, 0, raw.decode()
    while text[at : at + 1] and text[at:] != "]":
        try:
            _, at = json.JSONDecoder().raw_decode(text, at + 1 + bool(count))
        except ValueError:
            break
        count += 1
    return count, at


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'[1, nul, {"a": tru}, {"good": 1}, "x", []]', 1),
        (b'[{"bad": "\\ud83d", "n": 1e999}, {"good": 1}]', 1),
        (b'[{"bad": 1 2 3}, :, }, {"good": 1}]', 1),
        (b'\xef\xbb\xbf[{"good": 1},\n\n{"good": 2},]\n', 2),
        (b'[{"good": 1}\0\0\0, {"good": "\0"}]\0\0', 2),
        (b'[{"bad": "\xff\xfe"}, ' + b"[" * 5000 + b"]" * 5000 + b', {"good": 1}]', 1),
    ],
)
def test_rubbish_does_the_good_ones_no_harm(raw: bytes, expected: int) -> None:
    """Each value is a unit of its own, with any content."""
    assert sum(b'"good"' in unit.raw for unit in units("chatgpt", raw)) == expected
    assert not any(unit.problem for unit in units("chatgpt", raw))


def test_what_stands_behind_the_end_is_a_problem() -> None:
    """A second export or an error page behind the document is a problem."""
    assert [unit.problem for unit in units("chatgpt", b"[{}] [{}]")] == ["", BEHIND]


@pytest.mark.parametrize(
    ("raw", "problems"),
    [
        (b'{"sessionId":"s","projectHash":"p","messages":[{"id":"m1"},{"id":', ["", "", BROKEN_OFF]),
        (b'{"sessionId":"s","projectHash":"p","messages":[ ', ["", BROKEN_OFF]),
        (b'{"sessionId":"s","projectHash":"p","messages":[{"id":"m1"}], oh no }', ["", "", ""]),
        (b'{"sessionId":"s","projectHash":"p","messages":{"id":"m1"}}', [""]),
        (b'{"messages":1, oh no' + b" " * 5000 + b"}", [NO_MEMBERS]),
    ],
)
def test_a_damaged_object(raw: bytes, problems: list[str]) -> None:
    """It gives the head as far as it can be read, every whole element, and a problem for the rest."""
    assert [unit.problem for unit in units("gemini", raw)] == problems


def test_a_half_written_object_waits_as_a_whole() -> None:
    """Its last members may name the conversation, so nothing of it is taken yet."""
    raw = b'{"sessionId":"s","projectHash":"p","messages":[{"id":"m1"}],"kind":"sub'
    assert units("gemini", raw, settled=False) == []


def test_a_unit_above_the_limit_is_passed_over() -> None:
    """A unit that is too long keeps its length and a few bytes."""
    raw = json.dumps([{"n": 1}, {"long": "x" * 5000}, {"n": 2}]).encode()
    found = units("chatgpt", raw, max_line_bytes=1000)
    assert [unit.oversized for unit in found] == [False, True, False, False]
    assert found[1].end - found[1].start > 5000 > len(found[1].raw)
    assert found == units("chatgpt", raw, max_line_bytes=1000, slice_bytes=100)


@pytest.mark.slow
def test_long_values_are_sought_in_steps(tmp_path: Any) -> None:
    """Of 200 MB in one string a slice at a time is looked at, in constant memory; the units around it are there."""
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.write(b'[{"n":1},{"long":"')
        file.seek(200 * MIB)
        file.write(b'"},{"n":2}]')
    fd = os.open(path, os.O_RDONLY)
    stat = files.file_stat(b"", os.fstat(fd))
    limits = document.UnitLimits(MIB, 32 * MIB)
    tracemalloc.start()
    found, offset, mark, steps = [], 0, None, 0
    while offset < stat.size:
        part = document.read_slice(fd, stat, offset, formats.Document(), limits, mark=mark)
        found, offset, mark, steps = [*found, *part.lines], part.offset, part.scanned_to, steps + 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    os.close(fd)
    assert [unit.oversized for unit in found] == [False, True, False, False]
    assert steps >= 200 * MIB // document.SCAN_BYTES
    assert peak < 4 * MIB


def test_a_long_head_is_read_in_steps() -> None:
    """The head around a list of ten megabytes is read over several calls."""
    said = [{"id": f"m{number}", "text": "x" * 1000} for number in range(10_000)]
    raw = json.dumps({"sessionId": "s", "projectHash": "p", "messages": said, "kind": "main"}).encode()
    with in_memory(raw) as fd:
        stat = files.file_stat(b"", os.fstat(fd))
        declared = formats.Document("messages", head=True)
        first = document.read_slice(fd, stat, 0, declared, document.UnitLimits(MIB, 32 * MIB))
    assert (first.lines, first.offset, first.at_end, first.scanned_to is None) == ((), 0, False, False)
    found = units("gemini", raw)
    assert json.loads(found[0].raw) == {"sessionId": "s", "projectHash": "p", "kind": "main"}
    assert len(found) == 1 + len(said) + 1


def test_what_is_written_meanwhile_is_torn() -> None:
    """A file that is not what its stat said gives nothing."""
    with in_memory(b'[{"a": 1}]') as fd:
        stat = files.file_stat(b"", os.fstat(fd))
        os.write(fd, b" ")
        part = document.read_slice(fd, stat, 0, formats.Document(), document.UnitLimits(MIB, MIB))
    assert (part.torn, part.lines) == (True, ())


@settings(deadline=None)
@given(VALUES.filter(lambda value: isinstance(value, dict | list | str)), st.integers(1, 9), LAYOUTS)
def test_the_end_of_a_value_in_blocks(value: Any, block: int, layout: dict[str, Any]) -> None:
    """The end is found for any ends of blocks, in the middle of an escape too."""
    raw = json.dumps(value, **layout).encode() + b'"[{'
    at, within = json_text.begin(raw, 0)
    size = block
    while within is not None:
        passed, inside = json_text.search(raw[at : at + size], 0, within)
        size = size + 1 if passed == 0 else block  # only an escape stands there: its other half is needed
        at, within = at + passed, inside
    assert raw[:at] == raw[:-3]


@pytest.mark.parametrize(
    ("head", "keys", "listed", "alone"),
    [
        (b'{"a":1,"b":{"c":2}}', ("a", "b"), False, True),
        (b'{"a":1}\n{"b":2}\n', ("a",), False, False),
        (b'[{"a":[1,{"b":2}],"c":"', ("a", "c"), True, True),
        (b"[]", (), True, True),
        (b"# a chat", (), False, True),
        (b'\xef\xbb\xbf { "a\\"b" : 1', ('a\\"b',), False, True),
    ],
)
def test_outline(head: bytes, keys: tuple[str, ...], listed: bool, alone: bool) -> None:
    """The keys of the first object, whether in a list, and whether there is more."""
    assert json_text.outline(head) == (keys, listed, alone)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b'{"sessionId":"s","projectHash":"p","startTime":"t"}\n{"id":"m","type":"user","content":"x"}\n', "lines"),
        (b'{"sessionId":"s","projectHash":"p","messages":[]}\n{"id":"m","type":"user","content":"x"}\n', "lines"),
        (b'{"sessionId":"s","projectHash":"p","messages":[]}\n', "document"),
        (b'{"sessionId":"s","projectHash":"p","messages":[{"id":"m', "document"),
    ],
)
def test_gemini_is_told_apart(head: bytes, name: str) -> None:
    """Both forms of the format begin alike."""
    found = formats.document(formats.load("gemini"), head)
    assert formats.detect(head) == "gemini"
    assert ("document" if found else "lines") == name
