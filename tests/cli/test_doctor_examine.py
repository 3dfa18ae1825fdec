"""All checks pass for good facts; for each wrong fact exactly one check fails, and it names the repair."""

from __future__ import annotations

import pathlib
from dataclasses import fields, replace
from typing import Any

import pytest

from importer.cli.doctor import examine, folders, serving
from importer.cli.doctor.backup import BackupCopy, BackupFacts, check_backup
from importer.cli.doctor.examine import InstallationFacts
from importer.cli.doctor.expiry import DAY_S, ExpiryFacts
from importer.cli.doctor.finding import Finding, Problem, judge
from importer.cli.doctor.folders import FolderFacts, RootFacts, UnreadablePath
from importer.cli.doctor.host import HostFacts
from importer.cli.doctor.languages import LanguageFacts
from importer.cli.doctor.memory import MemoryFacts
from importer.cli.doctor.serving import DaemonFacts, ModelFacts, StoreFacts
from importer.cli.doctor.state import StateFacts, check_passed_over
from importer.cli.doctor.wiring import WiringFacts
from importer.memory.profiles import BALANCED, CONSERVATIVE
from importer.service.status.cluster_ping import Cluster, ClusterNode, Replica
from importer.service.status.store_location import Location, Probe
from importer.state.sent_points import SyncReport

NOW = 1_795_000_000.0
SERVER = Location("server", "http://q:6333", "conversations")
ROOT = RootFacts("/home/ann/.claude/projects", "claude-code", True, True, files=70, folders=9)
CLOSED = (UnreadablePath("/home/ann/.claude/projects/-p/a.jsonl", "Permission denied", 1001),)
SYNC = SyncReport("http://s", "c", every_s=600.0, at=NOW - 600.0)
GOOD = InstallationFacts(
    host=HostFacts((3, 11), {"msgspec": ("0.19.0", ">=0.19")}, (), "", NOW, NOW - 9, 1024, None),
    state=StateFacts("/state", True, 1000, 1000, 0o700, True, "", 9 << 30, 1_000_000),
    memory=MemoryFacts(8 << 30, 0.6, BALANCED, "", "", 256),
    folders=FolderFacts((ROOT,), 1000, False, "auto", 65_536, 128, ""),
    expiry=ExpiryFacts(30, "/home/ann/.claude/settings.json", (ROOT.path,), (NOW - 5 * DAY_S,), NOW),
    model=ModelFacts("all-MiniLM-L6-v2", True, "/state/models/m", False),
    languages=LanguageFacts("all-MiniLM-L6-v2", {"english": 40, "german": 4}),
    store=StoreFacts(SERVER, Probe(True, 500, "1.17.1", status=200)),
    daemon=DaemonFacts("/state", 7, "importer run", "idle", mode=0o600, owner=1000, uid=1000),
    wiring=WiringFacts(("/home/ann/.cursor/mcp.json",), more=("Codex",)),
    backup=BackupFacts((BackupCopy("edge:/media/backup", NOW - DAY_S),), (SYNC,), on_server=True, now=NOW),
)
PLANTED = [
    ("sync", "backup", {"syncs": (SYNC._replace(failed_at=NOW, why="no answer"),)}, "see to its target"),
    ("sync", "backup", {"syncs": (SYNC._replace(at=NOW - DAY_S),)}, "importer sync --to http://s"),
    ("sync", "backup", {"syncs": (SYNC._replace(refused=3),)}, "verify --repair"),
    ("assistants", "wiring", {"lost": ("/home/ann/.claude.json",)}, "importer install"),
    ("assistants", "wiring", {"dead": ("/home/ann/.claude.json",)}, "importer install"),
    ("formats", "folders", {"refused": (("bad", "it lacks feed"),)}, "uninstall the package"),
    ("versions", "host", {"python": (3, 9)}, "install Python 3.11"),
    ("versions", "host", {"packages": {"qdrant-edge-py": ("", "==0.9.0")}}, "pip install 'qdrant-edge-py==0.9.0'"),
    ("versions", "host", {"packages": {"psutil": ("5.9", ">=6,<8")}}, "pip install 'psutil>=6,<8'"),
    ("settings", "host", {"warnings": ("store.api_key: goes to q in clear text; use https://",)}, "importer config"),
    ("settings", "host", {"exposed": "/etc/importer.toml"}, "chmod 600 /etc/importer.toml"),
    ("clock", "host", {"now": 3600.0}, "timedatectl set-ntp true"),
    ("clock", "host", {"newest_at": NOW + 9 * DAY_S}, "timedatectl set-ntp true"),
    ("limits", "host", {"open_files": 64}, "ulimit -n 4096"),
    ("limits", "host", {"address_bytes": 1 << 30}, "ulimit -v unlimited"),
    ("state", "state", {"writable": False, "owner": 501}, "chown -R 1000 /state"),
    ("state", "state", {"writable": False, "mode": 0o500}, "chmod 700 /state"),
    ("state", "state", {"exposed": ("/state/checkpoints.sqlite3",)}, "chmod -R go-rwx /state"),
    ("state", "state", {"shared": True}, "chmod go-w /state"),
    ("state", "state", {"read_only": True, "writable": False}, "mount it writable"),
    ("state", "state", {"remote": "nfs4"}, "--state-dir on a local disk"),
    ("state", "state", {"problem": "it is of version 9", "hint": "update the importer"}, "update the importer"),
    ("state", "state", {"aside": 1}, "look at the disk"),
    ("disk", "state", {"free_bytes": 5 << 20}, "make room where /state is"),
    ("disk", "state", {"free_files": 3}, "delete small files"),
    (
        "memory",
        "memory",
        {"profile": None, "problem": "needs more than 180 MB", "hint": "give it more"},
        "give it more",
    ),
    ("recognised", "state", {"passed_over": (("/s/x.zip", "refused", "damaged"),)}, 'exclude = ["x.zip"]'),
    ("memory", "memory", {"limit_bytes": 1 << 30}, "IMPORTER_WORKER_SOFT_LIMIT_MB=686"),
    ("memory", "memory", {"free_share": 0.01}, "IMPORTER_MEMORY_PAUSE_USED_SHARE"),
    ("daemon_memory", "memory", {"operational_mb": 40}, "OPERATIONAL_MEMORY_MB=256"),
    ("roots", "folders", {"roots": (ROOT, replace(ROOT, path="/mnt/x", there=False))}, "--source claude-code=/mnt/x"),
    ("roots", "folders", {"roots": (replace(ROOT, files=0),)}, "auto=/home/ann/.claude/projects"),
    ("roots", "folders", {"roots": (replace(ROOT, given=False, there=False),)}, "--source claude-code=PATH"),
    ("permissions", "folders", {"roots": (replace(ROOT, unreadable=CLOSED),)}, "setfacl -R -m u:1000:rX"),
    ("permissions", "folders", {"roots": (replace(ROOT, unreadable=CLOSED),), "container": True}, "--user 1001"),
    ("permissions", "folders", {"roots": (replace(ROOT, unreadable=CLOSED),), "uid": 1001}, "chmod -R u+rX"),
    ("inotify", "folders", {"max_watches": 8}, "sysctl fs.inotify.max_user_watches=524288"),
    ("inotify", "folders", {"instance": "Too many open files"}, "sysctl fs.inotify.max_user_instances=1024"),
    ("expiry", "expiry", {"last_changes": (NOW - 28.5 * DAY_S,)}, f"importer backlog --source claude-code={ROOT.path}"),
    ("expiry", "expiry", {"days": 6}, '"cleanupPeriodDays": 365 in /home/ann/.claude/settings.json'),
    ("expiry", "expiry", {"days": 0}, '"cleanupPeriodDays": 365'),
    ("expiry", "expiry", {"unreadable": "settings.json: no JSON"}, "valid JSON"),
    ("state", "state", {"shrank": (900, 40)}, "importer verify --repair"),
    ("drift", "state", {"suspicious": ("pi 1.10.0: 70% of its records are understood",)}, "maintainers"),
    ("model", "model", {"directory": ""}, "importer model fetch"),
    ("model", "model", {"directory": "", "offline": True}, "unset HF_HUB_OFFLINE"),
    ("model", "model", {"problem": "model.onnx is damaged"}, "importer model fetch"),
    ("store", "store", {"seen": Probe(False, why="Connection refused")}, "`curl http://q:6333` must answer"),
    ("store", "store", {"seen": Probe(False, why="\\x15\\x03\\x03")}, "QDRANT_URL=https://"),
    (
        "store",
        "store",
        {"location": replace(SERVER, location="grpcs://q:6334, grpcs://r"), "seen": Probe(False, why="refused")},
        "`curl https://q:6333` must answer",
    ),
    (
        "store",
        "store",
        {"location": replace(SERVER, location="grpc://[::1]:6334"), "seen": Probe(False, why="refused")},
        "`curl http://[::1]:6333` must answer",
    ),
    ("store", "store", {"seen": Probe(False, version="1.17.0", status=401)}, "QDRANT_API_KEY"),
    ("store", "store", {"seen": Probe(False, why="[SSL: CERTIFICATE_VERIFY_FAILED] x")}, "IMPORTER_STORE_CA_FILE"),
    ("store", "store", {"seen": Probe(False, why="[SSL: WRONG_VERSION_NUMBER] x")}, "QDRANT_URL=http://"),
    ("store", "store", {"problem": "it has 768 dimensions", "hint": "importer migrate"}, "importer migrate"),
    (
        "cluster",
        "store",
        {"cluster": Cluster((ClusterNode("http://a", False, why="refused"), ClusterNode("http://b", True)))},
        "QDRANT_URL",
    ),
    ("cluster", "store", {"cluster": Cluster((ClusterNode("http://a", True, trouble="no space"),))}, "give it room"),
    (
        "cluster",
        "store",
        {"cluster": Cluster((), (Replica(1, 1, "Active", 9), Replica(1, 2, "Dead")))},
        "verify --repair",
    ),
    (
        "cluster",
        "store",
        {"cluster": Cluster((), (Replica(1, 1, "Active", 9), Replica(1, 2, "Active", 8)))},
        "--repair",
    ),
    ("store_version", "store", {"seen": Probe(True, 5, "1.9.2", status=200)}, "qdrant/qdrant:v1.16"),
    ("store_version", "store", {"seen": Probe(True, 5, "2.0.0", status=200)}, "qdrant/qdrant:v1.16"),
    ("daemon", "daemon", {"silent": "timed out", "state": ""}, "kill -KILL 7"),
    ("daemon", "daemon", {"state": "degraded", "reason": "no model"}, "importer status"),
    ("daemon", "daemon", {"state": "paused", "reason": "asked to"}, "importer resume"),
    ("socket", "daemon", {"mode": 0o666}, "chmod 600 /state/control.sock"),
    ("socket", "daemon", {"owner": 0}, "sudo -u '#0'"),
]


def test_a_key_that_only_reads_is_no_fault() -> None:
    """It is told what works with it, and what does not."""
    found = serving.check_store(replace(GOOD.store, writes=False))
    assert (found.ok, "importing does not" in found.detail, "QDRANT_API_KEY" in found.fix) == (True, True, True)


def test_an_unrecognised_file_is_no_fault() -> None:
    """It is named with what to do, and leaves the installation sound: it stays what it is."""
    strange = replace(GOOD.state, passed_over=(("/s/x.jsonl", "unrecognised", "no format knows it"),))
    found = examine.as_json(examine.run_checks(replace(GOOD, state=strange)))
    (check,) = (one for one in found["checks"] if one["name"] == "recognised")
    assert (found["ok"], check["ok"]) == (True, True)
    assert "/s/x.jsonl" in check["detail"]
    assert "--source FORMAT=/s/x.jsonl" in check["fix"] and 'exclude = ["x.jsonl"]' in check["fix"]


def test_the_way_out_is_one_for_archives(tmp_path: pathlib.Path) -> None:
    """A format is named for the whole archive, quoted; one without any JSON has none that could be named."""
    for name in ("my export.zip", "pictures.zip"):
        (tmp_path / name).write_bytes(b"PK")
    packed, empty = str(tmp_path / "my export.zip"), str(tmp_path / "pictures.zip")
    passed = tuple((path, "unrecognised", "strange") for path in (f"{packed}/within/b.jsonl", empty))
    finding = check_passed_over(replace(GOOD.state, passed_over=passed))
    member, archive = finding.fix.split("; ") if "; " in finding.fix else finding.fix.splitlines()
    assert f"--source 'FORMAT={packed}'" in member and 'exclude = ["b.jsonl"]' in member
    assert "--source" not in archive
    assert "JSON" in archive and 'exclude = ["pictures.zip"]' in archive


def test_what_is_in_quarantine_is_no_fault() -> None:
    """It is told with the command that says why."""
    found = examine.as_json(examine.run_checks(replace(GOOD, state=replace(GOOD.state, set_aside=3))))
    (check,) = (one for one in found["checks"] if one["name"] == "quarantine")
    assert (found["ok"], check["ok"], check["detail"][-1]) == (True, True, "3")
    assert "importer failures" in check["fix"]


def test_an_older_version_s_state_is_told() -> None:
    """It is no fault; the detail says what it lacks and how to get it."""
    found = examine.as_json(examine.run_checks(replace(GOOD, state=replace(GOOD.state, older=True))))
    (check,) = (one for one in found["checks"] if one["name"] == "state")
    assert (found["ok"], check["ok"], "importer rebuild-state" in check["detail"]) == (True, True, True)


def test_a_good_installation_is_green() -> None:
    """Every check passes; each has a name of its own, a detail, and no repair."""
    findings = examine.run_checks(GOOD)
    assert all(finding.ok for finding in findings)
    assert len({finding.name for finding in findings}) == len(findings) >= 15
    assert all(finding.detail and not finding.fix for finding in findings)
    assert examine.as_json(findings)["ok"] is True


@pytest.mark.parametrize(("name", "area", "change", "fix"), PLANTED, ids=lambda value: str(value)[:40])
def test_each_misconfiguration_is_found_alone(name: str, area: str, change: dict[str, Any], fix: str) -> None:
    """Exactly that check fails, and names its repair; all others pass."""
    findings = examine.run_checks(replace(GOOD, **{area: replace(getattr(GOOD, area), **change)}))
    wrong = [finding for finding in findings if not finding.ok]
    assert [finding.name for finding in wrong] == [name]
    assert fix in wrong[0].fix
    assert wrong[0].detail
    assert examine.as_json(findings)["ok"] is False


def test_every_check_has_its_misconfiguration() -> None:
    """Each check fails for some fact, but for those that only tell: how changes are noticed, what is set aside."""
    never = {"watch", "quarantine", "backup", "languages", "erasing"}
    assert {finding.name for finding in examine.run_checks(GOOD)} == {name for name, *_ in PLANTED} | never
    assert {area for _, area, *_ in PLANTED} | {"languages"} == {field.name for field in fields(InstallationFacts)}


@pytest.mark.parametrize(
    ("area", "change"),
    [
        ("store", {"location": Location("edge", "/state/edge", "c"), "seen": Probe(None, 0, why="not made yet")}),
        ("daemon", {"pid": 0, "state": "", "mode": None}),
        ("daemon", {"state": "", "command": "importer backlog", "mode": None}),
        ("folders", {"roots": (replace(ROOT, remote="nfs4"),)}),
        ("folders", {"mode": "poll", "max_watches": 1}),
        ("folders", {"max_watches": None, "max_instances": None}),
        ("expiry", {"folders": (), "days": 0}),
        ("memory", {"profile": replace(CONSERVATIVE, adapted="soft limit 900 -> 300 MB"), "limit_bytes": 512 << 20}),
        ("memory", {"free_share": None}),
        ("model", {"local": False, "directory": ""}),
        ("state", {"exists": False, "mode": 0o755}),
        ("host", {"packages": {}, "open_files": None}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_unusual_facts_are_not_wrong(area: str, change: dict[str, Any]) -> None:
    """First starts, polling on a network file system and small containers work."""
    findings = examine.run_checks(replace(GOOD, **{area: replace(getattr(GOOD, area), **change)}))
    assert [finding for finding in findings if not finding.ok] == []


def test_all_problems_of_one_check_are_reported() -> None:
    """They are one finding, with each problem and each repair once."""
    found = judge("state", "fine", [Problem("a", "x"), Problem("b", "y"), Problem("c", "x"), Problem("a", "x")])
    assert found == Finding("state", False, "a; b; c", "x\ny")


def test_a_system_without_inotify_has_no_fault() -> None:
    """Its changes are told in another way, or not at all; neither is a limit to be raised."""
    elsewhere = replace(GOOD.folders, max_watches=None, max_instances=None)
    assert (folders.check_inotify(elsewhere).ok, folders.check_watch(elsewhere).detail) == (True, "by events")
    assert "not on this system" in folders.check_inotify(elsewhere).detail
    assert "does not tell" in folders.check_watch(replace(elsewhere, mode="none")).detail


@pytest.mark.parametrize(
    ("copies", "told"),
    [
        ((), "no copy of the points is known"),
        ((BackupCopy("edge:/b", NOW - 90 * DAY_S),), "the last copy is old: edge:/b"),
    ],
)
def test_a_copy_that_is_missing_or_old_is_advice(copies: tuple[BackupCopy, ...], told: str) -> None:
    """Nothing is broken: the conversations' own files may be enough."""
    found = check_backup(replace(GOOD.backup, copies=copies))
    assert found.ok
    assert found.detail.startswith(told)
    assert "importer migrate --to edge:" in found.fix
    assert "/snapshots" in found.fix
