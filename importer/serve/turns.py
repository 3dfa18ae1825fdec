"""Pure: a conversation's turns as a model reads them: around the places that were found, as many as fit.

The turn of the hit gets up to half of the room, cut around what was said there; then what stands right behind and
before it, then the other places that speak of the question, then turn by turn farther away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from importer.assistants import registry
from importer.protocol import clock
from importer.protocol.foreign.quoting import fenced, plain
from importer.protocol.projects import last_part
from importer.protocol.units import counted
from importer.serve.fitting import CHARS_PER_TOKEN, AnswerPart, Draft, GrowthStep, windows
from importer.service.conversations.values import Opened, SaidTurn

NAMED = 60  # characters of a title where there is no room for all of it
OWN, NEXT, LAST, OTHER, FAR = 0.5, 0.25, 0.2, 0.2, 0.15  # of all room: the hit's turn, those beside it, others
PARTS = (1 / 8, 1 / 2, 2, CHARS_PER_TOKEN)  # characters of a turn's lengths, per token that the answer may have


class FoundTurn(NamedTuple):
    """What was found: the turn it stands in, and where in its text."""

    turn: int
    at: int = 0
    end: int = 0


class Wanted(NamedTuple):
    """What is to be read: around which places, the hit's first, of which turns, in how many tokens."""

    places: Sequence[FoundTurn]
    span: range
    most: int


def whole_turn(turn: SaidTurn, place: int, of: int, text: str = "") -> str:
    """Return one turn with its place, who said it and when; `text` is the part of it that is shown."""
    when = f", {clock.dated(turn.timestamp)}" if turn.timestamp else ""
    return f"[{place} of {of}] {plain(turn.role)}{when}\n{fenced(text or turn.text)}"


def placed(turns: Sequence[SaidTurn], turn: int, said: str) -> FoundTurn:
    """Return where in a turn something was said; at its beginning, where its words do not tell that."""
    text = turns[turn].text
    for part in (said, *(line for line in said.splitlines() if line.strip()), said[-40:]):
        if part.strip() and (at := text.find(part.strip())) >= 0:
            return FoundTurn(turn, at, at + len(part.strip()))
    return FoundTurn(turn)


def read(opened: Opened, wanted: Wanted, notes: Sequence[str] = ()) -> Draft:
    """Return the answer that shows a conversation; `notes` are said before it."""
    places, span, most = wanted
    here = places[0] if places else FoundTurn(max(0, opened.at))
    near = _candidates(opened.turns, here.turn, span, most)
    order = sorted({*near, *(one.turn + more for one in places for more in (0, 1) if one.turn + more < span.stop)})
    index = {turn: place for place, turn in enumerate(order, 1)}
    found = {one.turn: one for one in reversed(places)}
    more = [AnswerPart(("",), (None,))] if len(order) < len(span) else []  # never shown: it says that there is more
    parts = [_head(opened, notes)]
    parts += [
        _part(opened, found.get(turn, FoundTurn(turn)), most, _needs(turn, here.turn, found, index)) for turn in order
    ]
    parts += [*more, AnswerPart(("",), (None,))]

    def values(told: Sequence[Any]) -> dict[str, Any]:
        shown = [one for one in told[1:] if one]
        first = shown[0]["place"] if shown else here.turn + 1
        fixed = {"conversation": opened.conversation, **(told[0] or {}), "first": first, "of": len(opened.turns)}
        return {**fixed, "turns": shown}

    return Draft(parts, [*_steps(parts, index, here.turn, places), GrowthStep(len(parts) - 1, 0)], values)


def _candidates(turns: Sequence[SaidTurn], here: int, span: range, most: int) -> list[int]:
    """Return the turns that may fit, the nearest first: no more than there can be room for."""
    found, left = list[int](), CHARS_PER_TOKEN * most
    for turn in _nearest_first(here, span):
        found.append(turn)
        left -= len(turns[turn].text) if turn != here else 0
        if left < 0:
            break
    return found


def _nearest_first(here: int, span: range) -> Iterator[int]:
    """Yield the turns of a span, beginning at one, the one behind before the one in front of it."""
    for distance in range(max(here - span.start, span.stop - here) + 1):
        yield from (turn for turn in dict.fromkeys((here + distance, here - distance)) if turn in span)


def _head(opened: Opened, notes: Sequence[str]) -> AnswerPart:
    """Return what is told of a conversation before its turns."""
    way = registry.way_back(opened.source, opened.conversation, opened.cwd, opened.path).words
    name = opened.title or last_part(opened.project)
    short = ", ".join(plain(one[:NAMED]) for one in (name, opened.source) if one)
    full = ", ".join(plain(one) for one in (opened.title, opened.project, opened.source) if one)
    names = f"conversation {plain(opened.conversation)}, {counted(len(opened.turns), 'turn')}"
    resume = f", resume: {plain(way)}" if way else ""
    values: list[Mapping[str, Any]] = [
        {"title": name[:NAMED]},
        {"title": opened.title, "project": opened.project, "source": opened.source, "resume": way},
    ]
    texts = ("\n".join([*notes, short, names]), "\n".join([*notes, full, f"{names}{resume}"]))
    return AnswerPart(texts, tuple(values))


def _part(opened: Opened, place: FoundTurn, most: int, needs: int) -> AnswerPart:
    """Return one turn in its lengths, around the place in it."""
    turn, of = place.turn, len(opened.turns)
    one = opened.turns[turn]
    sizes = [max(40, int(part * most)) for part in PARTS]
    if place.end:  # of the hit's turn, every doubling: it gets what fits
        sizes = [max(40, int(most * 2**power / 16)) for power in range(8)]
    texts = windows(one.text, place.at, place.end, sizes)
    texts += texts[-1:] * (len(sizes) - len(texts))
    cut = (
        len(texts) if texts[-1] != one.text.strip() else next(at for at, text in enumerate(texts) if text == texts[-1])
    )
    shown = tuple(whole_turn(one, turn + 1, of, text) for text in texts)
    values = tuple({"place": turn + 1, "role": one.role, "at": one.timestamp, "text": text} for text in texts)
    return AnswerPart(shown, values, whole=cut, needs=needs)


def _needs(turn: int, here: int, found: Mapping[int, FoundTurn], index: Mapping[int, int]) -> int:
    """Return the part without which a turn is not shown, so that no gap stands between a place and its turns."""
    if turn == here or turn in found:
        return -1
    nearer = turn - 1 if turn > here or turn - 1 in found else turn + 1
    return index.get(nearer, -1)


def _steps(
    parts: Sequence[AnswerPart], index: Mapping[int, int], here: int, places: Sequence[FoundTurn]
) -> Iterator[GrowthStep]:
    """Yield in which order an answer grows."""

    def grown(turn: int, share: float) -> Iterator[GrowthStep]:
        part = index.get(turn, 0)
        yield from (GrowthStep(part, length, share) for length in range(len(parts[part].texts)) if part)

    yield GrowthStep(0, 0)
    yield from grown(here, OWN)
    yield from grown(here + 1, NEXT)
    yield from grown(here - 1, LAST)
    for one in places[1:]:
        yield from grown(one.turn, OTHER)
        yield from grown(one.turn + 1, FAR)
    yield GrowthStep(0, 1)
    turns = sorted(index, key=lambda turn: (abs(turn - here), -turn))
    for turn in turns:
        yield from grown(turn, FAR)
    for turn in turns:
        yield from grown(turn, 1.0)
