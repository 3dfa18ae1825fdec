"""Find what a person typed in user lines of Claude Code, without what programs wrote into them.

About nine of ten `user` lines are tool results, and of the rest many carry reminders, editor context, command output or
notices. The marks are those seen in real transcripts of versions 1.0 to 2.1.
"""

from __future__ import annotations

import re

SUMMARY_START = "This session is being continued from a previous conversation"

# Injected beside or inside a real prompt: the span goes, the rest stays.
SPANS = (
    "system-reminder",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "uploaded_files",
    "user-prompt-submit-hook",
)

# A text that begins so was not typed, all of it.
NOT_TYPED = (
    "<local-command-caveat>",
    "Caveat: The messages below",
    "<local-command-stdout>",
    "<local-command-stderr>",
    "<bash-input>",
    "<bash-stdout>",
    "<bash-stderr>",
    "Base directory for this skill:",
    "<task-notification>",
    "<teammate-message",
    "<agent-message",
    "<user-memory-input>",
    "<session-start-hook>",
    "<tick>",
    "<goal>",
    "Stop hook feedback:",
    "Operation stopped by hook:",
)

COMMAND = ("<command-name>", "<command-message>", "<command-args>")
INTERRUPTED = "[Request interrupted by user"
# A person who refuses a tool call can say why; that reaches the transcript as the call's result only.
OBJECTION = "To tell you how to proceed, the user said:"
OBJECTION_END = "\n\nNote: The user's next message may contain"
CLARIFY = "The user wants to clarify these questions"
NO_CONTENT = "(no content)"  # what an empty answer is written as

# Arguments of these set something up; those of any other command are the person's request.
_SETTING_UP = """
    add-dir agents clear color compact config context cost doctor effort exit export fast help hooks ide init login
    logout mcp memory model output-style permissions plugin quit rename resume rewind status statusline tag theme
    upgrade usage vim
"""
SETTING_UP = frozenset(_SETTING_UP.split())

_typed_command = re.compile(r"/([a-z][\w:-]*)(?:\s+(.*))?\Z", re.DOTALL | re.IGNORECASE)


def typed_text(text: str) -> str:
    """Return what a person typed of this text, "" for nothing."""
    text = without_spans(text).strip()
    if text.startswith(INTERRUPTED):
        text = text.partition("]")[2].strip()  # the mark has variants within its brackets
    if text.startswith(COMMAND):
        return request(_between(text, "command-name").lstrip("/"), _between(text, "command-args"))
    return "" if text.startswith(NOT_TYPED) else text


def queued_text(text: str) -> str:
    """Return what a person typed of a text from the queue, where commands stand as typed and tasks as JSON.

    Unlike a user line, the queue has a command as it was typed (`/fix the build`), not in tags.
    """
    text = typed_text(text)
    if text.startswith('{"task_id"'):
        return ""
    command = _typed_command.match(text)
    return request(command[1], command[2] or "") if command else text


def objection_text(result: str) -> str:
    """Return what a person said when refusing a tool call, from the call's result; "" for nothing."""
    text = typed_text(result.partition(OBJECTION)[2].partition(OBJECTION_END)[0])
    return "" if text.startswith(CLARIFY) else text


def answer_text(text: str) -> str:
    """Return what the assistant said, without blanks around it and NULs in it; "" for a placeholder."""
    text = text.replace("\0", "").strip()
    return "" if text == NO_CONTENT else text


def request(command: str, arguments: str) -> str:
    """Return the request in a slash command: its arguments, unless it is a command that sets up the tool."""
    return "" if command.lower() in SETTING_UP else arguments.strip()


def is_summary(text: str) -> bool:
    """Return True if a user text is the summary that compaction wrote; old versions do not flag it."""
    return text.lstrip().startswith(SUMMARY_START)


def without_spans(text: str) -> str:
    """Return the text without injected spans and without NULs.

    Nothing is cut where no tag closes, which one search tells of most texts.
    """
    text = text.replace("\0", "")
    if "</" not in text:
        return text
    for tag in SPANS:
        if f"<{tag}>" in text:
            text = _without(text, f"<{tag}>", f"</{tag}>")
    return text


def _without(text: str, opening: str, closing: str) -> str:
    """Return the text without its closed spans; an opening without a closing stays.

    Each search goes on where the last one ended, so the time is linear in the text.
    """
    parts, at = [], 0
    while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start)) >= 0:
        parts.append(text[at:start])
        at = end + len(closing)
    return "".join([*parts, text[at:]])


def _between(text: str, tag: str) -> str:
    """Return what stands between a tag's opening and closing."""
    return text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0].strip()
