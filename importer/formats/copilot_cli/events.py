"""The shape of a Copilot event, and what is remembered of a session between two of them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from importer.formats._shared.turns import clip

NAME_BYTES = 120  # encoded: it stands in the context, which is bounded
PATH_BYTES = 512


class Request(msgspec.Struct, gc=False, rename="camel"):
    """A tool the assistant asks for."""

    tool_call_id: str | None = None
    name: str | None = None
    arguments: Any = None


class Workspace(msgspec.Struct, gc=False):
    """The folder and branch that a session runs in."""

    cwd: str | None = None
    branch: str | None = None


class Details(msgspec.Struct, gc=False, rename="camel"):
    """The `data` of any event."""

    session_id: str | None = None
    context: Workspace | None = None
    content: Any = None
    transformed_content: Any = None
    source: Any = None
    model: str | None = None
    reasoning_text: Any = None
    tool_requests: list[Request] | None = None
    tool_call_id: str | None = None
    parent_tool_call_id: str | None = None
    result: Any = None
    error: Any = None
    success: Any = None
    title: Any = None
    name: Any = None
    summary: Any = None
    plan_content: Any = None


class Event(msgspec.Struct, gc=False):
    """An event, which is one line."""

    type: str = ""
    data: Details | None = None
    id: str | None = None
    timestamp: Any = None


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The session and where it runs; below 2 KB encoded.

    `own_calls` are the last calls to our own search, `asks` those that ask the person something.

    In the sheet beside the events (`sheet`) a name may go over several lines: `growing` is which, `title` the name so
    far, and `named` tells that a person gave it.
    """

    session: str = ""
    project: str = ""
    cwd: str = ""
    git_branch: str = ""
    own_calls: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    sheet: bool = False
    growing: str = ""
    title: str = ""
    named: bool = False


def moved(context: Context, details: Details) -> Context:
    """Return the context after an event of the session, which may say where it runs."""
    place = details.context or Workspace()
    cwd = clip(place.cwd or context.cwd, PATH_BYTES)
    return replace(
        context,
        session=clip(details.session_id or context.session, NAME_BYTES),
        project=context.project or cwd,  # the first folder: later ones are where it went
        cwd=cwd,
        git_branch=clip(place.branch or context.git_branch, NAME_BYTES),
    )
