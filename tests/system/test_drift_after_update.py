"""Updates of three tools change how they write words: lines, a database and an export; each store is told at once."""

from __future__ import annotations

import json
import pathlib
import sqlite3
from typing import Any

from foreign_database import build
from processes import Importer
from transcripts import answer, prompt, raw, text

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"
OLD, NEW = 40, 30  # records before and after the update
SECRET = "heron"  # in every text, and in nothing that is told


def claude(folder: pathlib.Path) -> None:
    """Write a session, and one of the next version, whose texts have another name."""
    lines = [prompt(f"{SECRET} {n}", n % 50, version="2.1.0") for n in range(OLD)]
    lines += [answer(text(f"{SECRET} {n}"), n=n % 50, version="2.1.0") for n in range(OLD)]
    (folder / "old.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in lines))
    for line in lines[OLD : OLD + NEW]:
        line["version"] = "2.2.0"
        line["message"]["content"] = [{"type": "text", "utterance": f"{SECRET}, renamed"}]
    (folder / "new.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in lines[OLD : OLD + NEW]))


def goose(folder: pathlib.Path) -> None:
    """Write a database in which most words are in blocks of a type that nothing is known of."""
    path = build(CORPUS / "goose" / "sessions.db.sql", folder)
    connection = sqlite3.connect(path)
    (session,) = connection.execute("SELECT id FROM sessions LIMIT 1").fetchone()
    for number in range(OLD + NEW):
        block = {"type": "hologram" if number >= OLD else "text", "utterance" if number >= OLD else "text": SECRET}
        connection.execute(
            "INSERT INTO messages (id, session_id, role, content_json, created_timestamp) VALUES (?, ?, 'user', ?, ?)",
            (1000 + number, session, json.dumps([block]), 1780000000 + number),
        )
    connection.commit()
    connection.close()


def chatgpt(folder: pathlib.Path) -> None:
    """Write an export whose content stands a level deeper in some conversations."""
    (folder / "export").mkdir()

    def talk(number: int) -> dict[str, Any]:
        content: dict[str, Any] = {"content_type": "text", "parts": [f"{SECRET} {number}"]}
        content = {"body": content} if number >= OLD else content
        message = {"id": f"m{number}", "author": {"role": "user"}, "content": content}
        node = {"id": "a", "parent": None, "children": [], "message": message}
        return {"id": f"c{number}", "title": "t", "current_node": "a", "mapping": {"a": node}}

    (folder / "export" / "conversations.json").write_text(json.dumps([talk(number) for number in range(OLD + NEW)]))


def test_each_store_is_suspicious_and_nothing_said_is_told(tmp_path: pathlib.Path) -> None:
    """`status` and `doctor` name the store, the version where there is one, and kinds without a word of the talk."""
    (said := tmp_path / "said").mkdir()
    for write in (claude, goose, chatgpt):
        write(said)
    installed = Importer(tmp_path)
    done = installed.run("backlog", str(said), "--json")
    assert done.code == 0, done.err
    suspicious = {one["format"]: one for one in installed.run("status", "--json").json["suspicious"]}
    assert set(suspicious) == {"claude-code", "goose", "chatgpt"}
    claude_code = suspicious["claude-code"]
    assert (claude_code["version"], claude_code["unknown"], claude_code["read_share_before"]) == ("2.2.0", NEW, 1.0)
    assert {name: list(one["kinds"]) for name, one in suspicious.items()} == {
        "claude-code": ["assistant/text"],
        "goose": ["hologram/user"],
        "chatgpt": ["{current_node,id,mapping,title}"],
    }
    (check,) = [one for one in installed.run("doctor", "--json").json["checks"] if one["name"] == "drift"]
    assert not check["ok"]
    assert "maintainers" in check["fix"]
    assert SECRET not in json.dumps([check, list(suspicious.values())])
