"""Seams where a fault can be ordered by the environment, so that tests break a real process at a chosen place.

    IMPORTER_FAILPOINTS = "embed=kill@3; upsert.after=exit:7; commit=sleep:2; chunk:WORD=kill; embed=raise%/tmp/once"

    SEAM[:WORD]=ACTION[:ARGUMENT][@N][%FILE]
        WORD   acts only when the text at the seam contains it
        @N     acts at the n-th time only, counted in each process
        %FILE  acts only if FILE can be created by it: once over all processes

    read           a slice of a file is about to be read          daemon
    send           a batch is about to go to the worker           daemon
    received       its receipt came, nothing is committed yet     daemon
    commit         its commit is half written                     daemon
    committed      its commit is durable                          daemon
    boot           a worker is about to open its store            worker
    embed          before each model run                          worker
    chunk          the same, with the texts of the run            worker
    upsert.before  a write is about to go to the store            worker
    upsert.after   it is durable, not yet told                   worker
    scrub.marked   a store's files are about to be written anew   worker
    scrub.merged   its segments are, its log is not               worker
    scrub.rolled   each time its log was written full             worker
    erase.mended   masked points are stored, theirs not deleted   daemon
    erase.silenced texts are out of the state's rows              daemon
    erase.deleted  points are deleted, their files not            daemon
    erase.scrubbed the store's files are done, the state's not    daemon
    erase.wiped    the state's file is, the task is still noted   daemon
    leads.mended   pieces with a new first line are stored        daemon
    leads.erased   former ones are deleted                        daemon
    leads.switched the file goes on by the new rule               daemon
    retell         points are written, facts of others are not    worker
    migrate.page   a page is embedded anew, not yet written       worker
    migrate.ready  the next generation is whole, not yet used     worker
    switch.chosen  the state names the new model                  command
    switch.between the former generation has given way            worker
    switch.placed  the next one is in its place                   worker
    receipt        the receipt is about to be sent                worker
    reply          each frame to the daemon                       worker
    wiring.noted   what is about to be written is noted           install
    wiring.folder  a folder for a settings file was made          install
    wiring.beside  the new text is durable, not in its place      install, uninstall
    wiring.written it is in its place, not noted as such          install
    wiring.undone  an entry is taken out, still noted             uninstall

    kill           SIGKILL to this very process
    orphan         SIGKILL to the parent first, then to itself: as when a whole container goes down
    exit[:CODE]    ends it at once, without any tidying up (1)
    sleep:SECONDS  stays there
    raise          RuntimeError
    away           StoreUnreachable
    full           OSError, no space left on the device
    leak:MB        keeps so many more megabytes
    print          writes to standard output, where nothing should ever be read from
    corrupt        spoils a byte of the frame, at the seam `reply`

Unset, it costs the look at an empty list.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from importer.errors import StoreUnreachable, UsageError

VARIABLE = "IMPORTER_FAILPOINTS"


@dataclass(slots=True)
class Failpoint:
    """One order: `nth` 0 is every time, `once` a file that says that it was carried out."""

    seam: str
    action: str
    argument: str = ""
    word: str = ""
    nth: int = 0
    once: str = ""
    hits: int = 0

    def due(self, seam: str, texts: Iterable[str]) -> bool:
        """Return True if the order is to be carried out here and now."""
        if seam != self.seam or (self.word and not any(self.word in text for text in texts)):
            return False
        self.hits += 1
        return self.nth in {0, self.hits} and (not self.once or _first(self.once))


def parse(orders: str) -> list[Failpoint]:
    """Return the orders of the variable. Raises UsageError for one that cannot be understood."""
    return [_parse(order.strip()) for order in orders.split(";") if order.strip()]


def _parse(order: str) -> Failpoint:
    """Parse one order, from its end. Raises UsageError: a mistyped order would be a test that tests nothing."""
    rest, _, once = order.partition("%")
    rest, _, nth = rest.partition("@")
    place, equals, what = rest.partition("=")
    seam, _, word = place.partition(":")
    action, _, argument = what.partition(":")
    if not equals or (action not in ACTIONS and action != "corrupt") or not (nth or "0").isdecimal():
        raise UsageError(f"{VARIABLE}: {order!r} is no order", hint="SEAM[:WORD]=ACTION[:ARGUMENT][@N][%FILE]")
    return Failpoint(seam, action, argument, word, int(nth or 0), once)


def hit(seam: str, texts: Iterable[str] = ()) -> None:
    """Carry out the orders for this seam, nearly always none. Raises what some actions order."""
    if not _ordered:
        return
    texts = list(texts)
    for point in _ordered:
        if point.action in ACTIONS and point.due(seam, texts):
            ACTIONS[point.action](point.argument)


def spoil(seam: str, frame: bytes) -> bytes:
    """Return the frame, with its last byte inverted if that is ordered."""
    if any(point.action == "corrupt" and point.due(seam, ()) for point in _ordered):
        return frame[:-1] + bytes([frame[-1] ^ 0xFF])
    return frame


def _first(path: str) -> bool:
    """Return True if this call made the file: of several processes only one can."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _orphan(_: str) -> None:
    """Kill the parent first, or it would see the death and start another worker."""
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _raise(error: Exception) -> None:
    raise error


_leaked: list[bytes] = []
ORDERED = "ordered by a failpoint"
ACTIONS: Mapping[str, Callable[[str], object]] = {
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "orphan": _orphan,
    "exit": lambda code: os._exit(int(code or 1)),
    "sleep": lambda seconds: time.sleep(float(seconds)),
    "raise": lambda message: _raise(RuntimeError(message or ORDERED)),
    "away": lambda message: _raise(StoreUnreachable(message or ORDERED)),
    "full": lambda _: _raise(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
    # not zeros, which the kernel would not have to back
    "leak": lambda megabytes: _leaked.append(b"\1" * (int(megabytes) << 20)),
    "print": lambda text: os.write(1, (text or "IMP1 a stray print\n").encode()),
}
_ordered = parse(os.environ.get(VARIABLE, ""))
