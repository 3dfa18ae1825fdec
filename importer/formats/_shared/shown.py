"""Read the assistant's visible text out of tool calls: plans shown for approval, documents made for the person.

Files that a call writes are no such text, but for those in which a program keeps its plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from importer.formats._shared.questions import arguments
from importer.formats._shared.spoken import words

_PLAN_TOOLS = """
    update_plan exit_plan_mode exitplanmode write_todos update_todo update_todos todo_write todowrite present_plan
    propose_plan submit_plan create_plan write_plan writeplan
"""
PLAN_TOOLS = frozenset(_PLAN_TOOLS.split())
WRITERS = frozenset(("write_file", "create", "create_file", "write", "save_file"))
PLAN_MEMBERS = ("title", "explanation", "summary", "plan", "plan_content", "planContent", "content", "steps", "todos")
ARTIFACT_MEMBERS = ("title", "summary", "content", "text", "body", "markdown", "html", "code")
STEP_MEMBERS = ("step", "description", "content", "title", "text", "task")

_artifact = re.compile(
    r"(?:(?:create|update|rewrite|write|render|publish|show|make)_?)?(?:artifacts?|canvas|document|textdoc|canmore)"
    r"(?:_(?:create|update|write)\w*)?\Z|task_complete\Z|create_textdoc\Z"
)
_plan_file = re.compile(
    r"/\.(?:gemini|copilot|codex)/(?:[^\n]*/)?plans?/[^/\n]+\.md\Z|/session-state/[^/\n]+/plan\.md\Z"
)


class Shown(NamedTuple):
    """A text that a call shows to the person, and of which kind it is: plan or artifact."""

    kind: str
    text: str


def shown(tool: str, given: Any) -> Shown | None:
    """Return what a call of this tool shows, None if that is nothing."""
    name = re.split(r"__|[./:]", tool)[-1].lower()
    if name in PLAN_TOOLS:
        return _made("plan", _told(arguments(given), PLAN_MEMBERS))
    if _artifact.match(name):
        return _made("artifact", _told(arguments(given), ARTIFACT_MEMBERS))
    return _plan_written(arguments(given)) if name in WRITERS else None


def _plan_written(known: dict[str, Any]) -> Shown | None:
    """Return the plan that a call writes into the file where the program keeps it."""
    names = ("file_path", "path", "absolute_path")
    path = next((known[name] for name in names if isinstance(known.get(name), str)), "")
    return _made("plan", _told(known, ("content", "file_text"))) if _plan_file.search(path) else None


def _told(known: dict[str, Any], members: Sequence[str]) -> list[str]:
    """Return the texts of these members in their order; steps as a list, each without its state."""
    return [text for name in members if (text := _steps(known.get(name)))]


def _steps(value: Any) -> str:
    """Return a text, or a list of steps with a hyphen before each."""
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, list):
        return "\n\n".join(words(value).texts).strip() if isinstance(value, dict) else ""
    steps = [_step(one) for one in value]
    return "\n".join([f"- {step}" for step in steps if step])


def _step(one: Any) -> str:
    """Return the words of one step."""
    if isinstance(one, dict):
        one = next((one[name] for name in STEP_MEMBERS if isinstance(one.get(name), str)), "")
    return one.strip() if isinstance(one, str) else ""


def _made(kind: str, texts: list[str]) -> Shown | None:
    """Return the texts as one, None without any."""
    text = "\n\n".join(texts).replace("\0", "").strip()
    return Shown(kind, text) if text else None
