"""Make the turns of one Codex item, type by type.

Events and items tell the same talk twice: see `codex` for which of the two counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared.turns import clip, key
from importer.formats._shared.words import joined, pieces
from importer.formats.codex import lines, text
from importer.formats.codex.calls import call, output
from importer.formats.codex.lines import CodexLine, Item
from importer.formats.codex.threads import (
    ID_BYTES,
    NAME_BYTES,
    Context,
    alone,
    beside,
    digest,
    moved,
    passed_over,
    said,
    turn,
)
from importer.protocol.records import ConversationFacts

TWINS = 8  # of a person's words whose second copy is still to come; it stands near
SPEAKERS = ("user", "assistant", "developer", "system")
OWN_KINDS = ("user_instructions", "environment_context")  # of events, where Codex says that it wrote them


def event(context: Context, line: CodexLine, options: Options) -> Fed:
    """Take an event of the screen: what a person typed, a plan, a new name; all else stands in the items too."""
    item = line.payload
    if item is None:
        return Fed(context, (), 1)
    if item.type == "thread_name_updated":
        return named(context, item.thread_id, item.thread_name)
    if item.type == "item_completed":
        return _planned(context, line, item.item, options)
    if item.type != "user_message" or item.kind in OWN_KINDS:
        return Fed(context, (), int(not item.type))
    found = pieces(item.message)
    whole = joined(found.texts)
    fed = _typed(context, line, (text.formerly_typed(whole), text.typed(whole)), "e", options)
    return Fed(fed.context, fed.turns, found.unknown)


def named(context: Context, thread: str | None, name: str | None) -> Fed:
    """Take a thread's new name; an event that names no thread is about this one."""
    if not name or not name.strip():
        return Fed(context)
    conversation = clip(thread or context.thread, ID_BYTES)
    return Fed(context, facts=(ConversationFacts(conversation, clip(name.strip(), 4 * NAME_BYTES)),))


def _planned(context: Context, line: CodexLine, item: Any, options: Options) -> Fed:
    """Take a plan that was shown for approval; any other item of the screen has its own in the history."""
    kind = item.get("type") if isinstance(item, dict) else None
    if not isinstance(kind, str) or kind.lower() != "plan" or passed_over(context, options):
        return Fed(context)
    found = pieces(item.get("text"))
    plan = joined(found.texts)
    return Fed(context, (alone(context, line, "plan", plan),) if plan else (), found.unknown)


def message(context: Context, line: CodexLine, item: Item, options: Options) -> Fed:
    """Take a message of the model's history; those of developer and system are instructions.

    A prompt can bring the folder: legacy files tell it nowhere else.
    """
    if item.role not in SPEAKERS:
        return Fed(context, (), 1)
    if item.role in ("developer", "system"):
        return Fed(context)
    found = pieces(item.content)
    unknown = found.unknown + (item.content is None)
    if item.role == "user":
        if folder := lines.folder_told(item):
            context = moved(context, Item(cwd=folder))
        fed = _prompted(context, line, found.texts, options)
        return Fed(fed.context, fed.turns, unknown)
    answer = joined(found.texts)
    if not answer or passed_over(context, options):
        return Fed(context, (), unknown)
    fed = said(context, line, "assistant", answer)
    plans = tuple([alone(context, line, "plan", plan) for plan in text.plans(answer)])
    return Fed(fed.context, fed.turns + plans, unknown)


def _prompted(context: Context, line: CodexLine, texts: tuple[str, ...], options: Options) -> Fed:
    """Take the blocks of an item of role user: a prompt, what Codex put there, or the summary of a compaction."""
    former = joined(tuple([text.formerly_typed(one) for one in texts]))
    prompt = joined(tuple([text.typed_block(one) for one in texts]))
    fed = _typed(context, line, (former, prompt), "i", options)
    summary = joined(tuple([one for one in texts if text.is_summary(one)]))
    if not (summary and options.summaries) or passed_over(context, options):
        return fed
    return Fed(fed.context, (*fed.turns, turn(context, line, "user", summary, key("summary", summary), kind="summary")))


def reasoning(context: Context, line: CodexLine, item: Item, options: Options) -> Fed:
    """Take the summary of what the model thought; the thought itself is encrypted."""
    if not options.thinking or passed_over(context, options):
        return Fed(context)
    return beside(context, line, "aside", "\n\n".join(pieces(lines.raw_value(item.summary)).texts))


STEPS: dict[str, Callable[[Context, CodexLine, Item, Options], Fed]] = {
    "message": message,
    "reasoning": reasoning,
    **dict.fromkeys(
        ("function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call"), call
    ),
    **dict.fromkeys(("function_call_output", "custom_tool_call_output"), output),
}


def _typed(context: Context, line: CodexLine, texts: tuple[str, str], origin: str, options: Options) -> Fed:
    """Take a person's words, unless their twin of the other origin was there before.

    `texts` are the words as a former rule took them, and as they count. The chain of keys goes by the former, so that
    turns behind a text that Codex wrote keep the keys they were stored with.
    """
    former, typed = texts
    if not (former or typed) or passed_over(context, options):
        return Fed(context)
    mark = digest(" ".join((former or typed).split()))  # the copies may differ in white space
    other = ("i" if origin == "e" else "e") + mark
    if other in context.twins:
        return Fed(_without_twin(context, other))
    if origin == "e" and "d" + mark in context.twins:  # the item looked like Codex's own; the event says it is none
        return beside(_without_twin(context, "d" + mark), line, "typed", typed, "user")
    seen = "d" if origin == "i" and not typed else origin
    context = replace(context, twins=(*context.twins, seen + mark)[-TWINS:])
    if not former:
        return beside(context, line, "typed", typed, "user")
    chained = key(context.last, "user", former)
    turns = (turn(context, line, "user", typed, chained),) if typed else ()
    return Fed(replace(context, last=chained), turns)


def _without_twin(context: Context, twin: str) -> Context:
    """Return the context once a text's second copy has come."""
    at = context.twins.index(twin)
    return replace(context, twins=context.twins[:at] + context.twins[at + 1 :])
