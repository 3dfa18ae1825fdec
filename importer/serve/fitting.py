"""Pure: an answer is made of parts, each in several lengths; which length of each fits into a number of tokens?

    Part: "" ─► a line ─► a passage ─► the whole piece         steps say in which order the parts grow

An answer is told twice, as text and as values, and clients hand a model either: each is fitted by itself. Tokens of two
blocks add up exactly for most tokenizers, not for all, so what was put together is counted in the end.

What is counted is sent to a worker and costs its time, and all lengths of all parts are ten answers. So the lengths are
guessed by their characters first, and the answer alone is counted; only where that does not do, each length is.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

LEAST_TOKENS = 120  # of an answer: less has no room for an id and what to do with it
MORE = "(more was left out: ask for less, or for more max_tokens)"
BETWEEN_VALUES = ", "  # a value in a list costs this beside itself
CHARS_PER_TOKEN = 8  # a token of a text model has fewer: so many characters are enough to look at
GUESSED_CHARS = 3.0  # of a token, before any was counted: ids and code have as few
GUESSES = 3  # each costs a question; one in two answers needs a second
NEAR = 0.9  # of the most: what takes as many tokens has enough of them
CAUTION = 0.98  # of the characters that a token had in the guess before
NO_ROOM = 1 << 40
Counter = Callable[[Sequence[str]], Awaitable[list[int]]]
Told = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """One part of an answer in its lengths, the shortest first: as text ("" for none) and as a value (None for none).

    It stands only where the part `needs` does; told shorter than `whole`, something was left out.
    """

    texts: tuple[str, ...]
    values: tuple[Any, ...]
    whole: int = 0
    needs: int = -1


class GrowthStep(NamedTuple):
    """One part grows to one of its lengths, if it then takes at most this share of all room."""

    part: int
    length: int
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before it is fitted: its parts in the order of the text, and the steps in the order of their worth.

    `values` makes the answer's values of those of its parts, None for a part that is left out.
    """

    parts: Sequence[AnswerPart]
    steps: Sequence[GrowthStep]
    values: Callable[[Sequence[Any]], dict[str, Any]]
    joint: str = "\n\n"

    async def answer(self, most: int, count: Counter) -> Told:
        """Return the answer as text and as values, each of at most so many tokens."""
        made = await self._guessed(most, count)
        return made if made is not None else await self._measured(most, count)

    async def _guessed(self, most: int, count: Counter) -> Told | None:
        """Return the answer chosen by its characters, where that comes near to the most; its tokens are counted."""
        sides = (
            _Side([part.texts for part in self.parts], len(self.joint + MORE)),
            _Side(self._told(), len(self._empty())),
        )
        for _ in range(GUESSES):
            open_sides = [side for side in sides if not side.is_settled]
            for side in open_sides:
                side.choose(self, most)
            text, values = self._text(sides[0].chosen), self._values(sides[1].chosen)
            told = [one for one, side in zip((text, as_json(values)), sides, strict=True) if side in open_sides]
            for side, one, tokens in zip(open_sides, told, await count(told), strict=True):
                side.settle(len(one), tokens, most)
            if all(side.is_settled for side in sides):
                return text, values
        return None

    async def _measured(self, most: int, count: Counter) -> Told:
        """Return the answer chosen by the tokens of each length of its parts."""
        texts, told, empty = [part.texts for part in self.parts], self._told(), self._empty()
        likely = self._likely(texts, most), self._likely(told, most)
        needed = {one: None for lengths in (*likely[0], *likely[1]) for one in lengths}
        (more, frame, *counts) = await count([f"{self.joint}{MORE}", empty, *needed])
        costs = dict(zip(needed, counts, strict=True))
        as_text, as_values = self._costs(texts, likely[0], costs), self._costs(told, likely[1], costs)
        text_room, value_room = most - more, most - frame
        while True:
            chosen, valued = fitting(as_text, self, text_room), fitting(as_values, self, value_room)
            text, values = self._text(chosen), self._values(valued)
            over = [tokens - most for tokens in await count([text, as_json(values)])]
            if max(over) <= 0 or max(text_room, value_room) <= 0:
                return text, values
            text_room, value_room = text_room - max(0, over[0]), value_room - max(0, over[1])

    def _told(self) -> list[tuple[str, ...]]:
        """Return the values of each part as they stand in a list of values."""
        return [tuple(_told(value) for value in part.values) for part in self.parts]

    def _empty(self) -> str:
        """Return the values of an answer without any part."""
        return as_json(self._values([-1] * len(self.parts)))

    def _likely(self, texts: Sequence[Sequence[str]], most: int) -> list[Sequence[str]]:
        """Return the lengths of each part that there may be room for: what is longer need not be counted."""
        least = [[len(text) // CHARS_PER_TOKEN for text in lengths] for lengths in texts]
        chosen = fitting(least, self, most)
        return [lengths[: length + 1] for lengths, length in zip(texts, chosen, strict=True)]

    def _costs(
        self, texts: Sequence[Sequence[str]], likely: Sequence[Sequence[str]], counted: Mapping[str, int]
    ) -> list[list[int]]:
        """Return the tokens of each part's lengths; those that were not counted take more than any room."""
        return [
            [*(counted[one] for one in some), *[NO_ROOM] * (len(lengths) - len(some))]
            for lengths, some in zip(texts, likely, strict=True)
        ]

    def _text(self, chosen: Sequence[int]) -> str:
        """Return the text of the chosen lengths; the last part, which tells of all, stands behind what was left out."""
        told = [part.texts[length] if length >= 0 else "" for part, length in zip(self.parts, chosen, strict=True)]
        left = [MORE] if self._is_cut(chosen) else []
        return self.joint.join(filter(None, [*told[:-1], *left, *told[-1:]]))

    def _values(self, chosen: Sequence[int]) -> dict[str, Any]:
        """Return the values of the chosen lengths."""
        told = [part.values[length] if length >= 0 else None for part, length in zip(self.parts, chosen, strict=True)]
        return {**self.values(told), **({"more": True} if self._is_cut(chosen) else {})}

    def _is_cut(self, chosen: Sequence[int]) -> bool:
        """Return True if something was left out."""
        return any(length < part.whole for part, length in zip(self.parts, chosen, strict=True))


class _Side:
    """One of the two ways an answer is told in, while its lengths are guessed; `chosen` are those of its parts."""

    def __init__(self, texts: Sequence[Sequence[str]], frame_chars: int) -> None:
        self.chosen: Sequence[int] = [-1] * len(texts)
        self.is_settled = False
        self._sizes = [[len(text) for text in lengths] for lengths in texts]
        self._frame_chars, self._rate = frame_chars, GUESSED_CHARS

    def choose(self, draft: Draft, most: int) -> None:
        """Choose the lengths that fit if a token has so many characters as it had until now."""
        room = int(most * self._rate) - self._frame_chars
        sizes = [[size + len(draft.joint) for size in lengths] for lengths in self._sizes]
        self.chosen = fitting(sizes, draft, room)

    def settle(self, chars: int, tokens: int, most: int) -> None:
        """Take in what the choice comes to: it stands, or is to be made again."""
        whole = all(length == len(sizes) - 1 for length, sizes in zip(self.chosen, self._sizes, strict=True))
        self.is_settled = tokens <= most and (whole or tokens >= NEAR * most)
        self._rate = CAUTION * chars / max(1, tokens)


def fitting(costs: Sequence[Sequence[int]], draft: Draft, room: int) -> list[int]:
    """Return which length each part is told in, -1 for not at all; `costs` are the tokens of each length."""
    chosen, left = [-1] * len(costs), room
    for part, length, share in draft.steps:
        needs, tokens = draft.parts[part].needs, costs[part][length]
        former = costs[part][chosen[part]] if chosen[part] >= 0 else 0
        stands = needs < 0 or chosen[needs] >= 0
        if stands and length > chosen[part] and tokens <= share * room and tokens - former <= left:
            chosen[part] = length
            left -= tokens - former
    return chosen


def as_json(values: Any) -> str:
    """Return values as a client hands them to a model."""
    return json.dumps(values, ensure_ascii=False)


def _told(value: Any) -> str:
    """Return a value as it stands in a list of values."""
    return "" if value is None else as_json(value) + BETWEEN_VALUES


def windows(text: str, at: int, end: int, sizes: Sequence[int]) -> list[str]:
    """Return the stretches of a text around `[at, end)` of these numbers of characters, the shortest first.

    The whole text is the last of them, where it is short enough for the largest; a mark shows where one was cut.
    """
    found: list[str] = []
    for size in sizes:
        first = max(0, min(at - max(0, size - (end - at)) // 3, len(text) - size))
        last = min(len(text), first + size)
        shown = f"{'… ' if first else ''}{text[first:last].strip()}{' …' if last < len(text) else ''}"
        if not found or shown != found[-1]:
            found.append(shown)
        if last - first == len(text):
            break
    return found
