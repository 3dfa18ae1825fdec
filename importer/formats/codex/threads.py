"""Remember a Codex thread: where it runs, how far its chain of keys goes, and what of it is still to come.

Turns are made here too, with all that the thread knows.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared.turns import clip, key, moment
from importer.formats.codex.lines import CodexLine, Item
from importer.protocol.records import Facts, Turn

# Encoded bytes of what is remembered; all together stay below 3.5 KB.
ID_BYTES = 100
PATH_BYTES = 512
NAME_BYTES = 120

Ask = tuple[str, tuple[tuple[str, str], ...]]
"""A call that asks the person: the digest of its id, and the id and short name of each question."""


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The context of a thread; only its first head counts, since a fork repeats its parent's.

    `last` is the key to which the next one is chained, `twins` the digests of a person's words whose second copy may
    follow ("i" for those seen as item, "e" as event, "d" for an item that Codex seemed to have put there), `own_calls`
    the ids of calls to our own search, `asks` those of calls that ask the person, with the names of their questions.
    """

    thread: str = ""
    started: str = ""
    headed: bool = False
    project: str = ""
    cwd: str = ""
    git_branch: str = ""
    model: str = ""
    agent: str = ""
    last: str = ""
    twins: tuple[str, ...] = ()
    own_calls: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()


def headed(context: Context, head: Item, stamp: Any) -> Context:
    """Return the context after a session's head; a subagent's source tells that it is one.

    Its time goes to items that have none, as in legacy files.
    """
    if context.headed:  # behind a fork's own head its parent's may follow
        return context
    subagent = isinstance(head.source, dict) and "subagent" in head.source
    return moved(
        replace(
            context,
            thread=clip(head.id or context.thread, ID_BYTES),
            started=moment(head.timestamp or stamp),
            headed=True,
            git_branch=clip((head.git and head.git.branch) or "", NAME_BYTES),
            agent=clip(head.agent_nickname or "subagent", NAME_BYTES) if subagent else "",
        ),
        head,
    )


def moved(context: Context, item: Item) -> Context:
    """Return the context after an item that may name a folder and a model; the same object when they are the same."""
    cwd = clip(item.cwd, PATH_BYTES) if item.cwd else context.cwd
    model = clip(item.model, NAME_BYTES) if item.model else context.model
    if cwd == context.cwd and model == context.model:
        return context
    return replace(context, project=context.project or cwd, cwd=cwd, model=model)  # the first folder it was in


def digest(text: str) -> str:
    """Return a short hash, for lists that stand in the context."""
    return key(text)[:16]


def passed_over(context: Context, options: Options) -> bool:
    """Return True if the thread is a subagent's and those are not wanted."""
    return bool(context.agent) and not options.subagents


def said(context: Context, line: CodexLine, role: str, text: str) -> Fed:
    """Make a turn whose key is chained to the one before, and the context that remembers it."""
    mark = key(context.last, role, text)
    return Fed(replace(context, last=mark), (turn(context, line, role, text, mark),))


def beside(context: Context, line: CodexLine, name: str, text: str, role: str = "assistant") -> Fed:
    """Make a turn of a text that stands in the exchange, but on which the chain of keys does not depend."""
    text = text.strip()
    if not text:
        return Fed(context)
    return Fed(context, (turn(context, line, role, text, key(name, context.last, text)),))


def alone(context: Context, line: CodexLine, kind: str, text: str) -> Turn:
    """Make a turn that is a chunk of its own: said again in the same words, or copied, it is the same."""
    return turn(context, line, "assistant", text, key(kind, text), kind=kind)


def turn(
    context: Context,
    line: CodexLine,
    role: str,
    text: str,
    mark: str,
    *,
    tools: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
    kind: str = "",
) -> Turn:
    """Make a turn with all that the thread knows; what has no time of its own has the session's."""
    facts = Facts(
        kind="subagent" if context.agent else kind or "exchange",
        project=context.project,
        cwd=context.cwd,
        git_branch=context.git_branch,
        model=context.model if role == "assistant" else "",
        agent=context.agent,
        tools=tools,
        files=files,
    )
    item = line.payload or line
    at = moment(line.timestamp) or context.started
    return Turn(context.thread, item.id or mark, role, text.replace("\0", ""), at, mark, facts)
