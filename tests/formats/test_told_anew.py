"""Conversations that are told anew at each change: what of each sample reaches the memory, exactly, and their traps."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import time

import pytest
from fold_lines import EVERYTHING, PLAIN, turns
from foreign_database import members, told
from read_units import content

from importer import formats

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"
GROK = "grok-build/sessions/%2Fhome%2Fann%2Fmill/019f6000-0000-7000-8000-00000000000a"
OLD_GROK = "grok-build/sessions/%2Fhome%2Fann%2Fkiln/019f6000-0000-7000-8000-00000000000b/chat_history.jsonl"
JUNIE = "junie/sessions/session-260601-100000-abcd"
HANDS = "openhands/conversations/0a1b2c3d4e5f"
TREE = "opencode/storage/session/prj_a/ses_t1.json"
SAID: dict[str, list[tuple[str, str]]] = {
    f"{GROK}/updates.jsonl": [
        ("user", "Why is the pipeline red?"),
        ("assistant", "A flaky test."),
        ("user", "Run it twice."),
        ("assistant", "Both runs are green."),
    ],
    OLD_GROK: [
        ("user", "How hot is the kiln?"),
        ("assistant", "I read the sensor."),
        ("user", "In Fahrenheit, too."),
        ("assistant", "900 °C, that is 1652 °F."),
    ],
    f"{JUNIE}/events.jsonl": [
        ("user", "Rename wheel to rotor."),
        ("assistant", "Looking at wheel.kt."),
        ("assistant", "The wheel is a rotor now."),
        ("user", "And the tests?"),
        ("assistant", "They pass."),
    ],
    f"{HANDS}/base_state.json": [
        ("user", "Add a readme to the mill."),
        ("assistant", "I write it."),
        ("assistant", "The readme is there."),
        ("user", "Thanks, that is all."),
        ("assistant", "The work is done."),
    ],
    "kiro/sessions/cli/k2.jsonl": [
        ("user", "How many gates has the weir?"),
        ("assistant", "I count them."),
        ("assistant", "It has four."),
    ],
    TREE: [("user", "Why does the old dial stop?"), ("assistant", "A tooth of its wheel is missing.")],
    "opencode/storage/session/prj_a/ses_t2.json": [],
}
FACTS = {
    f"{GROK}/updates.jsonl": ("019f6000-0000-7000-8000-00000000000a", "/home/ann/mill", "/home/ann/mill/ci.yml"),
    OLD_GROK: ("019f6000-0000-7000-8000-00000000000b", "/home/ann/kiln", ""),
    f"{JUNIE}/events.jsonl": ("session-260601-100000-abcd", "/home/ann/mill", "rotor.kt"),
    f"{HANDS}/base_state.json": ("0a1b2c3d4e5f", "/home/ann/mill", "/home/ann/mill/README.md"),
    "kiro/sessions/cli/k2.jsonl": ("k2", "/home/ann/mill", "/home/ann/mill/weir.md"),
    TREE: ("ses_t1", "/home/ann/mill", "/home/ann/mill/dial.py"),
}


def of_sample(name: str, options: formats.Options = PLAIN) -> list[formats.Turn]:
    """Return the turns of a sample."""
    return turns(name.partition("/")[0], *content(str(CORPUS / name)).split(b"\n"), options=options)


def copied(name: str, folder: pathlib.Path) -> pathlib.Path:
    """Copy a format's samples, as if they were left alone for an hour, and return where the named one is."""
    shutil.copytree(CORPUS / name.partition("/")[0], folder / name.partition("/")[0])
    return settled(folder / name)


def settled(path: pathlib.Path, *, at_s: float = 3600.0) -> pathlib.Path:
    """Date a file and all around it back."""
    for one in [path, *path.parent.rglob("*")]:
        os.utime(one, (time.time() - at_s, time.time() - at_s))
    return path


def texts(path: pathlib.Path, name: str) -> list[str]:
    """Return what is told of a file now."""
    return [one.text for one in turns(name, *told(path).split(b"\n")) if one.text]


@pytest.mark.parametrize("name", SAID)
def test_what_each_side_said_and_nothing_else(name: str) -> None:
    """Pieces are joined, blocks told in their last form; no injected text, no thought, no subagent."""
    assert [(one.role, one.text) for one in of_sample(name) if one.text] == SAID[name]


@pytest.mark.parametrize("name", FACTS)
def test_conversation_folder_and_edited_files_are_known(name: str) -> None:
    """The folder may stand in a sheet beside the conversation; the tools' calls name the files."""
    session, folder, edited = FACTS[name]
    found = of_sample(name)
    assert {(one.conversation_id, one.facts.project) for one in found} == {(session, folder)}
    assert {path for one in found for path in one.facts.files} == ({edited} if edited else set())


@pytest.mark.parametrize("name", SAID)
def test_options_add_texts_and_change_no_key(name: str) -> None:
    """Thoughts, results and subagents come where they are wanted, beside the same turns."""
    plain, more = {one.key for one in of_sample(name)}, {one.key for one in of_sample(name, EVERYTHING)}
    assert plain <= more
    assert len(more) > len(plain) or name in (f"{JUNIE}/events.jsonl", OLD_GROK)


def test_words_that_are_being_written_wait(tmp_path: pathlib.Path) -> None:
    """Grok Build: the last pieces count once the turn is completed, or the file was left alone for a while."""
    path = copied(f"{GROK}/updates.jsonl", tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert texts(path, "grok-build") == [text for _, text in SAID[f"{GROK}/updates.jsonl"][:-1]]
    settled(path)
    assert texts(path, "grok-build") == [text for _, text in SAID[f"{GROK}/updates.jsonl"]]


def test_a_rewind_is_told_as_it_stands(tmp_path: pathlib.Path) -> None:
    """Grok Build: the file is cut back, and grows again; keys of what stayed are the same."""
    path = copied(f"{GROK}/updates.jsonl", tmp_path)
    before = [one.key for one in turns("grok-build", *told(path).split(b"\n"))]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:7]) + lines[7].replace(b"twice", b"thrice"))
    after = [one.key for one in turns("grok-build", *told(settled(path)).split(b"\n"))]
    assert (after[:3], len(set(after) - set(before))) == (before[:3], 1)


def test_the_history_counts_only_without_updates(tmp_path: pathlib.Path) -> None:
    """Grok Build: both tell the same conversation."""
    path = copied(f"{GROK}/updates.jsonl", tmp_path)
    history = path.with_name("chat_history.jsonl")
    history.write_text(
        '{"type":"user","content":[{"type":"text","text":"Why is the pipeline red?"}],"prompt_index":0}\n'
    )
    assert texts(settled(history), "grok-build") == []
    path.unlink()
    assert texts(settled(history), "grok-build") == ["Why is the pipeline red?"]


def test_a_block_that_grows_is_told_once(tmp_path: pathlib.Path) -> None:
    """Junie: while it grows it waits, and so does what comes behind it."""
    path = copied(f"{JUNIE}/events.jsonl", tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]))
    assert texts(path, "junie") == ["Rename wheel to rotor."]
    path.write_bytes(b"".join(lines))
    assert texts(path, "junie") == [text for _, text in SAID[f"{JUNIE}/events.jsonl"]]


def test_a_new_event_is_a_change(tmp_path: pathlib.Path) -> None:
    """OpenHands: the state's own file stays as it is."""
    path = copied(f"{HANDS}/base_state.json", tmp_path)
    (before,) = members(path)
    event = json.loads((path.parent / "events/event-00005-e5.json").read_text())
    event["llm_message"]["content"][0]["text"] = "One more thing."
    (path.parent / "events/event-00007-e7.json").write_text(json.dumps(event))
    (after,) = members(path)
    assert before.ctime_ns != after.ctime_ns
    assert texts(path, "openhands")[-1] == "One more thing."


def test_a_part_that_grows_is_a_change(tmp_path: pathlib.Path) -> None:
    """OpenCode's tree: a part is rewritten until its message is completed; the session's file stays as it is."""
    path = copied(TREE, tmp_path)
    (before,) = members(path)
    part = tmp_path / "opencode/storage/part/msg_a2/prt_05.json"
    part.write_text(part.read_text().replace("missing", "missing, and another is loose"))
    (after,) = members(path)
    assert before.ctime_ns != after.ctime_ns
    assert texts(path, "opencode")[-1] == "A tooth of its wheel is missing, and another is loose."


def test_tree_and_database_agree_on_a_turn(tmp_path: pathlib.Path) -> None:
    """OpenCode: a migration copies messages with their ids and times, and leaves the tree."""
    rows = {
        "session": {"id": "ses_t1", "parent": None, "title": "The old dial", "cwd": "/home/ann/mill", "agent": None},
        "head": {"role": "user", "time": {"created": 1767258000000}},
        "part": {"type": "text", "text": "Why does the old dial stop?"},
    }
    format_ = formats.load("opencode")
    units = [
        *format_.told({**rows["session"], "session": "ses_t1"}),
        *format_.told({"id": "msg_a1", "at": 1767258000000, "head": json.dumps(rows["head"]), "part": rows["part"]}),
    ]
    lines = [json.dumps({**unit, "chain": ""}) for unit in units]
    assert [one.key for one in turns("opencode", *lines)] == [of_sample(TREE)[0].key]


@pytest.mark.parametrize(
    "name", [f"{GROK}/updates.jsonl", f"{JUNIE}/events.jsonl", "kiro/sessions/cli/k2.jsonl", OLD_GROK]
)
def test_a_damaged_line_costs_only_itself(name: str, tmp_path: pathlib.Path) -> None:
    """It is told as damaged, and the others are told."""
    path = copied(name, tmp_path)
    path.write_bytes(b'{"kind":"UserPromptEvent","half\n'.join([path.read_bytes(), b""]))
    lines = told(settled(path)).split(b"\n")
    assert any(line.startswith(b"!") for line in lines)
    assert [one.text for one in turns(name.partition("/")[0], *lines) if one.text] == [text for _, text in SAID[name]]
