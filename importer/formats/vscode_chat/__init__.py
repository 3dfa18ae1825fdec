"""VS Code's Copilot Chat: `chatSessions/<session>.json`, one document of requests, each with its response; since 1.109
`<session>.jsonl`, a journal of how that document changes, which is replayed (`journal`).

They lie below `workspaceStorage`, beside the folders of every extension, some of them huge: none but theirs is entered.

A turn's key is a hash of session, request and text: the document is rewritten as it grows.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from importer.formats import Document, Fed, Options
from importer.formats._journal import Journal, JournalPieces
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.turns import clip, key, moment, once, stem
from importer.formats._shared.words import MEMBERS, Words, clean, kind_of, listed, of_members, words
from importer.formats.vscode_chat import journal, questionnaire
from importer.protocol.records import ConversationFacts, Facts, Turn

__all__ = [
    "DOCUMENT",
    "EXCLUDE",
    "JOURNAL",
    "NAME",
    "Context",
    "begin",
    "feed",
    "recognises_document",
    "replayed",
    "roots",
    "wanted",
]

NAME = "vscode-chat"
DOCUMENT = Document("requests", head=True)
JOURNAL = Journal(journal.is_called_so, journal.opens)

EDITORS = ("Code", "Code - Insiders", "VSCodium")
EXCLUDE = ("*/[!c]*", "*/c[!h]*", "*/chatEditingSessions")  # below a window's folder all but its chats
# Kinds of parts. Plain Markdown has none.
TEXT, THOUGHT, PASTE = frozenset(("", "markdownContent", "markdownVuln")), "thinking", "paste"
# What the editor shows beside the words: progress, edits, confirmations.
_PASSED_OVER = """
    inlineReference toolInvocationSerialized toolInvocation prepareToolInvocation textEditGroup textEdit
    notebookEditGroup codeblockUri undoStop progressMessage progressTask progressTaskSerialized command confirmation
    warning extensions references reference treeData mcpServersStarting elicitation elicitationSerialized pullRequest
    multiDiffData codeCitation move agentDetection elicitation2 questionCarousel planReview usedContext workspaceEdit
    multiDiffDataSerialized mcpServersStartingSerialized hook todoList
"""
KNOWN_KINDS = TEXT | frozenset((THOUGHT, *_PASSED_OVER.split()))
ID_BYTES = 120  # encoded: it stands in the context, which is bounded
TITLE_BYTES = 400

_session = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jsonl?\Z")


class ChatUnit(msgspec.Struct, gc=False, rename="camel"):
    """The document's head, or a request; what holds text may be of any shape."""

    session_id: str | None = None
    custom_title: str | None = None
    workspace_folder: str | None = None
    request_id: str | None = None
    message: Any = None
    variable_data: Any = None
    is_system_initiated: bool | None = None
    response: Any = None
    timestamp: Any = None
    model_id: str | None = None


_lines = Lines(ChatUnit)


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The session as the document's head tells it."""

    session: str = ""
    title: str = ""
    folder: str = ""


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of chats: of windows without a folder, and of all others."""
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    bases = (config, f"{home}/Library/Application Support", f"{home}/AppData/Roaming")
    users = [f"{base}/{editor}/User" for base in bases for editor in EDITORS]
    users.append(f"{home}/.vscode-server/data/User")
    return tuple(
        f"{user}/{below}" for user in users for below in ("globalStorage/emptyWindowChatSessions", "workspaceStorage")
    )


def wanted(relative: bytes) -> bool:
    """Return True for a session's id as a name, in a folder of sessions or by itself."""
    *folders, name = relative.split(b"/")
    return bool(_session.match(name)) and (not folders or folders[-1] in journal.FOLDERS)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for requests beside the name of the person who asks, or the document's version."""
    return not {"version", "requesterUsername"}.isdisjoint(keys)


def replayed(pieces: JournalPieces) -> Iterator[Any]:
    """Yield the head and the requests of a journal. Never raises for what is in it."""
    return journal.replayed(pieces.lines(), pieces.read("../workspace.json"))


def begin(path: bytes) -> Context:
    """Return the context before the head; the file's name is the session's, of a journal that of what it lies in."""
    folder = path.rpartition(b"/")[0]
    return Context(session=clip(stem(folder if folder.endswith(b".jsonl") else path), ID_BYTES))


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of a request: what was asked, and what was answered. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, unit: ChatUnit, options: Options) -> Fed:
    """Take the head, or a request.

    The key of an answer is made without its thoughts, whether they are indexed or not.
    """
    if unit.request_id is None and unit.message is None and unit.response is None:
        return _headed(context, unit)
    parts = [one if isinstance(one, dict) else {"value": one} for one in listed(unit.response)]
    typed, pasted = _typed(unit.message), _pasted(unit.variable_data)
    asked = clean("\n\n".join(one.text for one in (typed, pasted) if one.text))
    plain, said = _answer(parts, thinking=False), _answer(parts, thinking=options.thinking)
    tools = once([_string(part.get("toolId")) for part in parts])
    files = once([_path(part.get("uri")) for part in parts if kind_of(part) == "textEditGroup"])
    turns = []
    if asked and not unit.is_system_initiated:
        turns.append(_turn(context, unit, "user", asked, content=key(asked), facts=Facts(title=context.title)))
    turns += _beside(context, unit, parts)
    if said.text or tools or files:
        facts = Facts(title=context.title, model=unit.model_id or "", tools=tools, files=files)
        content = key(plain.text, *tools, *files)
        turns.append(_turn(context, unit, "assistant", said.text, content=content, facts=facts))
    strange = sum((kind_of(part) not in KNOWN_KINDS) + questionnaire.unread(part) for part in parts)
    strange += unit.message is None and not unit.is_system_initiated
    return Fed(context, tuple(turns), typed.unknown + pasted.unknown + plain.unknown + strange)


def _headed(context: Context, unit: ChatUnit) -> Fed:
    """Return the context after the head, and the title it gives the session."""
    session = clip(unit.session_id or "", ID_BYTES) or context.session
    title = clip((unit.custom_title or "").strip(), TITLE_BYTES)
    folder = clip((unit.workspace_folder or "").strip(), TITLE_BYTES)
    if not (title or folder or session != context.session):
        return Fed(context)
    told = ConversationFacts(session, title, project=folder, cwd=folder)
    return Fed(Context(session, title, folder), facts=(told,) if title or folder else ())


def _beside(context: Context, unit: ChatUnit, parts: Sequence[dict[str, Any]]) -> list[Turn]:
    """Make the turns of plans shown for approval, of questions with their answers, and of comments on plans."""
    turns = []
    for part in parts:
        facts = Facts(title=context.title, model=unit.model_id or "")
        if plan := questionnaire.plan(part):
            of_plan = Facts("plan", title=context.title, model=unit.model_id or "")
            turns.append(_turn(context, unit, "assistant", plan, content=key("plan", plan), facts=of_plan))
        if told := questionnaire.answers(part):
            turns.append(_turn(context, unit, "assistant", told, content=key("answers", told), facts=facts))
    return turns


def _turn(context: Context, unit: ChatUnit, role: str, text: str, *, content: str, facts: Facts) -> Turn:
    """Make a turn; `content` is the hash of what its key goes by."""
    mark = key(context.session, unit.request_id or "", role, content)
    at = moment(unit.timestamp)
    facts = dataclasses.replace(facts, project=context.folder, cwd=context.folder)
    return Turn(context.session, f"{unit.request_id or mark}/{role}", role, text, at, mark, facts)


def _typed(message: Any) -> Words:
    """Return what was asked; a message's parts repeat its text, where they have words at all."""
    if not isinstance(message, dict) or "parts" not in message:
        return words(message)
    parts = [one for one in listed(message["parts"]) if not _is_silent(one)]
    return words({**message, "parts": parts})


def _is_silent(part: Any) -> bool:
    """Return True for a part of a known form that has no member with words, and is not to have any."""
    return isinstance(part, dict) and part.keys().isdisjoint(MEMBERS) and kind_of(part) not in ("", "text")


def _pasted(attached: Any) -> Words:
    """Return the code that a person pasted; the other variables of a request are files, and what the editor adds."""
    variables = attached.get("variables") if isinstance(attached, dict) else attached
    found, inside = list[Words](), list[Any]()
    for one in listed(variables):
        if isinstance(one, dict) and (one.get("kind") == PASTE or one.get("code")):
            found.append(of_members(one.get("code"), one.get("value")))
        else:
            inside.append(one.get("value") if isinstance(one, dict) else one)
    strange = sum([isinstance(one, list) or (isinstance(one, dict) and "code" in one) for one in inside])
    return Words("\n\n".join([one.text for one in found if one.text]), sum([one.unknown for one in found]) + strange)


def _answer(parts: Sequence[dict[str, Any]], *, thinking: bool) -> Words:
    """Join the response to one text: a file that is named within a sentence stands as a part of its own.

    Joined without anything in between: a sentence goes on behind the file it names.
    """
    said = [_words(part, thinking=thinking) for part in parts]
    return Words(clean("".join([one.text for one in said])), sum(one.unknown for one in said))


def _words(part: dict[str, Any], *, thinking: bool) -> Words:
    """Return the text of one part."""
    kind = kind_of(part)
    if kind == "inlineReference":
        place = part.get("inlineReference")
        name = _string(place.get("name")) if isinstance(place, dict) else ""
        name = name or _path(place).rpartition("/")[2]
        return Words(f"`{name}`") if name else Words("", int(bool(place)))
    if kind == THOUGHT:
        return Words(f"{_markdown(part.get('value')).text}\n\n") if thinking else Words()
    if kind not in TEXT:
        return Words()
    held = [part[name] for name in ("content", "value") if part.get(name) is not None]
    # More than one member with words is nothing that the editor writes.
    if len(held) == 1 and not any(part.get(name) for name in MEMBERS if name not in ("content", "value")):
        return _markdown(held[0])
    return words({**part, "kind": None})


def _markdown(value: Any) -> Words:
    """Return Markdown as it stands, blanks included: it is text, an object that holds it, or a list of these."""
    if isinstance(value, dict) and "value" in value and not any(value.get(name) for name in MEMBERS if name != "value"):
        value = value["value"]
    if isinstance(value, list):
        ones = [_markdown(one) if isinstance(one, str | dict) else words(one) for one in value]
        return Words("".join(one.text for one in ones), sum(one.unknown for one in ones))
    return Words(value) if isinstance(value, str) else words(value)


def _path(place: Any) -> str:
    """Return the path of a file, "" for what names none."""
    return _string(place.get("path")) if isinstance(place, dict) else ""


def _string(value: Any) -> str:
    """Return a string as it is, "" for anything else."""
    return value if isinstance(value, str) else ""
