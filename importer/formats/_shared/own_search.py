"""Recognise calls of our own search: what the memory answered must not go into the memory again.

Known by name: our MCP server under any name that contains ours, its tools under any server's name, the official server
over the same collection, and the command line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

TOOLS = ("search_conversations", "open_conversation", "list_conversations", "list_projects", "import_status")
# Continue puts one underscore between server and tool, so there the tool must be one of ours.
_tool = re.compile(
    r"\S*importer\S*?(?:__|[./:])\S+\Z|(?:\S*_)?importer_(?:\S+_)?(?:search|open)\Z|(?:\S*[_./:])?qdrant-find\Z"
    rf"|(?:\S*[_./:-])?(?:{'|'.join(TOOLS)})\Z"
)
_command = re.compile(
    r"\bimporter\b[^|;&\n]*\b(?:search|mcp)\b"
    r"|\bimporter(?:\s+--?\S+(?:\s+[^-\s]\S*)?)*\s+(?:open|list|projects|blame|fix)\b"
)
_GENERAL = ("mcp", "call_tool", "use_tool", "execute_tool")  # in names of tools that call one by its name
_CALLED = ("tool_name", "toolName", "ToolName", "tool", "name", "Name")
_HINTS = ("importer", "qdrant", "conversation", "list_projects", "import_status")


@lru_cache(maxsize=1024)
def is_own_tool(name: str) -> bool:
    """Return True if a tool of this name asks this memory."""
    # The plain search first: nearly every tool is another server's.
    return any(hint in name for hint in _HINTS) and bool(_tool.match(name))


def is_own_call(name: str, given: Mapping[str, Any]) -> bool:
    """Return True if a call asks this memory, by its name or by the tool that a general one is to call."""
    if is_own_tool(name):
        return True
    if not any(sign in name.lower() for sign in _GENERAL):
        return False
    return any(isinstance(given.get(member), str) and is_own_tool(given[member]) for member in _CALLED)


def is_own_command(command: str) -> bool:
    """Return True if a shell command asks this memory."""
    return "importer" in command and bool(_command.search(command))
