"""Fold what is known about an exchange beside its text, pure and bounded, and make the metadata of its chunks.

Every value is bounded in bytes of JSON, because all of it stands in the checkpoint of the file and in every point. It
must depend on the lines alone, not on where slices end: a file that is read in other pieces gives the same metadata.
"""

from __future__ import annotations

import functools
import hashlib
import unicodedata
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec.structs import replace

from importer.protocol.projects import last_part
from importer.protocol.records import ConversationFacts, Facts, Turn

MAX_TOOLS = 32  # names
MAX_FILES = 64  # paths
TOOLS_BYTES = 768  # of JSON: these lists stand in every checkpoint and in every point
FILES_BYTES = 2560
PATH_BYTES = 512
TITLE_BYTES = 256
ID_BYTES = 128
NAME_BYTES = 64


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """The facts of an exchange as of its last text, except that `tools` and `files` hold those used since, too.

    The first `tools_said` and `files_said` of them were known when the last text came: only these are its metadata, so
    that metadata is a pure function of the lines up to the last text.
    """

    message_id: str = ""
    kind: str = ""
    at: str = ""
    project: str = ""
    title: str = ""
    cwd: str = ""
    git_branch: str = ""
    model: str = ""
    agent: str = ""
    tools: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tools_said: int = 0
    files_said: int = 0


def begin(former: About, turn: Turn, *, keep_heard: bool = False) -> About:
    """Begin an exchange: keep what holds for the whole conversation; tools and files only on demand.

    Time, model and agent do not stay: they belong to the turns, and the next text brings its own.
    """
    return About(
        message_id=short(turn.turn_id),
        kind=tidy(turn.facts.kind, NAME_BYTES),
        project=former.project,
        title=former.title,
        cwd=former.cwd,
        git_branch=former.git_branch,
        tools=former.tools if keep_heard else (),
        files=former.files if keep_heard else (),
    )


def add_facts(about: About, facts: Facts) -> About:
    """Add the tools and files of a turn; the same object when they are known already."""
    tools = _join(about.tools, facts.tools, MAX_TOOLS, TOOLS_BYTES) if facts.tools else about.tools
    files = _join(about.files, facts.files, MAX_FILES, FILES_BYTES) if facts.files else about.files
    if tools is about.tools and files is about.files:  # `_join` gives the same object when nothing is new
        return about
    return replace(about, tools=tools, files=files)


def add_text(about: About, turn: Turn) -> About:
    """Add a turn that has text: its facts are the newest, and the tools and files known so far become metadata."""
    facts, heard = turn.facts, add_facts(about, turn.facts)
    return replace(
        heard,
        at=tidy(turn.at, NAME_BYTES) or about.at,
        project=tidy(facts.project, PATH_BYTES) or about.project,
        title=tidy(facts.title, TITLE_BYTES) or about.title,
        cwd=tidy(facts.cwd, PATH_BYTES) or about.cwd,
        git_branch=tidy(facts.git_branch, ID_BYTES) or about.git_branch,
        model=tidy(facts.model, NAME_BYTES) or about.model,
        agent=tidy(facts.agent, NAME_BYTES) or about.agent,
        tools_said=len(heard.tools),
        files_said=len(heard.files),
    )


def metadata(about: About, conversation: str, ordinal: int, source: str, host: str) -> dict[str, Any]:
    """Return the metadata of a chunk; empty values are left out."""
    known: dict[str, Any] = {
        "source": source,
        "kind": about.kind,
        "project": about.project,
        "project_name": last_part(about.project),
        "conversation_id": conversation,
        "message_id": about.message_id,
        "chunk": ordinal,
        "timestamp": about.at,
        "host": host,
        "title": about.title,
        "cwd": about.cwd,
        "git_branch": about.git_branch,
        "model": about.model,
        "tools": list(about.tools[: about.tools_said]),
        "files": list(about.files[: about.files_said]),
        "agent": about.agent,
    }
    return {name: value for name, value in known.items() if value or name == "chunk"}  # 0 is the first chunk


def speakers(asked_chars: int, lead_chars: int, length: int) -> dict[str, Any]:
    """Return what a chunk tells of who speaks in it: a person its first `asked_chars`, an assistant the rest.

    `roles` are those of what it says newly, behind its lead. Empty where it is not known, as in older points.
    """
    if asked_chars < 0:
        return {}
    roles = ["user"] * (asked_chars > lead_chars) + ["assistant"] * (asked_chars < length)
    return {"roles": roles, "asked_chars": asked_chars}


def tidied(facts: ConversationFacts) -> ConversationFacts:
    """Return facts of a whole conversation, bounded as those of its chunks are."""
    return ConversationFacts(
        short(facts.conversation_id),
        tidy(facts.title, TITLE_BYTES),
        tidy(facts.project, PATH_BYTES),
        tidy(facts.cwd, PATH_BYTES),
        tidy(facts.git_branch, ID_BYTES),
        short(facts.leaf),
    )


def tidy(text: str, limit_bytes: int) -> str:
    """`text` without control characters and lone surrogates, cut to `limit_bytes` of JSON, its quotes included."""
    text = text[:limit_bytes]  # no character takes less than a byte, so no more of them can stay
    if not text.isprintable():
        text = "".join("\ufffd" if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)
    # 3 for the quotes and the comma; a text that fits at 4 bytes a character need not be measured
    while len(text) * 4 > limit_bytes - 3 and (excess := _json_bytes(text) - limit_bytes) > 0:
        text = text[: -max(1, excess // 4)]  # no character that is left takes more than 4 bytes
    return text


@functools.lru_cache(maxsize=1024)  # of a conversation's turns all have the same
def short(identifier: str) -> str:
    """Return an identifier as it is, or its beginning and its hash where it is too long or odd for a checkpoint."""
    tidied = tidy(identifier, ID_BYTES)
    if tidied == identifier:
        return identifier
    digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{tidy(tidied, ID_BYTES - 33)}-{digest[:32]}"


def _join(known: tuple[str, ...], more: Collection[str], most: int, limit_bytes: int) -> tuple[str, ...]:
    """`known` and what is new of `more`, in order, as far as both limits allow; the same object when nothing is."""
    if all(name in known for name in more):
        return known
    names = dict.fromkeys(known)
    room = limit_bytes - sum(map(_json_bytes, known))
    for name in (tidy(name, PATH_BYTES) for name in more):
        if name and name not in names and len(names) < most and _json_bytes(name) <= room:
            names[name] = None
            room -= _json_bytes(name)
    return known if len(names) == len(known) else tuple(names)


def _json_bytes(text: str) -> int:
    """Measure `text` as JSON, its quotes and a comma included."""
    return len(msgspec.json.encode(text)) + 1
