"""What an update of a tool may do to its records: words under another name, a level deeper, in a record of a new type.

In every format such words are read, or counted under a kind that tells a maintainer where to look.
"""

from __future__ import annotations

import copy
import json
import os
import pathlib
import sqlite3
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fold_lines import feed
from foreign_database import SCRIPT, build
from read_units import content, raws
from talk_records import lines

from importer import formats
from importer.protocol.foreign.kinds import UNNAMED, kind_of
from importer.sources.databases import journals, queries

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"
LONG = 12  # a text of fewer characters may stand in another one by chance
# Members that are only read where they are there, and whose lack says nothing: notes of a question, descriptions of its
# options, what is attached, a document that is written, a summary beside a message, and texts that repeat another one.
OPTIONAL = {"notes", "description", "extracted_content", "code", "feedback", "conversationSummary", "displayContent"}
OPTIONAL |= {"transcript", "input", "data", "questions", "questionnaire"}


# Of these samples a text is not missed where it is gone: it stands beside an empty `content`, or a call alone with one
# word, beside parts that are told in its place, or in a response that may lack.
EXCEPTED = {("ai-studio", "text"), ("devin", "content"), ("gemini", "text"), ("jsonl-chat", "text")}
EXCEPTED |= {("vscode-chat", "response"), ("le-chat", "content"), ("claude-code", "message content 0 content")}


class Variant(NamedTuple):
    """A record with one of its texts at another place."""

    how: str
    place: tuple[Any, ...]
    text: str
    record: Any


def texts_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield the texts of a value, and where they stand."""
    if isinstance(value, str):
        yield place, value
    for name, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from texts_in(one, (*place, name))


def variants(record: Any, said: set[str]) -> Iterator[Variant]:
    """Yield the record with each of its words renamed, a level deeper, and, where it has a type, of a new one."""
    for place, text in texts_in(record):
        spoken = text.strip() in said or any(len(text) > LONG and text.strip() in one for one in said)
        if not (spoken and isinstance(place[-1], str)) or OPTIONAL.intersection(map(str, place)):
            continue
        for how in ("renamed", "deeper", "of a new type"):
            changed = copy.deepcopy(record)
            held = changed
            for step in place[:-1]:
                held = held[step]
            if how == "renamed":
                held["utterance"] = held.pop(place[-1])
            elif how == "deeper":
                held[place[-1]] = {"body": held[place[-1]]}
            elif isinstance(held.get("type"), str):
                held["type"] = "hologram"
            else:
                continue
            yield Variant(how, place, text.strip(), changed)


def of_lines(name: str, path: pathlib.Path) -> Iterator[tuple[Variant, list[Any]]]:
    """Yield the variants of the records of a file, each with all lines of the file."""
    found = list(raws(name, content(str(path))))
    said = {turn.text for fed in feed(name, *found, path=bytes(path)) for turn in fed.turns}
    for number, raw in enumerate(found):
        try:
            record = json.loads(raw)
        except ValueError:
            continue
        for one in variants(record, said):
            yield one, [*found[:number], json.dumps(one.record).encode(), *found[number + 1 :]]


def of_rows(name: str, script: pathlib.Path) -> Iterator[tuple[Variant, list[Any]]]:
    """Yield the variants of what is JSON in the rows of a database, each with all lines that are told of it."""
    told = formats.load(name).told  # type: ignore[attr-defined]

    def lines_of(rows: list[Any]) -> list[Any]:
        return lines(unit for row in rows for unit in queries._told(told, row))

    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(build(script, pathlib.Path(folder)))
        listing = queries.conversations(connection)
        asked = [queries._filled(query, listing.columns) for query in (listing.form.rows if listing.form else ())]
        talks = [
            [row for query in asked for row in queries._rows(connection, query, member.name)]
            for member in listing.members.values()
        ]
        connection.close()
    for rows in talks:
        said = {turn.text for fed in feed(name, *lines_of(rows)) for turn in fed.turns}
        for number, row in enumerate(rows):
            for column, cell in row.items() if isinstance(row, dict) else ():
                if isinstance(cell, str) and cell[:1] in ("{", "["):
                    for one in variants(json.loads(cell), said):
                        changed = {**row, column: json.dumps(one.record)}
                        yield one, lines_of([*rows[:number], changed, *rows[number + 1 :]])


SAMPLES = [
    (name, path)
    for name in formats.names()
    for path in sorted((CORPUS / name).rglob("*"))
    if path.is_file() and not journals.is_called_journal(os.fsencode(path))
]


@pytest.mark.parametrize(("name", "path"), [pytest.param(*one, id=f"{one[0]}-{one[1].stem[:24]}") for one in SAMPLES])
def test_words_elsewhere_are_read_or_counted(name: str, path: pathlib.Path) -> None:
    """By name and kind, so that a maintainer can tell what is new."""
    found = (of_rows if path.name.endswith(SCRIPT) else of_lines)(name, path)
    lost, nameless = [], []
    for variant, changed in found:
        fed = feed(name, *changed, path=bytes(path))
        if variant.text in "\n".join(turn.text for one in fed for turn in one.turns):
            continue
        place = " ".join(map(str, variant.place))
        if (name, variant.how) == ("antigravity", "of a new type"):
            continue  # what steps of any other type hold is a tool's
        if variant.how == "renamed" and not EXCEPTED.isdisjoint({(name, place), (name, place.rpartition(" ")[2])}):
            continue
        kinds = [kind_of(raw) for one, raw in zip(fed, changed, strict=True) if one.unknown or one.problems]
        if set(kinds) <= {UNNAMED}:
            (nameless if kinds else lost).append((variant.how, place))
    assert (lost, nameless) == ([], [])
