"""Words of the samples, put into other shapes where they stand: in every format they are read or counted."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from read_units import content, raws

from importer import formats
from importer.protocol.records import Turn
from importer.reading.unwanted import is_unwanted

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"
Path = tuple[str | int, ...]
WORDS = "a wren sings"
SHAPES: dict[str, Any] = {
    "text": WORDS,
    "list": [WORDS],
    "list with nothing": [None, WORDS],
    "lists": [["Then", WORDS]],
    "text in an object": {"text": WORDS},
    "content in an object": {"content": WORDS},
    "value in an object": {"value": WORDS},
    "parts": {"parts": [WORDS]},
    "block": {"type": "text", "text": WORDS},
    "blocks": [{"type": "text", "text": WORDS}],
    "a new block": [{"type": "hologram", "data": WORDS}],
    "a new object": {"hologram": WORDS},
}
MOST_PLACES = 40  # of a format; most have fewer
# A canvas is JSON in a text, which is no object; and of an option its label counts.
SPARED = {("chatgpt", "text"), ("claude-code", "description"), ("claude-code", "notes"), ("vscode-chat", "message")}


def samples(name: str) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield each sample of a format: its path, and what the format is fed of it."""
    for path in sorted((CORPUS / name).rglob("*")):
        if path.is_file() and formats.load(name).wanted(bytes(path.relative_to(CORPUS / name)).removesuffix(b".sql")):
            yield bytes(path), raws(name, content(str(path)))


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield where texts of several words stand."""
    if isinstance(value, str) and " " in value.strip():
        yield path
    elif isinstance(value, dict | list):
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*path, name))


def put(value: Any, path: Path, instead: Any) -> Any:
    """Return a value with something else at a place."""
    if not path:
        return instead
    name, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, name: put(value[name], rest, instead)}
    return [*value[:name], put(value[name], rest, instead), *value[name + 1 :]]


def told(name: str, units: list[bytes], path: bytes) -> tuple[str, int]:
    """Return the texts of a file's turns, and how much was counted as unknown or broken."""
    format_, texts, counted = formats.load(name), list[str](), 0
    context = format_.begin(path)
    for raw in units:
        fed = format_.feed(context, raw, formats.Options())
        context, counted = fed.context, counted + fed.unknown + len(fed.problems)
        texts += [turn.text for turn in fed.turns]
    return "\n".join(texts), counted


def spoken_places(name: str) -> Iterator[tuple[bytes, list[bytes], int, Any, Path]]:
    """Yield where words reach a turn: the file, its units, the one that has them, its value, and the place in it."""
    seen = set[Path]()
    for path, units in samples(name):
        for at, raw in enumerate(units):
            try:
                value = json.loads(raw)
            except ValueError:
                continue
            for place in places(value):
                kind = tuple("*" if isinstance(one, int) else one for one in place)
                changed = [*units[:at], json.dumps(put(value, place, WORDS)).encode(), *units[at + 1 :]]
                if kind not in seen and len(seen) < MOST_PLACES and WORDS in told(name, changed, path)[0]:
                    seen.add(kind)
                    yield path, units, at, value, place


@pytest.mark.parametrize("name", formats.names())
def test_words_in_another_shape_are_read_or_counted(name: str) -> None:
    """Of every place in the samples whose words reach a turn."""
    lost = []
    for path, units, at, value, place in spoken_places(name):
        before = told(name, units, path)[1]
        for shape, instead in SHAPES.items():
            changed = [*units[:at], json.dumps(put(value, place, instead)).encode(), *units[at + 1 :]]
            text, counted = told(name, changed, path)
            if "wren" not in text and counted <= before and (name, place[-1]) not in SPARED:
                lost.append((place, shape))
    assert lost == []


def asked(name: str, units: list[bytes], path: bytes) -> list[str]:
    """Return what the person says in a file."""
    format_, turns = formats.load(name), list[Turn]()
    context = format_.begin(path)
    for raw in units:
        fed = format_.feed(context, raw, formats.Options())
        context = fed.context
        turns += fed.turns
    return [turn.text for turn in turns if turn.role == "user" and turn.text]


@pytest.mark.parametrize("name", formats.names())
def test_the_wish_to_be_left_out_is_heard(name: str) -> None:
    """In place of a prompt of the samples, with all that the program writes around it."""
    heard = 0
    for path, units in samples(name):
        for text in asked(name, units, path):
            spelled = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
            for one in spelled:
                changed = [raw.replace(one.encode(), b"DO NOT INDEX THIS CHAT") for raw in units]
                if changed != units:
                    assert any(map(is_unwanted, asked(name, changed, path))), (path, text)
                    heard += 1
    assert heard


SIDES = frozenset(("role", "sender", "author", "say"))  # members that tell who speaks
# By design: what another kind of role, or of agent, says is a machine's.
MACHINES = {"claude-code", "codex", "continue-dev"}


def changed_structures(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield places of a value with what is put there instead: another side, or an object in another shape."""
    for name, one in value.items() if isinstance(value, dict) else enumerate(value):
        place = (*path, name)
        if name in SIDES:
            yield from ((place, other) for other in (None, 7, "hologram"))
        if isinstance(one, dict | list):
            yield from changed_structures(one, place)
        if isinstance(one, dict):
            yield from ((place, other) for other in ([one], {"value": one}))


@pytest.mark.parametrize("name", [name for name in formats.names() if name not in MACHINES])
def test_words_in_another_structure_are_read_or_counted(name: str) -> None:
    """What a side said is neither lost below an object of another shape, nor where the side is not known."""
    lost, seen = [], set[tuple[Any, ...]]()
    for path, units in samples(name):
        before, counted = fold_texts(name, units, path)
        for at, raw in enumerate(units):
            try:
                value = json.loads(raw)
            except ValueError:
                continue
            for place, instead in changed_structures(value) if isinstance(value, dict | list) else ():
                kind = (*("*" if isinstance(one, int) else one for one in place), type(instead))
                if kind in seen:
                    continue
                seen.add(kind)
                changed = [*units[:at], json.dumps(put(value, place, instead)).encode(), *units[at + 1 :]]
                after, now = fold_texts(name, changed, path)
                if now <= counted and not all(text in "\n".join(after) for text in before):
                    lost.append((place, instead))
    assert lost == []


def fold_texts(name: str, units: list[bytes], path: bytes) -> tuple[list[str], int]:
    """Return the texts of a file's turns, and how much was counted."""
    text, counted = told(name, units, path)
    return [line for line in text.split("\n") if line.strip()], counted
