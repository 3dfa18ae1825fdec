"""What a model gives to the tools over MCP: loose values are taken, wrong ones are told in a result it can correct."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asked_over_mcp import SESSION, imported, said
from processes import Importer


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    return imported(tmp_path_factory.mktemp("mcp"))


@pytest.mark.parametrize(
    "given",
    [
        {"limit": 10_000}, {"limit": -1}, {"limit": 2.5}, {"limit": "many"}, {"limit": True}, {"limit": [3]},
        {"mode": "fuzzy"}, {"mode": 3}, {"project": 7}, {"query": None}, {"query": ["x"]}, {"query": " "},
        {"since": "the day after never"}, {"all": "perhaps"}, {"project": "nosuch"}, {"limit": 0}, {"branch": ["x"]},
    ],
)  # fmt: skip
def test_wrong_values_are_results(asked: Any, given: dict[str, Any]) -> None:
    """A value that means nothing is told in the tool's result, where the model reads it and can do better."""
    result = asked("search_conversations", {"query": "x", **given})
    assert result.is_error and said(result)


@pytest.mark.parametrize(
    "given", [{"limit": "3"}, {"limit": 3.0}, {"limit": 3, "colour": "red"}, {"limit": None}, {"all": "true"},
     {"conversation": "", "project": " ", "since": "", "limit": "", "mode": "Keyword"}],
)  # fmt: skip
def test_loose_values_are_taken(asked: Any, given: dict[str, Any]) -> None:
    """Numbers may be written in any way, null is as if it were left out, and unknown names are passed over."""
    assert not asked("search_conversations", {"query": "kiln", **given}).is_error


@pytest.mark.parametrize(
    ("given", "said_of"),
    [
        ({}, "conversation is missing"), ({"conversation": " "}, "conversation is empty"),
        ({"conversation": 7}, "conversation is a text"), ({"conversation": "nosuch"}, "is called"),
        ({"conversation": SESSION, "before": -1}, "before is a whole number"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened(asked: Any, given: dict[str, Any], said_of: str) -> None:
    """A model is told what is missing or wrong."""
    result = asked("open_conversation", given)
    assert result.is_error and said_of in said(result)


def test_an_id_alone_opens(asked: Any) -> None:
    """The conversation may be left out, or empty, where a hit is named; few turns are shown where few are asked for."""
    found = asked("search_conversations", {"query": "kiln cracked", "mode": "keyword"}).structured_content
    hit = found["conversations"][0]["id"]
    for given in ({"id": hit}, {"id": hit, "conversation": ""}, {"id": hit, "before": "0", "after": 1}):
        opened = asked("open_conversation", given)
        assert not opened.is_error and opened.structured_content["conversation"] == SESSION
        assert len(opened.structured_content["turns"]) == (2 if "after" in given else 12)


def test_too_few_tokens_are_corrected(asked: Any) -> None:
    """An answer has room for an id at least, and says so; failures keep to it as well."""
    for tool, given in (("search_conversations", {"query": "kiln"}), ("list_conversations", {}), ("list_projects", {})):
        for most in (-5, 0, 60, "119"):
            result = asked(tool, {**given, "max_tokens": most})
            assert not result.is_error and "max_tokens is at least 120" in said(result)
            assert len(said(result).split()) <= 120
    assert len(said(asked("search_conversations", {"query": "x", "project": "n" * 900, "max_tokens": 0}))) < 400


@pytest.fixture(scope="module")
def asked(installed: Importer) -> Callable[[str, dict[str, Any]], Any]:
    """Return the function that calls a tool in this process."""
    from dataclasses import replace

    from mcp import types

    from importer.serve.mcp_server import mcp_server
    from importer.serve.memory import Memory
    from importer.service.ask import Asker
    from importer.settings.schema import Settings

    known = replace(Settings(), state_dir=installed.state)
    embed = replace(known.embed, provider="plugins.fake_embedder", dimension=384)
    server = mcp_server(Memory(Asker(replace(known, embed=embed))))
    entry = server.get_request_handler("tools/call")
    assert entry is not None

    def call(name: str, given: dict[str, Any]) -> Any:
        installed.run("search", "--mode", "keyword", "kiln")  # an answerer that has the settings of the tests
        return asyncio.run(entry.handler(None, types.CallToolRequestParams(name=name, arguments=given)))

    return call
