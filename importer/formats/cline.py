"""Cline and its relatives (Roo Code, older Kilo Code): `ui_messages.json` of each task, what the person saw; and the
sessions of Cline's command line, `<session>.messages.json`. Both are documents that are rewritten whole.

Of a task the first words are the person's, then only what is marked as feedback. What the model saw stands beside it in
`api_conversation_history.json`, the same talk with much around it, and is not read. A row that is being written waits.

Where a task ran stands in `history_item.json` beside it (Roo Code) or in `taskHistory.json` of all (Cline); folder and
title of a session in `<session>.json`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from importer.formats import Document
from importer.formats._shared.blocks import unwrapped
from importer.formats._shared.calls import EDITORS, used
from importer.formats._shared.message import spoken
from importer.formats._shared.told import ABOUT, ANSWER, ID_BYTES, THOUGHT, Context, Records, Unit, lacks, string, value
from importer.formats._shared.turns import clip, key, stem
from importer.formats._shared.words import words

__all__ = ["DOCUMENT", "EXCLUDE", "NAME", "Context", "begin", "feed", "recognises_document", "roots", "wanted"]

NAME = "cline"
EXCLUDE = ("*/checkpoints",)  # whole repositories
DOCUMENT = (Document("messages", head=True), Document())

EXTENSIONS = ("saoudrizwan.claude-dev", "rooveterinaryinc.roo-cline", "kilocode.kilo-code")
EDITORS_WITH_IT = ("Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf")
TASKS = (b"ui_messages.json", b"claude_messages.json")
SESSION = b".messages.json"
SHEET, HISTORY = b"history_item.json", "state/taskHistory.json"
_session = re.compile(rb"(?=[^/]*\d)[^/]+_[^/]+")  # an id of a session: it has a digit
PLACES = ("workspace", "cwdOnTaskInitialization", "shadowGitConfigWorkTree")
FEEDBACK = frozenset(("user_feedback", "user_feedback_diff"))
QUESTIONS = frozenset(("followup", "question"))
QUESTION = "followup"  # by which a question and its answer know each other
SAID = FEEDBACK | {"text", "task"}  # are never told without words
WORDS = frozenset(("text", "task", "completion_result", "plan_mode_respond"))
# Kinds of rows that hold no words of either side.
_SILENT = """
    command command_output use_mcp_server error error_retry info image shell_integration_warning deleted_api_reqs
    diff_error subtask_result user_edit_todos sliding_window_truncation codebase_search_result new_task new_task_started
    resume_task resume_completed_task interactive_app mistake_limit_reached clineignore_error rooignore_error
    summarize_task report_bug task_progress generate_explanation load_mcp_documentation auto_approval_max_req_reached
"""
SILENT = frozenset(_SILENT.split())
SILENT_KINDS = ("api_req_", "checkpoint_", "browser_", "mcp_", "condense", "hook_", "subagent")
SPOKEN = WORDS | FEEDBACK | QUESTIONS
EDITS = EDITORS | {"editedexistingfile", "newfilecreated", "applieddiff", "searchandreplace", "insertcontent"}


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of tasks in each editor, and those of the command line."""
    config, mac = environ.get("XDG_CONFIG_HOME") or f"{home}/.config", f"{home}/Library/Application Support"
    bases = (config, mac, f"{home}/AppData/Roaming")
    users = [f"{base}/{editor}/User" for base in bases for editor in EDITORS_WITH_IT]
    data = environ.get("CLINE_DATA_DIR") or f"{environ.get('CLINE_DIR') or f'{home}/.cline'}/data"
    return (
        environ.get("CLINE_SESSION_DATA_DIR") or f"{data}/sessions",
        f"{data}/tasks",
        f"{data}/{HISTORY}",
        *(
            f"{user}/globalStorage/{extension}/{below}"
            for user in (*users, f"{home}/.vscode-server/data/User")
            for extension in EXTENSIONS
            for below in ("tasks", HISTORY)
        ),
    )


def wanted(relative: bytes) -> bool:
    """Return True for what a person saw of a task, a session of the command line, and the sheets beside them."""
    folder, _, name = relative.rpartition(b"/")
    session = folder.rpartition(b"/")[2]
    sheet = name in (SHEET, HISTORY.rpartition("/")[2].encode())
    sheet = sheet or (name == session + b".json" and bool(_session.fullmatch(session)))
    return sheet or name in TASKS or name.endswith(SESSION)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for rows with a time and what they ask or say, a session's messages, or a sheet."""
    named = set(keys)
    return (
        ({"ts", "type"} <= named and not {"say", "ask"}.isdisjoint(named))
        or {"sessionId", "messages", "version", "agent"} <= named
        or {"session_id", "messages_path", "cwd"} <= named
        or {"id", "ts", "task", "tokensIn"} <= named
    )


def begin(path: bytes) -> Context:
    """Return the context before the first row; the folder names a task, the document's head a session."""
    folder, _, name = path.rpartition(b"/")
    of_folder = name in (*TASKS, SHEET)
    return Context(session=clip(stem(folder if of_folder else path).removesuffix(".messages"), ID_BYTES))


def _said(context: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a row, the head of a session or one of its messages says."""
    if not {"say", "ask"}.isdisjoint(record) or ("type" in record and "ts" in record):
        yield from _row(context, record)
    elif "role" in record:
        model = record.get("modelInfo")
        common = {"id": string(record, "id"), "at": record.get("ts"), "model": string(model, "id")}
        if (role := string(record, "role")) in ("user", "assistant", "tool"):
            yield from spoken("assistant" if role == "tool" else role, record.get("content"), common)
        elif role != "system":
            yield Unit(unknown=1)
    elif {"ts", "task"} <= set(record):
        cwd = next((found for name in PLACES if (found := string(record, name))), "")
        yield Unit(kind=ABOUT, conversation=string(record, "id"), cwd=cwd)
    elif "messages_path" in record:
        cwd = string(record, "workspace_root") or string(record, "cwd")
        name = string(record, "metadata", "title")
        yield Unit(kind=ABOUT, conversation=string(record, "session_id"), title=name, cwd=cwd)
    elif "sessionId" in record:
        agent = string(record, "agent")
        yield Unit(conversation=string(record, "sessionId"), agent="" if agent == "lead" else agent)
    else:
        yield Unit(unknown=1)


def _row(context: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a row of a task says: the person's first words or feedback, an answer, a question, a call."""
    kind, text, at = string(record, "say") or string(record, "ask"), record.get("text") or "", record.get("ts")
    if record.get("partial") is True:
        return
    if not isinstance(text, str):
        found = words(text)
        text, unknown = found.text, found.unknown if kind in SPOKEN else 0
        yield Unit(unknown=unknown)
    if kind in SAID and string(record, "say"):
        yield Unit(unknown=0 if record.get("images") or record.get("files") else lacks(record, "text"))
    if kind in FEEDBACK and context.asks:
        yield Unit(role="assistant", kind=ANSWER, text=text, of=QUESTION, at=at)
    elif kind in FEEDBACK or (kind in ("text", "task") and not context.last):
        yield Unit(role="user", text=unwrapped(text), at=at)
    elif kind in QUESTIONS:
        yield Unit(role="assistant", at=at, calls=used([(QUESTION, "ask_user", value(text) or text)])["calls"])
    elif kind in SPOKEN:
        yield from _shown(context, text, at)
    else:
        yield from _beside(kind, text, at)


def _shown(context: Context, text: str, at: Any) -> Iterator[Unit]:
    """Yield an answer; a result is said, and then asked about in the same words."""
    shown = value(text) if text.startswith("{") else None
    text = string(shown, "response") or string(shown, "text") or text
    mark = key(text)[:12]
    if text.strip() and mark != context.note:
        yield Unit(role="assistant", text=text, at=at)
        yield Unit(note=mark)


def _beside(kind: str, text: str, at: Any) -> Iterator[Unit]:
    """Yield a thought, or the call of a tool."""
    if kind == "reasoning":
        yield Unit(role="assistant", kind=THOUGHT, text=text, at=at)
    elif kind == "tool":
        given = value(text)
        name, path = string(given, "tool"), string(given, "path")
        yield Unit(role="assistant", tools=[name], files=[path] if path and name.lower() in EDITS else [], at=at)
    elif kind not in SILENT and not kind.startswith(SILENT_KINDS):
        yield Unit(text=text)


feed = Records(_said).feed
