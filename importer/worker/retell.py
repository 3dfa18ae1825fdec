"""Tell what is stored of a conversation what is known of it now: payloads change, nothing is embedded."""

from __future__ import annotations

from importer.protocol.conversations import retitled
from importer.protocol.records import ConversationFacts
from importer.worker.stores import Ownership, Point, Scope, Store
from importer.worker.stores.schema import metadata, standing_of
from importer.worker.voices import CONVERSATION

PAGE_POINTS = 256


def retell(store: Store, source: str, facts: ConversationFacts) -> int:
    """Update the points of a conversation that tell other facts; return how many. Raises what the store raises."""
    scope = Scope(source=source, conversation=facts.conversation_id)
    after: str | None = None
    told = 0
    while True:
        page = store.scroll(after, PAGE_POINTS, scope=scope)
        changed = {point.id: now for point in page.points if (now := _told(point, facts)) is not None}
        if changed:
            store.write((), changed, ())
        told += len(changed)
        after = page.next
        if after is None:
            return told


def _told(point: Point, facts: ConversationFacts) -> Ownership | None:
    """Return how a point stands that is to tell these facts; None for one that does so already.

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
    return None if now == stands else now
