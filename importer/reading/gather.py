"""Fold the lines of one slice into chunks: format, redaction, chunk fold, and the outcome of every line counted.

Text is masked before it is folded, so that ids, chunks and the fold's state know masked text alone. What was forgotten
or is not selected is left out behind the fold, where its metadata is known and its lack moves no cut and no id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from importer.chunking import fold
from importer.chunking.fold import Cutting, Folding, Origin
from importer.chunking.metadata import PATH_BYTES, TITLE_BYTES, short, tidied, tidy
from importer.chunking.projects import repository_folder
from importer.chunking.redact import mask, mask_conversation, mask_facts
from importer.chunking.split import PROMPT_CHARS, first_line
from importer.formats import Format, Options
from importer.protocol.conversations import NOTHING, counted, merged, retitled
from importer.protocol.projects import last_part
from importer.protocol.records import (
    STANDALONE_KINDS,
    Chunk,
    ConversationFacts,
    Line,
    Reject,
    Release,
    SpokenCounts,
    Tally,
    Turn,
)
from importer.reading import drift, tail
from importer.reading.unwanted import is_unwanted
from importer.sources.selection import ALL, ProjectFilter, Selection, everything

SAMPLE_CHARS = 80
PROMPT = "prompt"  # the kind of prompts that stand alone
MARK_BYTES = 8
LEAF_CHARS = 12  # of a line's id, its end, by which a summary names it
BY_MACHINE = ("summary", "subagent")  # kinds of turns in a person's role that no person wrote
MOST_REJECTS = 50  # rows of one slice in quarantine


def nothing(_path: bytes, _metadata: Mapping[str, Any]) -> bool:
    """Return False: where there are no rules nothing was forgotten."""
    return False


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings of reading; units stand in the names.

    `forgotten` tells by its metadata that a chunk must not be imported, `selection` which projects of which files are.
    `insisted` are conversations, by source ("" for any) and id, whose wish not to be indexed does not count.
    `is_repeated` tells whether a prompt of a conversation and project is known from the format that it is repeated of.
    `project_of` gives the project of a folder that a line of the file at a path names.
    """

    cutting: Cutting
    host: str
    options: Options = field(default_factory=Options)
    redact: bool = True
    max_line_bytes: int = tail.LINE_BYTES
    slice_bytes: int = tail.SLICE_BYTES
    max_chunks: int = 128
    forgotten: Callable[[bytes, Mapping[str, Any]], bool] = nothing
    insisted: frozenset[tuple[str, str]] = frozenset()
    is_repeated: Callable[[str, str, tuple[int, bytes], str], bool] = lambda *_: False
    selection: Selection = ALL
    project_of: Callable[[str, bytes], str] = lambda folder, _path: repository_folder(folder)


@dataclass(slots=True)
class SliceFold:
    """The chunks, releases, rejects and counts that the lines of one slice of the file at `path` give.

    `offset` is where the last line fed ends, `wanted` tells which projects are stored.
    """

    reading: Reading
    source: Format
    path: bytes
    context: Any
    folding: Folding
    offset: int
    wanted: ProjectFilter = everything
    chunks: list[Chunk] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    facts: dict[str, ConversationFacts] = field(default_factory=dict)
    said: dict[str, SpokenCounts] = field(default_factory=dict)
    leaves: dict[str, ConversationFacts] = field(default_factory=dict)
    unwanted: set[str] = field(default_factory=set)  # conversations whose person asked not to index them
    messages: int = 0
    unknown: int = 0
    strange: Counter[str] = field(default_factory=Counter)  # records that the format does not know, by their kind
    version: str = ""  # of the tool, as far as the first lines name it
    _looked: int = 0
    _lines: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("stored", "skipped", "quarantined"), 0))
    _bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("stored", "skipped", "quarantined"), 0))

    @property
    def tally(self) -> Tally:
        """The counts of all lines so far, each by one outcome: broken wins over stored, stored over skipped."""
        lines = {f"lines_{outcome}": count for outcome, count in self._lines.items()}
        sizes = {f"bytes_{outcome}": count for outcome, count in self._bytes.items()}
        return Tally(**lines, **sizes, messages=self.messages, unknown=self.unknown)

    @property
    def counters(self) -> tuple[tuple[str, int], ...]:
        """What the slice adds to the counters of its store."""
        return drift.counters(self.source.NAME, self.version, self.tally, len(self.chunks), self.strange)

    @property
    def full(self) -> bool:
        """True once the slice gave as many chunks as one span should have."""
        return len(self.chunks) >= self.reading.max_chunks

    def feed(self, line: Line) -> None:
        """Fold one line of any bytes, and count its outcome."""
        self.offset = line.end
        if problem := self._unreadable(line):
            self._reject(line, "read", problem)
            self._count("quarantined", line)
            return
        fed = self.source.feed(self.context, line.raw, self.reading.options)
        self.context = fed.context
        for facts in (*fed.facts, *fed.by_line):
            self._tell(facts)
        said = 0
        for turn in fed.turns:
            said += self._turn(turn)
        self.messages += said
        self.unknown += fed.unknown
        if not self.version and self._looked < drift.LOOKED_AT:
            self._looked += 1
            self.version = drift.version_of(line.raw)
        if fed.unknown:
            self.strange[drift.kind_of(line.raw)] += fed.unknown
        if fed.problems:
            self._reject(line, "parse", "; ".join(fed.problems))
        self._count("quarantined" if fed.problems else "stored" if said else "skipped", line)

    def finish(self, *, settled: bool) -> bool:
        """Fold what the end of a text leaves open if its file is settled; return True if nothing is left open."""
        ending = getattr(self.source, "ending", None)
        fed = ending(self.context) if ending else None
        if fed is None or fed.context is self.context:
            return True
        if settled:
            self.context = fed.context
            self.messages += sum([self._turn(turn) for turn in fed.turns])
        return settled

    def surface(self, *, at_end: bool) -> None:
        """End the slice: give out the open chunks, so that they are stored too."""
        self._take(fold.surface(self.folding, self.reading.cutting, self._origin, at_end=at_end))
        if tip := getattr(self.source, "tip", None):
            for facts in tip(self.context):
                self._tell(facts)

    @property
    def told(self) -> tuple[ConversationFacts, ...]:
        """The facts of whole conversations; what goes by the lines of a conversation comes last."""
        return (*self.facts.values(), *self.leaves.values())

    @property
    def _origin(self) -> Origin:
        """The origin in every chunk's metadata; the format's name is a part of a chunk's id, the host is not."""
        return Origin(self.source.NAME, self.reading.host)

    def _turn(self, turn: Turn) -> bool:
        """Fold one turn; return True if it brought new text of a project that is stored."""
        if turn.role == "user" and turn.facts.kind not in BY_MACHINE and is_unwanted(turn.text):
            self.unwanted.add(short(turn.conversation_id))
        turn = self._as_stored(turn)
        if turn.facts.kind == PROMPT and self._is_repeated(turn):
            return False
        step = fold.feed(self.folding, turn, self.reading.cutting, self._origin)
        self._take(step)
        said = step.accepted and bool(turn.text) and self.wanted(project := _project(turn, step.folding))
        stored = said and (self.reading.forgotten is nothing or not self._is_forgotten(turn, project))
        if stored:
            self._hear(turn, project)
        return stored

    def _as_stored(self, turn: Turn) -> Turn:
        """Return a turn with its secrets masked, of the project that its folder belongs to; nearly always as it is."""
        text, facts = turn.text, turn.facts
        if self.reading.redact:
            text, facts = mask(text), mask_facts(facts)
        if (project := self.reading.project_of(facts.project, self.path)) != facts.project:
            facts = replace(facts, project=project)
        return turn if text == turn.text and facts is turn.facts else replace(turn, text=text, facts=facts)

    def _is_repeated(self, turn: Turn) -> bool:
        """Return True if a prompt that stands alone is known from the conversation it was typed in."""
        original, named = getattr(self.source, "ORIGINAL", ""), short(turn.conversation_id)
        return bool(original and self.reading.is_repeated(original, named, prompt_of(turn), turn.facts.project))

    def _is_forgotten(self, turn: Turn, project: str) -> bool:
        """Return True if the user asked to forget what a turn says."""
        known = {"source": self.source.NAME, "conversation_id": short(turn.conversation_id), "timestamp": turn.at}
        return self.reading.forgotten(self.path, {**known, "project": project, "project_name": last_part(project)})

    def _hear(self, turn: Turn, project: str) -> None:
        """Count a turn that brought new text to its conversation."""
        name, at = short(turn.conversation_id), turn.at
        opening = first_line(turn.text, PROMPT_CHARS) if turn.role == "user" else ""
        told = (tidy(project, PATH_BYTES), tidy(turn.facts.title, TITLE_BYTES), tidy(opening, TITLE_BYTES))
        repeats = turn.role == "user" and (hasattr(self.source, "SHADOW") or hasattr(self.source, "ORIGINAL"))
        lines = (turn.turn_id[-LEAF_CHARS:],) if hasattr(self.source, "tip") else ()
        one = SpokenCounts(name, 1, at, at, *told, prompts=(prompt_of(turn),) if repeats else (), lines=lines)
        self.said[name] = counted(self.said.get(name, SpokenCounts(name)), one)

    def _tell(self, facts: ConversationFacts) -> None:
        """Note facts of a whole conversation."""
        told = tidied(mask_conversation(facts) if self.reading.redact else facts)
        told = replace(told, project=self.reading.project_of(told.project, self.path) if told.project else "")
        if told.leaf:
            self.leaves[told.leaf] = told
        elif told.conversation_id:
            former = self.facts.get(told.conversation_id, NOTHING)
            self.facts[told.conversation_id] = merged(former, told)

    def _take(self, step: fold.Step) -> None:
        """Keep what a step gave, without chunks that must not be stored. All releases stay: they only ever delete."""
        self.folding = step.folding
        if step.chunks:
            self.chunks += [c for c in step.chunks if self._stays(c)]
        self.releases += step.releases

    def _stays(self, found: Chunk) -> bool:
        """Return True if a chunk's project is wanted and the user did not ask to forget it."""
        wanted = self.wanted(found.metadata.get("project", ""))
        return wanted and not self.reading.forgotten(self.path, found.metadata)

    def _unreadable(self, line: Line) -> str:
        """Return why a line cannot be parsed at all; "" if it can."""
        if line.oversized:
            return f"a line of {line.end - line.start} bytes, more than {self.reading.max_line_bytes}"
        return line.problem

    def _count(self, outcome: str, line: Line) -> None:
        """Count the one outcome of a line, its newline included in the bytes."""
        self._lines[outcome] += 1
        self._bytes[outcome] += line.end - line.start

    def _reject(self, line: Line, stage: str, reason: str) -> None:
        """Set a line aside; once a slice has MOST_REJECTS rows, the last one stands for all further lines."""
        if len(self.rejects) < MOST_REJECTS:
            size = line.end - line.start
            self.rejects.append(Reject(self.path, line.start, size, stage, reason, sample(line.raw)))
            return
        last = self.rejects[-1]
        self.rejects[-1] = replace(last, length=line.end - last.offset, reason=f"many bad lines; the last: {reason}")


def with_facts(
    chunks: Iterable[Chunk], source: str, told: Callable[[str, str], ConversationFacts]
) -> tuple[Chunk, ...]:
    """Return chunks that tell what is `told` of their whole conversations."""
    known: dict[str, ConversationFacts] = {}
    found = []
    for chunk in chunks:
        name = chunk.metadata.get("conversation_id", "")
        if name not in known:
            known[name] = told(source, name)
        metadata = retitled(chunk.metadata, known[name])
        found.append(chunk if metadata is chunk.metadata else replace(chunk, metadata=metadata))
    return tuple(found)


def prompt_of(turn: Turn) -> tuple[int, bytes]:
    """Return what a prompt is known again by in the format that repeats it: its time, a hash of project and words."""
    at_ms = round(datetime.fromisoformat(turn.at).timestamp() * 1000) if turn.at else 0
    said = "\0".join((turn.facts.project, " ".join(turn.text.split())))
    return at_ms, blake2b(said.encode("utf-8", "replace"), digest_size=MARK_BYTES).digest()


def _project(turn: Turn, folding: Folding) -> str:
    """Return the project of the exchange that a turn's text was added to; a summary is an exchange of its own."""
    alone = turn.facts.kind in STANDALONE_KINDS or not folding.streams
    return turn.facts.project if alone else folding.streams[-1].about.project


def context_of(source: Format, path: bytes, parse: bytes | msgspec.Raw) -> Any:
    """Return the context of a format as a checkpoint has it, that before the first line where it has none."""
    return source.begin(path) if bytes(parse) == b"null" else msgspec.json.decode(parse, type=source.Context)


def sample(raw: bytes) -> str:
    """Return a short masked beginning of a bad line, for the person who looks at the quarantine."""
    return mask(raw[: 4 * SAMPLE_CHARS].decode("utf-8", "replace"))[:SAMPLE_CHARS]
