"""Pure: answers as a model reads them: one entry a conversation, every text fenced, within a number of tokens.

An entry can be told in three lengths: its head alone, with the best passages, with the whole pieces they stand in. All
entries get a head as long as they fit; then, the best first, passages, then whole pieces. Tokens of blocks that are
parted by white space add up exactly, for no tokenizer of a text model joins across it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from importer.protocol.foreign.quoting import fenced, plain

Hit = Mapping[str, Any]
BEGUN = 240  # characters of a piece in which no passage answers
SHORT = 8  # letters of an id: enough for `open`
NOTHING = "Nothing close to the question was found in the past conversations. (With all: true the nearest are shown.)"
FAR = "Nothing close to the question was found. The nearest, which may be about something else:"


@dataclass(frozen=True, slots=True)
class Entry:
    """One conversation of an answer in its three lengths, and the same as values."""

    lengths: tuple[str, str, str]
    values: Mapping[str, Any]
    passages: tuple[tuple[str, ...], ...]


def entries(
    hits: Sequence[Hit], dated: Callable[[str], str], resume: Callable[[Mapping[str, Any]], str]
) -> list[Entry]:
    """Return the conversations of an answer, the best first."""
    grouped = groupby(hits, key=lambda hit: str(hit["metadata"].get("conversation_id") or hit["id"]))
    return [_entry(number, list(group), dated, resume) for number, (_, group) in enumerate(grouped, 1)]


def _entry(
    number: int, hits: list[Hit], dated: Callable[[str], str], resume: Callable[[Mapping[str, Any]], str]
) -> Entry:
    """Return one conversation: its best hit, and the newest of its others where that was said later."""
    best, known = hits[0], hits[0]["metadata"]
    later = max(hits[1:], key=_at, default=None)
    shown = [best, *([later] if later is not None and _at(later) > _at(best) else [])]
    conversation, at = str(known.get("conversation_id", "")), str(known.get("timestamp", ""))
    way = resume(known)
    told = [plain(str(known[name])) for name in ("title", "project", "source") if known.get(name)]
    head = f"{number}. {', '.join([*told, *filter(None, [dated(at)])])}\n" + (
        f"conversation {plain(conversation)}, id {plain(str(best['id'])[:SHORT])}"
        + (f", resume: {plain(way)}" if way else "")
    )
    few = tuple(_said(hit, str((hit.get("passage") or {}).get("text") or hit["document"][:BEGUN])) for hit in shown)
    whole = tuple(_said(hit, str(hit["document"])) for hit in shown)
    lengths = (head, _joined(head, few, shown, dated), _joined(head, whole, shown, dated))
    values = {
        **{name: str(known.get(name, "")) for name in ("title", "project", "source")},
        "conversation": conversation, "id": str(best["id"]), "at": at, "age": dated(at), "resume": way,
    }  # fmt: skip
    return Entry(lengths, values, ((), few, whole))


def _joined(head: str, texts: Sequence[str], hits: Sequence[Hit], dated: Callable[[str], str]) -> str:
    """Return a head with its fenced texts; a later one says when it was said."""
    later = [f"later, {dated(_at(hits[1]))}, id {plain(str(hits[1]['id'])[:SHORT])}:"] if len(hits) > 1 else []
    return "\n".join([head, fenced(texts[0]), *later, *(fenced(text) for text in texts[1:])])


def _at(hit: Hit) -> str:
    """Return when a hit was said, "" where it is not known."""
    return str(hit["metadata"].get("timestamp", ""))


def _said(hit: Hit, text: str) -> str:
    """Return a part of a hit's document with who says it, where the hit tells that."""
    known, at = hit["metadata"], str(hit["document"]).find(text)
    asked = known.get("asked_chars")
    if known.get("kind") == "subagent":
        return f"sub-agent: {text}"
    if not isinstance(asked, int) or at < 0:
        return text
    edge = min(max(asked - at, 0), len(text))
    parts = [("user: ", text[:edge].strip()), ("assistant: ", text[edge:].strip())]
    return "\n".join(f"{who}{part}" for who, part in parts if part)


def fitting(lengths: Sequence[Sequence[int]], room: int) -> list[int]:
    """Return which length each entry is told in, -1 for not at all; `lengths` are tokens, shortest first."""
    chosen = [-1] * len(lengths)
    for length in range(max(map(len, lengths), default=0)):
        for at, tokens in enumerate(lengths):
            former = tokens[chosen[at]] if chosen[at] >= 0 else 0
            if chosen[at] == length - 1 and tokens[length] - former <= room:
                chosen[at] = length
                room -= tokens[length] - former
    return chosen
