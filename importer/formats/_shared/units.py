"""The one shape in which formats tell what was said, what is remembered of it, and the turns that are made."""

from __future__ import annotations

from typing import Any

import msgspec

from importer.formats._shared.calls import Called
from importer.formats._shared.turns import clip, once
from importer.protocol.records import Facts, Turn

ID_BYTES = 200  # encoded: it stands in the context, which is bounded
NAME_BYTES = 600
SUMMARY, PLAN, ARTIFACT, THOUGHT = "summary", "plan", "artifact", "thought"
ABOUT = "about"  # what a sheet beside a conversation tells of it
RESULT, ANSWER = "result", "answer"  # of a tool's call: what it gave back, and what is known to be a person's answer

Ask = tuple[str, tuple[tuple[str, str], ...]]
"""A call that asks the person: the digest of its id, and the id and short name of each question."""


class Unit(msgspec.Struct, gc=False, omit_defaults=True):
    """A line. `text` is words in any shape; what cannot be read of them is counted. `kind` is one of those above, ""
    for plain words; `unknown` counts what the format does not know.

    `agent` is the name of a subagent, whose words, and those said to it, are not the person's. `chained`: neither time
    nor id tells its words from others. `calls` are those that show something or whose results matter; `of` is the id
    of the call that a result answers.
    """

    database: str = ""
    conversation: str = ""
    title: str = ""
    cwd: str = ""
    branch: str = ""
    agent: str = ""
    role: str = ""
    text: Any = ""
    id: str = ""
    at: int | float | str | None = None
    kind: str = ""
    model: str = ""
    tools: list[str] = []
    files: list[str] = []
    calls: list[Called] = []
    of: str = ""
    unknown: int = 0
    problem: str = ""
    note: str = ""
    chained: bool = False


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The conversation as the lines so far tell it; `last` is the key of the last turn, `note` the format's own.

    `own` are the digests of the ids of calls to this memory, `asks` the calls that asked the person.
    """

    session: str = ""
    title: str = ""
    cwd: str = ""
    branch: str = ""
    agent: str = ""
    last: str = ""
    note: str = ""
    own: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()


def turn(context: Context, unit: Unit, text: str, mark: str, at: str, *, role: str = "", kind: str = "") -> Turn:
    """Make a turn with what the conversation knows; `role` and `kind` are the unit's where none is given."""
    agent = clip(unit.agent, ID_BYTES) or context.agent
    kind = kind or unit.kind
    facts = Facts(
        kind="subagent" if agent else kind if kind in (SUMMARY, PLAN, ARTIFACT) else "exchange",
        project=context.cwd,
        title=context.title,
        cwd=context.cwd,
        git_branch=context.branch,
        model=unit.model,
        agent=agent,
        tools=once(unit.tools),
        files=once(unit.files),
    )
    return Turn(context.session or "unnamed", unit.id or mark, role or unit.role, text, at, mark, facts)
