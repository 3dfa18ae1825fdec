"""Read the call of a tool: its name, the file it edits, whether it asks this memory, and what it shows to a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from importer.formats._shared import questions
from importer.formats._shared.own_search import is_own_call, is_own_command
from importer.formats._shared.shown import MESSAGE, shown

_EDITORS = """
    edit multiedit write patch apply_patch edit_file write_file create_file create replace str_replace
    str_replace_editor strreplace writefile editfile search_replace insert_edit_into_file notebookedit file_editor
    developer__text_editor text_editor write_to_file replace_in_file replace_file_content multi_replace_file_content
    fs_write
"""
EDITORS = frozenset(_EDITORS.split())
PATHS = ("file_path", "filePath", "path", "absolute_path", "target_file", "TargetFile", "file")
COMMANDS = ("command", "cmd", "CommandLine")
ASKED, TOLD = "asked", "told"  # kinds of what a call shows, beside plan and artifact


class Call(NamedTuple):
    """A tool's name, the files it edits, and whether it asks this memory: what is answered then is not indexed."""

    tools: list[str]
    files: list[str]
    own: bool


class Called(msgspec.Struct, gc=False, omit_defaults=True):
    """A call whose result matters, or that shows a text; `kind` is asked, told, plan or artifact.

    `names` are the id and the short name of each question.
    """

    id: str = ""
    own: bool = False
    kind: str = ""
    text: str = ""
    names: list[tuple[str, str]] = []
    unknown: int = 0


def call_of(name: Any, given: Any) -> Call:
    """Read a call by its name and its arguments, an object or its JSON text."""
    name = name if isinstance(name, str) else ""
    given = questions.arguments(given)
    path = next((given[key] for key in PATHS if isinstance(given.get(key), str)), "").strip('"')
    command = next((given[key] for key in COMMANDS if isinstance(given.get(key), str)), "")
    edits = name.lower() in EDITORS and bool(path)
    return Call([name] if name else [], [path] if edits else [], is_own_call(name, given) or is_own_command(command))


def used(calls: Iterable[tuple[Any, Any, Any]]) -> dict[str, Any]:
    """Return what a unit tells of calls, each given by its id, its name and its arguments: tools, files, calls."""
    ones = list(calls)
    found = [call_of(name, given) for _, name, given in ones]
    told = [_called(id_, name, given, call.own) for (id_, name, given), call in zip(ones, found, strict=True)]
    tools, files = [name for call in found for name in call.tools], [path for call in found for path in call.files]
    return {"tools": tools, "files": files, "calls": [one for one in told if one is not None]}


def api_calls(calls: Any) -> list[tuple[Any, Any, Any]]:
    """Return the id, name and arguments of each call in the list that OpenAI's API has beside a message's content."""
    ones = [one for one in calls if isinstance(one, dict)] if isinstance(calls, list) else []
    held = [(one, one["function"] if isinstance(one.get("function"), dict) else one) for one in ones]
    return [(one.get("id") or one.get("call_id"), of.get("name"), of.get("arguments")) for one, of in held]


def id_of(id_: Any, name: Any) -> str:
    """Return by what a call and its result know each other: its id, or the tool's name where there is none."""
    return str(id_) if isinstance(id_, str | int) and id_ != "" else f"tool {name}"


def _called(id_: Any, name: Any, given: Any, own: bool) -> Called | None:
    """Return a call as far as it matters to what is said, None if it does not."""
    name, mark = name if isinstance(name, str) else "", id_of(id_, name)
    if own:
        return Called(mark, own=True)
    if questions.is_question(name):
        asked = questions.asked(given)
        names = [(one.id, one.label) for one in asked.questions]
        return Called(mark, kind=ASKED, text=asked.text, names=names, unknown=asked.unknown)
    found = shown(name, given)
    if found is None:
        return None
    kind = TOLD if found.kind == MESSAGE else found.kind
    return Called(mark, kind=kind, text=found.text, unknown=found.unknown)
