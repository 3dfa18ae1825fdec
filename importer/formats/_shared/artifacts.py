"""Read what an assistant showed to the person in a call of a tool: artifacts, canvas documents, drafts of messages.

Known by the tool's name: Claude.ai's artifacts, files made to be handed over, and drafts; ChatGPT's canvas.
"""

from __future__ import annotations

from typing import Any

import msgspec

from importer.formats._shared.words import Words, words

TITLES = ("title", "name", "summary_title", "path")
HANDED_OVER = "/outputs/"  # the folder whose files Claude.ai gives to the person
CREATED = ("artifacts", "create_file", "canmore.create_textdoc")
TEXTS = ("content", "new_str", "file_text")
SILENT_COMMANDS = ("delete", "view")
NO_WORDS = (*TITLES, "id", "type", "command", "language", "version_uuid", "description")
LISTS = {
    "canmore.update_textdoc": ("updates", "replacement"),
    "canmore.comment_textdoc": ("comments", "comment"),
    "message_compose": ("variants", "body"),
}


def is_made(name: str) -> bool:
    """Return True if a call of this tool shows a text to the person."""
    return name in CREATED or name.partition("_v")[0] in LISTS


def made(name: str, given: Any) -> Words:
    """Return the text that a call shows, below its title; no words for a call that shows none.

    `given` are the call's arguments, as an object or as the text of one. One that cannot be read is counted.
    """
    arguments = _arguments(given)
    if not is_made(name) or arguments is None:
        return words(given) if is_made(name) else Words()
    if name == "create_file" and HANDED_OVER not in str(arguments.get("path")):
        return Words()
    listed, member = LISTS.get(name.partition("_v")[0], ("", ""))
    held = _members(arguments.get(listed), member) if listed else _first(arguments, TEXTS)
    said = words(held)
    if held is None and arguments.get("command") not in SILENT_COMMANDS:
        said = Words("", int(any(value for name, value in arguments.items() if name not in NO_WORDS)))
    title, strange = words(_first(arguments, TITLES))
    return Words(f"{title}\n\n{said.text}" if title and said.text else said.text, said.unknown + strange)


def _arguments(given: Any) -> dict[str, Any] | None:
    """Return the arguments of a call, None where they are no object."""
    if isinstance(given, str):
        try:
            given = msgspec.json.decode(given)
        except (ValueError, RecursionError):  # broken off: it is shown as it stands
            return None
    return given if isinstance(given, dict) else None


def _first(arguments: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first of these members that holds anything."""
    return next((arguments[name] for name in names if arguments.get(name)), None)


def _members(listed: Any, member: str) -> Any:
    """Return this member of each object of a list; what is none stays as it is."""
    ones = listed if isinstance(listed, list) else [listed]
    return [one.get(member) if isinstance(one, dict) else one for one in ones]
