"""Take what was forgotten, and secrets, out of what a slice leaves behind: the state keeps no more than the store may.

The fold leaves forgotten chunks out, but it remembers the open text at a file's end, and a slice also tells titles and
shows the beginnings of bad lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from importer.chunking import fold
from importer.chunking.exchange import Origin, known
from importer.chunking.fold import Folding
from importer.chunking.redact import mask
from importer.protocol.conversations import NOTHING, merged, retitled
from importer.protocol.projects import last_part
from importer.protocol.records import ConversationFacts
from importer.reading.gather import SliceFold, nothing

SAID = frozenset(
    ("title", "queue", "paragraph", "asks", "branch", "git_branch")
)  # members that may hold one word alone
TITLES = frozenset(("title", "summaries"))  # members of contexts that hold titles
Told = Callable[[str, str], ConversationFacts]
Forgotten = Callable[[Mapping[str, Any]], bool]


def silence(gathered: SliceFold, told: Told) -> None:
    """Take forgotten texts out of a slice's state, facts and rejects, and chunks that only the facts told apart.

    `told` says what is known of a conversation besides.
    """
    source, path = gathered.source.NAME, gathered.path
    origin = Origin(source, gathered.reading.host)

    def forgotten(metadata: Mapping[str, Any]) -> bool:
        name = metadata.get("conversation_id", "")
        facts = merged(told(source, name), gathered.facts.get(name, NOTHING))
        return gathered.reading.forgotten(path, retitled(metadata, facts))

    if gathered.reading.redact:
        gathered.context = _rewritten(gathered.context, masked_titles)
    if gathered.reading.forgotten is nothing:
        return
    names = conversations(gathered.folding, forgotten, origin)
    if names and (last := gathered.folding.streams[-1:]) and last[0].conversation in names:
        gathered.context = _rewritten(gathered.context, without_texts)
    gathered.folding = fold.silenced(gathered.folding, forgotten, origin)
    gathered.chunks = [chunk for chunk in gathered.chunks if not forgotten(chunk.metadata)]
    gathered.facts = {
        name: one for name, one in gathered.facts.items() if not (name in names or forgotten(identity(one, source)))
    }
    gathered.leaves = {leaf: facts for leaf, facts in gathered.leaves.items() if facts.conversation_id not in names}
    if names or forgotten({}):
        gathered.rejects = [replace(reject, sample="") for reject in gathered.rejects]


def _rewritten(context: Any, change: Callable[[Any], Any]) -> Any:
    """Return a format's context with a change of its JSON; the same object when nothing changes."""
    before = msgspec.to_builtins(context)
    after = change(before)
    return context if after == before else msgspec.convert(after, type(context))


def masked_titles(value: Any, *, title: bool = False) -> Any:
    """Return JSON with its titles masked: a format remembers them as they stand in the file."""
    if isinstance(value, str):
        return mask(value) if title else value
    if isinstance(value, dict):
        return {name: masked_titles(one, title=title or name in TITLES) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(masked_titles(one, title=title) for one in value)
    return value


def conversations(folding: Folding, forgotten: Forgotten, origin: Origin) -> set[str]:
    """Return the conversations of the fold that are forgotten whenever something is said in them."""
    return {s.conversation for s in folding.streams if forgotten({**known(s, origin), "timestamp": ""})}


def identity(facts: ConversationFacts, source: str) -> dict[str, str]:
    """Return facts of a whole conversation as the metadata that rules ask for."""
    project = {"project": facts.project, "project_name": last_part(facts.project)} if facts.project else {}
    return {"source": source, "conversation_id": facts.conversation_id, **project}


def texts(value: Any) -> Iterator[str]:
    """Yield the strings of several words in JSON."""
    if isinstance(value, str):
        yield from (value,) if len(value.split()) > 1 else ()
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts(one)


def without_texts(value: Any, *, said: bool = False) -> Any:
    """Return JSON without what was `said` and strings of several words: formats remember ids, paths and few texts."""
    if isinstance(value, str):
        return "" if said or len(value.split()) > 1 else value
    if isinstance(value, list | tuple):
        return type(value)(without_texts(one, said=said) for one in value)
    if isinstance(value, dict):
        return {name: without_texts(one, said=said or name in SAID) for name, one in value.items()}
    return value
