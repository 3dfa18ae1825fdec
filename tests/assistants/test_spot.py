"""Our entry is known by the program that it starts, however that was installed, and no other is."""

from __future__ import annotations

from typing import Any

import pytest

from importer.assistants.wiring.spot import is_hook, is_server, words_of


@pytest.mark.parametrize(
    ("entry", "ours"),
    [
        ({"command": "importer", "args": ["mcp"]}, True),
        ({"type": "stdio", "command": "/gone/bin/importer", "args": ["--state-dir", "/s", "mcp"], "env": {}}, True),
        ({"command": "/v/bin/python", "args": ["-P", "-m", "importer", "mcp", "-v"]}, True),
        ({"command": ["/v/bin/importer", "mcp"], "enabled": False}, True),
        ({"cmd": "/v/bin/importer", "args": ["mcp"]}, True),
        ({"command": {"path": "/v/bin/importer", "args": ["mcp"]}}, True),
        ({"command": "uvx", "args": ["conversation-importer@0.1.0", "mcp"]}, True),
        ({"command": "/usr/bin/env", "args": ["importer", "mcp"]}, True),
        ({"command": "importer", "args": ["serve"]}, False),
        ({"command": "npx", "args": ["-y", "importer", "mcp"]}, False),
        ({"command": "/v/bin/importer-of-photos", "args": ["mcp"]}, False),
        ({"url": "http://127.0.0.1:1/mcp"}, False),
        ({"command": 3, "args": "mcp"}, False),
        ({}, False),
        (None, False),
        ("importer mcp", False),
    ],
)
def test_servers(entry: Any, ours: bool) -> None:
    """By path, as a module, by a runner, in the forms that assistants write."""
    assert is_server(entry) is ours
    assert isinstance(words_of(entry), list)


@pytest.mark.parametrize(
    ("hooks", "ours"),
    [
        ([{"type": "command", "command": "'/my tools/importer' --state-dir /s hook"}], True),
        ([{"type": "command", "command": "python -P -m importer hook"}], True),
        ([{"command": "importer hook"}, {"command": "echo"}], False),
        ([{"command": "echo importer hook"}], False),
        ([{"command": "importer 'hook"}], False),
        ([{"type": "prompt"}], False),
        ([], False),
        ("importer hook", False),
    ],
)
def test_hooks(hooks: Any, ours: bool) -> None:
    """One that has others beside it is a person's by now."""
    assert is_hook({"matcher": "startup", "hooks": hooks}) is ours
