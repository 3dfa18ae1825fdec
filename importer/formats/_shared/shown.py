"""Read the assistant's visible text out of tool calls: plans shown for approval, documents made for the person.

Files that a call writes are no such text, but for those in which a program keeps its plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from importer.formats._shared.questions import arguments
from importer.formats._shared.words import MEMBERS, Words, beside, clean, joined, words

_PLAN_TOOLS = """
    update_plan exit_plan_mode exitplanmode write_todos update_todo update_todos todo_write todowrite present_plan
    propose_plan submit_plan create_plan write_plan writeplan
"""
PLAN_TOOLS = frozenset(_PLAN_TOOLS.split())
WRITERS = frozenset(("write_file", "create", "create_file", "write", "save_file"))
PLAN_MEMBERS = ("title", "explanation", "summary", "plan", "plan_content", "planContent", "content", "steps", "todos")
ARTIFACT_MEMBERS = ("title", "summary", "content", "text", "body", "markdown", "html", "code")
# Where a plan is kept, which is nothing that was said.
PLACES = frozenset(
    ("plan_path", "planPath", "plan_file", "planFilePath", "file_path", "filePath", "path", "id", "plan_id")
)
STEP_MEMBERS = tuple(dict.fromkeys(("step", "description", "content", "title", "text", "task", *MEMBERS)))

_artifact = re.compile(
    r"(?:(?:create|update|rewrite|write|render|publish|show|make)_?)?(?:artifacts?|canvas|document|textdoc|canmore)"
    r"(?:_(?:create|update|write)\w*)?\Z|task_complete\Z|create_textdoc\Z"
)
_plan_file = re.compile(
    r"/\.(?:gemini|copilot|codex)/(?:[^\n]*/)?plans?/[^/\n]+\.md\Z|/session-state/[^/\n]+/plan\.md\Z"
)


class Shown(NamedTuple):
    """A text that a call shows to the person, of which kind it is (plan or artifact), and what could not be read."""

    kind: str
    text: str
    unknown: int = 0


def shown(tool: str, given: Any) -> Shown | None:
    """Return what a call of this tool shows, None if that is nothing."""
    name = re.split(r"__|[./:]", tool)[-1].lower()
    if name in PLAN_TOOLS:
        return _made("plan", given, PLAN_MEMBERS)
    if _artifact.match(name):
        return _made("artifact", given, ARTIFACT_MEMBERS)
    return _plan_written(given) if name in WRITERS else None


def _plan_written(given: Any) -> Shown | None:
    """Return the plan that a call writes into the file where the program keeps it."""
    known = arguments(given)
    path = next(
        (known[name] for name in ("file_path", "path", "absolute_path") if isinstance(known.get(name), str)), ""
    )
    return _made("plan", known, ("content", "file_text")) if _plan_file.search(path) else None


def _made(kind: str, given: Any, members: Sequence[str]) -> Shown | None:
    """Return the texts of these members as one, in their order; None where there is nothing.

    Arguments that are no object are shown as they stand.
    """
    known = arguments(given)
    found = [_steps(known.get(name)) for name in members] if known else [words(given)]
    text, unknown = joined([one.text for one in found]), sum([one.unknown for one in found])
    if known and known.keys().isdisjoint(members):
        unknown += any(
            isinstance(one, str | list | dict) and bool(one) for name, one in known.items() if name not in PLACES
        )
    return Shown(kind, text, unknown) if text or unknown else None


def _steps(value: Any) -> Words:
    """Return a text, or a list of steps with a hyphen before each."""
    if not isinstance(value, list):
        return words(value)
    steps = [_step(one) for one in value]
    return Words("\n".join([f"- {step.text}" for step in steps if step.text]), sum([step.unknown for step in steps]))


def _step(one: Any) -> Words:
    """Return the words of one step, without its state: its title, then what it says more."""
    if not isinstance(one, dict):
        return words(one)
    found = beside([one.get(name) for name in STEP_MEMBERS])
    strange = not found.texts and any(isinstance(value, str | list | dict) and value for value in one.values())
    return Words(": ".join([clean(text) for text in found.texts]), found.unknown + strange)
