"""What assistants delete soon: the periods that their settings give, and the files that are not imported by then."""

from __future__ import annotations

import json
import os
import pathlib
import time

import pytest

from importer import formats
from importer.formats._retention import FOREVER, age_days
from importer.service.status import expiring
from importer.service.status.expiring import DAY_S, Period
from importer.sources.scan import Root

NOW = 1_800_000_000.0
THIRTY = Period("A tool", 30, "/settings.json", "keep")


def put(home: pathlib.Path, name: str, text: str) -> None:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("format_", "file", "text", "days"),
    [
        ("claude-code", ".claude/settings.json", "{}", 30),
        ("claude-code", ".claude/settings.json", '{"cleanupPeriodDays": 7}', 7),
        ("gemini", ".gemini/settings.json", "{}", 30),
        ("gemini", ".gemini/settings.json", '{"general":{"sessionRetention":{"maxAge":"2w"}}}', 14),
        ("gemini", ".gemini/settings.json", '{"general":{"sessionRetention":{"enabled":false}}}', FOREVER),
        ("gemini", ".gemini/settings.json", '{"general":[]}', 30),
        ("hermes", ".hermes/config.yaml", "sessions:\n  retention_days: 5\n", FOREVER),
        ("hermes", ".hermes/config.yaml", "sessions:\n  auto_prune: true\n  retention_days: 5\n", 5),
        ("hermes", ".hermes/config.yaml", "sessions:\n  auto_prune: yes\n", 90),
    ],
)
def test_the_tool_s_own_settings_count(tmp_path: pathlib.Path, format_: str, file: str, text: str, days: float) -> None:
    """What they do not say is the tool's default."""
    put(tmp_path, file, text)
    period = expiring.periods({"GEMINI_CLI_SYSTEM_SETTINGS_PATH": "/nowhere"}, str(tmp_path))[format_]
    assert (period.days, period.file.startswith(str(tmp_path)), period.unreadable) == (days, True, "")


def test_settings_that_cannot_be_read_are_told(tmp_path: pathlib.Path) -> None:
    """The default is assumed."""
    put(tmp_path, ".gemini/settings.json", "{broken")
    period = expiring.periods({}, str(tmp_path))["gemini"]
    assert period.days == 30
    assert "settings.json" in period.unreadable


@pytest.mark.parametrize(
    ("text", "days"), [("30d", 30), ("24h", 1), ("1w", 7), (" 2m ", 60), ("soon", None), (7, None)]
)
def test_ages(text: object, days: float | None) -> None:
    """A number and a letter for its unit."""
    assert age_days(text) == days


def test_files_are_due_by_their_last_change() -> None:
    """Three days before the tool deletes them; the oldest tells how much time there is."""
    ages = [("a", 10), ("a", 26.9), ("a", 27.5), ("a", 29), ("b", 400), ("c", 400)]
    late = [(name, NOW - days * DAY_S) for name, days in ages] + [("a", 0.0)]
    found = expiring.due(late, {"a": THIRTY, "b": Period("B", FOREVER, "", "")}, NOW)
    assert {name: (one.files, round(one.first_days, 3)) for name, one in found.items()} == {"a": (2, 1.0)}


def test_what_is_past_due_is_due() -> None:
    """The sweep comes with the tool's next start."""
    assert expiring.due([("a", NOW - 90 * DAY_S)], {"a": THIRTY}, NOW)["a"].first_days == 0.0


def test_only_roots_of_tools_that_delete_are_looked_into(tmp_path: pathlib.Path) -> None:
    """And each file that no state knows counts."""
    home = tmp_path / "home"
    sample = (
        pathlib.Path(__file__).parents[2] / "corpus/gemini/bike-courier/chats/session-2026-03-01T09-00-7c1d0000.jsonl"
    )
    chat = home / ".gemini/tmp/p/chats/session-1.jsonl"
    put(home, ".gemini/tmp/p/chats/session-1.jsonl", sample.read_text())
    os.utime(chat, (time.time() - 28 * DAY_S,) * 2)
    put(home, ".qwen/projects/p/chats/s.jsonl", json.dumps({}))
    os.utime(home / ".qwen/projects/p/chats/s.jsonl", (1, 1))
    roots = [
        Root(os.fsencode(path), name) for name in ("gemini", "qwen") for path in formats.load(name).roots({}, str(home))
    ]
    found = expiring.of_roots(roots, None, {}, str(home), time.time())
    assert {name: one.files for name, one in found.items()} == {"gemini": 1}
    assert found["gemini"].fields() == {"files": 1, "first_days": 2.0, "kept_days": 30}
