"""Stores of many assistants that grow, are reverted, compacted and swept, as their tools do it to them.

Nothing but what the samples say is ever in them, so all that was stored at any time was said in a sample.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import sqlite3
from collections import Counter
from dataclasses import dataclass, field

import many_stores

TALKS = (
    *("messages", "message", "part", "session_message", "message_nodes", "workspace_chats", "threads", "chat"),
    *("conversations_v2", "conversations", "agent_tasks", "ai_queries", "blobs", "cursorDiskKV", "transcript_events"),
)
DATABASES = (".db", ".sqlite", ".sqlite3", ".vscdb")
REWRITTEN = ("amp", "cline", "continue-dev", "gemini", "grok-build", "jan", "junie", "kiro", "lm-studio", "vscode-chat")


@dataclass
class ChangingStores:
    """The stores below a home, each with what it holds at its fullest."""

    home: pathlib.Path
    seed: int
    acts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"stores {self.seed}")
        stores = many_stores.make(self.home)
        paths = [path for found in stores.values() for path in found]
        self.databases = [path for path in paths if path.suffix in DATABASES]
        whole = [path for name in REWRITTEN for path in stores.get(name, ()) if path not in self.databases]
        self.files = {path: path.read_bytes() for path in whole}
        for path in self.databases:
            path.with_name(f".{path.name}.whole").write_bytes(path.read_bytes())
        self.open = {path: self._opened(path) for path in self.databases}

    def _opened(self, path: pathlib.Path) -> sqlite3.Connection:
        """Open a database as its owner; about half of them write a log."""
        connection = sqlite3.connect(path, isolation_level=None)
        if self.rng.random() < 0.5:
            connection.execute("PRAGMA journal_mode = wal")
        connection.execute("ATTACH ? AS whole", (f"file:{path.with_name(f'.{path.name}.whole')}",))
        return connection

    def act(self) -> None:
        """Change one store in one way."""
        if self.rng.random() < 0.5:
            self._change_database(self.rng.choice(self.databases))
        else:
            self._change_file(self.rng.choice(list(self.files)))

    def _change_database(self, path: pathlib.Path) -> None:
        connection = self.open[path]
        tables = {name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")}
        table = self.rng.choice([name for name in TALKS if name in tables])
        act = self.rng.choice(("grown", "grown", "reverted", "compacted", "swept"))
        self.acts[f"database {act}"] += 1
        if act == "grown":
            connection.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM whole.{table}")
        elif act == "reverted":
            connection.execute(f"DELETE FROM main.{table} WHERE rowid = (SELECT max(rowid) FROM main.{table})")
        elif act == "compacted":
            connection.execute("BEGIN")
            connection.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM main.{table}")
            connection.execute(f"DELETE FROM main.{table}")
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM kept")
            connection.execute("DROP TABLE kept")
            connection.execute("COMMIT")
        else:
            connection.execute(f"DELETE FROM main.{table}")

    def _change_file(self, path: pathlib.Path) -> None:
        act = self.rng.choice(("grown", "grown", "reverted", "compacted", "swept"))
        self.acts[f"file {act}"] += 1
        if act == "swept":
            path.unlink(missing_ok=True)
            return
        raw = self.files[path]
        if act == "reverted":
            raw = _part(raw, self.rng)
        beside = path.with_name(f".{path.name}.tmp")
        beside.write_bytes(raw)
        if act == "compacted":
            os.replace(beside, path)
        else:
            path.write_bytes(raw)
            beside.unlink()

    def close(self) -> None:
        """Close all databases, as programs do that end: logs are written back."""
        for connection in self.open.values():
            connection.close()


def _part(raw: bytes, rng: random.Random) -> bytes:
    """Return a file as it was before its last lines, or its last messages, were said."""
    try:
        value = json.loads(raw)
    except ValueError:
        lines = raw.splitlines(keepends=True)
        return b"".join(lines[: rng.randint(1, len(lines))])
    held = value if isinstance(value, list) else next((one for one in value.values() if isinstance(one, list)), [])
    del held[rng.randint(1, max(1, len(held))) :]
    return json.dumps(value, indent=1).encode()
