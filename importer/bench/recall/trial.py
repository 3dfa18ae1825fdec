"""One haystack tried: its conversations written as files, imported into a store of its own, its questions asked.

The import is `importer backlog`, as a user runs it. The questions are asked as the worker answers them, in this
process, one after the other: text to hits, without what a command line or a socket adds.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from importer.bench.recall.measures import QuestionResult
from importer.bench.recall.questions import Haystack, Question, Session
from importer.errors import WorkerError
from importer.protocol import wire
from importer.protocol.query import Query
from importer.protocol.worker_settings import WorkerSettings

MOST_HITS = 100  # distinct conversations are counted among so many
TURN_CHARS = 120  # of a turn, together, stand in a hit that counts as the turn: a long one is cut into several chunks
TURN_APART = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class TrialEngine:
    """Where a haystack is imported: how to start the importer, its environment, and the worker's settings there."""

    command: Sequence[str]
    environ: Mapping[str, str]
    told: WorkerSettings


def write(folder: str, haystack: Haystack) -> None:
    """Write every conversation as a file of JSON lines, a message a line, with its time where it has one."""
    os.makedirs(folder, exist_ok=True)
    for number, session in enumerate(haystack.sessions):
        name = re.sub(r"[^\w.-]", "_", session.id)[:80]
        with open(os.path.join(folder, f"{number:06d}-{name}.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in _lines(session))


def _lines(session: Session) -> Iterator[dict[str, str]]:
    """Yield the messages of a conversation, half a minute apart."""
    for number, turn in enumerate(session.turns):
        line = {"role": turn.role, "content": turn.text, "conversation_id": session.id}
        if session.at:
            line["timestamp"] = (session.at + number * TURN_APART).isoformat()
        yield line


def fill(folder: str, engine: TrialEngine) -> Mapping[str, Any]:
    """Import the folder; return the import's own summary. Raises WorkerError when it fails."""
    command = [sys.executable, "-P", "-m", "importer", *engine.command, "backlog", folder, "--json"]
    done = subprocess.run(command, env={**engine.environ}, capture_output=True, check=False)
    if done.returncode:
        raise WorkerError(f"`importer backlog` ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    summary: Mapping[str, Any] = json.loads(done.stdout)
    return summary


class Asking:
    """Questions to the store of one haystack; the model is loaded once and handed from store to store."""

    def __init__(self, session: Any, haystack: Haystack) -> None:
        self._session = session
        self._haystack = haystack
        self._turns = {
            turn.key: (one.id, _parts(turn.text)) for one in haystack.sessions for turn in one.turns if turn.key
        }
        newest = max((one.at for one in haystack.sessions if one.at), default=None)
        self._today = newest or datetime.now(UTC)

    def ask(self, question: Question, mode: str) -> QuestionResult:
        """Ask one question, verbatim, as on its day, or on that of the newest conversation."""
        from importer.worker.questions import answered  # noqa: PLC0415  brings the model's libraries

        started = time.perf_counter()
        query = Query(question.text, limit=MOST_HITS, mode=mode)
        found = answered(self._session, query, (question.asked or self._today).date())
        took_s = time.perf_counter() - started
        order = list(dict.fromkeys(str(hit.metadata.get("conversation_id", "")) for hit in found.hits))
        said = [(_owners(hit.metadata), _plain(hit.document)) for hit in found.hits]
        wanted = [self._turns[key] for key in question.turns if key in self._turns]
        turn_ranks = [_rank(turn, said) for turn in wanted]
        return QuestionResult(
            question.id,
            self._haystack.name,
            question.category,
            found.near,
            took_s,
            len(question.right),
            tuple(rank for rank, id in enumerate(order, 1) if id in question.right),
            len(wanted),
            tuple(sorted(rank for rank in turn_ranks if rank)),
        )


@contextmanager
def asking(engine: TrialEngine, haystack: Haystack, embedder: Any) -> Iterator[Asking]:
    """Open the store that the haystack was imported into."""
    from importer.worker.session import open_session  # noqa: PLC0415  brings the model's libraries

    session = open_session(wire.Configure(engine.told), embedder)
    try:
        yield Asking(session, haystack)
    finally:
        session.store.close()


def load_embedder(told: WorkerSettings) -> Any:
    """Load the model that all questions are asked with."""
    from importer.worker.session import embedder_of  # noqa: PLC0415  brings the model's libraries

    return embedder_of(told.embed)


def _parts(text: str) -> tuple[str, ...]:
    """Return a turn in pieces of `TURN_CHARS`, of which a chunk of it has one whole; a short turn as it is."""
    plain = _plain(text)
    whole = len(plain) // TURN_CHARS * TURN_CHARS
    return tuple(plain[at : at + TURN_CHARS] for at in range(0, whole, TURN_CHARS)) or (plain,)


def _owners(metadata: Mapping[str, Any]) -> frozenset[str]:
    """Return the conversations that have a hit: forks share their points."""
    return frozenset((str(metadata.get("conversation_id", "")), *metadata.get("conversations", ())))


def _rank(turn: tuple[str, tuple[str, ...]], said: Sequence[tuple[frozenset[str], str]]) -> int:
    """Return which hit, from 1, is the first of the turn's conversation with a piece of it; 0 for none."""
    id, parts = turn
    found = (n for n, (owners, text) in enumerate(said, 1) if id in owners and any(part in text for part in parts))
    return next(found, 0)


def _plain(text: str) -> str:
    """Return a text on one line, for comparing."""
    return " ".join(text.split())
