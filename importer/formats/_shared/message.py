"""Read a message whose content is words or blocks, as most programs write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from importer.formats._shared.blocks import unwrapped
from importer.formats._shared.calls import id_of, used
from importer.formats._shared.told import RESULT, THOUGHT, Unit, member, string
from importer.formats._shared.words import kind_of, listed, words

THOUGHTS = frozenset(("thinking", "reasoning", "redacted_thinking", "redactedThinking", "think"))
CALLS = frozenset(("tool_use", "toolCall", "tool-call", "tool_call", "toolRequest", "server_tool_use"))
RESULTS = frozenset(("tool_result", "toolResult", "tool-result", "toolResponse"))


def spoken(
    role: str,
    content: Any,
    common: dict[str, Any],
    *,
    clean: Callable[[str], str] = unwrapped,
    known: frozenset[str] = frozenset(),
) -> Iterator[Unit]:
    """Yield the units of a message. `common` is told with each; `clean` unwraps each text of a person's.

    Blocks of the kinds `known` hold no words; others without any are counted as unknown, as is no content at all.
    """
    texts: list[str] = []
    calls: list[tuple[Any, Any, Any]] = []
    results: list[Unit] = []
    unknown = int(content is None)
    for block in listed(content):
        kind = kind_of(block)
        if kind in THOUGHTS:
            thought = string(block, "thinking") or string(block, "think") or words(block.get("text")).text
            yield Unit(role=role, kind=THOUGHT, text=thought, **common)
        elif kind in CALLS:
            calls.append(_call(block))
        elif kind in RESULTS:
            results.append(Unit(role="assistant", kind=RESULT, text=_answer(block), of=_result_of(block), **common))
        elif kind not in known:
            found = words(block)
            texts.append(clean(found.text) if role == "user" else found.text)
            unknown += found.unknown
    text = "\n\n".join(one for one in texts if one.strip())
    yield from results
    yield Unit(role=role, text=text, unknown=unknown, **used(calls), **common)


def _call(block: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return the id, the name and the arguments of a call, wherever they stand."""
    value = member(block, "toolCall", "value") or block.get("toolCall")
    held: dict[str, Any] = value if isinstance(value, dict) else block
    given: Any = next((held[name] for name in ("input", "arguments", "args") if held.get(name)), {})
    name = held.get("name") or held.get("toolName")
    return next((block[key] for key in ("id", "toolCallId") if block.get(key)), None), name, given


def _result_of(block: dict[str, Any]) -> str:
    """Return the id of the call that a result answers."""
    names = ("tool_use_id", "toolUseID", "toolCallId", "tool_call_id", "id")
    found = next((block[name] for name in names if isinstance(block.get(name), str)), None)
    return id_of(found, block.get("toolName") or block.get("name"))


def _answer(block: dict[str, Any]) -> Any:
    """Return what a tool answered: of its members the first that holds words."""
    held = (
        *(block.get("content"), block.get("output"), block.get("result"), block.get("text")),
        *(member(block, "run", "result"), member(block, "toolResult", "value"), member(block, "toolResult", "error")),
    )
    return next((one for one in held if one), "")
