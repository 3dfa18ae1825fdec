"""Pure: what a search found, as a model reads it: one entry a conversation, every text fenced, in several lengths.

Of an answer of 900 tokens, the first conversations get their best passage before the others get a line; then come the
commands to resume, and whole pieces. Ten heads with paths and commands alone would take all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from importer.assistants import registry
from importer.protocol import clock
from importer.protocol.foreign.quoting import fenced, plain
from importer.protocol.projects import last_part
from importer.serve.fitting import AnswerPart, Draft, GrowthStep, windows

Hit = Mapping[str, Any]
BEGUN = 240  # characters of a piece in which no passage answers
SHORT = 8  # letters of an id: enough for `open`
NAMED = 60  # characters of a title or a name in a line
PASSAGE = (90, 180)  # characters of a passage where there is no room for all of it
FIRST = 5  # conversations that get a passage before the others get a line
NOTHING = (
    "Nothing close to the question was found in the past conversations. (With all: true the nearest are shown; with "
    "mode: dense, too, those that mean something like it in other words.)"
)
FAR = "Nothing close to the question was found. The nearest, which may be about something else:"
IDS, HEAD, SHORTEST, SHORTER, ALL_OF_IT, WITH_WAY, WHOLE = range(7)  # lengths of an entry
BESIDE = (200, 600)  # characters of a neighbouring piece where there is no room for all of it


def found(near: str, hits: Sequence[Hit], notes: Sequence[str], beside: Sequence[Hit], freshness: str) -> Draft:
    """Return a search's answer; `beside` are the pieces around the best hit, in their order, with that hit."""
    grouped = groupby(hits, key=lambda hit: str(hit["metadata"].get("conversation_id") or hit["id"]))
    several = len({hit["metadata"].get("host") for hit in hits}) > 1
    entries = [_entry(number, list(group), several) for number, (_, group) in enumerate(grouped, 1)]
    begin, end = len(notes), len(notes) + len(entries)
    around, nearest_first = _around(beside, str(hits[0]["id"]) if hits else "", end)
    parts = [
        *(AnswerPart((note,), (None,)) for note in notes),
        *entries,
        *around,
        AnswerPart((freshness,), (freshness,)),
    ]

    def values(told: Sequence[Any]) -> dict[str, Any]:
        pieces = [one for one in told[end:-1] if one]
        shown = [one for one in told[begin:end] if one]
        beside = {"around": pieces} if pieces else {}
        return {"near": near, "conversations": shown, **beside, "freshness": told[-1] or ""}

    return Draft(parts, _steps(begin, end, nearest_first, len(parts) - 1), values)


def _steps(begin: int, end: int, around: Sequence[int], last: int) -> list[GrowthStep]:
    """Return in which order an answer grows; its entries are the parts from `begin` to `end`."""
    ranks = range(begin, end)
    first, rest = ranks[:FIRST], ranks[FIRST:]
    passages = (SHORTEST, SHORTER, ALL_OF_IT)
    heads, passages = (IDS, HEAD), (SHORTEST, SHORTER, ALL_OF_IT)
    beside = [GrowthStep(place, length, 0.3) for length in (0, 1) for place in around[:2]]
    beside += [GrowthStep(place, length, 0.5) for place in around for length in range(len(BESIDE) + 1)]

    def grown(places: Sequence[int], lengths: Sequence[int]) -> list[GrowthStep]:
        return [GrowthStep(place, length) for place in places for length in lengths]

    return [
        *(GrowthStep(note, 0) for note in range(begin)),
        *grown(ranks[:1], (IDS, HEAD, SHORTEST)),
        GrowthStep(last, 0),
        *beside,
        *grown(first, heads),
        *grown(first, passages[:1]),
        *grown(rest, heads[:1]),
        *grown(first, passages),
        *grown(ranks[:1], (WITH_WAY,)),
        *grown(rest, heads),
        *grown(ranks[:3], (WITH_WAY,)),
        *grown(rest, passages),
        *grown(ranks, (WITH_WAY,)),
        *grown(ranks, (WHOLE,)),
    ]


def _entry(number: int, hits: list[Hit], several: bool) -> AnswerPart:
    """Return one conversation: its best hit, and the newest of its others where that was said later.

    Of `several` machines each is named.
    """
    best = hits[0]
    later = max(hits[1:], key=_at, default=None)
    shown = [best, *([later] if later is not None and _at(later) > _at(best) else [])]
    told = [_short(best, size) for size in PASSAGE]
    few = [_said(hit, _passage(hit)) for hit in shown]
    whole = [_said(hit, str(hit["document"])) for hit in shown]
    lengths: tuple[list[str], ...] = ([], [], told[:1], told[1:], few, few, whole)
    head = _head(shown, str(best["metadata"].get("host") or "") if several else "")
    texts = (_text(number, head, one, length) for length, one in enumerate(lengths))
    values = (_values(best, head, one, length) for length, one in enumerate(lengths))
    return AnswerPart(tuple(texts), tuple(values))


class EntryHead(NamedTuple):
    """What all lengths of an entry say: names and time, ids, how it is resumed, what stands before a later hit."""

    names: str
    ids: str
    age: str
    way: str
    later: str


def _head(hits: Sequence[Hit], where: str) -> EntryHead:
    """Return the head of an entry; `where` is the machine it was said on, "" for none to name."""
    best, known = hits[0], hits[0]["metadata"]
    named = [name[:NAMED] for name in (str(known.get("title") or ""), _project(known), str(known.get("source") or ""))]
    told, age = [plain(name) for name in named if name.strip()], clock.dated(_at(best))
    ids = f"conversation {plain(str(known.get('conversation_id', '')))}, id {plain(str(best['id'])[:SHORT])}"
    names = ", ".join([*told, *filter(None, [where and f"on {plain(where)}", age])])
    later = [f"later, {clock.dated(_at(hit))}, id {plain(str(hit['id'])[:SHORT])}:" for hit in hits[1:2]]
    return EntryHead(names, ids, age, resume(known), "".join(later))


def _text(number: int, head: EntryHead, texts: Sequence[str], length: int) -> str:
    """Return an entry as text: its head and its fenced texts; a later one says when it was said."""
    parts = [f"{number}. {head.names}\n{head.ids}" if length >= HEAD else f"{number}. {head.ids}"]
    parts[0] += f", resume: {plain(head.way)}" if head.way and length >= WITH_WAY else ""
    parts += [fenced(text) for text in texts[:1]]
    if len(texts) > 1:
        parts += [head.later, fenced(texts[1])]
    return "\n".join(parts)


def _values(hit: Hit, told: EntryHead, passages: Sequence[str], length: int) -> dict[str, Any]:
    """Return an entry as values; a path and a command, where there is room for them."""
    known = hit["metadata"]
    full = length >= WITH_WAY
    ids = {
        "conversation": str(known.get("conversation_id", "")),
        "id": str(hit["id"]) if full else str(hit["id"])[:SHORT],
    }
    name = str(known.get("title") or "")[:NAMED] or _project(known)[:NAMED]
    head = {"title": name, "age": told.age} if length >= HEAD else {}
    more = {"project": str(known.get("project", "")), "source": str(known.get("source", "")), "at": _at(hit)}
    way = {"resume": told.way}
    return {**ids, **head, **({**more, **way} if full else {}), "passages": list(passages)}


def _project(known: Mapping[str, Any]) -> str:
    """Return the name of a hit's project."""
    return str(known.get("project_name") or last_part(str(known.get("project") or "")))


def resume(known: Mapping[str, Any]) -> str:
    """Return what is typed to go on with the conversation of a hit."""
    conversation, folder = str(known.get("conversation_id", "")), known.get("cwd") or known.get("project") or ""
    return registry.way_back(str(known.get("source", "")), conversation, str(folder)).words


def _around(beside: Sequence[Hit], best: str, begin: int) -> tuple[list[AnswerPart], list[int]]:
    """Return the pieces around a hit, which begin at a place of the answer, and their places, the nearest first."""
    at = next((place for place, one in enumerate(beside) if one["id"] == best), -1)
    parts, distances = list[AnswerPart](), list[int]()
    for place, one in enumerate(beside):
        if place == at:
            continue
        distance = place - at if at >= 0 else place + 1
        text = str(one["document"])
        shown = windows(text, 0, 0, (*BESIDE, len(text)))
        shown += shown[-1:] * (len(BESIDE) + 1 - len(shown))
        own = begin + len(parts)
        needs = -1 if abs(distance) == 1 else own + (1 if distance < 0 else -1)
        label = "Before hit 1" if distance < 0 else "After hit 1"
        texts = tuple(f"{label}:\n{fenced(part)}" for part in shown)
        parts.append(AnswerPart(texts, tuple(shown), whole=len(BESIDE), needs=needs))
        distances.append(abs(distance))
    return parts, sorted(range(begin, begin + len(parts)), key=lambda place: distances[place - begin])


def _at(hit: Hit) -> str:
    """Return when a hit was said, "" where it is not known."""
    return str(hit["metadata"].get("timestamp", ""))


def _passage(hit: Hit) -> str:
    """Return the passage of a hit, or how its piece begins."""
    return str((hit.get("passage") or {}).get("text") or hit["document"][:BEGUN])


def _short(hit: Hit, size: int) -> str:
    """Return a few words of a hit's passage around those that match, with who says them."""
    text, marks = _passage(hit), (hit.get("passage") or {}).get("marks") or [(0, 0)]
    shown = windows(text, int(marks[0][0]), int(marks[-1][1]), (size,))[0]
    place = str(hit["document"]).find(text) + int(marks[0][0])
    return f"{who}: {shown}" if (who := _speaker(hit, place)) else shown


def _speaker(hit: Hit, place: int) -> str:
    """Return who says the character at a place of a hit's document, "" where the hit does not tell that."""
    asked = hit["metadata"].get("asked_chars")
    if hit["metadata"].get("kind") == "subagent":
        return "sub-agent"
    return ("user" if place < asked else "assistant") if isinstance(asked, int) and place >= 0 else ""


def _said(hit: Hit, text: str) -> str:
    """Return a part of a hit's document with who says it, where the hit tells that."""
    at, asked = str(hit["document"]).find(text), hit["metadata"].get("asked_chars")
    if _speaker(hit, at) in ("", "sub-agent") or at < 0:
        return f"sub-agent: {text}" if _speaker(hit, at) else text
    edge = min(max(int(asked) - at, 0), len(text))
    parts = [("user: ", text[:edge].strip()), ("assistant: ", text[edge:].strip())]
    return "\n".join(f"{who}{part}" for who, part in parts if part)
