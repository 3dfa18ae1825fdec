"""The project's own questions: conversations made up from a seed, and questions of seven kinds for them.

Five are how people ask (an identifier, an error message, a paraphrase, a decision, a vague recollection of a project
and a time); their conversations share words and matters with others, so that no single word gives them away. Two are
known items, which a search may not lose for being clever: identifiers that stand in one conversation, and prompts with
their words shuffled, among talk that all uses the same vocabulary.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from importer.bench.corpus.talk import FORMS, Talk
from importer.bench.recall import wordings
from importer.bench.recall.questions import Benchmark, Haystack, Question, Session, SpokenTurn

EACH = 62  # questions of each of the five kinds
TALKS, KNOWN = 180, 150  # conversations of made-up talk, and questions of each of the two kinds about them
FIRST_DAY = datetime(2025, 1, 6, 9, tzinfo=UTC)


def benchmark(seed: int = 1) -> Benchmark:
    """Return both haystacks; equal seeds give equal ones."""
    sha256 = hashlib.sha256(f"generated {seed} {EACH} {TALKS} {KNOWN}".encode()).hexdigest()
    return Benchmark("generated", sha256, (kinds(seed), known_items(seed)))


def kinds(seed: int = 1) -> Haystack:
    """Return the five kinds: every question has one right conversation."""
    dice = random.Random(f"kinds {seed}")  # noqa: S311  # text, not keys
    sessions, questions = list[Session](), list[Question]()
    pairs = [(symptom, place) for symptom in wordings.SYMPTOMS for place in wordings.PLACES]
    dice.shuffle(pairs)
    for number in range(EACH):
        id = f"matter-{number}"
        said, asked = _matter(dice, number, pairs[number])
        at = FIRST_DAY + timedelta(days=9 * number, minutes=dice.randrange(400))
        sessions.append(Session(id, tuple(_talk(dice, said)), at))
        vague = f"what was {asked['vague']}, it must have been in {at:%B %Y}"
        for kind, text in {**asked, "vague": vague}.items():
            questions.append(Question(f"{kind}-{number}", text, kind, frozenset({id})))
    return Haystack("kinds", tuple(sessions), tuple(questions))


def _matter(
    dice: random.Random, number: int, pair: tuple[tuple[str, str], tuple[str, str]]
) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Return the exchanges of one conversation about a matter, and the questions for it by kind."""
    (symptom, symptom_asked), (place, place_asked) = pair
    project = wordings.PROJECTS[number % len(wordings.PROJECTS)]
    verb, noun, other = (dice.choice(FORMS[slot]).lower() for slot in ("V", "N", "N"))
    name = f"{verb}_{noun}_{other}{number}" if number % 2 else f"{verb}{noun.title()}{other.title()}{number}"
    error = f"{dice.choice(wordings.ERRORS)}: {noun} {dice.randrange(100, 99_999)} failed after {number * 7 + 3} ms"
    chosen, left, why = wordings.DECISIONS[number % len(wordings.DECISIONS)]
    said = [
        (
            f"In {project}, {place} {symptom}. Where does that come from?",
            f"I found it: {dice.choice(wordings.CAUSES)}.",
        ),
        (f"The log of {place} says `{error}` again and again.", f"That is raised in `{name}`; I changed it there."),
        (f"Should {place} of {project} use {chosen} or {left}?", f"We decided for {chosen} instead of {left}: {why}."),
    ]
    return said, {
        "identifier": name,
        "error": f"I keep getting {error}",
        "paraphrase": f"{place_asked} {symptom_asked}",
        "decision": f"why did we choose {chosen} over {left} for {place_asked} in {project}",
        "vague": f"the trouble with {place_asked} in {project}",
    }


def _talk(dice: random.Random, said: list[tuple[str, str]]) -> Iterator[SpokenTurn]:
    """Yield exchanges as turns, with small talk of work between them."""
    for prompt, answer in said:
        for asked, answered in (dice.choice(wordings.FILLERS), (prompt, answer)):
            yield SpokenTurn("user", asked)
            yield SpokenTurn("assistant", answered)


def known_items(seed: int = 1) -> Haystack:
    """Return identifiers of one conversation each, and prompts with their words shuffled."""
    dice = random.Random(f"known {seed}")  # noqa: S311  # text, not keys
    sessions = [_made_up(seed, number) for number in range(TALKS)]
    prompts = [(one.id, turn.text) for one in sessions for turn in one.turns if turn.role == "user"]
    identifiers = [
        Question(f"identifier-{word}", word, "known identifier", frozenset({id})) for id, word in _said_once(sessions)
    ]
    shuffled = [
        Question(f"shuffled-{number}", _shuffled(dice, text), "shuffled prompt", frozenset({id}))
        for number, (id, text) in enumerate(prompts)
        if len(set(text.split())) >= 8
    ]
    questions = (*dice.sample(identifiers, min(KNOWN, len(identifiers))), *dice.sample(shuffled, KNOWN))
    return Haystack("known items", tuple(sessions), questions)


def _made_up(seed: int, number: int) -> Session:
    """Return a conversation of made-up talk."""
    dice = random.Random(f"talk {seed} {number}")  # noqa: S311  # text, not keys
    talk = Talk(dice)
    turns = []
    for _ in range(dice.randrange(2, 5)):
        turns.append(SpokenTurn("user", talk.prompt(dice.randrange(60, 260))))
        turns.append(SpokenTurn("assistant", f"{talk.answer(dice.randrange(80, 400))} See `{talk.identifier()}`."))
    return Session(f"talk-{number}", tuple(turns), FIRST_DAY + timedelta(days=number))


def _said_once(sessions: list[Session]) -> Iterator[tuple[str, str]]:
    """Yield identifiers that stand in one conversation alone, with it."""
    said = {one.id: " ".join(turn.text for turn in one.turns) for one in sessions}
    words = {id: {word.strip("`.,:;()") for word in text.split()} for id, text in said.items()}
    counts = Counter(word for some in words.values() for word in some)
    for id, some in words.items():
        yield from ((id, word) for word in sorted(some) if counts[word] == 1 and _identifies(word))


def _identifies(word: str) -> bool:
    """Return True for snake_case, camelCase and paths, as people copy them."""
    inner = word[1:-1]
    return 6 <= len(word) <= 60 and ("_" in inner or "/" in inner or (word.isalnum() and inner != inner.lower()))


def _shuffled(dice: random.Random, text: str) -> str:
    """Return a text's words in another order, at most thirty of them."""
    found = text.split()
    dice.shuffle(found)
    return " ".join(found[:30])
