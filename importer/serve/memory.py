"""Do what the tools promise, for any transport: each returns the text that a model reads and the same as values.

    arguments ─► Memory.search_conversations │ open_conversation │ list_conversations │ … ─► (text, values)

Questions go to the process that answers for the state, as those of the commands do; files are read in a thread. What
reads files and state takes a quarter of a second to import, which no search waits for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from importer.errors import ImporterError, UsageError
from importer.protocol import clock, projects
from importer.protocol.foreign.quoting import line
from importer.protocol.query import left_out
from importer.serve import answers, rows, turns
from importer.serve.fitting import LEAST_TOKENS, Told
from importer.serve.recent import Recent
from importer.serve.tools import HITS, OPEN_TOKENS, TOKENS
from importer.service.ask import Asker
from importer.service.conversations.values import Opened
from importer.settings.load import Settings

if TYPE_CHECKING:
    from importer.service.conversations.library import Library

FRESH_S = 60.0  # how long a line on freshness holds
FIRST_WAIT_S, FRESH_WAIT_S = 2.0, 0.5  # how long an answer waits for it: where none is known yet, where one is
BESIDE = 4  # turns on a side, where the other one alone was given
ELSEWHERE = 3  # other places of a conversation that are shown


class Memory:
    """The conversations of one state, as the tools ask for them."""

    def __init__(self, asker: Asker) -> None:
        self._asker, self._recent = asker, Recent()
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
            raise UsageError("the query is empty", hint="a few words of what was said, or an error message")
        most, notes = _room(max_tokens)
        asked = {**_moments(filters), "without_kind": [without_kind] if without_kind else []}
        self._begin_to_look()  # while a first search waits for the model
        found = await self._asker.ask_beside_others("search", text=query.strip(), limit=limit, **asked)
        far = found["near"] == "nothing"
        hits = found["hits"] if all or not far else []
        self._recent.note(query.strip(), hits)
        notes += [answers.FAR if hits else answers.NOTHING] if far else []
        notes += _notes(found, filters.get("project", ""))
        beside = await self._beside(hits[0], context) if hits and context else []
        draft = answers.found(found["near"], hits, notes, beside, await self._freshness())
        return await draft.answer(most, self._tokens)

    async def open_conversation(
        self,
        conversation: str = "",
        id: str = "",
        *,
        query: str = "",
        before: int | None = None,
        after: int | None = None,
        max_tokens: int = OPEN_TOKENS,
    ) -> Told:
        """Return a conversation's turns, around a hit or from its beginning, as many as fit.

        Raises UsageError for an id that names nothing.
        """
        most, notes = _room(max_tokens)
        opened = await asyncio.to_thread(self._opened, id or conversation)
        if id and opened.at < 0 and conversation:  # the id of a conversation
            opened = await asyncio.to_thread(self._opened, conversation)
        places = [self._place(opened, id or conversation)] if opened.at >= 0 else []
        if before is None and after is None:
            places += await self._elsewhere(opened, query or self._recent.query(opened.conversation))
        wanted = turns.Wanted(places, range(*_span(opened, before, after)), most)
        return await turns.read(opened, wanted, notes).answer(most, self._tokens)

    async def list_conversations(self, limit: int = 20, max_tokens: int = TOKENS, **filters: Any) -> Told:
        """Return conversations, the newest first."""
        most, notes = _room(max_tokens)
        wanted = _moments(filters)
        found, away = await asyncio.to_thread(
            self._library, lambda library: (library.recent(limit=limit, **wanted), library.elsewhere.away)
        )
        notes += [rows.OLDER] if len(found) == limit else []
        if not found:
            why = await asyncio.to_thread(self._library, lambda library: library.why_nothing(**wanted))
            notes += [line(why)] if why else []
        return await rows.conversations(found, [*notes, *left_out(away)]).answer(most, self._tokens)

    async def list_projects(self, max_tokens: int = TOKENS, **filters: Any) -> Told:
        """Return projects, the one spoken of last first."""
        most, notes = _room(max_tokens)
        asked = _moments(filters)
        found, away = await asyncio.to_thread(
            self._library, lambda library: (library.projects(**asked), library.elsewhere.away)
        )
        return await rows.projects(found, [*notes, *left_out(away)]).answer(most, self._tokens)

    async def import_status(self) -> Told:
        """Return how fresh this memory is."""
        found = await asyncio.to_thread(_status, self._asker.settings)
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
        of = len(opened.turns)
        return "\n\n".join(turns.whole_turn(turn, place, of) for place, turn in enumerate(opened.turns, 1))

    def _opened(self, which: str) -> Opened:
        """Return the conversation that an id of it or of a hit names, at what was found of the hit."""

        def look(rows: Library) -> Opened:
            spot = rows.find(which)
            passage = self._recent.passage(spot.point)
            return rows.open(replace(spot, document=passage or spot.document))

        found: Opened = self._library(look)
        return found

    def _place(self, opened: Opened, id: str) -> turns.FoundTurn:
        """Return where a hit stands in its turn: at the passage that was found, else where its piece begins."""
        return turns.placed(opened.turns, opened.at, self._recent.passage(id))

    async def _elsewhere(self, opened: Opened, query: str) -> list[turns.FoundTurn]:
        """Return where else a conversation speaks of a query, the nearest to it first."""
        if not query:
            return []
        from importer.service.conversations.library import place_of, spot_of  # noqa: PLC0415

        with suppress(ImporterError, OSError):
            asked: dict[str, Any] = {"text": query, "conversation": opened.conversation, "limit": ELSEWHERE}
            found = await self._asker.ask_beside_others("search", **asked)
            spots = [spot_of(hit) for hit in found["hits"]]
            places = [turns.placed(opened.turns, place_of(opened.turns, spot), spot.document) for spot in spots]
            return [one for one in places if one.turn != opened.at]
        return []

    def _library(self, ask: Callable[[Library], Any]) -> Any:
        """Return an answer of the library, which is closed behind it."""
        from importer.service.conversations.library import Library  # noqa: PLC0415

        library = Library(self._asker)
        try:
            return ask(library)
        finally:
            library.checkpoints.close()

    async def _beside(self, hit: Mapping[str, Any], pieces: int) -> list[Mapping[str, Any]]:
        """Return the pieces beside a hit, with it, in the order of speaking."""
        conversation = str(hit["metadata"].get("conversation_id", ""))
        found: list[Mapping[str, Any]] = await self._asker.ask_beside_others(
            "thread", conversation=conversation, around=str(hit["id"]), before=pieces, after=pieces
        )
        return found

    async def _tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of texts."""
        counted: list[int] = await self._asker.ask_beside_others("tokens", texts=list(texts))
        return counted

    async def _freshness(self) -> str:
        """Return a line on how fresh this memory is; the last one known, where a new one takes long."""
        self._begin_to_look()
        if self._looking is not None:
            with suppress(TimeoutError):
                wait_s = FRESH_WAIT_S if self._fresh[1] else FIRST_WAIT_S
                return await asyncio.wait_for(asyncio.shield(self._looking), wait_s)
        return self._fresh[1]

    def _begin_to_look(self) -> None:
        """Begin to look how fresh this memory is, where what is known of that is old."""
        if time.monotonic() - self._fresh[0] > FRESH_S and self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> str:
        """Look how fresh this memory is, and remember that."""
        try:
            told = _freshness(await asyncio.to_thread(_status, self._asker.settings, count=False))
            self._fresh = (time.monotonic(), told)
        except (ImporterError, OSError):
            told = ""
        finally:
            self._looking = None
        return told


def _status(settings: Settings, *, count: bool = True) -> Mapping[str, Any]:
    """Return the status of the import."""
    from importer.service.status.gather import gather  # noqa: PLC0415

    return gather(settings, count=count)


def _moments(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters with times in UTC. Raises UsageError for words that name no time."""
    since, until = clock.span(filters.get("since", ""), filters.get("until", ""))
    return {**filters, "since": since, "until": until}


def _notes(found: Mapping[str, Any], project: str) -> list[str]:
    """Return what is to be said of a search before its hits."""
    told = found.get("projects", {})
    several = [projects.several(project, told, told)] if len(told) > 1 else []
    read = found.get("query_cut")
    long = [] if read is None else [f"The query was long: only its first {read:,} characters were searched for."]
    unknown = [line(found["unknown"])] if found.get("unknown") else []
    return [*long, *several, *unknown, *left_out(found.get("away", {}))]


def _room(max_tokens: int) -> tuple[int, list[str]]:
    """Return how many tokens an answer may have, and a word where that is not what was asked for."""
    if max_tokens >= LEAST_TOKENS:
        return max_tokens, []
    return LEAST_TOKENS, [f"(max_tokens is at least {LEAST_TOKENS}; {max_tokens} was taken as that)"]


def _span(opened: Opened, before: int | None, after: int | None) -> tuple[int, int]:
    """Return the turns that are wanted: all, or so many before and after the hit; without one, from the beginning."""
    of = len(opened.turns)
    if before is None and after is None:
        return 0, of
    before, after = (BESIDE if one is None else one for one in (before, after))
    first = max(0, opened.at - before) if opened.at >= 0 else 0
    last = opened.at + after + 1 if opened.at >= 0 else before + after + 1
    return first, min(of, last)


def _freshness(found: Mapping[str, Any]) -> str:
    """Return in one line what is not imported yet."""
    behind, state = found["lag"], found["state"]
    pending = found["files"]["pending"]
    runs = "no import runs" if state == "stopped" else f"the importer is {state}"
    if not behind["bytes"]:
        return f"Freshness: everything on disk is imported; {runs}."
    least = "at least " if behind["at_least"] else ""
    return f"Freshness: {least}{pending:,} files are not imported to their end; {runs}."
