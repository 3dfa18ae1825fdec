"""Pure: what is known of a whole conversation, as it changes, and how the metadata of its chunks tell it.

The last title wins, over one that a chunk had before. Project, folder and branch fill only what a chunk lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from importer.protocol.projects import last_part
from importer.protocol.records import ConversationFacts, SpokenCounts

FILLED = ("project", "cwd", "git_branch")
NOTHING = ConversationFacts("")


def merged(former: ConversationFacts, later: ConversationFacts) -> ConversationFacts:
    """Return what is known after the later record: its title where it has one, of the rest what was unknown."""
    rest = {name: getattr(former, name) or getattr(later, name) for name in FILLED}
    return replace(later, title=later.title or former.title, **rest)


def retitled(metadata: Mapping[str, Any], facts: ConversationFacts) -> Mapping[str, Any]:
    """Return metadata that tell these facts; the same object when they do so already."""
    news = {name: value for name in FILLED if (value := getattr(facts, name)) and not metadata.get(name)}
    if facts.title and metadata.get("title") != facts.title:
        news["title"] = facts.title
    if "project" in news:
        news["project_name"] = last_part(news["project"])
    return {**metadata, **news} if news else metadata


def counted(former: SpokenCounts, later: SpokenCounts) -> SpokenCounts:
    """Return both together: turns are added, times widened; the first opening stays, else the later wins."""
    times = [at for at in (former.first, former.last, later.first, later.last) if at]
    return SpokenCounts(
        later.conversation_id,
        former.turns + later.turns,
        min(times, default=""),
        max(times, default=""),
        later.project or former.project,
        later.title or former.title,
        former.opening or later.opening,
        former.prompts + later.prompts,
        former.lines + later.lines,
    )
