"""Pack spans into a batch, and cut a batch into smaller ones: pure, and no commit leaves before its chunks.

What a batch holds is applied as a whole, chunks first and then releases, and its commits are written only after that.
Therefore what is taken out here is exactly what the batch itself makes needless:

    an open chunk that a later span of the batch releases     its release stays: an earlier batch may have stored it
    a release of what the same or a later span holds open     it would let go of what is held again
    the open form of a chunk that is also there closed        a closed point needs no holder
    the earlier checkpoint of a file with a later one         tallies are added up, rejects are joined
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from importer.protocol.records import Batch, Checkpoint, Chunk, Commit, Reject, Release, Span, Tally

SAMPLE_CHARS = 80  # of a chunk's text, which is masked already where masking is on


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The sizes at which a batch is full. Spans and releases count too: 99 % of what is read holds no text, but costs.

    256 chunks sorted by length fill token-budget groups with little padding; the others bound the frame and the wait.
    """

    chunks: int = 256
    chars: int = 512 * 1024
    releases: int = 4096
    spans: int = 256


def full(spans: Sequence[Span], limits: BatchLimits) -> bool:
    """Return True if these spans are enough for a batch."""
    chunks = sum(len(span.chunks) for span in spans)
    chars = sum(len(chunk.text) for span in spans for chunk in span.chunks)
    releases = sum(len(span.releases) for span in spans)
    return chunks >= limits.chunks or chars >= limits.chars or releases >= limits.releases or len(spans) >= limits.spans


def pack(spans: Iterable[Span], number: int, *, urgent: bool = False) -> Batch:
    """Put all spans into one batch, in their order; each chunk's owner is the commit of the span that gave it."""
    packing = _Packing()
    for span in spans:
        owner = packing.commit(span.commit)
        for release in span.releases:
            packing.release(release)
        for chunk in span.chunks:
            packing.add(chunk, owner)
    entries = packing.entries.values()
    return Batch(
        number=number,
        chunks=tuple(chunk for chunk, _ in entries),
        releases=tuple(packing.releases),
        commits=tuple(packing.commits.values()),
        urgent=urgent,
        owners=tuple(owner for _, owner in entries),
    )


@dataclass(slots=True)
class _Packing:
    """A batch being packed: chunks by id and holder with their owners, releases in order, commits by file."""

    entries: dict[tuple[str, str], tuple[Chunk, int]] = field(default_factory=dict)
    releases: dict[Release, None] = field(default_factory=dict)
    commits: dict[tuple[object, ...], Commit] = field(default_factory=dict)
    holders: dict[str, set[str]] = field(default_factory=dict)  # of each id, "" for closed

    def commit(self, commit: Commit) -> int:
        """Add a commit and return its index; a later commit of the same file replaces the earlier one."""
        key = _file(commit.checkpoint)
        if former := self.commits.get(key):
            commit = Commit(
                commit.checkpoint,
                former.tally + commit.tally,
                former.rejects + commit.rejects,
                former.facts + commit.facts,
                former.said + commit.said,
                former.counters + commit.counters,
            )
        self.commits[key] = commit  # a dict keeps the place of a key, so the indexes given out before stay right
        return list(self.commits).index(key)

    def release(self, release: Release) -> None:
        """Add a release: drop the chunk this batch holds open for the holder, and release the one in the store."""
        if "" in self.holders.get(release.id, ()):  # closed by this batch: no holder is left to let go
            return
        self.entries.pop((release.id, release.holder), None)
        self.holders.get(release.id, set()).discard(release.holder)
        self.releases[release] = None

    def add(self, chunk: Chunk, owner: int) -> None:
        """Add a chunk; if it is open for a holder, the release of that chunk by this batch is dropped."""
        holders = self.holders.setdefault(chunk.id, set())
        if "" in holders:
            self._name(chunk, owner)
            return
        outgrown = [] if chunk.holder else [self.entries.pop((chunk.id, holder)) for holder in sorted(holders)]
        if not chunk.holder:
            holders.clear()
        self.releases.pop(Release(chunk.id, chunk.holder), None)
        holders.add(chunk.holder)
        self.entries.setdefault((chunk.id, chunk.holder), (chunk, owner))
        for former in outgrown:
            self._name(*former)

    def _name(self, chunk: Chunk, owner: int) -> None:
        """Keep a chunk that this batch has closed already if another conversation says it: the point names both."""
        first, _ = self.entries[chunk.id, ""]
        conversation = chunk.metadata.get("conversation_id", "")
        if conversation and conversation != first.metadata.get("conversation_id"):
            self.entries.setdefault((chunk.id, f"\0{conversation}"), (replace(chunk, holder=""), owner))


def split(batch: Batch, suspects: Collection[str], numbers: tuple[int, int]) -> tuple[Batch, Batch]:
    """Part the suspected chunks from all others; cut into halves where suspicion does not divide them.

    Only the second carries releases and commits, so it must be sent after the first. Owners count the same commits in
    both. A batch of fewer than two chunks gives an empty first part.
    """
    first = {at for at, chunk in enumerate(batch.chunks) if chunk.id in suspects}
    if not 0 < len(first) < len(batch.chunks):
        first = set(range(len(batch.chunks) // 2))
    rest = set(range(len(batch.chunks))) - first
    early = replace(_only(batch, first), number=numbers[0], releases=(), commits=())
    return early, replace(_only(batch, rest), number=numbers[1])


def apart(batch: Batch, groups: Iterable[Collection[str]], numbers: Iterable[int]) -> tuple[Batch, ...]:
    """Make a part of each group of chunks, then one of the rest with the commits; no group gives the batch itself.

    `numbers` gives the numbers of all but the last part, which keeps its own.
    """
    parts, fresh = [], iter(numbers)
    for group in groups:
        if len(group) < len(batch.chunks):
            first, batch = split(batch, group, (next(fresh), batch.number))
            parts.append(first)
    return (*parts, batch)


def carve(batch: Batch, limits: BatchLimits, numbers: Iterable[int]) -> tuple[Batch, ...]:
    """Consecutive parts within the limits, the batch itself when it is: one line can hold a text of many megabytes.

    A part has one chunk at least, however long that is, so that there is always a next part. Only the last carries
    releases and commits. `numbers` gives the numbers of all but the last, which keeps its own.
    """
    parts, taken, chars = [], list[int](), 0
    fresh = iter(numbers)
    for at, chunk in enumerate(batch.chunks):
        if taken and (len(taken) >= limits.chunks or chars + len(chunk.text) > limits.chars):
            parts.append(replace(_only(batch, taken), number=next(fresh), releases=(), commits=()))
            taken, chars = [], 0
        taken.append(at)
        chars += len(chunk.text)
    return (*parts, _only(batch, taken))


def drop(batch: Batch, ids: Collection[str]) -> Batch:
    """Return the batch without these chunks."""
    return _only(batch, [at for at, chunk in enumerate(batch.chunks) if chunk.id not in ids])


def reject(carrier: Batch, part: Batch, ids: Collection[str], stage: str, reason: str) -> Batch:
    """`carrier`, its commits now saying that these chunks of `part` were set aside.

    `part` is the carrier itself or an earlier part of the same batch. Each id gives one reject, in the commit of its
    file, and moves one of the lines counted as stored there to quarantined, as long as there is one.
    """
    commits, seen = list(carrier.commits), set[str]()
    for chunk, owner in zip(part.chunks, part.owners, strict=True):
        if chunk.id in ids and chunk.id not in seen:
            seen.add(chunk.id)
            commits[owner] = _set_aside(commits[owner], chunk, stage, reason)
    return replace(carrier, commits=tuple(commits))


def without(batch: Batch, ids: Collection[str], stage: str, reason: str) -> Batch:
    """Return the batch without these chunks, with a reject for each of them in its commits."""
    return drop(reject(batch, batch, ids, stage, reason), ids)


def _set_aside(commit: Commit, chunk: Chunk, stage: str, reason: str) -> Commit:
    """Add one reject to a commit. A chunk can come of several lines, so its place in the file is left at 0."""
    path = commit.checkpoint.path
    entry = Reject(path, 0, 0, stage, reason, sample=chunk.text[:SAMPLE_CHARS], chunk_id=chunk.id)
    return replace(commit, tally=_move_line(commit.tally), rejects=(*commit.rejects, entry))


def _move_line(tally: Tally) -> Tally:
    """Move one line, with its share of the bytes, from stored to quarantined; the sums stay the same.

    The last line takes what is left of the bytes.
    """
    if not tally.lines_stored:
        return tally
    share = tally.bytes_stored // tally.lines_stored
    return replace(
        tally,
        lines_stored=tally.lines_stored - 1,
        lines_quarantined=tally.lines_quarantined + 1,
        bytes_stored=tally.bytes_stored - share,
        bytes_quarantined=tally.bytes_quarantined + share,
    )


def _only(batch: Batch, places: Collection[int]) -> Batch:
    """Return the batch with only the chunks at these places, in their order."""
    kept = sorted(places)
    return replace(batch, chunks=tuple(batch.chunks[at] for at in kept), owners=tuple(batch.owners[at] for at in kept))


def _file(checkpoint: Checkpoint) -> tuple[object, ...]:
    """Return the key by which commits are joined: one file, one generation.

    A new generation has a commit of its own, which is written after the former one's.
    """
    return checkpoint.path, checkpoint.device, checkpoint.inode, checkpoint.generation
