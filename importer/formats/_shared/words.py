"""Read text in any of the shapes that content comes in: a string, a list of strings or blocks, one object, nested ones.

Each piece is decoded, or counted: nothing is left out without a number. Pictures, recordings and calls of tools are
known to hold no words that a side of the conversation said, so they count as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

# The members that hold text, in the order in which they are tried; an object has its words in one of them.
FIELDS = ("text", "content", "parts", "value", "refusal", "transcript")
_WORDLESS = """
    image image_url imageUrl input_image image_asset_pointer audio audio_url input_audio audio_asset_pointer
    real_time_user_audio_video_asset_pointer video video_url video_container_asset_pointer file input_file document
    tool_use tool_result tool_call tool_calls tool-call tool-result tool-invocation function_call function_call_output
    server_tool_use web_search_tool_result thinking redacted_thinking reasoning step-start source-url token_budget
"""
WORDLESS = frozenset(_WORDLESS.split())
MAX_DEPTH = 12  # of lists and objects in each other; real content has three


class Words(NamedTuple):
    """The text of content, and how many pieces of it could not be read."""

    text: str = ""
    unknown: int = 0


def words(content: Any, wordless: frozenset[str] = WORDLESS) -> Words:
    """Return the text of content, its pieces with a blank line in between; objects of a `wordless` type have none."""
    if isinstance(content, str):  # nearly always, as is one string in a list
        return Words(clean(content))
    if content is None or (isinstance(content, list) and len(content) == 1 and isinstance(content[0], str)):
        return Words(clean(content[0])) if content else Words()
    pieces = list(_pieces(content, wordless, MAX_DEPTH))
    texts = [text for piece in pieces if piece is not None and (text := piece.strip())]
    return Words(clean("\n\n".join(texts)), pieces.count(None))


def clean(text: str) -> str:
    """Return the text without NULs, which no store takes, and without blanks around it."""
    return text.replace("\0", "").strip()


def listed(content: Any) -> list[Any]:
    """Return the blocks of content: a list as it is, anything else as the only one, nothing as none."""
    if content is None or content == "":
        return []
    return content if isinstance(content, list) else [content]


def kind_of(block: Any) -> str:
    """Return the type that a block says it has, "" for none."""
    if not isinstance(block, dict):
        return ""
    found = block.get("type") or block.get("content_type") or block.get("kind")
    return found if isinstance(found, str) else ""


def _pieces(content: Any, wordless: frozenset[str], depth: int) -> Iterator[str | None]:
    """Yield the strings of content, None for each piece that cannot be read."""
    if isinstance(content, str):
        yield content
    elif content is None or content in ([], {}):
        return
    elif depth and isinstance(content, list):
        for one in content:
            yield from _pieces(one, wordless, depth - 1)
    elif depth and isinstance(content, dict):
        if kind_of(content) not in wordless:
            if isinstance(first := content.get(FIELDS[0]), str) and first:
                yield first
                return
            held = [content[name] for name in FIELDS if name in content]
            full = next((one for one in held if one not in (None, "", [])), None)
            yield from _pieces(full, wordless, depth - 1) if held else (None,)
    else:
        yield None
