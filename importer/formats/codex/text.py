"""Find what a person typed in Codex's texts of role user, without what Codex and its editors put there.

An event has the prompt as it was typed, behind the context of an editor at most. An item may be any block that Codex
adds: new kinds come with each version, and nearly all are one closed element from beginning to end.
"""

from __future__ import annotations

import re

from importer.formats._shared import blocks

# The former rule: a text that begins so was left out. It still tells which texts the chain of keys has counted.
FORMER = (
    "# AGENTS.md instructions for",
    "<environment_context>",
    "<user_instructions>",
    "<INSTRUCTIONS>",
    "<turn_aborted>",
    "<skill>",
    "<permissions instructions>",
    "<subagent_notification>",
    "<image",
    "</image>",
)
_ELEMENTS = """
    environment_context user_instructions INSTRUCTIONS turn_aborted skill permissions subagent_notification
    user_shell_command recommended_plugins hook_prompt model_switch skills_instructions collaboration_mode
    personality_spec apps_instructions plugins_instructions user_action codex_internal_context in-app-browser-context
    codex_delegation multi_agent_mode image
"""
ELEMENTS = frozenset(_ELEMENTS.split())
SUMMARY_START = "Another language model started to solve this problem and produced a summary of its thinking process"
WARNINGS = ("Warning: apply_patch was requested via", "Warning: The maximum number of unified exec processes")

_agents_md = re.compile(r"# AGENTS\.md instructions[^\n]*\n\s*(?=<INSTRUCTIONS>)")
_agents_md_bare = re.compile(r"# AGENTS\.md instructions for (?:\S+\s*\n|\S+\s*\Z)")
_frame = re.compile(r"<image(?: [^<>]*)?>\Z|</image>\Z")
# What an editor tells stands below a heading; the last heading of all is that of the request.
_editor = re.compile(
    r"# (?:Context from my IDE setup|Files mentioned by the user|In app browser|Selected text|Review findings)\b"
)
_request = re.compile(r"^## My request(?: for Codex)?:[ \t]*\n?", re.MULTILINE)
# Codex breaks the line behind the opening of its blocks, so one that is cut off is told from a tag in a sentence.
_cut_off = re.compile(
    r"<(?:environment_context|user_instructions|INSTRUCTIONS|turn_aborted|skill|subagent_notification)>\s*\n"
)
_plan = re.compile(r"^<(/?)proposed_plan>(?:(?<=/proposed_plan>)|[ \t]*\n)", re.MULTILINE)


def typed(text: str) -> str:
    """Return what a person typed of a text, "" for nothing: known blocks around a prompt go, the prompt stays."""
    text = text.strip()
    if header := _agents_md.match(text):
        text = text[header.end() :]
    text = blocks.without_first(text, ELEMENTS.__contains__)
    if _editor.match(text):
        text = _requested(text)
    dropped = text.startswith(WARNINGS) or _agents_md_bare.match(text) or _cut_off.match(text) or _frame.match(text)
    return "" if dropped or is_summary(text) else text


def typed_block(text: str) -> str:
    """Return what a person typed of one block of an item, where a closed element of any name is Codex's own."""
    text = typed(text)
    return "" if blocks.is_element(text) else text


def plans(text: str) -> list[str]:
    """Return the plans that an answer proposes, each in a block of its own."""
    plans, begun = list[str](), -1
    for tag in _plan.finditer(text) if "<proposed_plan>" in text else ():
        if tag[1] and begun >= 0:
            plans.append(text[begun : tag.start()].strip())
            begun = -1
        elif not tag[1] and begun < 0:
            begun = tag.end()
    return [plan for plan in plans if plan]


def is_summary(text: str) -> bool:
    """Return True if a text hands a compacted thread over to the next model."""
    return text.lstrip().startswith(SUMMARY_START)


def formerly_typed(text: str) -> str:
    """Return the text as the former rule took it: whole, or not at all."""
    return "" if text.lstrip().startswith(FORMER) else text.strip()


def _requested(text: str) -> str:
    """Return the request behind an editor's context; without a heading for it, the text is the person's own."""
    headings = list(_request.finditer(text))
    return text[headings[-1].end() :].strip() if headings else text
