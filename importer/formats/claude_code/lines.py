"""The shape of a Claude Code line: only the fields that are read, so that all others are skipped at memory speed.

Types are as loose as the format is: a field may be missing or null. What is read only sometimes stays `Raw`, a view of
the line that costs nothing until it is decoded. `gc=False`: the structs of a line hold no cycles, so the garbage
collector need not follow them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from importer.formats._shared.words import Pieces, beside, pieces

NOTHING = Pieces()
EMPTY = msgspec.Raw(b"null")  # decodes as None, like a field that is null
WORDED = ("text", "input_text", "output_text", "")  # types of blocks that are words; "" for a block that names none
MEDIA = ("image", "document")
CALLS = ("tool_use", "tool_result", "thinking")
KNOWN_BLOCKS = frozenset((*WORDED, *MEDIA, *CALLS, "redacted_thinking"))


class Input(msgspec.Struct, gc=False):
    """The part of a tool call's input that is read.

    It is the files it names, the command to know our own search by, and what a call shows to the person.
    """

    file_path: Any = None
    notebook_path: Any = None
    path: Any = None
    command: Any = None
    title: Any = None
    plan: msgspec.Raw = EMPTY
    questions: msgspec.Raw = EMPTY
    message: msgspec.Raw = EMPTY
    content: msgspec.Raw = EMPTY
    text: msgspec.Raw = EMPTY
    html: msgspec.Raw = EMPTY
    code: msgspec.Raw = EMPTY


class BlockSource(msgspec.Struct, gc=False):
    """The source of a picture or document; of a document it may be text."""

    type: str = ""
    data: msgspec.Raw = EMPTY
    content: msgspec.Raw = EMPTY


class Block(msgspec.Struct, gc=False):
    """A content block of any type: text, thinking, tool_use, tool_result, image …"""

    type: str = ""
    text: Any = None
    thinking: msgspec.Raw = EMPTY
    id: str | None = None
    name: str | None = None
    input: Input | str | None = None
    tool_use_id: str | None = None
    is_error: bool | None = None
    content: msgspec.Raw = EMPTY
    source: BlockSource | str | None = None
    value: Any = None
    parts: Any = None
    refusal: Any = None


Scalar: TypeAlias = str | int | float | bool | None
# A string and a list of blocks are the rule. All else is seldom, and still words of a person or the assistant.
Content: TypeAlias = Scalar | list[Block | Scalar | list[Any]] | Block


class ApiMessage(msgspec.Struct, gc=False):
    """A message to or from the API; one answer comes as several lines with a block each."""

    content: Content = None
    text: Any = None
    parts: Any = None
    value: Any = None
    refusal: Any = None
    model: str | None = None


class PromptOrigin(msgspec.Struct, gc=False):
    """The source of a prompt or a queued command: `human`, or some machinery."""

    kind: str | None = None


class Attachment(msgspec.Struct, gc=False, rename="camel"):
    """An injected piece: a queued command and pasted text are a person's, a plan's file is the assistant's."""

    type: str = ""
    prompt: msgspec.Raw = EMPTY
    content: msgspec.Raw = EMPTY
    text: msgspec.Raw = EMPTY
    pasted_contents: msgspec.Raw = EMPTY
    plan_content: msgspec.Raw = EMPTY
    command_mode: str | None = None
    origin: PromptOrigin | str | None = None


class TranscriptLine(msgspec.Struct, gc=False, rename="camel"):
    """One line of a transcript, of any type. `sdk_…` is how captures of the SDK's stream spell it."""

    type: str = ""
    subtype: str | None = None
    session_id: str | None = None
    sdk_session: str | None = msgspec.field(default=None, name="session_id")
    uuid: str | None = None
    timestamp: str | int | float | None = None
    cwd: str | None = None
    git_branch: str | None = None
    is_meta: bool | None = None
    is_sidechain: bool | None = None
    is_synthetic: bool | None = None
    is_compact_summary: bool | None = None
    is_api_error_message: bool | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    team_name: str | None = None
    parent_call: str | None = msgspec.field(default=None, name="parent_tool_use_id")
    source_call: str | None = msgspec.field(default=None, name="sourceToolUseID")
    message: ApiMessage | Scalar | list[Any] = None
    attachment: Attachment | Scalar | list[Any] = None
    origin: PromptOrigin | str | None = None
    tool_denial_kind: str | None = None
    tool_use_result: msgspec.Raw = EMPTY
    sdk_result: msgspec.Raw = msgspec.field(default=EMPTY, name="tool_use_result")
    pasted_contents: msgspec.Raw = EMPTY
    operation: str | None = None
    content: msgspec.Raw = EMPTY
    summary: str | None = None
    leaf_uuid: str | None = None
    custom_title: str | None = None
    ai_title: str | None = None


_decode_content: Callable[[msgspec.Raw | bytes], Content] = msgspec.json.Decoder(Content).decode
_decode_input = msgspec.json.Decoder(Input).decode


def message_of(line: TranscriptLine) -> ApiMessage:
    """Return a line's message; one that is only its content, or stands on the line itself, is given that form."""
    message = line.message
    if isinstance(message, ApiMessage):
        return message
    if message is None:
        return ApiMessage(content=content_of(line.content))
    return ApiMessage(content=_converted(message))


def is_only_content(message: ApiMessage) -> bool:
    """Return True if all that a message says is its content, as with nearly all."""
    return message.text is message.parts is message.value is message.refusal is None


def others(line: TranscriptLine, message: ApiMessage, blocks: Sequence[Block]) -> list[Block]:
    """Return as blocks what a line says beside its message's content: words, and of unknown type what is no words.

    A message that says nothing at all is such, too.
    """
    told = pieces([words(block) for block in blocks]).texts
    found = beside([list(told), message.text, message.parts, message.value, message.refusal])
    strange = found.unknown + (pieces(loose(line.content)) != NOTHING)
    if message.content is None and not (found.texts or strange):
        strange = 1
    return [*(Block(type="text", text=text) for text in found.texts[len(told) :]), *[Block(type="strange")] * strange]


def content_of(raw: msgspec.Raw) -> Content:
    """Decode content that was left undecoded; None for what is no content at all."""
    try:
        return _decode_content(raw)
    except (ValueError, RecursionError):
        return _converted(loose(raw))


def loose(raw: msgspec.Raw) -> Any:
    """Decode any JSON, None for what cannot be decoded."""
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return None


def blocks_of(content: Content) -> Sequence[Block]:
    """Return the blocks of content in any of its shapes; a string is a block of text.

    What is neither words nor a block becomes a block of a type that no version knows, so that it is counted.
    """
    if isinstance(content, str):
        return [Block(type="text", text=content)]
    if content is None:
        return ()
    if isinstance(content, Block):
        return [content]
    if not isinstance(content, list):
        return _parts(content)
    if len(content) == 1 and isinstance(content[0], Block):  # so it is with nearly every line
        return [content[0]]
    return [block for item in content if item is not None for block in _blocks_in(item)]


def _blocks_in(item: Any) -> Sequence[Block]:
    """Return the blocks in an item of content, which is a block unless it is of a seldom shape."""
    return [item] if isinstance(item, Block) else _parts(item)


def _parts(value: Any) -> list[Block]:
    """Return the words in a value that is no block as blocks of text, and one of no known type for all else in it."""
    found = [Block(type="text", text=text) for text in pieces(value).texts]
    return [*found, Block(type=type(value).__name__)] if pieces(value).unknown else found


def words(block: Block) -> str:
    """Return the words of a block of text, wherever they stand in it, or beside a picture; "" for other types."""
    if _is_plain(block):
        return str(block.text)
    if block.type in WORDED or (block.type in MEDIA and not _is_bare(block)):
        return "\n\n".join(_pieces(block).texts)
    return ""


def _is_plain(block: Block) -> bool:
    """Return True if a block has its words as one text, as nearly all of text do."""
    alone = block.content is EMPTY and block.value is block.parts is block.refusal is None
    return alone and isinstance(block.text, str) and block.type in WORDED


def _is_bare(block: Block) -> bool:
    """Return True if a block has no member that words may stand in."""
    return block.content is EMPTY and block.text is block.value is block.parts is block.refusal is None


def _pieces(block: Block) -> Pieces:
    """Return the texts of a block in all its members, each once, and how many of them cannot be read."""
    held = {"text": block.text, "parts": block.parts, "value": block.value, "refusal": block.refusal}
    return pieces({**held, "type": block.type, "content": loose(block.content)})


def unknown(blocks: Sequence[Block]) -> int:
    """Count the blocks of types this version does not know, and those of words that it cannot find all of."""
    counted = 0
    for block in blocks:
        if block.type in CALLS:  # nine of ten
            continue
        if not _is_plain(block) and (block.type not in KNOWN_BLOCKS or _is_lost(block)):
            counted += 1
    return counted


def is_lost(raw: msgspec.Raw) -> bool:
    """Return True if content that should be words holds something else."""
    return raw is not EMPTY and bool(unknown(blocks_of(content_of(raw))))


def _is_lost(block: Block) -> bool:
    """Return True if a block that should hold words holds something else."""
    if block.type in WORDED:
        found = _pieces(block)
        return bool(found.unknown) or not found.texts
    if block.type not in MEDIA:
        return False
    return (not _is_bare(block) and bool(_pieces(block).unknown)) or is_lost(document_of(block))


def texts(raw: msgspec.Raw) -> tuple[str, ...]:
    """Return the texts of content that was left undecoded, in any of its shapes."""
    return tuple(text for text in map(words, blocks_of(content_of(raw))) if text)


def document_of(block: Block) -> msgspec.Raw:
    """Return the text that a document is made of, undecoded; nothing where it is a file in base64."""
    source = block.source if block.type == "document" else None
    if not isinstance(source, BlockSource) or source.type not in ("text", "content"):
        return EMPTY
    return source.data if source.type == "text" else source.content


def input_of(block: Block) -> Input:
    """Return the input of a tool call; it may be written as JSON within a string."""
    given = block.input
    if isinstance(given, Input):
        return given
    try:
        return _decode_input(given or "{}")
    except (ValueError, RecursionError):
        return Input()


def _converted(value: Any) -> Content:
    """Return a decoded value as content; where it is none, its parts."""
    try:
        return _decode_content(msgspec.json.encode(value))
    except (ValueError, RecursionError):
        return list[Block | Scalar | list[Any]](_parts(value)) or None
