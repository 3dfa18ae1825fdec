"""Formats of databases: what of each sample reaches the memory, exactly, and the traps of each."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import zstandard
from fold_lines import EVERYTHING, PLAIN, turns
from foreign_database import Owner, build, members, told
from read_units import content

from importer import formats
from importer.sources.databases import tables

CORPUS = Path(__file__).parents[1] / "corpus"
SAID: dict[str, list[tuple[str, str, str]]] = {
    "goose/sessions.db.sql": [
        ("20260101_1", "user", "Why is the pipeline red?"),
        ("20260101_1", "assistant", "A cache is missing."),
        ("20260101_1", "assistant", "It is green now."),
    ],
    "zed/threads.db.sql": [
        ("z1", "user", "Why is the build slow?"),
        ("z1", "assistant", "It optimises while linking."),
        ("z1", "user", "Yes."),
        ("z1", "assistant", "Done."),
        ("z1", "user", "Yes."),
        ("z1", "assistant", "Done again."),
        ("z1", "assistant", "The build is fast."),
        ("z2", "user", "What is a sluice?"),
        ("z2", "assistant", "A gate for water."),
    ],
    "crush/crush.db.sql": [
        ("c1", "user", "Rename the wheel."),
        ("c1", "assistant", "It is called rotor now."),
        ("c1", "assistant", "The wheel became a rotor."),
    ],
    "hermes/state.db.sql": [
        ("h1", "user", "Plan the trip to the mill."),
        ("h1", "assistant", "Go by boat."),
        ("h1", "user", "And back?"),
        ("h1", "assistant", "On foot."),
    ],
    "ollama/db.sqlite.sql": [("o1", "user", "Why do cats purr?"), ("o1", "assistant", "To calm themselves.")],
    "open-webui/webui.db.sql": [
        ("w1", "user", "How long does dough rest?"),
        ("w1", "assistant", "An hour or two."),
        ("w1", "assistant", "Overnight is best."),
    ],
    "cursor/state.vscdb.sql": [
        ("c-1", "user", "The dial stops after noon."),
        ("c-1", "assistant", "It counted to twelve only."),
    ],
    "cursor/store.db.sql": [("a-77", "user", "Add a test for the dial."), ("a-77", "assistant", "Added.")],
    "anythingllm/anythingllm.db.sql": [
        ("1/", "user", "Why do cats purr?"),
        ("1/", "assistant", "For several reasons."),
        ("1/", "user", "And lions?"),
        ("1/", "assistant", "They roar."),
    ],
    "pi/openclaw-agent.sqlite.sql": [
        ("oc1", "user", "When does the ferry leave?"),
        ("oc1", "assistant", "It leaves at noon."),
        ("oc1", "user", "Then I take the ferry."),
    ],
    "devin/sessions.db.sql": [("d1", "user", "Fix the login."), ("d1", "assistant", "Fixed.")],
    "kiro/data.sqlite3.sql": [
        ("k1", "user", "List the sluices."),
        ("k1", "assistant", "I look."),
        ("k1", "assistant", "There are three."),
    ],
    "forge/.forge.db.sql": [
        ("f1", "user", "Patch the oven."),
        ("f1", "assistant", "I patch it."),
        ("f1", "user", "And the door?"),
        ("f1", "assistant", "The door closes."),
    ],
    "warp/warp.sqlite.sql": [
        ("wc1", "user", "Why does the race overflow?"),
        ("wc1", "assistant", "A log blocks the race's gate."),
        ("wc2", "user", "List the old gates."),
    ],
    "opencode/kilo.db.sql": [
        ("ses_k1", "user", "Rename glaze to coat everywhere."),
        ("ses_k1", "assistant", "Renamed in three files."),
        ("ses_k1", "assistant", "Glaze was renamed to coat in three files."),
    ],
}
EDITED = {
    "goose/sessions.db.sql": "/home/ann/mill/ci.yml",
    "zed/threads.db.sql": "/home/ann/mill/Cargo.toml",
    "crush/crush.db.sql": "/home/ann/mill/wheel.go",
    "hermes/state.db.sql": "/home/ann/trip.md",
    "devin/sessions.db.sql": "/home/ann/mill/login.py",
    "cursor/state.vscdb.sql": "/home/ann/mill/dial.ts",
    "cursor/store.db.sql": "/home/ann/mill/dial.test.ts",
    "kiro/data.sqlite3.sql": "/home/ann/mill/sluices.md",
    "forge/.forge.db.sql": "/home/ann/oven.rs",
}


def of_sample(name: str, options: formats.Options = PLAIN, path: bytes = b"/x/one.db/1") -> list[formats.Turn]:
    """Return the turns of a sample."""
    return turns(name.partition("/")[0], *content(str(CORPUS / name)).split(b"\n"), options=options, path=path)


@pytest.mark.parametrize("name", SAID)
def test_what_each_side_said_and_nothing_else(name: str) -> None:
    """No draft, no injected text, no thought, no tool's answer, no machine's prompt; what was said twice is told so."""
    found = sorted(of_sample(name), key=lambda one: one.conversation_id)
    assert [(one.conversation_id, one.role, one.text) for one in found if one.text] == SAID[name]
    assert len({one.key for one in found}) == len(found)


@pytest.mark.parametrize("name", EDITED)
def test_edited_files_are_known(name: str) -> None:
    """The calls of a message name its tools; an editor's path is an edited file."""
    assert {path for one in of_sample(name) for path in one.facts.files} == {EDITED[name]}


@pytest.mark.parametrize("name", SAID)
def test_options_add_texts_and_change_no_key(name: str) -> None:
    """Thoughts, results and subagents come where they are wanted, beside the same turns."""
    plain, more = {one.key for one in of_sample(name)}, {one.key for one in of_sample(name, EVERYTHING)}
    assert plain <= more


def test_crush_s_project_is_the_folder_it_lies_in() -> None:
    """The database says nothing of it."""
    found = of_sample("crush/crush.db.sql", path=b"/home/ann/mill/.crush/crush.db/c1")
    assert {one.facts.project for one in found} == {"/home/ann/mill"}


def test_a_thread_of_zed_is_unpacked(tmp_path: Path) -> None:
    """As Zed writes it today."""
    path = build(CORPUS / "zed/threads.db.sql", tmp_path)
    plain = told(path)
    connection = sqlite3.connect(path)
    for name, data in connection.execute("SELECT id, data FROM threads").fetchall():
        packed = zstandard.compress(data)
        connection.execute("UPDATE threads SET data_type = 'zstd', data = ? WHERE id = ?", (packed, name))
    connection.commit()
    connection.close()
    assert told(path) == plain


def test_a_compaction_of_goose_brings_nothing_new(tmp_path: Path) -> None:
    """All rows of a session are deleted and written again under new ids."""
    path = build(CORPUS / "goose/sessions.db.sql", tmp_path)
    before = [one.key for one in of_sample("goose/sessions.db.sql")]
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TEMP TABLE kept AS SELECT * FROM messages; DELETE FROM messages; UPDATE kept SET id = id + 100,"
        " message_id = 'new_' || message_id; INSERT INTO messages SELECT * FROM kept"
    )
    connection.close()
    assert [one.key for one in turns("goose", *told(path).split(b"\n"))] == before


def test_older_goose_without_ids_of_messages(tmp_path: Path) -> None:
    """A column that came later is not asked for where it is missing."""
    path = build(CORPUS / "goose/sessions.db.sql", tmp_path)
    connection = sqlite3.connect(path)
    connection.executescript(
        "ALTER TABLE messages DROP COLUMN message_id; ALTER TABLE sessions DROP COLUMN session_type"
    )
    connection.close()
    assert "Why is the pipeline red?" in [one.text for one in turns("goose", *told(path).split(b"\n"))]


def test_a_database_of_several_persons_is_left_alone(tmp_path: Path) -> None:
    """Open WebUI: whose chats they are cannot be told."""
    path = build(CORPUS / "open-webui/webui.db.sql", tmp_path)
    assert len(members(path)) == 1
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO chat SELECT 'w2', 'bob', title, chat, created_at, updated_at, 0 FROM chat")
    connection.commit()
    connection.close()
    assert members(path) == []


def test_a_prompt_of_warp_is_known_again_once_its_answer_is_packed(tmp_path: Path) -> None:
    """The table of prompts tells it first, the packed conversation later."""
    path = build(CORPUS / "warp/warp.sqlite.sql", tmp_path)
    packed = [one.key for one in turns("warp", *told(path).split(b"\n"))]
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM agent_tasks")
    connection.commit()
    connection.close()
    assert turns("warp", *told(path).split(b"\n"))[0].key == packed[0]


def test_a_database_with_logins_is_never_copied(tmp_path: Path) -> None:
    """Kiro: with its owner at work it is read where it is; without an index of the log it waits for its owner."""
    path = build(CORPUS / "kiro/data.sqlite3.sql", tmp_path)
    with Owner(path) as owner:
        owner.run("PRAGMA journal_mode = WAL", "UPDATE conversations_v2 SET updated_at = updated_at + 1")
        lender = tables.KNOWN.lender
        lender.release()
        assert len(members(path)) == 1
        assert lender._copy is None
        owner.crash()
    Path(f"{path}-shm").unlink()
    path.touch()
    assert members(path) == []
    assert lender._copy is None


def test_cursor_without_its_list_of_headers(tmp_path: Path) -> None:
    """Before 3.16 composers are found by their keys, and give the same words."""
    path = build(CORPUS / "cursor/state.vscdb.sql", tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE composerHeaders")
    connection.close()
    found = [one for one in turns("cursor", *told(path).split(b"\n")) if one.text]
    assert [(one.conversation_id, one.role, one.text) for one in found] == SAID["cursor/state.vscdb.sql"]
    assert [one.at for one in found] == ["2026-01-01T09:00:00.000Z", "2026-01-01T09:00:09.000Z"]


def test_cursor_s_stores_agree_on_a_turn() -> None:
    """The same words in the editor's database and in the transcript have the same keys."""
    lines = [
        {"role": role, "message": {"content": [{"type": "text", "text": text}]}}
        for _, role, text in SAID["cursor/state.vscdb.sql"]
    ]
    lines[0]["message"]["content"][0]["text"] = "<user_query>\nThe dial stops after noon.\n</user_query>"  # type: ignore[index]
    transcript = [one.key for one in turns("cursor", *lines)]
    assert transcript == [one.key for one in of_sample("cursor/state.vscdb.sql") if one.text]


@pytest.mark.parametrize("name", [name for name in SAID if "cursor/s" not in name or "state" in name])
def test_a_row_of_noise_hides_no_other(name: str, tmp_path: Path) -> None:
    """Every text of every table replaced in turn: nothing raises, and what is told stays JSON or is set aside."""
    format_ = name.partition("/")[0]
    for noise in ('{"a":', "[1, null, {}]", "\0", '"x"', "{}", "", '{"content":{"type":7},"role":[],"time":9}'):
        path = build(CORPUS / name, tmp_path)
        connection = sqlite3.connect(path)
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for column in connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall():
                if column[0] in (
                    "data",
                    "content_json",
                    "parts",
                    "content",
                    "chat",
                    "value",
                    "metadata_json",
                    "response",
                    "chat_message",
                ):
                    connection.execute(f"UPDATE {table} SET {column[0]} = ? WHERE rowid % 2", (noise,))
        connection.commit()
        connection.close()
        turns(format_, *told(path).split(b"\n"), options=EVERYTHING)
        path.unlink()
