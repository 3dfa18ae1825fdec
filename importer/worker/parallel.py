"""Model runs side by side. A lane is a thread that has one run under way; a run that has begun is always waited for.

Two lanes with one processor core each beat one run on two cores: a run's small operations use a single core however
many it is given, and while one lane is between two runs the other one computes. Measured on 2 cores with windows of
real conversations: 15,050 tokens/s (2 lanes, 512 tokens a run) against 14,330 (1 lane, 1,024 tokens, 2 threads).

Reading ahead in the texts: the next batch is cut into windows while this one is in the model.

No lane has anything to do while a batch is tokenised, 0.12 s for 270 chunks. It is done on a thread of its own; the
tokenizer lets go of the interpreter's lock. Gained, together with the order of things in `lanes`: 2 % more tokens/s in
fp32 (three turns with and without, 2 to 6 %), half a percent in int8 (nine turns, -4 to 5 %); 2 cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from importer.protocol.system.priority import give_way
from importer.worker.embedders import Window

READY = 1  # runs that wait for a lane: handed over by the caller's thread, each would begin a few milliseconds late

Windows = list[list[Window]]  # those of each text
Split = Callable[[Sequence[str]], Windows]


@dataclass(slots=True)
class Ahead:
    """The windows of one batch that is not in the model yet, by text. Used by one thread."""

    split: Split
    _number: int = 0
    _windows: Future[dict[str, list[Window]]] | None = None
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="ahead"))

    def begin(self, number: int, texts: Sequence[str]) -> None:
        """Start on the texts of that batch, unless it did before; the one before it, if it never came, is given up."""
        if number == self._number:
            return
        if self._windows is not None:
            self._windows.cancel()
        self._number = number
        self._windows = self._pool.submit(self._by_text, texts)

    def windows(self, number: int, texts: Sequence[str]) -> Windows:
        """Return the windows of a batch's texts, made ahead (waits for them) or now. Raises what `split` raises.

        A batch is split ahead whole and needed in part: what the store has already is not embedded.
        """
        made = self._made() if number == self._number else {}
        missing = [text for text in texts if text not in made]
        made |= self._by_text(missing) if missing else {}
        return [made[text] for text in texts]

    def _made(self) -> dict[str, list[Window]]:
        """Return the windows of the batch begun ahead, and forget that batch."""
        windows, self._windows = self._windows, None
        if windows is None or windows.exception() is not None:
            return {}  # a text that cannot be read is told of when its own batch comes
        return windows.result()

    def _by_text(self, texts: Sequence[str]) -> dict[str, list[Window]]:
        return dict(zip(texts, self.split(texts), strict=True))


Work = TypeVar("Work")
Result = TypeVar("Result")


class Urgent(NamedTuple):
    """What goes ahead while runs are under way: `coming` returns a future done when the next comes, `serve` serves.

    `often` says that it comes often now, so that a lane is to be left free for it.
    """

    coming: Callable[[], Future[None]]
    serve: Callable[[], None]
    often: Callable[[], bool]


def side_by_side(
    works: Iterable[Work],
    run: Callable[[Work], Result],
    lanes: int,
    *,
    before: Callable[[Sequence[Work]], None],
    urgent: Urgent | None = None,
) -> Iterator[tuple[Work, Result]]:
    """Yield each work with its result, as they become ready: `lanes` of them are under way at once, READY more wait.

    `before` is called on the caller's thread when a run is about to begin, or to wait for a lane, with all that are
    then under way or waiting, itself last. There, too, what is `urgent` is served as soon as it comes; a single lane is
    that very thread, so that nothing is. Raises what `run` or `before` raises, after the other runs have ended.
    """
    if lanes == 1:
        for work in works:
            before([work])
            yield work, run(work)
        return
    pool = ThreadPoolExecutor(lanes, thread_name_prefix="lane", initializer=give_way)
    under_way: dict[Future[Result], Work] = {}
    waiting, ended = iter(works), list[tuple[Work, Result]]()
    try:
        while True:
            rings: list[Future[Any]] = [urgent.coming()] if urgent else []  # first: what comes from here on is noticed
            # The next runs before what is made of the last ones, so that no lane waits for it.
            room = lanes - 1 if urgent and urgent.often() else lanes + READY
            for work in islice(waiting, max(0, room - len(under_way))):
                before([*under_way.values(), work])
                under_way[pool.submit(run, work)] = work
            yield from ended
            if not under_way:
                return
            if urgent:
                urgent.serve()
            wait([*under_way, *rings], return_when=FIRST_COMPLETED)
            done = [future for future in under_way if future.done()]
            ended = [(under_way.pop(future), future.result()) for future in done]
    finally:
        pool.shutdown(cancel_futures=True)  # what only waits for a lane never begins
