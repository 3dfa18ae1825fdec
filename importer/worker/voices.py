"""Pure: what a point tells of itself when several conversations, forks of one another, say the same.

It names one of them as `conversation_id`, and all its metadata are that one's. `conversations` names all, where they
are several, the first MOST_CONVERSATIONS that came. While a point is open it keeps beside its holders the metadata that
it would have of each of the others: the one that it names may let go of it. Once closed, it names the conversation that
closed it, and those that say it only grow in number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from importer.protocol.records import Chunk, held_by
from importer.worker.stores import Ownership

CONVERSATION, CONVERSATIONS = "conversation_id", "conversations"  # of the metadata
OF_CONVERSATION = (CONVERSATION, "title", "project", "project_name", "cwd", "git_branch")
MOST_CONVERSATIONS = 64  # named by one point
Metadata = Mapping[str, Any]


def conversations(metadata: Metadata) -> tuple[str, ...]:
    """Return all conversations that a point's metadata name, sorted."""
    several = metadata.get(CONVERSATIONS)
    named = [metadata.get(CONVERSATION), *(several if isinstance(several, list | tuple) else ())]
    return tuple(sorted({name for name in named if isinstance(name, str) and name}))


def told_by(known: Metadata, conversation: str, own: Metadata) -> Metadata:
    """Return a point's metadata as one of its conversations tells them, given what that one's `own` points tell.

    They stay as they are where the point is of no such conversation, or nothing is known of it.
    """
    if not own or known.get(CONVERSATION) == conversation or conversation not in conversations(known):
        return known
    rest = {name: value for name, value in known.items() if name not in OF_CONVERSATION}
    return {**rest, **{name: own[name] for name in OF_CONVERSATION if name in own}}


def arrive(stands: Ownership, chunk: Chunk) -> Ownership:
    """Return how an existing point stands after a chunk arrived: closed once, it stays closed."""
    own = stands.metadata or {}
    names = (*conversations(own), *conversations(chunk.metadata))
    if not stands.holders:
        return stands._replace(metadata=naming(own, names))
    if not chunk.holder:
        return Ownership((), naming(chunk.metadata, names))
    holders = tuple(sorted({*stands.holders, chunk.holder}))
    others = dict(stands.voices)
    spoken = held_by(chunk.holder)
    if spoken and spoken != own.get(CONVERSATION):
        others.setdefault(spoken, chunk.metadata)
    return Ownership(holders, naming(own, names), others)


def leave(stands: Ownership, holder: str) -> Ownership:
    """Return how an open point stands after a holder let go of it: it speaks for one of those that are left."""
    holders = tuple(one for one in stands.holders if one != holder)
    left = tuple(dict.fromkeys(map(held_by, holders)))
    own, others = stands.metadata or {}, dict(stands.voices)
    if "" in left:  # a holder of which no conversation is known: the point goes on as it is
        return Ownership(holders, stands.metadata, others)
    named = own.get(CONVERSATION)
    if left and named not in left:
        # Older points keep no voices: they know the name alone.
        own = others.get(left[0]) or {**own, CONVERSATION: left[0]}
    kept = {name: voice for name, voice in others.items() if name in left and name != own.get(CONVERSATION)}
    return Ownership(holders, naming(own, left), kept)


def naming(metadata: Metadata, names: Iterable[str]) -> Metadata:
    """Return metadata that name these conversations: the same object where they do so already."""
    wanted = tuple(sorted({*names}))
    if wanted == conversations(metadata) or len(wanted) > MOST_CONVERSATIONS:
        return metadata
    bare = {name: value for name, value in metadata.items() if name != CONVERSATIONS}
    return {**bare, CONVERSATIONS: list(wanted)} if len(wanted) > 1 else bare
