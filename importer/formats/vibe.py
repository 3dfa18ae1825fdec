"""Mistral Vibe: `session_<time>_<id>/messages.jsonl`, a message each line, without times.

What the program injects is marked. A compaction goes on in a new folder, where the kept context is injected. Title,
folder and branch stand in `meta.json` beside the messages, which is written anew at each turn. What an agent does for
another one lies in `agents/<agent>_<time>_<id>/` of the other's folder.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from importer.formats import Document
from importer.formats._shared.calls import api_calls, id_of, used
from importer.formats._shared.told import (
    ABOUT,
    ID_BYTES,
    RESULT,
    THOUGHT,
    Context,
    Records,
    Unit,
    lacks,
    prompt,
    string,
)
from importer.formats._shared.turns import clip, stem

__all__ = ["DOCUMENT", "NAME", "Context", "begin", "feed", "recognises", "recognises_document", "roots", "wanted"]

NAME = "vibe"

MESSAGES, SHEET = b"messages.jsonl", b"meta.json"
AGENTS = b"agents"
SIGNS = ("session_id", "environment")  # of the sheet
DOCUMENT = Document(sheet=SIGNS[:1])
UNTITLED = "Untitled session"
_session = re.compile(rb"(?:\A|/)session_[^/]*\Z|_\d{8}_\d{6}_[^/]*\Z")
ROLES = frozenset(("user", "assistant", "tool", "system"))


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of sessions."""
    return (f"{environ.get('VIBE_HOME') or f'{home}/.vibe'}/logs/session",)


def wanted(relative: bytes) -> bool:
    """Return True for the messages of a session, and the sheet beside them; other programs have such sheets, too."""
    folder, _, name = relative.rpartition(b"/")
    return name == MESSAGES or (name == SHEET and (not folder or bool(_session.search(folder))))


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for a message of a known role, with an id of its own and no type."""
    return any(
        isinstance(record.get("message_id"), str) and string(record, "role") in ROLES and "type" not in record
        for record in records
    )


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for the sheet: a session's id, and where it ran."""
    return set(SIGNS) <= set(keys)


def begin(path: bytes) -> Context:
    """Return the context before the first line; the folder names the session, and the agent that another one asked."""
    folder, _, name = path.rpartition(b"/")
    session = stem(folder if name in (MESSAGES, SHEET) else path)
    asked = folder.split(b"/")[-2:-1] == [AGENTS]
    return Context(session=clip(session, ID_BYTES), agent=clip(session.partition("_")[0], ID_BYTES) if asked else "")


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says, or the sheet tells."""
    role, id_ = string(record, "role"), string(record, "message_id")
    if set(SIGNS) <= set(record):
        title, cwd = string(record, "title"), string(record, "environment", "working_directory")
        title = "" if title == UNTITLED else title
        yield Unit(kind=ABOUT, title=title, cwd=cwd, branch=string(record, "git_branch"))
    elif role not in ROLES:
        yield Unit(unknown=1)
    elif role == "user" and record.get("injected") is not True:
        yield Unit(unknown=lacks(record, "user_display_content", "content"))
        yield prompt(record.get("user_display_content") or record.get("content"), id=id_)
    elif role == "assistant":
        if thought := string(record, "reasoning_content"):
            yield Unit(role=role, kind=THOUGHT, text=thought, id=id_)
        yield Unit(unknown=lacks(record, "content", beside=("reasoning_content", "tool_calls")))
        yield Unit(role=role, text=record.get("content"), id=id_, **used(api_calls(record.get("tool_calls"))))
    elif role == "tool":
        of = id_of(record.get("tool_call_id"), record.get("name"))
        yield Unit(role="assistant", kind=RESULT, text=record.get("content"), id=id_, of=of)


feed = Records(_said).feed
