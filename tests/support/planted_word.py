"""Two projects of which one says a word that stands nowhere else, and where in a state the word still stands."""

from __future__ import annotations

import json
import pathlib
import sqlite3
import zlib
from contextlib import closing

from transcripts import answer, call, prompt, queue, raw, text

WORD, OTHER = "zebraxylo", "harmlessq"
SECRET_SESSION, OTHER_SESSION = "aaaaaaaa-2222-4333-8444-555555555555", "bbbbbbbb-2222-4333-8444-555555555555"
PROMPTS = 40


def write(folder: pathlib.Path, prompts: int = PROMPTS) -> None:
    """Write the two conversations: prompts, answers, a title, a line that is no JSON, an answer that stands open."""
    for name, session, word in (("secretproj", SECRET_SESSION, WORD), ("other", OTHER_SESSION, OTHER)):
        path = folder / f"-home-x-{name}" / f"{session}.jsonl"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"".join(lines(name, session, word, prompts)))


def lines(name: str, session: str, word: str, prompts: int = PROMPTS) -> list[bytes]:
    """Return the lines of one conversation."""
    where = {"cwd": f"/home/x/{name}", "sessionId": session, "gitBranch": f"feature/{word}"}
    said = [
        one
        for n in range(prompts)
        for one in (
            prompt(f"{word} number {n} about the plan {'lorem ipsum ' * 20}", 2 * n, **where),
            answer(text(f"the {word} was meant"), n=2 * n + 1, **where),
        )
    ]
    edited = answer(call("Edit", file_path=f"/home/x/{name}/{word}.py"), n=2 * prompts, **where)
    titled = {"type": "ai-title", "aiTitle": f"plans of {word}", "sessionId": session}
    queued = {**queue("enqueue", f"and then {word} once more"), "sessionId": session}
    alone = {**queue("enqueue", word), "sessionId": session}
    return [
        *(raw(one) + b"\n" for one in [*said, edited, titled, queued, alone]),
        f'{{"type": "user", {word} is torn\n'.encode(),
    ]


def holding(state: str, word: str = WORD) -> list[str]:
    """Return the files below the state directory in whose bytes the word stands in any case, unpacked contexts too."""
    base = pathlib.Path(state)
    files = [path for path in base.rglob("*") if path.is_file() and "models" not in path.parts]
    found = [str(path.relative_to(base)) for path in files if word.encode() in path.read_bytes().lower()]
    return sorted([*found, *_in_contexts(base / "checkpoints.sqlite3", word)])


def _in_contexts(path: pathlib.Path, word: str) -> list[str]:
    """Return the rows of contexts, which are packed, that hold the word."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT file, body FROM contexts").fetchall()
    return [f"context {number}" for number, body in rows if word.encode() in zlib.decompress(body).lower()]


def hits(printed: str) -> int:
    """Return how many hits a search printed as JSON."""
    return len(json.loads(printed)["hits"])
