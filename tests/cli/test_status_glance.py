"""The status as text has one line a subject, troubles only where there are some, and no styles in a pipe."""

from __future__ import annotations

import copy
from typing import Any

import click
import pytest

from importer.cli.commands import status as glance

IMPORTING: dict[str, Any] = {
    "state": "importing",
    "reason": "",
    "watch": {"mode": "polling", "reason": "/r is on nfs4"},
    "files": {"known": 1200, "complete": 1000, "pending": 200, "quarantined": 1},
    "lag": {"bytes": 12 << 20, "oldest_s": 180.0, "at_least": False},
    "lines": {"read": 10, "stored": 4, "skipped": 3, "quarantined": 1, "in_flight": 2},
    "bytes": {"read": 10240, "stored": 4096, "skipped": 3072, "quarantined": 1024, "in_flight": 2048},
    "messages": 4,
    "unknown_records": 0,
    "quarantine": 0,
    "points": 7001,
    "rate": {"over_s": 60.0, "files_per_s": 2.0, "lines_per_s": 9.0, "bytes_per_s": 2048.0, "chunks_per_s": 30.5,
             "tokens_per_s": 4100.0},
    "eta_s": 95.0,
    "roots": [{"path": "/r", "format": "claude-code", "there": True}],
    "unreadable": {},
    "worker": {"pid": 9, "rss_bytes": 300 << 20, "anon_bytes": 160 << 20, "files": 41, "spawns": 3,
               "recycles": {"files": 2}, "crashes": 0},
    "daemon": {"pid": 7, "rss_bytes": 36 << 20, "uptime_s": 3700.0},
    "store": {"kind": "edge", "location": "/s/edge", "collection": "c", "reachable": True, "why": ""},
    "model": "all-MiniLM-L6-v2",
}  # fmt: skip


def shown(**changes: Any) -> str:
    """Return the text without styles, for a status whose groups are changed by `group__name` arguments."""
    status = copy.deepcopy(IMPORTING)
    for name, value in changes.items():
        group, _, inner = name.partition("__")
        if inner:
            status[group][inner] = value
        else:
            status[name] = value
    return click.unstyle(glance.text(status))


@pytest.mark.parametrize(
    "line",
    [
        "state       importing; changes are noticed by polling (/r is on nfs4)",
        "folders     /r (claude-code)",
        "files       1,200 known = 1,000 complete + 200 pending",
        "behind      12 MB, the oldest 3 min old; 1 min left at this speed",
        "lines       10 read = 4 stored + 3 skipped + 1 quarantined + 2 in flight",
        "points      7,001 in c, edge /s/edge (reachable)",
        "worker      pid 9, 300 MB resident (160 MB its own), 41 files; 3 started, 2 recycled (files 2), 0 crashed",
        "daemon      pid 7, 36 MB resident, up 1 h 1 min",
    ],
)
def test_each_line(line: str) -> None:
    """Each line says one thing in words and units."""
    assert line in shown().splitlines()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quarantine": 2}, "2 lines and chunks of 1 files; `importer failures` says why"),
        ({"erasing": 1}, "1 of `forget` or `redact` not done"),
        ({"erasing": 1, "state": "stopped"}, "; `importer backlog` finishes that"),
        ({"unknown_records": 5}, "5 records of kinds no format knows"),
        ({"unreadable": {"/r/a": "Permission denied"}}, "/r/a: Permission denied"),
        ({"state": "degraded", "reason": "store unreachable"}, "degraded: store unreachable"),
        ({"store__reachable": False, "store__why": "refused"}, "(not reachable: refused)"),
        ({"store__reachable": None}, "(not asked yet)"),
        ({"lag__at_least": True}, "at least 200 pending"),
        ({"roots": [{"path": "/x", "format": "codex", "there": False}]}, "/x not there (yet)"),
        ({"worker__pid": None}, "none; 3 started"),
    ],
)
def test_troubles_are_told(changes: dict[str, Any], told: str) -> None:
    """Each trouble is shown in its line, and only when there is one."""
    assert told in shown(**changes)
    assert told not in shown()


def test_a_stopped_importer_says_how_to_start() -> None:
    """It shows the command that starts it, and no speed."""
    text = shown(state="stopped", rate=None, eta_s=None)
    assert "`importer run`" in text
    assert "chunks/s" not in text


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({}, "19,844 tokens today; 90,000 this month, 1.50"),
        ({"max_tokens_per_day": 20_000}, "19,844 of 20,000 tokens today"),
        ({"max_cost_per_month": 2.5}, "1.50 of 2.5"),
        ({"price_per_million": 0.0}, "unknown cost (set embed.price_per_million)"),
    ],
)
def test_a_hosted_provider_costs(limits: dict[str, float], told: str) -> None:
    """What was asked for today and this month, its cost, and the limits that are set."""
    used = {"today": {"tokens": 19_844}, "month": {"tokens": 90_000, "cost": 1.5}, "price_per_million": 0.02}
    usage = {**used, "max_tokens_per_day": 0, "max_cost_per_month": 0.0, **limits}
    assert told in shown(usage=usage)


def test_each_store_has_a_row_and_many_folders_are_a_number() -> None:
    """Files, messages, chunks, skipped lines and unknown records stand below their titles; one store needs no table."""
    one = {"files": 1, "lines": 9, "messages": 1200, "chunks": 3, "skipped": 4, "quarantined": 0, "unknown": 5}
    rows = shown(stores={"pi": one, "claude-history": {**one, "unknown": 0}}).splitlines()
    at = next(place for place, row in enumerate(rows) if row.startswith("stores"))
    assert rows[at].split() == ["stores", "files", "messages", "chunks", "skipped", "unknown"]
    assert [row.split() for row in rows[at + 1 : at + 3]] == [
        ["pi", "1", "1,200", "3", "4", "5"],
        ["claude-history", "1", "1,200", "3", "4", "0"],
    ]
    assert "stores" not in shown(stores={"pi": one})
    many = [{"path": f"/r{number}", "format": "pi", "there": True} for number in range(9)]
    assert "folders     9 folders of 1 assistants (`importer sources` lists them)" in shown(roots=many)
