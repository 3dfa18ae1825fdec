"""The values that flow, all frozen: a file becomes lines, turns, chunks, spans, a batch; a batch becomes a receipt.

    FileStat ──► Line ──► Turn ──► Chunk, Release ──► Span ──► Batch        (`outcome.Receipt` comes back)
                                     Checkpoint, Tally, Reject ──► Commit ──┘

Offsets and lengths are bytes of a file, texts are characters. Nothing here does anything; a changed value is a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class FileStat:
    """What `stat` said of a file. `path` is bytes, because names need not be UTF-8; times are nanoseconds."""

    path: bytes
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class HeadPrint:
    """A hash of the first `length` bytes of a file; the length grows with the file up to a limit and is remembered."""

    length: int
    digest: bytes


class Reason(StrEnum):
    """Why reading starts where it starts."""

    NEW = "new"
    RESUME = "resume"
    TRUNCATED = "truncated"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Start:
    """Where to read on, and why. TRUNCATED and REPLACED mean a new generation from offset 0."""

    offset: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Line:
    """One complete line: its bytes without the newline, `start` and `end` offsets (`end` is just after the newline).

    An `oversized` line was hashed through and not kept: `raw` is its first few bytes only, as it is of one with a
    `problem`, which cannot be read for that reason. Of a document, a line is a unit with what stands in front of it.
    """

    start: int
    end: int
    raw: bytes
    oversized: bool = False
    problem: str = ""


# Kinds of turns that are chunks of their own, beside the exchange they were said in: what compaction wrote, a plan
# shown for approval, a document that the assistant made in a tool call, a prompt of which nothing else is left.
STANDALONE_KINDS = frozenset({"summary", "plan", "artifact", "prompt"})


@dataclass(frozen=True, slots=True)
class ConversationFacts:
    """What a record says of a whole conversation, whenever it comes; empty where it says nothing.

    The last `title` of a conversation holds for all its points, stored ones too. The others fill what a point lacks.
    `leaf` names its last line so far; with a title and no conversation, that of the one that has or had such a line.
    """

    conversation_id: str
    title: str = ""
    project: str = ""
    cwd: str = ""
    git_branch: str = ""
    leaf: str = ""

    @property
    def is_news(self) -> bool:
        """Whether points of the conversation could tell anything of it."""
        return bool(self.conversation_id and (self.title or self.project or self.cwd or self.git_branch))


@dataclass(frozen=True, slots=True)
class SpokenCounts:
    """How much of a conversation some lines hold; see `state.spoken`. `opening` is the first prompt's first line."""

    conversation_id: str
    turns: int = 0
    first: str = ""
    last: str = ""
    project: str = ""
    title: str = ""
    opening: str = ""
    prompts: tuple[tuple[int, bytes], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a turn knows beside its text, empty where unknown; `kind` is exchange, subagent or a STANDALONE_KINDS."""

    kind: str = "exchange"
    project: str = ""
    title: str = ""
    cwd: str = ""
    git_branch: str = ""
    model: str = ""
    agent: str = ""
    tools: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said. `role` is user or assistant; `at` is RFC 3339 UTC or "".

    `key` is what survives copying the conversation (a hash; each format says of what): it de-duplicates turns and, of
    an exchange's first turn, anchors its chunks. A turn without text only carries facts (tools used, files edited).
    """

    conversation_id: str
    turn_id: str
    role: str
    text: str
    at: str
    key: str
    facts: Facts = Facts()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an exchange: `id` is derived from content, `metadata` is small and JSON-able.

    `holder` is "" for a closed chunk, which never changes; else at whose end the chunk stands open (see `holder`).
    """

    id: str
    text: str
    metadata: Mapping[str, Any]
    holder: str = ""


def holder(conversation: str, mark: str) -> str:
    """Return the holder of an open chunk, never "": a conversation, in the file with that mark."""
    return f"{conversation}#{mark}"


def held_by(holder: str) -> str:
    """Return the conversation of a holder."""
    return holder.rpartition("#")[0]


@dataclass(frozen=True, slots=True)
class Release:
    """An open chunk that has grown: `holder` no longer needs point `id`; without any holder left it is deleted."""

    id: str
    holder: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Lines and bytes by outcome, for the conservation law read = stored + skipped + quarantined + in flight.

    Every line has one outcome. `messages` are new turns with text, `unknown` records no format knows: not of the law.
    """

    lines_stored: int = 0
    lines_skipped: int = 0
    lines_quarantined: int = 0
    bytes_stored: int = 0
    bytes_skipped: int = 0
    bytes_quarantined: int = 0
    messages: int = 0
    unknown: int = 0

    @property
    def lines_read(self) -> int:
        """All lines, of every outcome."""
        return self.lines_stored + self.lines_skipped + self.lines_quarantined

    @property
    def bytes_read(self) -> int:
        """All bytes, newlines included."""
        return self.bytes_stored + self.bytes_skipped + self.bytes_quarantined

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a file is durably imported, and what is needed to go on from there.

    `offset` is always just after a newline (or 0). `tail_digest` hashes the last <= 4 KiB before it. `context` is the
    JSON a parser and the chunk fold need to resume mid-file. `open_ids` are the chunks that stand open at its end.

    `size` and times are those at which it was read, and tell a later look whether anything changed. `ctime_ns` 0 says
    that it was not read to its end, or too soon after a write to be sure: it matches nothing, so the file is looked
    into again. `mtime_ns` 0 claims nothing. `fate` is a `Fate` for a file that nothing is imported of, `reason` why.
    """

    path: bytes
    device: int
    inode: int
    generation: int
    offset: int
    head: HeadPrint
    tail_digest: bytes
    size: int
    mtime_ns: int
    ctime_ns: int
    format: str
    context: bytes = b""
    open_ids: tuple[str, ...] = ()
    fate: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """Something set aside: a bad line (`chunk_id` empty) or a chunk that cannot be embedded or stored.

    `offset` and `length` are bytes in the file at `path`; `stage` is read, parse, embed or store; `sample` is a short
    masked beginning of the text, for the person who looks.
    """

    path: bytes
    offset: int
    length: int
    stage: str
    reason: str
    sample: str = ""
    chunk_id: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """What is written to the state when the chunks before it are durably stored. `tally` and `rejects` are of the lines
    between the former checkpoint and this one, so that writing every commit once counts every line once.
    `facts` are what these lines say of whole conversations, `said` how much of each they hold. `counters` are by name.
    """

    checkpoint: Checkpoint
    tally: Tally
    rejects: tuple[Reject, ...] = ()
    facts: tuple[ConversationFacts, ...] = ()
    said: tuple[SpokenCounts, ...] = ()
    counters: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """What one bounded read of one file gave: chunks, open chunks outgrown, and the commit their storing pays for."""

    chunks: tuple[Chunk, ...]
    releases: tuple[Release, ...]
    commit: Commit


@dataclass(frozen=True, slots=True)
class Batch:
    """Work for the worker, with the commits its success pays for; `urgent` goes ahead of backlog.

    `owners[i]` is the index in `commits` of the file that chunk i came from. Parts of one batch keep its owners, though
    only the last part has the commits.
    """

    number: int
    chunks: tuple[Chunk, ...]
    releases: tuple[Release, ...]
    commits: tuple[Commit, ...]
    urgent: bool = False
    owners: tuple[int, ...] = ()

    @property
    def news(self) -> tuple[tuple[str, ConversationFacts], ...]:
        """What its commits tell of whole conversations, each with its source."""
        return tuple((one.checkpoint.format, told) for one in self.commits for told in one.facts if told.is_news)


@dataclass(frozen=True, slots=True)
class Suspect:
    """What stands on a chunk's record: workers that died with it in flight, and those that died with nothing else."""

    deaths: int
    alone: int
