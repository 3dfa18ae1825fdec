"""Read `workspace.yaml`, the sheet beside a session's events: its name, and where it runs.

Only the few lines that tell this are read, without a reader of YAML. A name over several lines is told as it grows; the
last one holds.
"""

from __future__ import annotations

import re

import msgspec
from msgspec.structs import replace

from importer.formats import Fed
from importer.formats._shared.turns import clip
from importer.formats.copilot_cli.events import NAME_BYTES, PATH_BYTES, Context
from importer.protocol.records import ConversationFacts

FILE_NAME = b"workspace.yaml"
TITLE_BYTES = 4 * NAME_BYTES
TITLES = ("name", "title", "summary")  # a person gives the name, Copilot writes the summary

_entry = re.compile(r"([A-Za-z_][\w-]*):(?:[ \t]+(.*))?\Z")
_block = re.compile(r"[|>][+-]?\d?[+-]?\Z")
_head = re.compile(rb"\A(?:---\s*\n)?(?:[a-z_]+:[^\n]*\n)*?id:[ \t]*\S+[^\n]*\n")
_sign = re.compile(rb"^(?:cwd|git_root|summary_count):", re.MULTILINE)


def recognises(head: bytes) -> bool:
    """Return True for the sheet of a session: its id stands among its first lines, and where it runs."""
    return bool(_head.match(head) and _sign.search(head))


def feed(context: Context, raw: bytes) -> Fed:
    """Return the facts of one line."""
    line = raw.decode("utf-8", "replace").replace("\0", "").rstrip()
    if not line:
        return Fed(context)
    if line[0] in " \t":
        return _longer(context, line.strip())
    entry = _entry.match(line)
    name, value = (entry[1], _plain(entry[2] or "")) if entry else ("", "")
    context = replace(context, growing="") if context.growing else context
    if name in TITLES:
        return _titled(context, name, value)
    if name == "id" and value:
        return Fed(replace(context, session=clip(value, NAME_BYTES)))
    return Fed(context, facts=_place(context, name, value))


def _place(context: Context, name: str, value: str) -> tuple[ConversationFacts, ...]:
    """Return where a session runs, if a line tells it."""
    if name == "cwd" and value:
        folder = clip(value, PATH_BYTES)
        return (ConversationFacts(context.session, project=folder, cwd=folder),)
    branch = clip(value, NAME_BYTES) if name == "branch" else ""
    return (ConversationFacts(context.session, git_branch=branch),) if branch else ()


def _titled(context: Context, name: str, value: str) -> Fed:
    """Take a name; a summary does not take away the name that a person gave."""
    if context.named and name == "summary":
        return Fed(context)
    title = "" if _block.match(value) else clip(value, TITLE_BYTES)
    context = replace(context, growing=name, title=title, named=context.named or (name != "summary" and bool(title)))
    return _told(context)


def _longer(context: Context, more: str) -> Fed:
    """Take a further line of a name."""
    if not context.growing:
        return Fed(context)
    title = clip(f"{context.title} {more}".strip(), TITLE_BYTES)
    return _told(replace(context, title=title, named=context.named or context.growing != "summary"))


def _told(context: Context) -> Fed:
    """Tell the name as far as it is known."""
    title = context.title.strip("\"'") if context.title[:1] in ("'", '"') else context.title
    return Fed(context, facts=(ConversationFacts(context.session, title),) if title else ())


def _plain(value: str) -> str:
    """Return a value without its quotes, "" for one that says it is none."""
    value = value.strip()
    if value[:1] == value[-1:] == '"' and len(value) > 1:
        try:
            return msgspec.json.decode(value, type=str).strip()
        except ValueError:
            return value[1:-1].strip()
    if value[:1] == value[-1:] == "'" and len(value) > 1:
        return value[1:-1].replace("''", "'").strip()
    return "" if value.lower() in ("null", "~", "''", '""') else value
