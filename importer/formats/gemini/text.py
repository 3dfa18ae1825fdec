"""Find what a person typed in Gemini's texts of type user, without what the program put around it.

The contents of files named with @ stand behind the prompt, between two marks; hooks add a block at the end.
"""

from __future__ import annotations

import re

from importer.formats._shared import blocks

SETUP_START = "This is the Gemini CLI. We are setting up the context for our chat."
SUMMARY = "state_snapshot"
_WRITTEN = frozenset(("System: Please continue.", "Please continue."))

_files = re.compile(r"^[ \t]*--- Content from referenced files ---[ \t]*$", re.MULTILINE)
_files_end = re.compile(r"^[ \t]*--- End of content ---[ \t]*$", re.MULTILINE)
_editor = re.compile(
    r"\AHere is (?:the user's editor context|a summary of changes in the user's editor context)[^\n]*\n"
    r"(?:[^\n`]*\n)*?\s*```(?:json)?\n.*?\n```[ \t]*\n*",
    re.DOTALL,
)


_shell = re.compile(
    r"\AI ran the following shell command:\s*```(?:sh)?\n([^\n].*?)\n```\s*"
    r"This produced the following (?:result|output):\s*```",
    re.DOTALL,
)


def typed(text: str) -> str:
    """Return what a person typed of a text, "" for nothing; a command behind an exclamation mark without its output."""
    if not any(mark in text for mark in ("<", "---", "Here is ", "System: ", "This is the Gemini", "I ran the")):
        return text  # which is nearly all
    if ran := _shell.match(text):
        return f"!{ran[1].strip()}"
    if text.startswith(SETUP_START) or text.strip() in _WRITTEN or is_summary(text):
        return ""
    text = _editor.sub("", text, count=1)
    return blocks.without(_without_files(text), blocks.framing)


def is_summary(text: str) -> bool:
    """Return True if a text is the snapshot that stands for what was said before a compression."""
    text = text.strip()
    return blocks.named(text) == SUMMARY and blocks.closed_at(text) == len(text)


def _without_files(text: str) -> str:
    """Return a text without the contents of the files that it names; what stands behind their last mark is kept."""
    start = _files.search(text)
    if start is None:
        return text
    ends = [end.end() for end in _files_end.finditer(text, start.end())]
    behind = text[ends[-1] :].strip() if ends else ""
    return "\n\n".join([part for part in (text[: start.start()].strip(), behind) if part])
