"""Do what the tools promise, for any transport: each returns the text that a model reads and the same as values.

    arguments ─► Memory.search_conversations │ open_conversation │ list_conversations │ … ─► (text, values)

Questions go to the process that answers for the state, as those of the commands do; files are read in a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from importer.assistants import registry
from importer.errors import ImporterError, UsageError
from importer.protocol import clock, projects
from importer.protocol.foreign.quoting import fenced, line, plain
from importer.serve import answers
from importer.serve.tools import HITS, TOKENS
from importer.service.ask import Asker
from importer.service.conversations.library import Library
from importer.service.conversations.values import Listed, Opened, SaidTurn
from importer.service.status.gather import gather

Told = tuple[str, dict[str, Any]]
FRESH_S, FRESH_WAIT_S = 60.0, 0.5  # how long a line on freshness holds; how long an answer waits for it
MORE = "(more was left out: ask for less, or for more max_tokens)"


class Memory:
    """The conversations of one state, as the tools ask for them."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._fresh: tuple[float, str] = (float("-inf"), "")
        self._looking: asyncio.Task[str] | None = None

    async def search_conversations(
        self,
        query: str,
        *,
        limit: int = HITS,
        max_tokens: int = TOKENS,
        context: int = 0,
        all: bool = False,
        without_kind: str = "",
        **filters: Any,
    ) -> Told:
        """Return what was said about a query, a conversation an entry. Raises UsageError for an empty query."""
        if not query.strip():
            raise UsageError("the query is empty")
        asked = {**_moments(filters), "without_kind": [without_kind] if without_kind else []}
        found = await self._asker.ask_beside_others("search", text=query.strip(), limit=limit, **asked)
        far = found["near"] == "nothing"
        hits = found["hits"] if all or not far else []
        entries = answers.entries(hits, clock.dated, _resume)
        freshness = await self._freshness()
        notes = _notes(found, filters.get("project", ""))
        notes += [answers.FAR if hits else answers.NOTHING] if far else []
        around = await self._around(hits[0], context) if hits and context else []
        fixed = [*notes, *around, freshness, MORE]
        counts = await self._tokens([*fixed, *(text for one in entries for text in one.lengths)])
        room = max_tokens - sum(counts[: len(fixed)])
        lengths = [counts[at : at + 3] for at in range(len(fixed), len(counts), 3)]
        chosen = answers.fitting(lengths, room)
        told = [(one, length) for one, length in zip(entries, chosen, strict=True) if length >= 0]
        blocks = [*notes, *(one.lengths[length] for one, length in told), *around]
        blocks += [MORE] if len(told) < len(entries) else []
        values = {
            "near": found["near"],
            "conversations": [{**one.values, "passages": list(one.passages[length])} for one, length in told],
            "freshness": freshness,
        }
        return "\n\n".join([*blocks, freshness]), values

    async def open_conversation(
        self, conversation: str, id: str = "", before: int = 4, after: int = 4, max_tokens: int = 2_000
    ) -> Told:
        """Return a conversation's turns, around a hit or from its beginning, as many as fit."""
        opened = await asyncio.to_thread(self._opened, id or conversation)
        if id and opened.at < 0:  # the id of a conversation
            opened = await asyncio.to_thread(self._opened, conversation)
        first = max(0, opened.at - before) if opened.at >= 0 else 0
        last = opened.at + after + 1 if opened.at >= 0 else first + before + after + 1
        turns = opened.turns[first:last]
        way = registry.way_back(opened.source, opened.conversation, opened.cwd).words
        head = ", ".join(plain(one) for one in (opened.title, opened.project, opened.source) if one)
        names = f"conversation {plain(opened.conversation)}, {len(opened.turns)} turns" + (
            f", resume: {plain(way)}" if way else ""
        )
        cut = [_shortened(turn, (2 if first + at == opened.at else 1) * max_tokens) for at, turn in enumerate(turns)]
        blocks = [_turn(turn, place, len(opened.turns)) for place, turn in enumerate(cut, first + 1)]
        counts = await self._tokens([f"{head}\n{names}", MORE, *blocks])
        kept = _nearest(counts[2:], max(0, opened.at - first), max_tokens - sum(counts[:2]))
        shown = [blocks[at] for at in kept]
        more = [MORE] if len(kept) < len(blocks) or cut != list(turns) else []
        values = {
            "conversation": opened.conversation, "title": opened.title, "project": opened.project,
            "source": opened.source, "resume": way, "first": first + 1 + (kept[0] if kept else 0),
            "of": len(opened.turns),
            "turns": [{"role": turns[at].role, "at": turns[at].timestamp, "text": cut[at].text} for at in kept],
        }  # fmt: skip
        return "\n\n".join([f"{head}\n{names}", *shown, *more]), values

    async def list_conversations(self, limit: int = 20, max_tokens: int = TOKENS, **filters: Any) -> Told:
        """Return conversations, the newest first."""
        found = await asyncio.to_thread(self._library, lambda rows: rows.recent(limit=limit, **_moments(filters)))
        rows = [_row(one) for one in found]
        kept = await self._first(rows, max_tokens)
        values = [
            {**one.fields(), "conversation": one.id, "at": one.last, "age": clock.dated(one.last)}
            for one in found[:kept]
        ]
        return _lines(rows, kept, "No conversation passes."), {"conversations": values}

    async def list_projects(self, max_tokens: int = TOKENS, **filters: Any) -> Told:
        """Return projects, the one spoken of last first."""
        found = await asyncio.to_thread(self._library, lambda rows: rows.projects(**_moments(filters)))
        rows = [
            f"{plain(one['project'] or '(no project)')}: {one['conversations']} conversations, {one['turns']} turns, "
            f"last {clock.dated(one['last'])}, {', '.join(one['sources'])}"
            for one in found
        ]
        kept = await self._first(rows, max_tokens)
        return _lines(rows, kept, "No project is known."), {"projects": found[:kept]}

    async def import_status(self) -> Told:
        """Return how fresh this memory is."""
        found = await asyncio.to_thread(gather, self._asker.settings)
        fresh = _freshness(found)
        points = "unknown" if found["points"] is None else f"{found['points']:,}"
        trouble = [f"{found['quarantine']} lines or chunks are in quarantine"] if found["quarantine"] else []
        told = [
            f"state: {found['state']}{': ' + found['reason'] if found['reason'] else ''}",
            f"points: {points}",
            fresh,
        ]
        values = {"state": found["state"], "points": found["points"], "freshness": fresh}
        return "\n".join([*map(line, told), *trouble]), values

    async def whole(self, conversation: str) -> str:
        """Return a conversation as a resource: all its turns."""
        opened = await asyncio.to_thread(self._opened, conversation)
        return "\n\n".join(_turn(turn, place, len(opened.turns)) for place, turn in enumerate(opened.turns, 1))

    def _opened(self, which: str) -> Opened:
        """Return the conversation that an id of it or of a hit names."""
        found: Opened = self._library(lambda rows: rows.open(rows.find(which)))
        return found

    def _library(self, ask: Callable[[Library], Any]) -> Any:
        """Return an answer of the library, which is closed behind it."""
        library = Library(self._asker)
        try:
            return ask(library)
        finally:
            library.checkpoints.close()

    async def _around(self, hit: Mapping[str, Any], pieces: int) -> list[str]:
        """Return the pieces beside a hit, as blocks."""
        conversation = str(hit["metadata"].get("conversation_id", ""))
        chunks = await self._asker.ask_beside_others(
            "thread", conversation=conversation, around=str(hit["id"]), before=pieces, after=pieces
        )
        beside = [str(one["document"]) for one in chunks if one["id"] != hit["id"]]
        return [f"Around hit 1:\n{fenced(document)}" for document in beside]

    async def _tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of texts."""
        counted: list[int] = await self._asker.ask_beside_others("tokens", texts=list(texts))
        return counted

    async def _first(self, rows: Sequence[str], max_tokens: int) -> int:
        """Return how many of the first rows fit."""
        counts = await self._tokens([MORE, *rows])
        room, kept = max_tokens - counts[0], 0
        while kept < len(rows) and counts[kept + 1] <= room:
            room -= counts[kept + 1]
            kept += 1
        return kept

    async def _freshness(self) -> str:
        """Return a line on how fresh this memory is; the last one known, where a new one takes long."""
        at, told = self._fresh
        if time.monotonic() - at > FRESH_S and self._looking is None:
            self._looking = asyncio.create_task(self._look())
        if self._looking is not None:
            with suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(self._looking), FRESH_WAIT_S)
        return told

    async def _look(self) -> str:
        """Look how fresh this memory is, and remember that."""
        try:
            told = _freshness(await asyncio.to_thread(gather, self._asker.settings, count=False))
            self._fresh = (time.monotonic(), told)
        except (ImporterError, OSError):
            told = ""
        self._looking = None
        return told


def _moments(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters with times in UTC. Raises UsageError for words that name no time."""
    since, until = clock.instant(filters.get("since", "")), clock.instant(filters.get("until", ""), end=True)
    return {**filters, "since": since, "until": until}


def _notes(found: Mapping[str, Any], project: str) -> list[str]:
    """Return what is to be said of a search before its hits."""
    told = found.get("projects", {})
    several = [projects.several(project, told, told)] if len(told) > 1 else []
    read = found.get("query_cut")
    long = [] if read is None else [f"The query was long: only its first {read:,} characters were searched for."]
    return [*long, *several]


def _resume(known: Mapping[str, Any]) -> str:
    """Return what is typed to go on with the conversation of a hit."""
    conversation, folder = str(known.get("conversation_id", "")), known.get("cwd") or known.get("project") or ""
    return registry.way_back(str(known.get("source", "")), conversation, str(folder)).words


def _turn(turn: SaidTurn, place: int, of: int) -> str:
    """Return one turn with its place, who said it and when."""
    when = f", {clock.dated(turn.timestamp)}" if turn.timestamp else ""
    return f"[{place} of {of}] {plain(turn.role)}{when}\n{fenced(turn.text)}"


def _shortened(turn: SaidTurn, most_chars: int) -> SaidTurn:
    """Return a turn whose text leaves room for others: a token of a text model has about four characters."""
    return turn if len(turn.text) <= most_chars else replace(turn, text=f"{turn.text[:most_chars].rstrip()} …")


def _row(one: Listed) -> str:
    """Return one conversation of a list."""
    told = (plain(text) for text in (one.title or "(no title)", one.project, one.source) if text)
    return f"{clock.dated(one.last)}: {', '.join(told)}, {one.turns} turns, conversation {plain(one.id)}"


def _lines(rows: Sequence[str], kept: int, none: str) -> str:
    """Return the rows that fit."""
    return "\n".join([*rows[:kept], *([MORE] if kept < len(rows) else [])]) or none


def _nearest(counts: Sequence[int], at: int, room: int) -> list[int]:
    """Return the places of what fits, beginning at one and going on to both sides; in order, without a gap."""
    if not counts or counts[at] > room:
        return []
    first, last, room = at, at, room - counts[at]
    while True:
        sides = [side for side in (last + 1, first - 1) if 0 <= side < len(counts) and counts[side] <= room]
        if not sides:
            return list(range(first, last + 1))
        side = sides[0]
        room -= counts[side]
        first, last = min(first, side), max(last, side)


def _freshness(found: Mapping[str, Any]) -> str:
    """Return in one line what is not imported yet."""
    behind, state = found["lag"], found["state"]
    pending = found["files"]["pending"]
    runs = "no import runs" if state == "stopped" else f"the importer is {state}"
    if not behind["bytes"]:
        return f"Freshness: everything on disk is imported; {runs}."
    least = "at least " if behind["at_least"] else ""
    return f"Freshness: {least}{pending:,} files are not imported to their end; {runs}."
