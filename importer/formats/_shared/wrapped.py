"""Find a person's words between the tags that programs put around them, and drop what they put beside them.

Tags count at the beginning of a text alone: people paste such tags, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

WRAPPERS = ("user_query", "USER_REQUEST", "user_input", "task", "feedback", "answer", "user_message", "user_command")
_DROPPED = """
    environment_details user_info system-reminder system_reminder ADDITIONAL_METADATA USER_SETTINGS_CHANGE mode_notice
    uploaded_files rules always_applied_workspace_rules project_layout attached_files open_and_recently_viewed_files
    git_status agent_transcripts agent_skills mcp_file_system user_rules additional_data timestamp
"""
DROPPED = tuple(_DROPPED.split())


def unwrapped(text: str, wrappers: Iterable[str] = WRAPPERS, dropped: Iterable[str] = DROPPED) -> str:
    """Return the words of a text that may begin with a wrapper, or with things to drop, perhaps several of each."""
    kept: list[str] = []
    rest = text.strip()
    while rest.startswith("<"):
        if (found := _block(rest, dropped)) is not None:
            rest = rest[found[1] :].lstrip()
        elif (found := _block(rest, wrappers)) is not None:
            kept.append(found[0].strip())
            rest = rest[found[1] :].lstrip()
        else:
            break
    return "\n\n".join(one for one in (*kept, rest) if one)


def of_person(content: Any) -> Any:
    """Return what a person said, without wrappers where it is a text; of any other shape as it is."""
    return unwrapped(content) if isinstance(content, str) else content


def has_wrapper(text: str, wrapper: str) -> bool:
    """Return True if a text has a wrapper's tag at the beginning of a line."""
    return bool(re.search(rf"^\s*<{wrapper}[\s>]", text, re.MULTILINE))


def _block(text: str, names: Iterable[str]) -> tuple[str, int] | None:
    """Return what stands between the first of these tags that a text begins with, and where that ends.

    A tag that is not closed holds all the rest.
    """
    for name in names:
        opening = re.match(rf"<{re.escape(name)}(?:\s[^<>]{{0,500}})?>", text)
        if opening is not None:
            end = text.find(f"</{name}>", opening.end())
            return (text[opening.end() :], len(text)) if end < 0 else (text[opening.end() : end], end + len(name) + 3)
    return None
