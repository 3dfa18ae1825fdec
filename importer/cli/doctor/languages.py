"""Check that the model was made for the languages of the conversations, by how the newest ones begin.

A text in another language is still found by its words; by meaning it is found less well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from importer.cli.doctor.finding import Finding
from importer.protocol.foreign.languages import ENGLISH, language_of
from importer.state.checkpoints import Checkpoints

MOST = 500  # conversations that are looked at
LEAST_TOLD = 5  # in another language, before anything is said
LEAST_SHARE = 0.2
MULTILINGUAL = (
    "multilingual",
    "bge-m3",
    "jina-embeddings-v3",
    "jina-embeddings-v4",
    "embeddinggemma",
    "labse",
    "qwen3",
)
HOSTED = ("text-embedding-3", "text-embedding-ada", "voyage-", "embed-v4")  # made for many languages, too
OF_ONE = {"-zh": "chinese", "-de": "german", "-es": "spanish", "russian": "russian"}  # parts of names
BETTER = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"


@dataclass(frozen=True, slots=True)
class LanguageFacts:
    """The model, and how many of the newest conversations begin in which language, of those that tell one."""

    model: str
    counts: Mapping[str, int]


def gather(model: str, checkpoints: Checkpoints | None) -> LanguageFacts:
    """Look at the titles of the newest conversations, or how they begin."""
    newest = islice(checkpoints.spoken.newest_first(), MOST) if checkpoints else ()
    return LanguageFacts(model, counted(one.title for one in newest))


def counted(titles: Iterable[str]) -> Mapping[str, int]:
    """Return how many texts are in each language, the most frequent first."""
    counts = Counter(filter(None, map(language_of, titles)))
    return dict(counts.most_common())


def unmade(facts: LanguageFacts) -> str:
    """Return what is said of languages that the model was not made for; "" where they are few."""
    model = facts.model.lower()
    if any(part in model for part in (*MULTILINGUAL, *HOSTED)):
        return ""
    its_own = {ENGLISH, *(language for part, language in OF_ONE.items() if part in model)}
    others = {name: count for name, count in facts.counts.items() if name not in its_own}
    told = sum(others.values())
    if told < LEAST_TOLD or told < LEAST_SHARE * sum(facts.counts.values()):
        return ""
    names = ", ".join([f"{name.title()} {count}" for name, count in list(others.items())[:4]])
    return (
        f"{told} of {sum(facts.counts.values())} conversations begin in a language that {facts.model} was not made for "
        f"({names}): they are found by their words, less well by meaning"
    )


def check_languages(facts: LanguageFacts) -> Finding:
    """Advise another model where much is in languages that this one was not made for."""
    if said := unmade(facts):
        return Finding("languages", True, said, f"importer migrate --model {BETTER}")
    shown = ", ".join(name.title() for name in facts.counts) or "none told yet"
    return Finding("languages", True, f"the model serves those of the conversations ({shown})")
