"""Realistic trees of Claude Code transcripts, the same for the same seed.

    write(folder, files=500, seed=1)   ->  folder/-home-ann-blue-cart/<session>.jsonl …  and a Manifest

Sizes and shares are the measured ones of `mixes`; `bytes_per_file` sets how much tool output and metadata stands around
what was said (real files have a hundred times as much; the default keeps a corpus small with thousands of exchanges).
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from importer.bench.corpus.author import POOL_CHARS, Author
from importer.bench.corpus.lines import JsonLine, SessionWriter, encode, folder_of
from importer.bench.corpus.mixes import MIXES, Mix
from importer.bench.corpus.talk import Talk

BYTES_PER_EXCHANGE = 4_800  # what prompt and answers take with their envelopes, and a little around them
TEXTS_PER_EXCHANGE = 2.4  # texts of the assistant per prompt, on average
FIRST_AT_MS = 1_767_600_000_000  # 2026-01-05
SPAN_MS = 300 * 86_400_000  # the sessions of a corpus are spread over this time
FILES_PER_PROJECT = 12
Known = Callable[[int, SessionWriter], Iterable[tuple[str, str]]]  # prompts and answers that a session begins with


@dataclass(frozen=True, slots=True)
class Manifest:
    """The extent of a corpus: `messages` are what people and the assistant said, with `said_chars` in all."""

    folder: str
    files: int
    size_bytes: int
    messages: int
    said_chars: int


def write(
    folder: str,
    *,
    files: int,
    seed: int = 0,
    mix: str = "ent",
    bytes_per_file: int = 24_000,
    known: Known = lambda _number, _session: (),
) -> Manifest:
    """Write `files` sessions below `folder`, on average `bytes_per_file` long, made up like the transcripts of `mix`.

    Deterministic: equal arguments give equal bytes, names and times. Memory does not grow with the size of the corpus.
    Raises KeyError for an unknown mix, OSError as the file system does.
    """
    writer = _CorpusWriter(folder, files, seed, MIXES[mix], bytes_per_file)
    for number in range(files):
        writer.session(number, known)
    return Manifest(folder, files, writer.size_bytes, writer.messages, writer.said_chars)


class _CorpusWriter:
    """A writer of sessions, which counts; `_owed_bytes` is what they lack so far to their intended sizes."""

    def __init__(self, folder: str, files: int, seed: int, mix: Mix, bytes_per_file: int) -> None:
        rng = random.Random(f"corpus {seed}")  # noqa: S311  # text, not keys
        self._folder = folder
        self._files = files
        self._seed = seed
        self._mix = mix
        self._bytes_per_file = bytes_per_file
        # The order of draws is part of the corpus: what is drawn earlier changes all that comes after it.
        self._pool = Talk(rng, topic_words=60).output(POOL_CHARS)
        self._projects = [_project(rng) for _ in range(1 + files // FILES_PER_PROJECT)]
        # The mean of a distribution given by its quantiles.
        usual = sum(mix.per_session.at(i / 100) for i in range(100)) / 100
        self._fewer = min(1.0, bytes_per_file / (usual * BYTES_PER_EXCHANGE))
        self._owed_bytes = 0.0
        self.size_bytes = self.messages = self.said_chars = 0

    def session(self, number: int, known: Known) -> None:
        """Write the session of that number; the file gets the time of its last line."""
        rng, mix = random.Random(f"{self._seed} {number}"), self._mix  # noqa: S311  # text, not keys
        at_ms = FIRST_AT_MS + SPAN_MS * number // self._files
        cwd = self._projects[int(rng.random() * len(self._projects))]
        session = SessionWriter(rng, cwd=cwd, at_ms=at_ms, version=mix.version, backwards=mix.backwards)
        path = os.path.join(self._folder, folder_of(cwd), f"{session.id}.jsonl")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        before = self.size_bytes
        with open(path, "wb") as file:
            author = Author(rng, mix, session, Talk(rng), self._pool)
            file.writelines(self._said_in(author, known(number, session)))
        self._owed_bytes -= self.size_bytes - before
        os.utime(path, (session.at_ms / 1000, session.at_ms / 1000))  # retention and order of import go by it

    def _said_in(self, author: Author, known: Iterable[tuple[str, str]]) -> Iterator[bytes]:
        """Yield the bytes of a session, exchange by exchange."""
        rng, mix = author.rng, self._mix
        prompts = max(1, round(author.chars(mix.per_session) * self._fewer))
        self._owed_bytes += self._bytes_per_file * math.exp(0.8 * rng.gauss(0, 1) - 0.32)  # log-normal, mean 1
        share_bytes = max(0.0, self._owed_bytes) / prompts
        if rng.random() < mix.extra.get("summary", 0) / 4:
            summary = {"type": "summary", "summary": author.talk.asked(), "leafUuid": author.session.uuid()}
            yield self._counted([summary])
        for prompt, answer in known:
            yield from self._exchange(author, prompt, [answer], 0.0)
        for _ in range(prompts):
            _move(author)
            prompt = author.talk.prompt(author.chars(mix.prompts))
            yield from self._exchange(author, prompt, list(_texts(author)), share_bytes)

    def _exchange(self, author: Author, prompt: str, texts: list[str], share_bytes: float) -> Iterator[bytes]:
        """Yield a prompt and its answers, with silent replies in between until `share_bytes` are written."""
        self.messages += 1 + len(texts)
        self.said_chars += len(prompt) + sum(map(len, texts))
        start = self.size_bytes
        # A minute, seldom up to an hour, until the next prompt.
        author.session.at_ms += int(60_000 + 3_600_000 * author.rng.random() ** 4)
        yield self._counted(author.prompt(prompt))
        for number, text in enumerate(texts, 1):
            due_bytes = share_bytes * number / len(texts) - len(text)
            while self.size_bytes - start < due_bytes:
                yield self._counted(author.reply())
            yield self._counted(author.reply(text, bare=self.size_bytes - start > share_bytes))

    def _counted(self, lines: Iterable[JsonLine]) -> bytes:
        """Return the lines as bytes, and count these."""
        raw = encode(lines)
        self.size_bytes += len(raw)
        return raw


def _project(rng: random.Random) -> str:
    """Return the working directory of a made-up project."""
    return f"/home/ann/work/{Talk(rng, topic_words=1).identifier().replace('_', '-')}"


def _texts(author: Author) -> Iterator[str]:
    """Yield what the assistant says in one exchange: at least one text, geometrically more."""
    yield author.said()
    while author.rng.random() < 1 - 1 / TEXTS_PER_EXCHANGE:
        yield author.said()


def _move(author: Author) -> None:
    """Move the session to another folder in 1 % of the cases, to another branch in 3 %."""
    draw, session = author.rng.random(), author.session
    if draw < 0.01:
        session.cwd = f"{session.cwd}/{author.talk.path().partition('/')[0]}"
    elif draw < 0.04:
        session.branch = f"fix/{author.talk.identifier()}"
