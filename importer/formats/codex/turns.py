"""Make the turns of one Codex item, type by type, and remember the thread.

Events and items tell the same talk twice: see `codex` for which of the two counts.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared.own_search import is_own_command, is_own_tool
from importer.formats._shared.turns import clip, key, once, utc
from importer.formats.codex import lines
from importer.formats.codex.lines import CodexLine, Item
from importer.protocol.records import Facts, Turn

RESULT_CHARS = 2_000  # of each tool result, where those are indexed
TWINS = 8  # of a person's words whose second copy is still to come; it stands near
OWN_CALLS = 8  # the last calls to our own search, whose results are still to come
# Encoded bytes of what is remembered; all together stay below 3 KB.
ID_BYTES = 100
PATH_BYTES = 512
NAME_BYTES = 120


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The context of a thread; only its first head counts, since a fork repeats its parent's.

    `last` is the key to which the next one is chained, `twins` the digests of a person's words whose second copy may
    follow ("i" for those seen as item, "e" as event), `own_calls` the ids of calls to our own search.
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


def headed(context: Context, head: Item, stamp: str | None) -> Context:
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
            started=utc(head.timestamp or stamp),
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


def event(context: Context, line: CodexLine, options: Options) -> Fed:
    """Take an event of the screen: only what a person typed counts, all else stands in the items too."""
    item = line.payload
    if item is None or item.type != "user_message" or not isinstance(item.message, str):
        return Fed(context)
    text = "" if lines.is_injected(item.message) else item.message.strip()
    return _typed(context, line, text, "e", options)


def message(context: Context, line: CodexLine, item: Item, options: Options) -> Fed:
    """Take a message of the model's history; those of developer and system are instructions.

    A prompt can bring the folder: legacy files tell it nowhere else.
    """
    if item.role == "user":
        if folder := lines.folder_told(item):
            context = moved(context, Item(cwd=folder))
        return _typed(context, line, lines.typed(item), "i", options)
    text = "\n\n".join([text.strip() for text in lines.words(item.content) if text.strip()])
    if item.role != "assistant" or not text or _passed_over(context, options):
        return Fed(context)
    return _said(context, line, "assistant", text)


def call(context: Context, line: CodexLine, item: Item, options: Options) -> Fed:
    """Take a tool call: its name, and the files of a patch.

    Its key hangs on the chain, but the chain does not go on from it, as with all that may be left out.
    """
    name = item.name or item.type.removesuffix("_call")  # web_search_call has no name, say
    if is_own_tool(name) or is_own_command(lines.given(item)):
        context = replace(context, own_calls=(*context.own_calls, _digest(item.call_id or ""))[-OWN_CALLS:])
    if _passed_over(context, options):
        return Fed(context)
    mark = key("call", context.last, item.call_id or line.timestamp or "")
    tools, files = once([name]), once(lines.patched_files(item))
    return Fed(context, (_turn(context, line, "assistant", "", mark, tools=tools, files=files),))


def output(context: Context, line: CodexLine, item: Item, options: Options) -> Fed:
    """Take the beginning of what a tool answered, unless it was our own search."""
    own = _digest(item.call_id or "") in context.own_calls
    if not options.tool_results or own or _passed_over(context, options):
        return Fed(context)
    return _aside(context, line, "\n".join(lines.raw_words(item.output))[:RESULT_CHARS])


def reasoning(context: Context, line: CodexLine, item: Item, options: Options) -> Fed:
    """Take the summary of what the model thought; the thought itself is encrypted."""
    if not options.thinking or _passed_over(context, options):
        return Fed(context)
    return _aside(context, line, "\n\n".join(lines.raw_words(item.summary)))


STEPS: dict[str, Callable[[Context, CodexLine, Item, Options], Fed]] = {
    "message": message,
    "reasoning": reasoning,
    **dict.fromkeys(
        ("function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call"), call
    ),
    **dict.fromkeys(("function_call_output", "custom_tool_call_output"), output),
}


def _digest(text: str) -> str:
    """Return a short hash, for lists that stand in the context."""
    return key(text)[:16]


def _passed_over(context: Context, options: Options) -> bool:
    """Return True if the thread is a subagent's and those are not wanted."""
    return bool(context.agent) and not options.subagents


def _typed(context: Context, line: CodexLine, text: str, origin: str, options: Options) -> Fed:
    """Take a person's words, unless their twin of the other origin was there before."""
    if not text or _passed_over(context, options):
        return Fed(context)
    # The copies may differ in white space.
    mark = _digest(" ".join(text.split()))
    twin = ("i" if origin == "e" else "e") + mark
    if twin in context.twins:
        at = context.twins.index(twin)
        return Fed(replace(context, twins=context.twins[:at] + context.twins[at + 1 :]))
    context = replace(context, twins=(*context.twins, origin + mark)[-TWINS:])
    return _said(context, line, "user", text)


def _said(context: Context, line: CodexLine, role: str, text: str) -> Fed:
    """Make a turn whose key is chained to the one before, and the context that remembers it."""
    mark = key(context.last, role, text)
    return Fed(replace(context, last=mark), (_turn(context, line, role, text, mark),))


def _aside(context: Context, line: CodexLine, text: str) -> Fed:
    """Make a turn of an optional text: it stands in the exchange, but the chain of keys does not depend on it."""
    text = text.strip()
    if not text:
        return Fed(context)
    return Fed(context, (_turn(context, line, "assistant", text, key("aside", context.last, text)),))


def _turn(
    context: Context,
    line: CodexLine,
    role: str,
    text: str,
    mark: str,
    *,
    tools: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
) -> Turn:
    """Make a turn with all that the thread knows; what has no time of its own has the session's."""
    facts = Facts(
        kind="subagent" if context.agent else "exchange",
        project=context.project,
        cwd=context.cwd,
        git_branch=context.git_branch,
        model=context.model if role == "assistant" else "",
        agent=context.agent,
        tools=tools,
        files=files,
    )
    item = line.payload or line
    at = utc(line.timestamp) or context.started
    return Turn(context.thread, item.id or mark, role, text.replace("\0", ""), at, mark, facts)
