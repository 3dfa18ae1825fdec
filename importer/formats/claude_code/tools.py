"""Tool calls of Claude Code: which tool, which files, what came back, and whether it was our own search.

Results are off by default: they are about half of a transcript's bytes, and repeat files.
"""

from __future__ import annotations

from collections.abc import Sequence

from importer.formats._shared.own_search import is_own_command, is_own_tool
from importer.formats._shared.turns import once
from importer.formats.claude_code import lines
from importer.formats.claude_code.lines import Block, Input
from importer.formats.claude_code.notices import without_spans
from importer.formats.claude_code.sessions import Context, is_own_call

FOLDER_TOOLS = frozenset(("Grep", "Glob", "LS"))  # their `path` is where they look, not a file they read
RESULT_CHARS = 2_000  # of a result, which may have a million


def tool_names(calls: Sequence[Block]) -> tuple[str, ...]:
    """Return the tools called, each once."""
    return once([block.name or "" for block in calls])


def file_paths(calls: Sequence[Block]) -> tuple[str, ...]:
    """Return the files that the calls read or edit, each once, as the call spells them."""
    return once([path for block in calls if block.input for path in _paths(block.name, lines.input_of(block))])


def own_call_ids(calls: Sequence[Block]) -> tuple[str, ...]:
    """Return the ids of the calls that ask this memory."""
    return tuple([block.id for block in calls if block.id and _is_own(block)])


def result_text(context: Context, block: Block) -> str:
    """Return the beginning of a tool's result, "" for one of our own."""
    if block.type != "tool_result" or is_own_call(context, block.tool_use_id):
        return ""
    text = "\n".join(lines.texts(block.content))
    return without_spans(text).strip()[:RESULT_CHARS]


def _paths(tool: str | None, given: Input) -> list[str]:
    """Return the files a call names, as far as they are text."""
    path = None if tool in FOLDER_TOOLS else given.path
    return [p for p in (given.file_path, given.notebook_path, path) if isinstance(p, str)]


def _is_own(block: Block) -> bool:
    """Return True if this call asks the memory, as a tool or on the command line."""
    if block.name == "Bash":
        command = lines.input_of(block).command
        return isinstance(command, str) and is_own_command(command)
    return is_own_tool(block.name or "")
