"""Our own search is known by name, and nothing else is."""

from __future__ import annotations

import pytest

from importer.formats._shared.own_search import is_own_command, is_own_tool


@pytest.mark.parametrize(
    "name",
    [
        *(
            "mcp__importer__search",
            "importer__open",
            "mcp__my-importer__search",
            "qdrant-find",
            "mcp__mem__qdrant-find",
        ),
        *("importer_search", "my_importer_open", "importer_memory_search", "mem_qdrant-find"),
        *("mcp__conversations__search_conversations", "conversations-open_conversation", "list_conversations"),
    ],
)
def test_own_tools(name):
    """Our tools are known under any name of the server."""
    assert is_own_tool(name)


OTHERS = [
    "",
    "Bash",
    "importer",
    "mcp__csv__search",
    "qdrant-store",
    "mcp__qdrant__list",
    "importer_list",
    "csv_search",
]


@pytest.mark.parametrize("name", OTHERS)
def test_other_tools(name):
    """Calls of another search are kept."""
    assert not is_own_tool(name)


@pytest.mark.parametrize(
    "command",
    [
        "importer search x",
        "cd a && python -m importer --state-dir s search 'x'",
        "importer mcp",
        "importer --state-dir s open 4bb60f63",
        "importer fix 'no such file'",
    ],
)
def test_own_commands(command):
    """Our command is known with flags between name and verb."""
    assert is_own_command(command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "importer status",
        "cat importer.py; grep search x",
        "rg search importer/",
        "ls importer/list",
        "importer status list",
    ],
)
def test_other_commands(command):
    """Work on a project of that name is no search of the memory."""
    assert not is_own_command(command)
