"""Open, list and name conversations: from the state and the files where they are there, from the store where not.

    word ─► Library.find ─► id, point       open: its files, turn by turn │ the store's chunks, joined
                                            list, projects: rows of the state │ the store's metadata

For every process that shows conversations to people or assistants; nothing here writes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from importer.consistency import forget
from importer.errors import UsageError
from importer.protocol import projects as project_names
from importer.protocol.foreign import values
from importer.protocol.projects import last_part
from importer.protocol.records import Turn
from importer.reading.gather import Reading
from importer.reading.turns import UnreadableFile, turns_of
from importer.service import assembly
from importer.service.ask import Asker, no_state
from importer.service.conversations import stitching
from importer.service.conversations.elsewhere import Elsewhere, told
from importer.service.conversations.values import Listed, Opened, SaidTurn, Spot
from importer.service.launch import profile_of
from importer.state.checkpoints import Checkpoints
from importer.state.lock import refuse_shared
from importer.state.open_database import FILE_NAME
from importer.state.spoken import Spoken

TAIL_CHARS = 80  # of a hit's text, by which its turn is found
WHOLE = 1_000_000  # chunks of a conversation: all
TIMES = ("since", "until")
SHORT_IDS = (8, 13, 18, 23, 28, 36)  # characters: the parts of a UUID


class Library:
    """The conversations of one state; `asker` is asked for what neither state nor files know.

    `elsewhere` are the further stores of its settings, whose conversations lists have, too.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker, self._settings = asker, asker.settings
        if asker.has_state:
            refuse_shared(asker.settings.state_dir)
        self._rows = Checkpoints.peek(os.path.join(asker.settings.state_dir, FILE_NAME))
        if self._rows is None:
            raise no_state(asker.settings.state_dir)
        self.checkpoints: Checkpoints = self._rows
        self._forgotten = forget.predicate(self.checkpoints)
        self.elsewhere = Elsewhere(asker.ask, there=bool(self._settings.search.also))

    def find(self, word: str) -> Spot:
        """Return what an id or the beginning of one names. Raises UsageError for none, or for several."""
        known = self.checkpoints.spoken.with_prefix(word, values.MOST_NAMED + 1)
        if word in known or len(known) == 1:
            return Spot(word if word in known else known[0])
        told = self._asker.ask("beginning", prefix=word) if len(word) >= values.LEAST_PREFIX else {}
        conversations = sorted({*known, *told.get("conversations", ())})
        points = told.get("points", ())
        if word in conversations or (len(conversations) == 1 and not points):
            return Spot(word if word in conversations else conversations[0])
        if len(points) == 1 and not conversations:
            return _spot(points[0])
        raise _unclear(word, [*conversations, *(point["id"] for point in points)])

    def short(self, ids: Sequence[str]) -> list[str]:
        """Return the beginnings of ids that `find` takes for them: as few characters as are enough, 8 at least."""
        beginnings = Counter(one[:size] for one in {*ids} for size in SHORT_IDS)

        def is_enough(beginning: str) -> bool:
            return beginnings[beginning] == 1 and len(self.checkpoints.spoken.with_prefix(beginning, 2)) < 2

        return [next((one[:size] for size in SHORT_IDS if is_enough(one[:size])), one) for one in ids]

    def open(self, spot: Spot, *, redacted: bool = False) -> Opened:
        """Return a conversation, whole. Raises UsageError where nothing is stored of it."""
        files = self.checkpoints.spoken.of_conversation(spot.conversation)
        files = [one for one in files if not self._forgotten(one.path, _metadata(one))]
        # Ids are unique in one tool: two that name theirs by the time may share one. The fuller one is meant.
        files = [one for one in files if one.source == files[0].source]
        return self._from_files(spot, files, redacted) or self._from_store(spot, redacted)

    def told(self) -> Iterator[Spoken]:
        """Yield the rows of the state that were not forgotten, newest first: one for a conversation in a file."""
        rows = self.checkpoints.spoken.newest_first()
        return (one for one in rows if not self._forgotten(one.path, _metadata(one)))

    def _from_files(self, spot: Spot, files: list[Spoken], redacted: bool) -> Opened | None:
        """Return what the files say, None where one of them cannot be read."""
        reading = self.reading(redacted=redacted)
        turns: list[Turn] = []
        try:
            for one in files:
                turns += [t for t in turns_of(one.path, one.source, reading) if t.conversation_id == spot.conversation]
        except UnreadableFile:
            return None
        said = tuple(_said(turn) for turn in _in_order(turns, len(files)))
        if not said:
            return None
        first, cwd = files[0], next((turn.facts.cwd for turn in turns if turn.facts.cwd), "")
        head = (first.title, first.project, first.source, os.fsdecode(first.path))
        return Opened(spot.conversation, *head, said, cwd or first.project, place_of(said, spot))

    def reading(self, *, redacted: bool = False) -> Reading:
        """Return how files are read: as the settings say, masked on demand."""
        profile = profile_of(self._settings)
        return replace(assembly.reading_of(self._settings, profile, self.checkpoints), redact=redacted)

    def _from_store(self, spot: Spot, redacted: bool) -> Opened:
        """Return what the store has: its chunks, joined to exchanges; what was masked at import is."""
        chunks = self._asker.ask("thread", conversation=spot.conversation, before=WHOLE, after=WHOLE)
        if not chunks:
            hint = "`importer list` shows what there is"
            raise UsageError(f"nothing is stored of conversation {spot.conversation}", hint=hint)
        said = stitching.turns(chunks)
        if redacted:
            said = [replace(one, text=stitching.masked(one.text)) for one in said]
        known = chunks[-1]["metadata"]
        head = (known.get("title", ""), known.get("project", ""), known.get("source", ""), "")
        cwd = str(known.get("cwd", ""))
        return Opened(spot.conversation, *head, tuple(said), cwd or known.get("project", ""), place_of(said, spot))

    def recent(
        self, *, project: str = "", source: str = "", since: str = "", until: str = "", limit: int = 20, **carried: Any
    ) -> list[Listed]:
        """Return conversations, the newest first, at most `limit`. Raises UsageError for an unknown project.

        `carried` are other filters of a search, such as `branch`: one chunk of a conversation must pass all of them.
        """
        rows = self._listed(source, since, until)
        wanted = {name: value for name, value in {"source": source, **carried}.items() if value}
        if any(carried.values()):
            passing = {(one.source, one.id) for one in told(self._asker.ask, **wanted)[0]}
            rows = (one for one in rows if (one.source, one.id) in passing)
        if project:
            everything = list(rows)
            names = {one.project for one in everything if one.project} | self.elsewhere.projects()
            chosen = set(project_names.chosen(project, names)) or self._known_projects(project)
            rows = iter([one for one in everything if one.project in chosen])
            wanted["projects"] = sorted(chosen)
        if found := self.elsewhere.recent(limit, since, until, **wanted):
            rows = _once([*rows, *found])
        return [one for one, _ in zip(rows, range(limit), strict=False)]

    def projects(self, **filters: Any) -> list[dict[str, Any]]:
        """Return the projects, the newest first, with counts of conversations and turns, times and sources."""
        found: dict[str, dict[str, Any]] = {}
        for one in self.recent(limit=WHOLE, **filters):
            fresh = {"project": one.project, "name": last_part(one.project), "conversations": 0, "turns": 0}
            row = found.setdefault(one.project, {**fresh, "first": "", "last": "", "sources": []})
            row["conversations"] += 1
            row["turns"] += one.turns
            row["first"] = min(filter(None, (row["first"], one.first)), default="")
            row["last"] = max(row["last"], one.last)
            row["sources"] = sorted({*row["sources"], one.source})
        return list(found.values())

    def why_nothing(self, *, source: str = "", **filters: Any) -> str:
        """Return which of these filters has a value that nothing has, "" for none; times and projects aside."""
        counts = Counter(one.source for one in self._listed("", "", "")) if source else {}
        if counts and source not in counts:
            return values.unknown("source", source, counts)
        carried = {name: value for name, value in filters.items() if value and name not in {"project", *TIMES}}
        return str(self._asker.ask("told", **carried).get("unknown", "")) if carried else ""

    def _known_projects(self, text: str) -> set[str]:
        """Return the projects that a text means of all there are, in which nothing was said at that time.

        Raises UsageError when it means none.
        """
        counts: dict[str, int] = {}
        for one in self._listed("", "", ""):
            counts[one.project] = counts.get(one.project, 0) + one.turns
        counts.pop("", None)
        if chosen := project_names.chosen(text, counts):
            return set(chosen)
        raise project_names.refusal(text, counts)

    def _listed(self, source: str, since: str, until: str) -> Iterator[Listed]:
        """Yield what passes the filters, newest first: of the state, and of the store where that does not know all."""
        rows: Iterable[Listed] = self._of_state(since, until)
        if not self.checkpoints.spoken.is_whole:
            stored, _ = told(self._asker.ask)
            there = (one for one in stored if one.last >= since and (not until or one.first <= until))
            rows = [*rows, *there]
        return (one for one in _once(rows) if not source or one.source == source)

    def _of_state(self, since: str, until: str) -> Iterator[Listed]:
        """Yield the rows of the state that were not forgotten since."""
        for one in self.checkpoints.spoken.newest_first(since, until):
            if not self._forgotten(one.path, _metadata(one)):
                facts = (one.title, one.project, one.source, one.first, one.last, one.turns, self._settings.host)
                yield Listed(one.conversation, *facts, path=one.path)


def _once(rows: Iterable[Listed]) -> Iterator[Listed]:
    """Yield each conversation once, the newest first, though it is in several files or stores."""
    seen: dict[tuple[str, str], Listed] = {}
    ordered = rows if isinstance(rows, Iterator) else sorted(rows, key=lambda one: one.last, reverse=True)
    for one in ordered:
        former = seen.setdefault((one.source, one.id), one)
        if former is one:
            yield one
            continue
        # A copy in another file, or another part.
        former.first = min(filter(None, (former.first, one.first)), default="")
        former.turns, former.path = max(former.turns, one.turns), former.path or one.path


def _metadata(one: Spoken) -> dict[str, Any]:
    """Return what rules of forgetting ask of a conversation."""
    known = {"source": one.source, "conversation_id": one.conversation, "timestamp": one.last}
    return {**known, "project": one.project, "project_name": last_part(one.project)}


def _spot(point: Mapping[str, Any]) -> Spot:
    """Return where a point stands."""
    known = point["metadata"]
    where = (known.get("conversation_id", ""), point["id"], point["document"], known.get("message_id", ""))
    return Spot(*where)


def spot_of(hit: Mapping[str, Any]) -> Spot:
    """Return where a hit of a search stands: at the passage that answers, where it has one."""
    said = (hit.get("passage") or {}).get("text") or hit["document"]
    return replace(_spot(hit), document=said)


def _unclear(word: str, found: list[str]) -> UsageError:
    """Return the error for a word that names nothing, or several things."""
    if not found:
        hint = "`importer list` and `importer search` show ids; their first letters are enough"
        return UsageError(f"no conversation and no hit is called {word!r}", hint=hint)
    return values.begins_several(word, found)


def _said(turn: Turn) -> SaidTurn:
    """Return a turn as it is shown."""
    role = "subagent" if turn.facts.kind == "subagent" else turn.role
    return SaidTurn(role, turn.text, turn.at, turn.turn_id)


def _in_order(turns: list[Turn], files: int) -> list[Turn]:
    """Return the turns of several files once each, by time; those of one file stay in its order."""
    if files == 1:
        return turns
    once = {turn.key or turn.turn_id or id(turn): turn for turn in turns}
    return sorted(once.values(), key=lambda turn: turn.at)


def place_of(said: Sequence[SaidTurn], spot: Spot) -> int:
    """Return the turn that a hit stands in: one that has the end of its text, else its exchange's first; -1 for none.

    Its exchange goes before: "Done." may end many turns.
    """
    if not spot.point:
        return -1
    end = " ".join(spot.document[-TAIL_CHARS:].split())
    begun = next((at for at, one in enumerate(said) if spot.message_id and one.message_id == spot.message_id), 0)
    order = (*range(begun, len(said)), *range(begun))
    return next((at for at in order if end and end in " ".join(said[at].text.split())), begun)
