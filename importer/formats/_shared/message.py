"""Read a message whose content is words or blocks, as most programs write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from importer.formats._shared.calls import call_of
from importer.formats._shared.told import RESULT, THOUGHT, Context, Unit, member, string
from importer.formats._shared.words import kind_of, listed, words

THOUGHTS = frozenset(("thinking", "reasoning", "redacted_thinking", "redactedThinking", "think"))
CALLS = frozenset(("tool_use", "toolCall", "tool-call", "tool_call", "toolRequest", "server_tool_use"))
RESULTS = frozenset(("tool_result", "toolResult", "tool-result", "toolResponse"))


def plain(text: str) -> str:
    """Return a text as it is."""
    return text


def spoken(
    context: Context,
    role: str,
    content: Any,
    common: dict[str, Any],
    *,
    clean: Callable[[str], str] = plain,
    known: frozenset[str] = frozenset(),
) -> Iterator[Unit]:
    """Yield the units of a message. `common` is told with each; `clean` unwraps each text of a person's.

    Blocks of the kinds `known` hold no words; others without any are counted as unknown.
    """
    texts: list[str] = []
    tools: list[str] = []
    files: list[str] = []
    unknown, own = 0, ""
    for block in listed(content):
        kind = kind_of(block)
        if kind in THOUGHTS:
            thought = string(block, "thinking") or string(block, "think") or words(block.get("text")).text
            yield Unit(role=role, kind=THOUGHT, text=thought, **common)
        elif kind in CALLS:
            call = call_of(*_named(block))
            tools += call.tools
            files += call.files
            own = (string(block, "id") or string(block, "toolCallId")) if call.own else own
        elif kind in RESULTS:
            if _result_of(block) not in (own, context.note) or not _result_of(block):
                yield Unit(role="assistant", kind=RESULT, text=_answer(block), **common)
        elif kind not in known:
            found = words(block)
            texts.append(clean(found.text) if role == "user" else found.text)
            unknown += found.unknown
    text = "\n\n".join(one for one in texts if one.strip())
    yield Unit(role=role, text=text, tools=tools, files=files, unknown=unknown, **common)
    if own:
        yield Unit(note=own)


def _named(block: dict[str, Any]) -> tuple[Any, Any]:
    """Return the name and the arguments of a call, wherever they stand."""
    value = member(block, "toolCall", "value") or block.get("toolCall")
    held: dict[str, Any] = value if isinstance(value, dict) else block
    given: Any = next((held[name] for name in ("input", "arguments", "args") if isinstance(held.get(name), dict)), {})
    return held.get("name") or held.get("toolName"), given


def _result_of(block: dict[str, Any]) -> str:
    """Return the id of the call that a result answers."""
    names = ("tool_use_id", "toolUseID", "toolCallId", "tool_call_id", "id")
    return next((block[name] for name in names if isinstance(block.get(name), str)), "")


def _answer(block: dict[str, Any]) -> str:
    """Return the words of a tool's answer."""
    for held in (block.get("content"), block.get("output"), block.get("result"), member(block, "toolResult", "value")):
        if held and (text := words(held).text):
            return text
    return ""
