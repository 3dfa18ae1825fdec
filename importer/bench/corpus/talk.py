"""Plausible English and code of any length, from a seeded generator: prompts, answers, tool output."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from importer.bench.corpus import words

SLOT = re.compile(r"\b(NS|N|VS|VED|VING|V|A|D|T|F|C|P|X)\b")
Pattern = tuple[tuple[str, str], ...]  # (literal text, slot) pairs; the last slot is ""


def plural(noun: str) -> str:
    """Return the plural of a regular noun."""
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")


def past(verb: str) -> str:
    """Return the past of a regular verb; a dozen irregular ones come out wrong, which does no harm."""
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + ("d" if verb.endswith("e") else "ed")


def gerund(verb: str) -> str:
    """Return the -ing form of a verb."""
    return (verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb) + "ing"


def _compiled(patterns: str) -> tuple[Pattern, ...]:
    """Return lines of words and slots as patterns: splitting by a group gives text and slot in turns."""
    found = []
    for pattern in patterns.strip("\n").splitlines():
        parts = [*SLOT.split(pattern), ""]
        found.append(tuple(zip(parts[::2], parts[1::2], strict=True)))
    return tuple(found)


FORMS: dict[str, Sequence[str]] = {
    "N": words.NOUNS.split(),
    "NS": [plural(noun) for noun in words.NOUNS.split()],
    "V": words.VERBS.split(),
    "VS": [plural(verb) for verb in words.VERBS.split()],
    "VED": [past(verb) for verb in words.VERBS.split()],
    "VING": [gerund(verb) for verb in words.VERBS.split()],
    "A": words.ADJECTIVES.split(),
    "D": words.ADVERBS.split(),
    "T": words.TECH.split(),
}
ASKED, ANSWERED, CODED = _compiled(words.PROMPTS), _compiled(words.ANSWERS), _compiled(words.CODE)
SHORT = words.SHORT_PROMPTS.strip().replace("\n", "|").split("|")
IN_FOLDERS, WITH_ENDINGS = words.FOLDERS.split(), words.ENDINGS.split()


class Talk:
    """A speaker with favourite words: two of three words come from a topic of its own, the rest from all there are.

    Everything follows from `rng`, through `random()` alone, whose sequence is the same in every Python.
    """

    def __init__(self, rng: random.Random, *, topic_words: int = 12) -> None:
        self._random = rng.random
        self._topic = {slot: [self._any(forms) for _ in range(topic_words)] for slot, forms in FORMS.items()}
        self._made: dict[str, Callable[[], str]] = {
            "F": self.identifier, "C": self.class_name, "P": self.path, "X": self.number,
        }  # fmt: skip

    def _any(self, items: Sequence[str]) -> str:
        """Draw one of the items, the first ones more often."""
        return items[int(self._random() ** 1.6 * len(items))]

    def _word(self, slot: str) -> str:
        """Draw a word for a slot: made up, or in two of three cases of this talk's topic, so that talks differ."""
        made = self._made.get(slot)
        if made:
            return made()
        topic = self._topic[slot]
        return topic[int(self._random() * len(topic))] if self._random() < 0.67 else self._any(FORMS[slot])

    def _say(self, patterns: Sequence[Pattern]) -> str:
        """Return one of the patterns with its slots filled."""
        pattern = patterns[int(self._random() * len(patterns))]
        return "".join(text + self._word(slot) if slot else text for text, slot in pattern)

    def identifier(self) -> str:
        """Return a name such as parse_header or fetchRows."""
        verb, noun = self._word("V"), self._word("N")
        return f"{verb}_{noun}" if self._random() < 0.6 else verb + noun.capitalize()

    def class_name(self) -> str:
        """Return a name such as RetryQueue."""
        return self._word("N").capitalize() + self._word("N").capitalize()

    def path(self) -> str:
        """Return the path of a source file, relative to the project."""
        folder, ending = self._any(IN_FOLDERS), self._any(WITH_ENDINGS)
        return f"{folder}/{self._word('N')}/{self._word('V')}_{self._word('N')}.{ending}"

    def number(self) -> str:
        """Draw a number, small ones more often."""
        return str(int(10 ** (self._random() * 4)))

    def asked(self) -> str:
        """Return one sentence of a person."""
        return self._say(ASKED)

    def answered(self) -> str:
        """Return one sentence of an assistant."""
        return self._say(ANSWERED)

    def code(self, lines: int) -> str:
        """Return lines of code or console output."""
        return "\n".join(self._say(CODED) for _ in range(lines))

    def prompt(self, chars: int) -> str:
        """Return a prompt of about `chars`: a word, some sentences, or a question over a pasted log."""
        if chars < 24:
            return self._any(SHORT)
        text = self._sentences(self.asked, min(chars, 900))
        while len(text) < chars:
            text += "\n\n" + (self.code(20) if self._random() < 0.6 else self._sentences(self.asked, 600))
        return _cut(text, chars)

    def answer(self, chars: int, *, fence: bool = False) -> str:
        """Return an answer of about `chars`: sentences, paragraphs, lists, and code in a `fence`."""
        text = self._sentences(self.answered, min(chars, 400))
        while len(text) < chars:
            kind = self._random()
            if kind < 0.3:
                text += "".join(f"\n- {self.answered()}" for _ in range(4))
            else:
                text += "\n\n" + self._sentences(self.answered, 400)
        text = _cut(text, chars)
        return f"{text}\n\n```\n{self.code(3 + chars // 200)}\n```" if fence else text

    def output(self, chars: int) -> str:
        """Return tool output: code, logs, listings."""
        parts, length = [], 0
        while length < chars:
            parts.append(self.code(40))
            length += len(parts[-1]) + 1
        return "\n".join(parts)[:chars]

    def _sentences(self, one: Callable[[], str], chars: int) -> str:
        """Return sentences, at least one, until there are so many characters."""
        text = one()
        while len(text) < chars:
            text += (". " if text[-1].isalnum() else " ") + one()
        return text


def _cut(text: str, chars: int) -> str:
    """Return the text up to the last word that ends before `chars` plus a word's length."""
    if len(text) <= chars + 12:
        return text
    end = text.rfind(" ", 1, chars + 12)
    return text[:end] if end > 0 else text[:chars]
