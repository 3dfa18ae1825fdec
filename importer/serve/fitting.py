"""Pure: an answer is made of parts, each in several lengths; which length of each fits into a number of tokens?

    Part: "" ─► a line ─► a passage ─► the whole piece         steps say in which order the parts grow

An answer is told twice, as text and as values, and clients hand a model either: each is fitted by itself. Tokens of two
blocks add up exactly for most tokenizers, not for all, so what was put together is counted once more (`Draft.answer`).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

LEAST_TOKENS = 120  # of an answer: less has no room for an id and what to do with it
MORE = "(more was left out: ask for less, or for more max_tokens)"
BETWEEN_VALUES = ", "  # a value in a list costs this beside itself
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
        texts = [text for part in self.parts for text in part.texts]
        told = [_told(value) for part in self.parts for value in part.values]
        empty = self._values([-1] * len(self.parts))
        (more, frame, *counts) = await count([f"{self.joint}{MORE}", as_json(empty), *texts, *told])
        as_text, as_values = self._costs(counts[: len(texts)]), self._costs(counts[len(texts) :])
        text_room, value_room = most - more, most - frame
        while True:
            chosen = fitting(as_text, self, text_room)
            text, values = self._text(chosen), self._values(fitting(as_values, self, value_room))
            over = [tokens - most for tokens in await count([text, as_json(values)])]
            if max(over) <= 0 or max(text_room, value_room) <= 0:
                return text, values
            text_room, value_room = text_room - max(0, over[0]), value_room - max(0, over[1])

    def _costs(self, counts: Sequence[int]) -> list[list[int]]:
        """Return counts part by part."""
        each = iter(counts)
        return [[next(each) for _ in part.texts] for part in self.parts]

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
