"""Check what must answer: the model, the store, and the daemon where one runs."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from importer.cli.doctor.finding import Finding, Problem, judge
from importer.cli.doctor.host import satisfies
from importer.protocol.worker_settings import addresses
from importer.service.client import SOCKET_NAME as SOCKET
from importer.service.status.cluster_ping import Cluster
from importer.service.status.store_location import SERVER, Location, Probe
from importer.service.status.store_ping import REST_PORT

SERVERS = ">=1.16,<2"  # versions that are supported


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What was found about the model.

    `directory` is "" when it is not on this machine; `problem` and `hint` are the words of the error that loading it
    gave. `local` is false for a hosted provider; then they are the words of the provider's error. `engine` runs it.
    """

    name: str
    local: bool
    directory: str
    offline: bool
    problem: str = ""
    hint: str = ""
    engine: str = ""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What was found about the store: `seen` from outside, `problem` and `hint` by the worker that opened it, or "".

    `cluster` are a server's nodes; `writes` is False for a key that may only read, None where that is not known.
    """

    location: Location
    seen: Probe
    problem: str = ""
    hint: str = ""
    cluster: Cluster = field(default_factory=Cluster)
    writes: bool | None = None


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """What was found about the process that holds the state: `pid`, 0 for none, and `command`.

    `state` and `reason` are those of its status. `silent` is why its socket does not answer, "" if it does or need not.
    `mode` and `owner` are the socket's, None and -1 without one; `uid` is this user.
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
    """Return `(mode, owner)` of the control socket; None and -1 when there is none."""
    try:
        found = os.stat(os.path.join(state_dir, SOCKET))
    except OSError:
        return None, -1
    return (found.st_mode & 0o777, found.st_uid) if modes.S_ISSOCK(found.st_mode) else (None, -1)


def check_model(facts: ModelFacts) -> Finding:
    """Check that the model is on this machine and embeds.

    A damaged graph or a library that does not fit shows only when a text is embedded, which a worker has tried before.
    """

    def problems() -> Iterator[Problem]:
        if facts.local and not facts.directory:
            unset = "unset HF_HUB_OFFLINE and embed.offline, then " if facts.offline else ""
            yield Problem(f"{facts.name} is not on this machine", f"{unset}importer model fetch")
        elif facts.problem:
            yield Problem(facts.problem, facts.hint or "importer model fetch")

    where = f"{facts.name}{f' in {facts.directory}' if facts.directory else ''}"
    return judge("model", ", ".join(filter(None, (where, facts.engine))), problems())


def check_store(facts: StoreFacts) -> Finding:
    """Check that the store can be reached, accepts the key, and that its collection fits.

    A refused key hides the errors that follow from it. Problems that only an opener sees (another model's dimension,
    another schema) are told in the worker's words, with the way out.
    """
    where, seen = facts.location, facts.seen
    count = "an unknown number of" if seen.points is None else f"{seen.points:,}"

    def problems() -> Iterator[Problem]:
        if seen.status in (401, 403):
            yield Problem(f"{where.location} refuses the key ({seen.status})", "QDRANT_API_KEY=…, as the server has it")
        elif seen.reachable is False:
            yield Problem(f"{where.location}: {seen.why}", _way_in(where, seen.why))
        elif facts.problem:
            yield Problem(
                facts.problem, facts.hint or "`importer --log-level debug search x` shows what the worker says"
            )

    found = judge("store", f"{where.kind} {where.location}: {count} points in {where.collection}", problems())
    if not found.ok or facts.writes is not False:
        return found
    reads = f"{found.detail}; the key may only read: search, open, list and mcp work, importing does not"
    return Finding("store", True, reads, "to import, set QDRANT_API_KEY to a key that may write")


def _way_in(where: Location, why: str) -> str:
    """Return how an unreachable store is made to answer: start its server, or change the rights to its folder."""
    if "CERTIFICATE_VERIFY_FAILED" in why:
        return "name your authority's certificate: IMPORTER_STORE_CA_FILE=…, or the setting store.ca_file"
    if "WRONG_VERSION_NUMBER" in why:
        return "the server does not encrypt: QDRANT_URL=http://…"
    if where.kind == SERVER and ("\\x15\\x03" in why or "without response" in why):
        return "if the server encrypts: QDRANT_URL=https://…, or grpcs://"
    if where.kind == SERVER:
        return f"start it, or correct QDRANT_URL; `curl {_over_rest(where.location)}` must answer"
    return f"chown -R {os.geteuid()} {where.location} && chmod -R u+rwX {where.location}"


def _over_rest(location: str) -> str:
    """Return the first address as `doctor` asks it: over REST, at its usual port where the address is one of gRPC."""
    url = addresses(location)[0]
    parts = urlsplit(url)
    host = parts.netloc.removesuffix(f":{parts.port}")  # with its brackets, if it is one of IPv6
    return f"http{parts.scheme[4:]}://{host}:{REST_PORT}" if parts.scheme.startswith("grpc") else url


def check_cluster(facts: StoreFacts) -> Finding:
    """Check that every node of a server answers, and that the replicas of each shard are whole."""
    cluster = facts.cluster

    def problems() -> Iterator[Problem]:
        for node in cluster.away():
            yield Problem(f"{node.url} is away: {node.why}", "start it, or take it out of QDRANT_URL")
        for node in cluster.nodes:
            if node.trouble:
                fix = "its log tells more; give it room and start it again: it then tries anew"
                yield Problem(f"{node.url} cannot put the collection in order: {node.trouble}", fix)
        for _, words in cluster.behind():
            yield Problem(words, "`importer status --watch` follows it; when all are there, `importer verify --repair`")

    shards = len({one.shard for one in cluster.replicas})
    fine = f"{len(cluster.nodes)} nodes, {len(cluster.replicas)} replicas of {shards} shards"
    fine = "; ".join((fine, *cluster.moving()))
    one_alone = len(cluster.nodes) < 2 and len(cluster.replicas) < 2 and not any(n.trouble for n in cluster.nodes)
    # A single address that is away is told by the store's own check.
    return Finding("cluster", True, "none") if one_alone else judge("cluster", fine, problems())


def check_store_version(facts: StoreFacts) -> Finding:
    """Check that the version of the Qdrant server is supported.

    The oldest one of `SERVERS` is the first to keep metadata with a collection, in which its fingerprint stands: an
    older one would take points and forget it. The next major version may change anything.
    """
    version = facts.seen.version
    if facts.location.kind != SERVER or not version:
        return Finding("store_version", True, "embedded" if facts.location.kind != SERVER else "not told")
    fix = "run qdrant/qdrant:v1.16 or newer (below 2), one minor version at a time"
    problems = [] if satisfies(version, SERVERS) else [Problem(f"Qdrant {version} is not supported", fix)]
    return judge("store_version", f"Qdrant {version}", problems)


def check_daemon(facts: DaemonFacts) -> Finding:
    """Check that a daemon, if one runs, answers and imports.

    A process that holds the state and does not answer keeps all others from it. The kernel drops the lock when the
    process ends, so ending it is always safe.
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
    return judge("daemon", fine, problems())


def check_socket(facts: DaemonFacts) -> Finding:
    """Check that only the socket's owner may connect to it: each client can read the conversations.

    The daemon makes it with mode 0600; another mode was set later, or the file system knows none.
    """
    path = os.path.join(facts.state_dir, SOCKET)

    def problems() -> Iterator[Problem]:
        if facts.mode is not None and facts.mode & 0o077:
            yield Problem(f"{path} is open to other users (mode {facts.mode:o})", f"chmod 600 {path}")
        if facts.mode is not None and facts.owner not in (facts.uid, -1) and facts.uid != 0:
            yield Problem(f"{path} belongs to user {facts.owner}", f"run this as that user: sudo -u '#{facts.owner}' …")

    return judge("socket", path if facts.mode is not None else "none: no daemon runs", problems())
