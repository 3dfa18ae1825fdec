"""What is asked of the store, and what it finds: both as they travel from the command line to the worker and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from importer.protocol.foreign.quoting import line

ROLES = ("user", "assistant")
KINDS = ("exchange", "summary", "subagent", "plan", "artifact", "prompt")


@dataclass(frozen=True, slots=True)
class Query:
    """A search. `mode` is hybrid, dense or keyword; times are RFC 3339; empty means no filter.

    `project` is a text that chooses projects (see `protocol.projects`), `projects` are chosen ones. `file` is a whole
    path or the end of one, `without_kind` are kinds left out; other filters are equal to what a chunk carries.
    """

    text: str
    limit: int = 10
    mode: str = "hybrid"
    project: str = ""
    source: str = ""
    kind: str = ""
    conversation: str = ""
    since: str = ""
    until: str = ""
    projects: tuple[str, ...] = ()
    branch: str = ""
    file: str = ""
    tool: str = ""
    model: str = ""
    host: str = ""
    role: str = ""
    without_kind: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Make tuples of what travels as lists."""
        object.__setattr__(self, "projects", tuple(self.projects))
        object.__setattr__(self, "without_kind", tuple(self.without_kind))


def without_slash(project: str) -> str:
    """Return a project as the points have it, without the slash that tab completion adds; "/" is a folder too."""
    return project.rstrip("/") or project


def left_out(away: Mapping[str, str]) -> list[str]:
    """Return in words which of several stores were not among what was read, and why."""
    return [f"{location} is not among what was read: {line(why)}" for location, why in away.items()]


@dataclass(frozen=True, slots=True)
class Passage:
    """The part of a document that answers best, and `[start, end)` of the question's words in it, in characters."""

    text: str = ""
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One found point. `metadata` is what the chunk carried; `score` compares the chunks of one answer, nothing else.

    `reasons` are the parts that it was ranked by, as far as they count: `words` (exact and stems), `cosine`, `date` (0
    to 1), and `conversation`, by which the conversations of an answer are in order.
    """

    id: str
    score: float
    document: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    passage: Passage = Passage()
    reasons: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """An answer: the hits, best conversation first and its chunks together; `near` is strong, weak or nothing.

    The hits are there when `near` says nothing, too: the reader may leave them out.
    """

    near: str = "nothing"
    hits: tuple[Hit, ...] = ()
