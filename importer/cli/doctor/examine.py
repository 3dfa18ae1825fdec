"""Pure: all checks over the facts of an installation, in the order a person would look."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from importer.cli.doctor import expiry, folders, host, memory, serving, state
from importer.cli.doctor.expiry import ExpiryFacts
from importer.cli.doctor.finding import Finding
from importer.cli.doctor.folders import FolderFacts
from importer.cli.doctor.host import HostFacts
from importer.cli.doctor.memory import MemoryFacts
from importer.cli.doctor.serving import DaemonFacts, ModelFacts, StoreFacts
from importer.cli.doctor.state import StateFacts


@dataclass(frozen=True, slots=True)
class World:
    """The facts of one installation."""

    host: HostFacts
    state: StateFacts
    memory: MemoryFacts
    folders: FolderFacts
    expiry: ExpiryFacts
    model: ModelFacts
    store: StoreFacts
    daemon: DaemonFacts


def examine(world: World) -> list[Finding]:
    """Every check, each once.

    The order is from what everything stands on (versions, settings, disk) to what stands on it (model, store, daemon),
    so that the first finding is most likely the cause of the others.
    """
    return [
        host.versions(world.host),
        host.settings(world.host),
        host.clock(world.host),
        host.limits(world.host),
        state.state(world.state),
        state.disk(world.state),
        memory.memory(world.memory),
        memory.daemon_memory(world.memory),
        folders.roots(world.folders),
        folders.permissions(world.folders),
        folders.inotify(world.folders),
        folders.watch(world.folders),
        expiry.expiry(world.expiry),
        serving.model(world.model),
        serving.store(world.store),
        serving.store_version(world.store),
        serving.daemon(world.daemon),
        serving.socket(world.daemon),
    ]


def plain(findings: list[Finding]) -> dict[str, Any]:
    """The contract's JSON: `ok`, and the checks."""
    return {"ok": all(finding.ok for finding in findings), "checks": [asdict(finding) for finding in findings]}
