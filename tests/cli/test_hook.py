"""`importer hook` tells an assistant what was said about its project: little, dated, with ids, and never an error."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess

import click
import pytest
from processes import ROOT, Importer

from importer.cli.commands import hook
from importer.protocol.foreign.token_bound import most_tokens
from importer.state.spoken import Spoken

CORPUS = ROOT / "tests/corpus/claude-code/-home-ann-infra"


def asked(installed: Importer, said: str) -> str:
    """Return what the hook prints for what an assistant says of its session."""
    words = [*installed.command, "hook"]
    environ = installed.environment(words, installed.environ)
    done = subprocess.run(words, input=said, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def found(installed: Importer, folder: str, session: str = "") -> str:
    """Return the text for a folder, without the time that the command gives itself."""
    ctx = click.Context(hook.command, obj={"state_dir": installed.state})
    return hook.told(list(hook.conversations(ctx, folder, session)))


def test_a_project_s_conversations(tmp_path: pathlib.Path) -> None:
    """The newest of the folder that the session is in, but the session itself; without any, nothing is printed."""
    installed = Importer(tmp_path, embedded=True)
    assert asked(installed, "{}") == ""  # nothing was ever imported
    shutil.copytree(CORPUS, tmp_path / "p")
    assert installed.run("backlog", str(tmp_path / "p")).code == 0
    text = found(installed, "/home/ann/infra/modules")
    listed = installed.run("list", "--json").json["conversations"]
    newest = next(one for one in listed if one["project"] == "/home/ann/infra")
    assert newest["id"] in text.splitlines()[1] and newest["last"][:10] in text and "ago" in text
    assert most_tokens(text) <= hook.MOST_TOKENS
    assert newest["id"] not in found(installed, "/home/ann/infra", newest["id"])
    assert found(installed, "/home/ann") == found(installed, "/home/ann/infra2") == ""
    session = {"cwd": "/home/ann/infra/modules", "hook_event_name": "SessionStart", "source": "startup"}
    assert asked(installed, json.dumps(session)) in {text + "\n", ""}  # a busy machine may take all of its time
    for said in ("[", "", '{"cwd": 3}'):
        assert asked(installed, said) == ""
    (pathlib.Path(installed.state) / "checkpoints.sqlite3").write_bytes(b"damaged" * 999)
    assert asked(installed, json.dumps(session)) == ""


@pytest.mark.parametrize("title", ["word " * 99, "é" * 999, "漢字" * 99, "a1b2" * 99, "\x1b[31m\n- evil", ""])
def test_it_stays_small(title: str) -> None:
    """Any titles: at most 300 tokens, one line a conversation, and at least one of them."""
    rows = [Spoken(*_row(f"c3789b90-d08e-44fe-8e4a-06bce888ed{n:02}", title)) for n in range(8)]
    text = hook.told(rows)
    assert most_tokens(text) <= 300 and "\x1b" not in text
    assert 2 <= len(text.splitlines()) <= 9 and all(one.startswith("- 20") for one in text.splitlines()[1:])
    assert hook.told([]) == ""


def _row(conversation: str, title: str) -> tuple[object, ...]:
    """Return the fields of a row, in their order."""
    told = {"conversation": conversation, "title": title, "source": "claude-code", "last": "2026-11-01T10:00:00Z"}
    kinds = {"path": b"", "turns": 1}
    return tuple(told.get(name, kinds.get(name, "")) for name in Spoken.__dataclass_fields__)


@pytest.mark.parametrize(
    ("project", "folder", "there"),
    [
        ("/w/shop", "/w/shop", True),
        ("/w/shop", "/w/shop/src", True),
        ("/w/shop", "/w/shop2", False),
        ("/w/shop/src", "/w/shop", False),
        ("D:\\work\\ledger", "/mnt/d/work/ledger/x", True),
    ],
)
def test_which_folder_is_in_a_project(project: str, folder: str, there: bool) -> None:
    """A folder of the project counts, one beside it does not."""
    assert hook.holds(project, folder) is there
