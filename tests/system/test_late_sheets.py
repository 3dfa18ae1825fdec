"""What sheets beside transcripts tell, and tell anew: it reaches the points that are stored, payloads alone."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from typing import Any

import oracle
import pytest
from processes import Importer, until

MILL = "/home/ann/mill"
OF_MILL = hashlib.md5(MILL.encode(), usedforsecurity=False).hexdigest()
AT = 1767258000000
TRANSCRIPTS: dict[str, list[dict[str, Any]]] = {
    "vibe/session_1_ab/messages.jsonl": [{"role": "user", "content": "Asked of vibe.", "message_id": "m1"}],
    "kimi/sessions/wd_m/session_k1/agents/main/wire.jsonl": [
        {"type": "metadata", "protocol_version": "1.5", "created_at": AT},
        {"type": "context.append_message", "message": {"role": "user", "content": "Asked of kimi."}, "time": AT},
    ],
    f"old-kimi/sessions/{OF_MILL}/7d0c/wire.jsonl": [
        {"type": "metadata", "protocol_version": "1.3"},
        {"timestamp": AT / 1000, "message": {"type": "TurnBegin", "payload": {"user_input": "Asked of old kimi."}}},
    ],
    "jan/t1/messages.jsonl": [
        {"id": "m1", "object": "thread.message", "thread_id": "t1", "role": "user", "content": "Asked of jan."}
    ],
    "claude/local_1/.claude/projects/x/0190.jsonl": [
        {
            "type": "user",
            "uuid": "u1",
            "parentUuid": None,
            "sessionId": "0190",
            "timestamp": "2026-01-01T09:00:00Z",
            "message": {"role": "user", "content": "Asked of claude."},
        }
    ],
}
NAMES = {"vibe": "Asked of vibe.", "kimi": "Asked of kimi.", "old": "Asked of old kimi.", "jan": "Asked of jan."}
NAMES["claude"] = "Asked of claude."


def sheets(title: str) -> dict[str, dict[str, Any]]:
    """Return the sheets that give each conversation this title, and a folder where they have one."""
    return {
        "vibe/session_1_ab/meta.json": {
            "session_id": "ab",
            "environment": {"working_directory": MILL},
            "git_branch": "wheel",
            "title": title,
        },
        "kimi/sessions/wd_m/session_k1/state.json": {
            "title": title,
            "isCustomTitle": True,
            "workDir": MILL,
            "agents": {},
        },
        f"old-kimi/sessions/{OF_MILL}/7d0c/state.json": {"version": 1, "approval": {}, "custom_title": title},
        "old-kimi/kimi.json": {"work_dirs": [{"path": MILL}]},
        "jan/t1/thread.json": {"id": "t1", "title": title, "assistants": []},
        "claude/local_1.json": {"sessionId": "local_1", "cliSessionId": "0190", "title": title, "cwd": MILL},
    }


class Conversations:
    """Transcripts of several assistants below `said`, and an installation that reads them."""

    def __init__(self, base: pathlib.Path) -> None:
        self.installed, self.said = Importer(base), base / "said"
        for name, lines in TRANSCRIPTS.items():
            (self.said / name).parent.mkdir(parents=True)
            (self.said / name).write_text("".join(json.dumps(line) + "\n" for line in lines))

    def tell(self, title: str) -> None:
        """Write all sheets, as their programs do: into a file beside, which takes the place of the former."""
        for name, sheet in sheets(title).items():
            beside = self.said / f"{name}.tmp"
            beside.write_text(json.dumps(sheet, indent=2))
            os.replace(beside, self.said / name)

    def imported(self) -> int:
        """Import; return how many chunks were embedded."""
        done = self.installed.run("backlog", str(self.said), "--json")
        assert (done.code, done.json["files_unrecognised"]) == (0, 0), done.err
        return int(done.json["embedded"])

    def facts(self) -> dict[str, tuple[str, str]]:
        """Return the title and the project that the point of each assistant tells."""
        with oracle.opened(self.installed.state) as store:
            known = {point.payload["document"]: point.payload["metadata"] for point in oracle.points_of(store)}
        assert set(known) == set(NAMES.values())
        return {name: (known[text].get("title", ""), known[text].get("project", "")) for name, text in NAMES.items()}


def expected(title: str) -> dict[str, tuple[str, str]]:
    """Return what all points tell under this title; Jan has no folders."""
    return {name: (title, "" if name == "jan" or not title else MILL) for name in NAMES}


def test_sheets_that_come_late_and_change(tmp_path: pathlib.Path) -> None:
    """Each step in a process of its own: no text is embedded again, and the last title holds."""
    talk = Conversations(tmp_path)
    assert talk.imported() == len(NAMES)
    assert talk.facts() == expected("")
    for title in ("Cogs", "Cogs and wheels"):
        talk.tell(title)
        assert talk.imported() == 0
        assert talk.facts() == expected(title)
    assert talk.imported() == 0
    assert talk.installed.run("verify").code == 0


@pytest.mark.long
def test_sheets_that_come_first(tmp_path: pathlib.Path) -> None:
    """In any order of reading the points tell the same; a later session has what was told of it before it began."""
    talk = Conversations(tmp_path)
    later = {name: (talk.said / name).read_bytes() for name in TRANSCRIPTS}
    for name in later:
        (talk.said / name).unlink()
    talk.tell("Cogs")
    talk.imported()
    for name, raw in later.items():
        (talk.said / name).write_bytes(raw)
    assert talk.imported() == len(NAMES)
    assert talk.facts() == expected("Cogs")


def test_a_running_daemon_tells_at_once(tmp_path: pathlib.Path) -> None:
    """Sheets that are replaced while it runs reach the points."""
    talk = Conversations(tmp_path)

    def titles() -> set[tuple[str, str]]:
        hits = talk.installed.run("search", "asked", "--json").json["hits"]
        told = {(one["metadata"]["source"], one["metadata"].get("title", "")) for one in hits}
        return told if len(hits) == len(NAMES) else set()

    named = {"vibe", "kimi", "jan", "claude-code"}
    with talk.installed.daemon("--source", f"auto={talk.said}"):
        until(lambda: titles() == {(name, "") for name in named})
        talk.tell("Cogs")
        until(lambda: titles() == {(name, "Cogs") for name in named})
        talk.tell("Wheels")
        until(lambda: titles() == {(name, "Wheels") for name in named})
