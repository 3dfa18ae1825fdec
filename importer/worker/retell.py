"""Tell what is stored of a conversation what is known of it now: payloads change, nothing is embedded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from importer.protocol.conversations import retitled
from importer.protocol.projects import last_part
from importer.protocol.records import Chunk, ConversationFacts
from importer.worker.plan import unsure_points
from importer.worker.stores import Ownership, Point, Scope, Store
from importer.worker.stores.schema import metadata, standing_of
from importer.worker.voices import CONVERSATION, conversations, naming

PAGE_POINTS = 256
MOST_LOOKED_AT = 32  # points of a conversation, for one that tells of it


def retell(store: Store, source: str, facts: ConversationFacts) -> int:
    """Update the points of a conversation that tell other facts; return how many. Raises what the store raises.

    Those that may tell them on one replica only are written again: a write that failed half is tried until it is done.
    """
    scope = Scope(source=source, conversation=facts.conversation_id)
    after: str | None = None
    told = 0
    while True:
        page = store.scroll(after, PAGE_POINTS, scope=scope)
        unsure = unsure_points(store, [point.id for point in page.points])
        changed = {point.id: now for point in page.points if (now := _told(point, facts, unsure)) is not None}
        if changed:
            store.write((), changed, ())
        told += len(changed)
        after = page.next
        if after is None:
            return told


def own_facts(store: Store, conversation: str) -> Mapping[str, Any]:
    """Return metadata of a point that names the conversation, or what an open one would tell of it; {} without any."""
    for scope in (Scope(names=conversation), Scope(conversation=conversation)):
        for point in store.scroll(None, MOST_LOOKED_AT, scope=scope).points:
            stands = standing_of(point.payload)
            if scope.names or conversation in stands.voices:
                return metadata(point.payload) if scope.names else stands.voices[conversation]
    return {}


def renewed(payload: Mapping[str, Any], chunk: Chunk) -> Ownership:
    """Return how a stored point stands that is to tell what its chunk tells; it names all conversations it named."""
    stands = standing_of(payload)
    names = (*conversations(metadata(payload)), *conversations(chunk.metadata))
    holders = tuple(sorted({*stands.holders, chunk.holder})) if chunk.holder and stands.holders else ()
    return Ownership(holders, naming(chunk.metadata, names), stands.voices if holders else {})


def moved(point: Point, project: str, to: str) -> Ownership:
    """Return how a point stands that is of another project from now on, as far as it told of the former one."""
    stands = standing_of(point.payload)
    voices = {name: _in_project(voice, project, to) for name, voice in stands.voices.items()}
    return stands._replace(metadata=_in_project(metadata(point.payload), project, to), voices=voices)


def _in_project(known: Mapping[str, Any], project: str, to: str) -> Mapping[str, Any]:
    """Return metadata of the project `to` in place of `project`; of any other project they stay as they are."""
    return {**known, "project": to, "project_name": last_part(to)} if known.get("project") == project else known


def _told(point: Point, facts: ConversationFacts, unsure: Collection[str]) -> Ownership | None:
    """Return how a point stands that is to tell these facts; None for one that does so already on every replica.

    Of a point that names another conversation, only what it would tell of this one changes.
    """
    stands, name = standing_of(point.payload), facts.conversation_id
    known = metadata(point.payload)
    if known.get(CONVERSATION) == name:
        now = stands._replace(metadata=retitled(known, facts))
    elif name in stands.voices:
        now = stands._replace(voices={**stands.voices, name: retitled(stands.voices[name], facts)})
    else:
        return None
    return None if now == stands and point.id not in unsure else now
