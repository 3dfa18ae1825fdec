"""Read words in any of the shapes that content comes in: a string, a list of strings or blocks, one object, others.

Programs change from one shape to another. Each piece is decoded, or counted: nothing is left out without a number. What
a model thought and what tools were given and answered are no words of a side of the conversation, so they count as
nothing; of a picture or a recording only what is written beside it counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

# The members that hold words, in the order in which they stand in the text.
MEMBERS = ("text", "content", "parts", "value", "refusal", "transcript", "message", "markdown")
_SILENT = """
    tool_use tool_result tool_call tool_calls tool-call tool-result tool-invocation function_call function_call_output
    server_tool_use web_search_tool_result computer_screenshot
    thinking redacted_thinking reasoning encrypted_content step-start source-url token_budget
"""
SILENT = frozenset(_SILENT.split())
# Blocks that hold bytes: of their members only these are words, the others are data.
CAPTIONS = ("text", "transcript")
_MEDIA = """
    image image_url imageUrl input_image output_image local_image image_asset_pointer audio audio_url input_audio
    output_audio audio_asset_pointer real_time_user_audio_video_asset_pointer video video_url
    video_container_asset_pointer file input_file document
"""
MEDIA = frozenset(_MEDIA.split())
# Parts without words of Google's API, which names a part by its member.
_BY_MEMBER = """
    inlineData fileData functionCall functionResponse executableCode codeExecutionResult videoMetadata inline_data
    file_data function_call function_response thoughtSignature
"""
BY_MEMBER = frozenset(_BY_MEMBER.split())
TYPES = ("type", "content_type", "kind")  # what the type of a block is called
MAX_DEPTH = 12  # of lists and objects in each other; real content has three


class Words(NamedTuple):
    """The text of content, and how many pieces of it could not be read."""

    text: str = ""
    unknown: int = 0


class Pieces(NamedTuple):
    """The texts of content that are not blank, in order and as they stand, and how many pieces could not be read."""

    texts: tuple[str, ...] = ()
    unknown: int = 0


def words(content: Any, silent: frozenset[str] = SILENT) -> Words:
    """Return the text of content, its pieces with a blank line in between; blocks of a `silent` type have none."""
    if isinstance(content, str):  # nearly always
        return Words(clean(content))
    found = pieces(content, silent)
    return Words(joined(found.texts), found.unknown)


def pieces(content: Any, silent: frozenset[str] = SILENT, depth: int = MAX_DEPTH) -> Pieces:
    """Return the texts in content of any shape."""
    if content is None or isinstance(content, str):
        return Pieces((content,) if content and not content.isspace() else ())
    if isinstance(content, list | tuple) and depth:
        found = [pieces(one, silent, depth - 1) for one in content]
        return Pieces(tuple([text for one in found for text in one.texts]), sum([one.unknown for one in found]))
    if isinstance(content, dict) and depth:
        return _of_block(content, silent, depth)
    return Pieces((), int(content not in ([], {})))


def beside(members: Iterable[Any], silent: frozenset[str] = SILENT, depth: int = MAX_DEPTH) -> Pieces:
    """Return the texts of members that may each hold the words: what one of them repeats of another counts once."""
    held = [one for one in members if one not in (None, "", [], {})]
    # A mark, such as a number, is no strange form of words where there are others.
    held = [one for one in held if isinstance(one, str | list | tuple | dict)] or held
    if len(held) < 2:
        return pieces(held[0], silent, depth) if held else Pieces()
    texts, unknown, said = list[str](), 0, ""
    for found in [pieces(one, silent, depth) for one in held]:
        unknown += found.unknown
        news = [text for text in found.texts if _even(text) not in said]
        said += "".join([f"{_even(text)} " for text in found.texts])
        texts += news
    return Pieces(tuple(texts), unknown)


def of_members(*members: Any) -> Words:
    """Return the text of members that may each hold the words: what one of them repeats of another counts once."""
    found = beside(members)
    return Words(joined(found.texts), found.unknown)


def joined(texts: Iterable[str]) -> str:
    """Join texts as paragraphs, without NULs, which no store takes, and without blanks around them."""
    return clean("\n\n".join([text for one in texts if (text := one.strip())]))


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


def _of_block(block: dict[Any, Any], silent: frozenset[str], depth: int) -> Pieces:
    """Return the texts of one block: those of all members that hold words, each said once."""
    kind = kind_of(block)
    if kind in silent or block.get("thought") is True:
        return Pieces()
    if kind in MEDIA:
        return _of_media(block, silent, depth)
    held = [block[name] for name in MEMBERS if name in block]
    if any(held) or any(isinstance(one, bool | int | float) for one in held):
        return beside(held, silent, depth - 1)
    # All that a block without words may have is a member left empty, beside its type.
    strange = not held or any(block[name] for name in block if name not in MEMBERS and name not in TYPES)
    return Pieces((), int(bool(block) and strange and BY_MEMBER.isdisjoint(block)))


def _of_media(block: dict[Any, Any], silent: frozenset[str], depth: int) -> Pieces:
    """Return what is written beside a picture or a recording, and the text that a document is made of."""
    source = block.get("source") if kind_of(block) == "document" else None
    inside = source if isinstance(source, dict) and source.get("type") in ("text", "content") else {}
    held = [block.get(name) for name in CAPTIONS]
    found = beside([*held, inside.get("data"), inside.get("content")], silent, depth - 1)
    strange = any(block.get(name) for name in MEMBERS if name not in CAPTIONS)
    return Pieces(found.texts, found.unknown + strange)


def _even(text: str) -> str:
    """Return a text with single blanks, to compare it."""
    return " ".join(text.split())
