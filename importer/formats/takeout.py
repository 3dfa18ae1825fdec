"""Gemini in a Takeout of Google: `My Activity/Gemini Apps/MyActivity.json`, in the ZIP; newest first, no conversations.

Each activity is a prompt with its answer, and a conversation by itself: what belonged together is not told. The same
ZIP holds such files of searches and videos, which are refused by their header. The prompt stands behind a verb of the
account's language; the English one is taken off. Takeout's other form, HTML, is not read.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from importer.formats import Document
from importer.formats._shared.told import Context, Records, Unit, begin, parted, string
from importer.formats._shared.turns import key, moment, once
from importer.formats._shared.words import words

__all__ = [
    "DOCUMENT",
    "NAME",
    "Context",
    "begin",
    "feed",
    "recognises_document",
    "recognises_opening",
    "roots",
    "wanted",
]

NAME = "takeout"
DOCUMENT = Document()

VERB = "Prompted "
OTHER_DEEDS = ("Created ", "Used ", "Selected ", "Gave feedback", "Copied ", "Shared ", "Viewed ")
HEADERS = frozenset(
    ("Gemini Apps", "Gemini-Apps", "Apps de Gemini", "App Gemini", "Apps do Gemini", "Applications Gemini")
)
TITLE_CHARS = 80
_unseen = re.compile(r"<(script|style|head)\b[^<>]{0,2000}>.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_block = re.compile(
    r"</?(?:p|div|h[1-6]|ul|ol|table|tr|pre|blockquote|section|article|hr|figure)\b[^<>]{0,2000}>", re.IGNORECASE
)
_item = re.compile(r"<li\b[^<>]{0,2000}>", re.IGNORECASE)
_line = re.compile(r"<br\b[^<>]{0,2000}>|</(?:td|th)\s*>", re.IGNORECASE)
_tag = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>|<!--.{0,2000}?-->", re.DOTALL)
_blanks = re.compile(r"(?<![ \t])[ \t]*\n[ \t]*(?:\n[ \t]*)+")


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: an export lies wherever it was saved."""
    return ()


def wanted(relative: bytes) -> bool:
    """Return True for a list of activities, which each language calls so, or one in a folder of Gemini's."""
    folder, _, name = relative.lower().rpartition(b"/")
    return name.endswith(b".json") and (b"tivi" in name or b"gemini" in folder.rpartition(b"/")[2])


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for an activity."""
    return {"header", "title", "time"} <= set(keys)


def recognises_opening(head: bytes) -> bool:
    """Return True if the first activities are Gemini's."""
    return any(b'"%s"' % name.encode() in head for name in HEADERS)


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield a prompt, and the answers to it: there are several where it was answered anew."""
    (title, odd), at = words(record.get("title")), record.get("time")
    answers, strange = parted(record.get("safeHtmlItem") or [])
    strange += odd
    ours = string(record, "header") in HEADERS
    if not ours or not (answers or title.startswith(VERB)) or (title.startswith(OTHER_DEEDS) and not answers):
        yield Unit(unknown=strange + (not ours or not title.startswith(OTHER_DEEDS)))
        return
    prompt = title.removeprefix(VERB)
    yield Unit(database=NAME, conversation=f"gemini-{moment(at)[:10]}-{key(moment(at), prompt)[:12]}")
    yield Unit(title=prompt.strip().partition("\n")[0][:TITLE_CHARS])
    enclosed = record.get("attachedFiles")
    files = once([one for one in enclosed if isinstance(one, str)]) if isinstance(enclosed, list) else ()
    yield Unit(role="user", text=prompt, files=list(files), unknown=strange, at=at)
    for number, answer in enumerate(answers):
        text = plain_text(string(answer, "html"))
        yield Unit(role="assistant", text=text, unknown=not text and bool(answer), id=f"answer-{number}", at=at)


def plain_text(marked: str) -> str:
    """Return the words of a piece of HTML. What is no tag stays, so that `a < b` does."""
    for pattern, instead in ((_unseen, ""), (_block, "\n\n"), (_item, "\n- "), (_line, "\n"), (_tag, "")):
        marked = pattern.sub(instead, marked)
    return _blanks.sub("\n\n", html.unescape(marked)).strip()


feed = Records(_said).feed
