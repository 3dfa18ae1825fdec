"""Every id there is, forks too, opens complete through every door: the command, the page and MCP.

    pytest -m long tests/system/test_every_id.py

The corpus of all formats, and a home with the stores of every assistant. What a conversation says is taken from the
library, whose completeness `service/conversations/test_library.py` holds against the files.
"""

from __future__ import annotations

import asyncio
import html
import pathlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import many_stores
import pytest
from imported_samples import imported_samples
from processes import Importer
from starlette.testclient import TestClient

from importer.protocol.foreign.quoting import printable
from importer.serve.memory import Memory
from importer.serve.page import page_app
from importer.service.ask import Asker
from importer.service.conversations.library import Library
from importer.settings.schema import Settings

pytestmark = pytest.mark.long

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"
TOKEN = "a-token-of-some-length"
MANY_TOKENS = 400_000


class Machine(NamedTuple):
    """An installation, its settings, and its conversations: the texts of each by its id."""

    installed: Importer
    asker: Asker
    said: dict[str, list[str]]


def corpus(base: pathlib.Path) -> Importer:
    """Import the samples of all formats."""
    return imported_samples(base)


def stores(base: pathlib.Path) -> Importer:
    """Import a home with the stores of every assistant."""
    found = Importer(base, embedded=True)
    many_stores.make(base)
    assert found.run("backlog").code == 0
    return found


@pytest.fixture(scope="module", params=[corpus, stores], ids=lambda made: str(made.__name__))
def machine(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Machine]:
    installed = request.param(tmp_path_factory.mktemp("all"))
    settings = replace(Settings(), state_dir=installed.state)
    settings = replace(settings, embed=replace(settings.embed, provider="plugins.fake_embedder", dimension=384))
    assert installed.run("search", "anything").code == 0
    asker = Asker(settings)
    shelf = Library(asker)
    rows = shelf.recent(limit=10_000)
    said = {one.id: [turn.text for turn in shelf.open(shelf.find(one.id)).turns] for one in rows}
    assert len(said) > 40 and all(said.values())
    yield Machine(installed, asker, said)
    shelf.checkpoints.close()


def told(text: str) -> str:
    """Return a text without what a way of showing it may change: white space."""
    return " ".join(text.split())


def test_by_the_page(machine: Machine) -> None:
    """The page and its addresses have every turn, in order."""
    with TestClient(page_app(machine.asker, TOKEN), base_url="http://127.0.0.1:7077") as client:
        client.cookies.set("importer", TOKEN)
        for id, texts in machine.said.items():
            address = f"/api/open/{id}"
            assert [turn["text"] for turn in client.get(address).json()["turns"]] == texts, id
            shown = told(html.unescape(re.sub(r"<[^>]*>", " ", client.get(f"/c/{id}").text)))
            for text in texts:
                for word in told(printable(text, keep="\n\t")).split()[:200:20]:
                    assert word.strip("`") in shown, (id, word)


def test_by_mcp(machine: Machine) -> None:
    """The tool has every turn where there is room for all; the resource has them always."""

    async def read() -> None:
        memory = Memory(machine.asker)
        for id, texts in machine.said.items():
            text, values = await memory.open_conversation(id, max_tokens=MANY_TOKENS)
            assert [told(turn["text"]) for turn in values["turns"]] == [told(one) for one in texts], id
            whole = told(await memory.whole(id))
            assert all(told(one)[:60] in whole for one in texts), id
            assert "more was left out" not in text, id

    asyncio.run(read())


def test_by_the_command(machine: Machine) -> None:
    """`open` has every turn: by the id, and by what `list` shows of it."""
    rows = machine.installed.run("list", "--json", "-n", "10000").json["conversations"]
    assert {row["id"] for row in rows} == set(machine.said)
    for id, texts in list(machine.said.items()):
        opened = machine.installed.run("open", id, "--whole", "--json")
        assert opened.code == 0, (id, opened.err)
        assert [turn["text"] for turn in opened.json["turns"]] == texts, id
