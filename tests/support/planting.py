"""What a planted case is, and the bed it grows in: files of known words below a folder."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from known_corpus import coin

from importer.bench.corpus.author import NOISE
from importer.bench.corpus.lines import JsonLine, SessionWriter, encode, folder_of

AT_MS = 1_770_841_914_120  # 2026-02-11
FIRST_WORD = 10_000_000  # beyond the words of any corpus of the same seed


@dataclass(frozen=True, slots=True)
class Later:
    """What happens to the files afterwards: `act()` does it; then `once` can be found too, and nothing else changes."""

    act: Callable[[], None]
    once: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A planted peculiarity and what must come of it.

    `paths` are the files, below the folder. Each word of `once` must be in exactly one exchange of the store, and where
    several are in one exchange they are there in this order; none of `never` anywhere. `broken` records cannot be
    parsed. `metadata` gives, by word, what the points with that word must carry.
    """

    number: int
    name: str
    paths: tuple[str, ...]
    once: tuple[str, ...]
    never: tuple[str, ...] = ()
    broken: int = 0
    metadata: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    later: Later | None = None


class Bed:
    """A folder of projects to plant a case in. Words and ids follow from the seed and the case's number."""

    def __init__(self, folder: str, seed: int, number: int) -> None:
        self._folder = folder
        self._seed = seed
        self._coined = FIRST_WORD + 1000 * number  # a thousand words for each case
        self.rng = random.Random(f"planted {seed} {number}")  # text, not keys
        self.cwd = f"/home/ann/planted/case-{number}"

    def word(self) -> str:
        """A new word, in no other text."""
        self._coined += 1
        return coin(self._seed, self._coined)

    def words(self, count: int) -> tuple[str, ...]:
        """So many new words."""
        return tuple(self.word() for _ in range(count))

    def session(self, *, cwd: str = "", session_id: str = "") -> SessionWriter:
        """A new session of the case's project."""
        return SessionWriter(self.rng, cwd=cwd or self.cwd, at_ms=AT_MS, session_id=session_id)

    def write(self, session: SessionWriter, content: Iterable[JsonLine] | bytes, *, cwd: str = "") -> str:
        """Writes a session's file; returns its path below the folder."""
        path = f"{folder_of(cwd or self.cwd)}/{session.id}.jsonl"
        full = self.full(path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content if isinstance(content, bytes) else encode(content))
        os.utime(full, (session.at_ms / 1000, session.at_ms / 1000))
        return path

    def append(self, path: str, content: Iterable[JsonLine] | bytes) -> None:
        """Appends to a file written before."""
        with open(self.full(path), "ab") as file:
            file.write(content if isinstance(content, bytes) else encode(content))

    def full(self, path: str) -> str:
        """The whole path of a file below the folder."""
        return os.path.join(self._folder, path)


def exchange(session: SessionWriter, asked: str, answered: str) -> list[JsonLine]:
    """A prompt and an answer with a tool call and its result in between; the words are in sentences."""
    prompt = session.user(f"Please look into {asked} before the release.")
    call = session.call("Bash", {"command": f"make {NOISE['call']}", "description": "Builds"})
    result = session.result(call, f"ok {NOISE['result']}", structured=True)
    return [prompt, call, result, session.text(f"I found the reason in {answered} and changed it.")]
