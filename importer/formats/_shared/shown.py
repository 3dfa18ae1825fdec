"""Read the assistant's visible text out of tool calls: plans shown for approval, documents, messages.

Files that a call writes are no such text, but for those in which a program keeps its plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from importer.formats._shared.questions import arguments, bare
from importer.formats._shared.words import MEMBERS, Words, beside, clean, joined, words

MESSAGE = "exchange"  # the kind of a message, which is said within the exchange
_PLAN_TOOLS = """
    updateplan exitplanmode exitplanmodev2 exitspecmode writetodos updatetodo updatetodos updatetodolist todowrite
    presentplan proposeplan submitplan createplan writeplan
"""
PLAN_TOOLS = frozenset(_PLAN_TOOLS.split())
_MESSAGE_TOOLS = """
    attemptcompletion planmoderespond notifyuser sendusermessage messageuser sendmessagetouser respondtouser brief
    finalanswer finaloutput
"""
MESSAGE_TOOLS = frozenset(_MESSAGE_TOOLS.split())
WRITERS = frozenset(("writefile", "create", "createfile", "write", "savefile"))
PLAN_MEMBERS = (
    *("title", "name", "overview", "explanation", "summary", "plan", "plan_content", "planContent", "content", "steps"),
    *("todos", "todo_list", "todoList"),
)
MESSAGE_MEMBERS = (
    "title",
    "message",
    "Message",
    "result",
    "response",
    "answer",
    "text",
    "content",
    "summary",
    "output",
)
ARTIFACT_MEMBERS = ("title", "summary", "content", "text", "body", "markdown", "html", "code")
# Where a plan is kept, which is nothing that was said.
PLACES = frozenset(
    ("plan_path", "planPath", "plan_file", "planFilePath", "file_path", "filePath", "path", "id", "plan_id")
)
STEP_MEMBERS = tuple(dict.fromkeys(("step", "description", "content", "title", "text", "task", *MEMBERS)))

WRITTEN = "written"

_artifact = re.compile(
    r"(?:create|update|rewrite|write|render|publish|show|make)?(?:artifacts?|canvas|document|textdoc|canmore)"
    r"(?:(?:create|update|write)\w*)?\Z|taskcomplete\Z"
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
    kind, members = _known(tool)
    if kind == WRITTEN:
        return _plan_written(given)
    return _made(kind, given, members) if kind else None


@lru_cache(maxsize=256)
def _known(tool: str) -> tuple[str, Sequence[str]]:
    """Return the kind of what calls of this tool show, and the members that hold it; "" where they show nothing."""
    name = bare(tool)
    if name in PLAN_TOOLS:
        return "plan", PLAN_MEMBERS
    if name in MESSAGE_TOOLS:
        return MESSAGE, MESSAGE_MEMBERS
    if _artifact.match(name):
        return "artifact", ARTIFACT_MEMBERS
    return (WRITTEN if name in WRITERS else ""), ()


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
