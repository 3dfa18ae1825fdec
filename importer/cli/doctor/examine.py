"""Run all checks over the facts of an installation; pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from importer.cli.doctor import backup, expiry, folders, host, languages, memory, serving, state, wiring
from importer.cli.doctor.backup import BackupFacts
from importer.cli.doctor.expiry import ExpiryFacts
from importer.cli.doctor.finding import Finding
from importer.cli.doctor.folders import FolderFacts
from importer.cli.doctor.host import HostFacts
from importer.cli.doctor.languages import LanguageFacts
from importer.cli.doctor.memory import MemoryFacts
from importer.cli.doctor.serving import DaemonFacts, ModelFacts, StoreFacts
from importer.cli.doctor.state import StateFacts
from importer.cli.doctor.wiring import WiringFacts


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    """All facts about one installation, by area."""

    host: HostFacts
    state: StateFacts
    memory: MemoryFacts
    folders: FolderFacts
    expiry: ExpiryFacts
    model: ModelFacts
    languages: LanguageFacts
    store: StoreFacts
    daemon: DaemonFacts
    wiring: WiringFacts
    backup: BackupFacts


def run_checks(facts: InstallationFacts) -> list[Finding]:
    """Run every check once, and list the findings.

    The order is from what everything depends on (versions, settings, disk) to what depends on it (model, store,
    daemon), so that the first problem is most likely the cause of the others.
    """
    return [
        host.check_versions(facts.host),
        host.check_settings(facts.host),
        host.check_clock(facts.host),
        host.check_limits(facts.host),
        state.check_state(facts.state),
        state.check_disk(facts.state),
        state.check_passed_over(facts.state),
        state.check_quarantine(facts.state),
        state.check_erasing(facts.state),
        state.check_drift(facts.state),
        memory.check_memory(facts.memory),
        memory.check_daemon_memory(facts.memory),
        folders.check_formats(facts.folders),
        folders.check_roots(facts.folders),
        folders.check_permissions(facts.folders),
        folders.check_inotify(facts.folders),
        folders.check_watch(facts.folders),
        expiry.check_expiry(facts.expiry),
        serving.check_model(facts.model),
        languages.check_languages(facts.languages),
        serving.check_store(facts.store),
        serving.check_cluster(facts.store),
        serving.check_store_version(facts.store),
        backup.check_backup(facts.backup),
        backup.check_syncs(facts.backup),
        serving.check_daemon(facts.daemon),
        serving.check_socket(facts.daemon),
        wiring.check_wiring(facts.wiring),
    ]


def as_json(findings: list[Finding]) -> dict[str, Any]:
    """Return the object that `--json` prints: `ok`, and the checks."""
    return {"ok": all(finding.ok for finding in findings), "checks": [asdict(finding) for finding in findings]}
