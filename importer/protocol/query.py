"""What is asked of the store, and what it finds: both as they travel from the command line to the worker and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("exchange", "summary", "subagent", "plan", "artifact")


@dataclass(frozen=True, slots=True)
class Query:
    """A search. `mode` is hybrid, dense or keyword; times are RFC 3339; empty means no filter.

    `project` is a text that chooses projects (see `protocol.projects`), `projects` are chosen ones.
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

    def __post_init__(self) -> None:
        """Make a tuple of what travels as a list."""
        object.__setattr__(self, "projects", tuple(self.projects))


def without_slash(project: str) -> str:
    """Return a project as the points have it, without the slash that tab completion adds; "/" is a folder too."""
    return project.rstrip("/") or project


@dataclass(frozen=True, slots=True)
class Hit:
    """One found point. `metadata` is what the chunk carried; `score` compares the hits of one answer, nothing else."""

    id: str
    score: float
    document: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
