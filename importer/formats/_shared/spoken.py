"""Find the words of a message's content in each of its shapes, and count the parts that have none of those.

Programs write content as a string, a list of strings, one block, a list of blocks, and change from one to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

MOST_DEEP = 8  # content within content; none seen is deeper than three
MEMBERS = ("text", "content", "parts", "value", "refusal")  # where a block keeps its words: the first it has
# Blocks known to hold no words, by their type or by the member that Google's API names them with.
_SILENT_TYPES = """
    input_image output_image image image_url local_image input_audio output_audio audio input_file file video
    encrypted_content thinking redacted_thinking reasoning tool_use tool_result computer_screenshot
"""
SILENT_TYPES = frozenset(_SILENT_TYPES.split())
_SILENT_MEMBERS = """
    inlineData fileData functionCall functionResponse executableCode codeExecutionResult videoMetadata inline_data
    file_data function_call function_response thoughtSignature
"""
SILENT_MEMBERS = frozenset(_SILENT_MEMBERS.split())


class Words(NamedTuple):
    """The texts of content that are not blank, in order, and how many of its parts have an unknown shape."""

    texts: tuple[str, ...] = ()
    unknown: int = 0


def words(content: Any, depth: int = 0) -> Words:
    """Return the texts of content in any shape; what a block marks as a thought is not said."""
    if content is None or isinstance(content, str):
        return Words((content,) if content and content.strip() else ())
    if depth >= MOST_DEEP:
        return Words(unknown=1)
    if isinstance(content, list | tuple):
        found = [words(part, depth + 1) for part in content]
        return Words(tuple([text for one in found for text in one.texts]), sum(one.unknown for one in found))
    return _of_block(content, depth) if isinstance(content, Mapping) else Words(unknown=1)


def _of_block(block: Mapping[Any, Any], depth: int) -> Words:
    """Return the texts of one block: those of its first member that holds words."""
    type_ = block.get("type")
    if block.get("thought") is True or (isinstance(type_, str) and type_ in SILENT_TYPES):
        return Words()
    held = next((block[name] for name in MEMBERS if block.get(name) is not None), None)
    if held is not None:
        return words(held, depth + 1)
    # All that a block without words may have is its type, or a member left empty.
    others = any(block[name] for name in block if name not in ("type", *MEMBERS))
    return Words(unknown=int(others and SILENT_MEMBERS.isdisjoint(block)))


def joined(texts: tuple[str, ...]) -> str:
    """Join texts as paragraphs, without blanks around them and NULs in them."""
    return "\n\n".join([text.strip() for text in texts if text.strip()]).replace("\0", "").strip()
