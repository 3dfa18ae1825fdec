"""Find what a question's filters mean of what is stored: the beginning of an id, and values that nothing has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from importer.errors import ImporterError, UsageError
from importer.protocol.foreign import values
from importer.protocol.query import Query
from importer.worker.stores import Scope, Store
from importer.worker.stores.filters import MATCHED, READ

MOST_CONVERSATIONS = 1_000_000  # whose ids are looked through
MOST_VALUES = 1000
CHOSEN = ("source", "host", "branch", "tool", "model", "kind", "role")  # filters that are whole values


def beginning(store: Store, prefix: str) -> list[str]:
    """Return the conversations whose ids begin so, sorted."""
    names = {name for key in MATCHED["conversation"] for name in store.facet(key, MOST_CONVERSATIONS)}
    return sorted(name for name in names if name.startswith(prefix))


def conversation(store: Store, word: str) -> str:
    """Return the conversation that an id or the beginning of one names, "" for "". Raises UsageError for no other."""
    if not word or store.scroll(limit=1, scope=Scope(conversation=word)).points:
        return word
    found = beginning(store, word)
    if len(found) > 1:
        raise values.begins_several(word, found)
    if not found:
        hint = "`importer list` shows ids; their first letters are enough"
        raise UsageError(f"nothing is stored of a conversation {word!r}", hint=hint)
    return found[0]


def unknown(store: Store, asked: Query | Scope) -> str:
    """Return which filter has a value that no point has, so that nothing can be found; "" for none."""
    for name, key, value in _given(asked):
        counts: dict[str, int] = {}
        with suppress(ImporterError):  # a server that keeps no index of it
            counts = store.facet(key, MOST_VALUES)
        if counts and value not in counts:
            return values.unknown(name, value, counts)
    return ""


def _given(asked: Query | Scope) -> Iterator[tuple[str, str, str]]:
    """Yield the filters that were given: name, key of the metadata, value."""
    keys = {**MATCHED, **READ}
    for name in CHOSEN:
        if value := getattr(asked, name):
            yield name, keys[name][0], value
