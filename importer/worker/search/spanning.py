"""Read several stores as one: this machine's own, and further ones such as a server that other machines sync to.

    question ─► own store ─┐
             ─► another ───┼─► points by id, each once, as the own store has it ─► ranked together
             ─► away ──────┘   named in the answer

Nothing is ever written to a further store. One that does not answer costs one short time-out, and is left out for a
while. An embedded one has a single opener, so it is open for the time of a question only.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from importer.errors import ImporterError
from importer.worker.stores import EVERYTHING, Lookup, Page, Scope, Store
from importer.worker.stores.candidates import Candidate, Candidates
from importer.worker.stores.pages import joined

T = TypeVar("T")
AWAY_S = 30.0  # a store that did not answer is not asked again for as long
KEPT = ("http:", "https:", "grpc:", "grpcs:")  # a server's connection is kept from one question to the next


class Spanning:
    """The own store and others by their locations, for reading. `away` says why others are not among them."""

    def __init__(self, own: Store | None, others: dict[str, Store], away: dict[str, str]) -> None:
        self.away = away
        self._own = own
        self._others = others

    def elsewhere(self) -> Spanning:
        """Return the further stores alone."""
        return Spanning(None, self._others, self.away)

    def candidates(self, asked: Lookup) -> Candidates:
        """Return the best chunks of all stores; scores of one that several have are those of the first one."""
        found: dict[str, Candidate] = {}
        payloads: dict[str, Mapping[str, Any]] = {}
        answers = list(self._each(lambda store: store.candidates(asked)))
        for answer in answers:
            payloads = {**answer.payloads, **payloads}
            for one in answer.found:
                found[one.id] = _together(found.get(one.id), one)
        return Candidates(tuple(found.values()), all(answer.stemmed for answer in answers), payloads)

    def read(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist anywhere."""
        found: dict[str, Mapping[str, Any]] = {}

        def missing(store: Store) -> Mapping[str, Mapping[str, Any]]:
            return store.read([id for id in ids if id not in found])

        for payloads in self._each(missing):
            found |= payloads
        return found

    def scroll(
        self, after: str | None = None, limit: int = 256, *, with_vectors: bool = False, scope: Scope = EVERYTHING
    ) -> Page:
        """Return one page of the points of all stores, in order of id."""
        return joined(self._each(lambda store: store.scroll(after, limit, with_vectors=with_vectors, scope=scope)))

    def facet(self, key: str, limit: int = 1000) -> dict[str, int]:
        """Return how many points have each value in the store that has most: a mirror repeats the others."""
        most: dict[str, int] = {}
        for counts in self._each(lambda store: store.facet(key, limit)):
            most |= {value: max(count, most.get(value, 0)) for value, count in counts.items()}
        return most

    def _each(self, call: Callable[[Store], T]) -> Iterator[T]:
        """Yield the answer of the own store, then those of the others that answer."""
        if self._own is not None:
            yield call(self._own)
        for location, store in list(self._others.items()):
            try:
                yield call(store)
            except ImporterError as error:
                del self._others[location]
                self.away[location] = error.message


class FurtherStores:
    """The further stores of one worker; `load` opens one by its location. Raises what a store raises."""

    def __init__(self, load: Callable[[str], Store], clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._open: dict[str, Store] = {}
        self._away: dict[str, tuple[float, str]] = {}  # until when, and why

    @contextlib.contextmanager
    def beside(self, own: Store, locations: Iterable[str]) -> Iterator[Spanning]:
        """Give the own store and those at the locations as one."""
        opened: dict[str, Store] = {}
        away: dict[str, str] = {}
        for location in dict.fromkeys(locations):
            try:
                opened[location] = self._opened(location)
            except ImporterError as error:
                away[location] = error.message
        others = {location: store for location, store in opened.items() if store.fingerprint != own.fingerprint}
        spanning = Spanning(own, others, away)
        try:
            yield spanning
        finally:
            self._settle(opened, spanning.away)

    def _opened(self, location: str) -> Store:
        """Return a store that is open already or can be opened. Raises what a store raises."""
        until, why = self._away.get(location, (0.0, ""))
        if self._clock() < until:
            raise ImporterError(why)
        return self._open.get(location) or self._load(location)

    def _settle(self, opened: Mapping[str, Store], away: Mapping[str, str]) -> None:
        """Keep the connections to servers that answer, close all else, and note what is away."""
        for location, store in opened.items():
            if location.startswith(KEPT) and location not in away:
                self._open[location] = store
            else:
                self._open.pop(location, None)
                store.close()
        for location, why in away.items():
            if self._clock() >= self._away.get(location, (0.0, ""))[0]:
                self._away[location] = self._clock() + AWAY_S, why


def _together(known: Candidate | None, one: Candidate) -> Candidate:
    """Return a chunk with the scores that the first store gave it, and for rankings it was not in those of another."""
    if known is None:
        return one
    cosine = one.cosine if known.cosine is None else known.cosine
    return replace(known, words=known.words or one.words, stems=known.stems or one.stems, cosine=cosine)
