"""Read the call of a tool: its name, the file it edits, and whether it asks this memory."""

from __future__ import annotations

from typing import Any, NamedTuple

from importer.formats._shared.own_search import is_own_command, is_own_tool

_EDITORS = """
    edit multiedit write patch apply_patch edit_file write_file create_file create replace str_replace
    str_replace_editor strreplace writefile editfile search_replace insert_edit_into_file notebookedit file_editor
    developer__text_editor text_editor write_to_file replace_in_file replace_file_content multi_replace_file_content
    fs_write
"""
EDITORS = frozenset(_EDITORS.split())
PATHS = ("file_path", "filePath", "path", "absolute_path", "target_file", "TargetFile", "file")
COMMANDS = ("command", "cmd", "CommandLine")


class Call(NamedTuple):
    """A tool's name, the files it edits, and whether it asks this memory: what is answered then is not indexed."""

    tools: list[str]
    files: list[str]
    own: bool


def call_of(name: Any, given: Any) -> Call:
    """Read a call by its name and its arguments, an object."""
    name = name if isinstance(name, str) else ""
    given = given if isinstance(given, dict) else {}
    path = next((given[key] for key in PATHS if isinstance(given.get(key), str)), "").strip('"')
    command = next((given[key] for key in COMMANDS if isinstance(given.get(key), str)), "")
    edits = name.lower() in EDITORS and bool(path)
    return Call([name] if name else [], [path] if edits else [], is_own_tool(name) or is_own_command(command))
