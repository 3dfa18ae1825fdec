"""Turns for tests of the fold: builders and Hypothesis strategies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec
from hypothesis import strategies as st

from importer.chunking.fold import Cutting, Folding, Origin, feed, surface
from importer.protocol.records import Checkpoint, Chunk, Commit, Facts, HeadPrint, Release, Span, Tally, Turn

ORIGIN = Origin("claude-code", "host")
SMALL = Cutting(size_chars=120, overlap_chars=24)

WORDS = [
    "a",
    "be",
    "the tests.",
    "Done!",
    "x" * 30,
    "naïve",
    "你好。",
    "👩‍👩‍👧",
    "🇨🇭",
    "\n",
    "\n\n",
    "```py\n",
    "\n```\n",
    "\r\n",
    "\0",
]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=60).map(" ".join)
PATHS = st.sampled_from(["/a/b.py", "C:\\x\\y.ts", "c", ""])


def turn(number: int, role: str = "user", text: str = "Hello.", conversation: str = "c", **facts: object) -> Turn:
    """Make a turn whose key and time follow from its number."""
    key = hashlib.sha256(f"{role}{number}{text}".encode("utf-8", "surrogatepass")).hexdigest()
    at = f"2026-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
    return Turn(conversation, f"t{number}", role, text, at, key, Facts(**facts))  # type: ignore[arg-type]


EXCHANGE = [turn(1, text="Why does it fail?"), turn(2, "assistant", "Let me look."), turn(3, "assistant", "Fixed.")]


@st.composite
def turns(draw: st.DrawFn, conversations: Sequence[str] = ("c",), most: int = 14) -> list[Turn]:
    """Draw a file's turns in order: prompts, answers, silent ones with facts, summaries, now and then a subagent."""
    drawn = []
    for number in range(draw(st.integers(1, most))):
        role = draw(st.sampled_from(["user", "assistant", "assistant", "assistant"]))
        kind = draw(st.sampled_from(["exchange"] * 8 + ["summary", "subagent"]))
        silent = role == "assistant" and draw(st.integers(0, 2)) == 0
        drawn.append(
            turn(
                number,
                role,
                "" if silent else draw(TEXTS),
                draw(st.sampled_from(conversations)),
                kind=kind,
                title=draw(st.sampled_from(["", "A title"])),
                project="/home/ann/app",
                tools=(f"Tool{number}",) if silent else (),
                files=tuple(filter(None, [draw(PATHS)])) if silent else (),
            )
        )
    return drawn


def copied(turns: Iterable[Turn], conversation: str = "fork") -> list[Turn]:
    """Return the same turns in another conversation, with other turn ids: what a fork holds."""
    return [replace(turn, conversation_id=conversation, turn_id=f"{turn.turn_id}-copy") for turn in turns]


def fold(
    folding: Folding, turns: Iterable[Turn], *, cutting: Cutting = SMALL, at_end: bool = False
) -> tuple[Folding, tuple[Chunk, ...], tuple[Release, ...]]:
    """Fold one slice: all turns, then the open chunks. The folding goes through JSON, as it does in a checkpoint."""
    chunks: tuple[Chunk, ...] = ()
    releases: tuple[Release, ...] = ()
    for one in turns:
        step = feed(folding, one, cutting, ORIGIN)
        folding, chunks, releases = step.folding, chunks + step.chunks, releases + step.releases
    step = surface(folding, cutting, ORIGIN, at_end=at_end)
    stored = msgspec.json.decode(msgspec.json.encode(step.folding), type=Folding)
    return stored, chunks + step.chunks, releases + step.releases


def checkpoint(path: bytes = b"/a", offset: int = 0, generation: int = 0) -> Checkpoint:
    """Make a checkpoint of which only path, offset and generation matter."""
    return Checkpoint(path, 1, 1, generation, offset, HeadPrint(0, b""), b"", offset, 0, 0, "claude-code")


def span(
    chunks: Sequence[Chunk] = (), releases: Sequence[Release] = (), path: bytes = b"/a", offset: int = 0, lines: int = 1
) -> Span:
    """Make a span of one file, all of whose lines count as stored, of ten bytes each."""
    tally = Tally(lines_stored=lines, bytes_stored=10 * lines)
    return Span(tuple(chunks), tuple(releases), Commit(checkpoint(path, offset), tally))
