"""What must answer: the model, the store, and the daemon where one runs."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Iterator
from dataclasses import dataclass

from importer.cli.doctor.finding import Finding, Problem, verdict
from importer.service.client import SOCKET_NAME as SOCKET
from importer.service.status.store_location import SERVER, Location, Probe

OLDEST_SERVER = (1, 16)  # the first to keep metadata with a collection, in which its fingerprint stands
NEXT_SERVER = (2, 0)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """`directory` is "" when the model is not on this machine; `problem` and `hint` are what loading it said.

    `local` is false for a provider behind a network, of which `problem` tells as well.
    """

    name: str
    local: bool
    directory: str
    offline: bool
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """`reached` is a look from outside, `problem` and `hint` what the worker said that opened it, "" if nothing."""

    where: Location
    reached: Probe
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """`pid` and `command` of who holds the state, 0 for nobody; `state` and `reason` of its status.

    `silent` is why its socket does not answer, "" if it does or need not. `mode` is the socket's, None for no socket.
    """

    state_dir: str
    pid: int = 0
    command: str = ""
    state: str = ""
    reason: str = ""
    silent: str = ""
    mode: int | None = None
    owner: int = -1
    uid: int = -1


def socket_of(state_dir: str) -> tuple[int | None, int]:
    """`(mode, owner)` of the control socket; None and -1 when there is none."""
    try:
        found = os.stat(os.path.join(state_dir, SOCKET))
    except OSError:
        return None, -1
    return (found.st_mode & 0o777, found.st_uid) if modes.S_ISSOCK(found.st_mode) else (None, -1)


def model(facts: ModelFacts) -> Finding:
    """The model is here, whole, and embeds.

    Being there is not enough: a damaged graph or a library that does not fit shows only when a text is embedded, which
    a worker has tried before this is judged.
    """

    def problems() -> Iterator[Problem]:
        if facts.local and not facts.directory:
            unset = "unset HF_HUB_OFFLINE and embed.offline, then " if facts.offline else ""
            yield Problem(f"{facts.name} is not on this machine", f"{unset}importer model fetch")
        elif facts.problem:
            yield Problem(facts.problem, facts.hint or "importer model fetch")

    return verdict("model", f"{facts.name}{f' in {facts.directory}' if facts.directory else ''}", problems())


def store(facts: StoreFacts) -> Finding:
    """The store can be reached, takes our key, and its collection is ours.

    A refused key goes before everything that follows from it. What only an opener can see (another model's dimension,
    another schema) the worker has said in its own words, with the way out.
    """
    where, reached = facts.where, facts.reached
    count = "an unknown number of" if reached.points is None else f"{reached.points:,}"

    def problems() -> Iterator[Problem]:
        if reached.status in (401, 403):
            yield Problem(
                f"{where.location} refuses the key ({reached.status})", "QDRANT_API_KEY=…, as the server has it"
            )
        elif reached.reachable is False:
            yield Problem(f"{where.location}: {reached.why}", _way_in(where))
        elif facts.problem:
            yield Problem(
                facts.problem, facts.hint or "`importer --log-level debug search x` shows what the worker says"
            )

    return verdict("store", f"{where.kind} {where.location}: {count} points in {where.collection}", problems())


def _way_in(where: Location) -> str:
    """How a store that cannot be had is made to answer: by its server, or by the rights to its folder."""
    if where.kind == SERVER:
        return f"start it, or correct QDRANT_URL; `curl {where.location}` must answer"
    return f"chown -R {os.geteuid()} {where.location} && chmod -R u+rwX {where.location}"


def store_version(facts: StoreFacts) -> Finding:
    """The server speaks what this importer does.

    A server older than `OLDEST_SERVER` would take points and forget the fingerprint that tells one collection from
    another; the next major version may change anything.
    """
    version = facts.reached.version
    if facts.where.kind != SERVER or not version:
        return Finding("store_version", True, "embedded" if facts.where.kind != SERVER else "not told")
    numbers = tuple(int(part) for part in version.split("-")[0].split(".")[:2] if part.isdigit())  # 1.16.0-dev is 1.16
    oldest = ".".join(map(str, OLDEST_SERVER))

    def problems() -> Iterator[Problem]:
        if not OLDEST_SERVER <= numbers < NEXT_SERVER:
            fix = f"run qdrant/qdrant:v{oldest} or newer (below 2), one minor version at a time"
            yield Problem(f"Qdrant {version} is not supported", fix)

    return verdict("store_version", f"Qdrant {version}", problems())


def daemon(facts: DaemonFacts) -> Finding:
    """If one runs, it answers and imports.

    A process that holds the state and does not answer keeps everybody else out of it: the kernel drops the lock when
    the process ends, so ending it is always safe.
    """

    def problems() -> Iterator[Problem]:
        if facts.silent:
            fix = f"kill -KILL {facts.pid}, and start it again; everything committed is kept"
            yield Problem(
                f"process {facts.pid} ({facts.command}) holds the state and does not answer: {facts.silent}", fix
            )
        elif facts.state == "degraded":
            yield Problem(
                f"the daemon cannot import: {facts.reason}", "the other findings here; `importer status` follows it"
            )
        elif facts.state == "paused":
            yield Problem(f"the daemon is paused: {facts.reason}", "importer resume")

    fine = f"process {facts.pid} ({facts.command}): {facts.state or 'importing'}" if facts.pid else "none runs"
    return verdict("daemon", fine, problems())


def socket(facts: DaemonFacts) -> Finding:
    """The control socket is its owner's alone: who may connect may read the conversations.

    It is made with mode 0600; another mode was set by somebody, or by a file system that knows none.
    """
    path = os.path.join(facts.state_dir, SOCKET)

    def problems() -> Iterator[Problem]:
        if facts.mode is not None and facts.mode & 0o077:
            yield Problem(f"{path} is open to others (mode {facts.mode:o})", f"chmod 600 {path}")
        if facts.mode is not None and facts.owner not in (facts.uid, -1) and facts.uid != 0:
            yield Problem(f"{path} belongs to user {facts.owner}", f"run this as that user: sudo -u '#{facts.owner}' …")

    return verdict("socket", path if facts.mode is not None else "none: no daemon runs", problems())
