"""Records of the samples, changed in their bytes and in their values: none raises, and nothing grows without end."""

from __future__ import annotations

import json
import os
import random
import resource
from pathlib import Path
from typing import Any

import msgspec
import pytest
from read_units import content, raws

from importer import formats

CORPUS = Path(__file__).parents[1] / "corpus"
MUTATIONS = int(os.environ.get("FORMAT_MUTATIONS", "20000"))  # in all; 200,000 take some minutes
EVERYTHING = formats.Options(subagents=True, thinking=True, tool_results=True, summaries=True)
GROWTH_KB = (
    32 * 1024
)  # of the process over all but the first part: caches of regular expressions, the allocator's waste
NAMES = [name for name in formats.names() if not hasattr(formats.load(name), "TABLES")]  # those of databases have rows
ODD = (None, True, 0, -1, 1e308, 2**70, "", " ", "x", "\0", "\ud800", [], {}, [[]], {"": {}}, ["x", 7], {"text": "x"})


def records(name: str) -> list[bytes]:
    """Return what the format is fed of its samples."""
    wanted = formats.load(name).wanted
    paths = [path for path in sorted((CORPUS / name).rglob("*")) if path.is_file()]
    found = [path for path in paths if wanted(bytes(path.relative_to(CORPUS / name)))]
    return [raw for path in found for raw in raws(name, content(str(path))) if raw]


def changed_bytes(chance: random.Random, raw: bytes) -> bytes:
    """Cut, double, overwrite or glue."""
    at, end = sorted(chance.randrange(len(raw) + 1) for _ in range(2))
    noise = bytes(chance.choices(b'\0\xff{}[]":,\\u19ntx<>/', k=chance.randrange(6)))
    return chance.choice((raw[:at], raw[at:], raw[:at] + noise + raw[end:], raw[:end] + raw[at:], raw + raw[:at]))


def changed_value(chance: random.Random, value: Any) -> Any:
    """Put something else in one place of a value: odd, wrapped, doubled, or left out."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        name = chance.choice(list(value))
        rest = {key: one for key, one in value.items() if key != name}
        fate = chance.random()
        if fate < 0.1:
            return rest
        if fate < 0.2:
            return {**rest, chance.choice(("text", "content", "parts", "type", "message")): value[name]}
        return {**value, name: changed_value(chance, value[name])}
    if isinstance(value, list) and value and chance.random() < 0.7:
        at = chance.randrange(len(value))
        return [*value[:at], changed_value(chance, value[at]), *value[at + chance.randrange(2) :]]
    return chance.choice((chance.choice(ODD), [value], {"text": value}, [value, value], {"type": value}))


def mutated(chance: random.Random, raw: bytes) -> bytes:
    """Return a record changed in one way."""
    try:
        value = json.loads(raw)
    except ValueError:
        return changed_bytes(chance, raw)
    for _ in range(chance.randrange(1, 4)):
        value = changed_value(chance, value)
    changed = json.dumps(value).encode()
    return changed if chance.random() < 0.7 else changed_bytes(chance, changed)


def test_changed_records_are_recognised_or_not() -> None:
    """Members of any type are looked at by every format, and none raises."""
    for name in NAMES:
        chance, samples = random.Random(name), records(name)
        for _ in range(150):
            assert len(formats.claims(mutated(chance, chance.choice(samples)) + b"\n")) < len(NAMES)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_changed_records_neither_raise_nor_grow(name: str) -> None:
    """The context stays bounded, the texts can be stored, and the process ends no larger than after the first part."""
    chance, samples, format_ = random.Random(name), records(name), formats.load(name)
    context, peak_kb = format_.begin(b"/x/one.jsonl"), 0
    for number in range(MUTATIONS // len(NAMES)):
        record = mutated(chance, chance.choice(samples)).replace(b"\n", b" ")
        assert len(formats.claims(record + b"\n")) < len(NAMES)
        fed = format_.feed(context, record, EVERYTHING)
        context = fed.context
        assert len(msgspec.json.encode(context)) < formats.MAX_CONTEXT_BYTES
        assert "\n".join([turn.text for turn in fed.turns]).encode().count(b"\0") == 0
        if number == MUTATIONS // len(NAMES) // 4:
            peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kb < GROWTH_KB
