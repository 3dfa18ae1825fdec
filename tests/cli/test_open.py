"""`open`, `list`, `projects` and `resume` as commands: from a hit to the conversation, and on in its own tool."""

from __future__ import annotations

import os
import pathlib
import stat

import pytest
from processes import Importer
from transcripts import answer, prompt, raw, text

from importer.errors import StateError

SESSION = "11111111-2222-4333-8444-555555555555"
CODE = "```sh\n\trm -rf build\n```"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """Import one conversation that was held in a folder that is there."""
    base = tmp_path_factory.mktemp("open")
    (base / "work").mkdir()
    folder = base / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True)
    where = {"cwd": str(base / "work"), "sessionId": SESSION}
    said = [
        line
        for n in range(9)
        for line in (prompt(f"question {n} about kilns", **where), answer(text(f"so {n}"), **where))
    ]
    said.append(prompt(f"clean up\x1b[2J please\n\n{CODE}", **where))
    (folder / f"{SESSION}.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in said))
    found = Importer(base, embedded=True)
    assert found.run("backlog").code == 0
    return found


def test_from_a_hit(installed: Importer) -> None:
    """A number means a hit of the last search; the turns around it are shown, and what is left out is said."""
    assert installed.run("search", "--mode", "keyword", "clean up build").code == 0
    assert stat.S_IMODE(os.stat(f"{installed.state}/last-search.json").st_mode) == 0o600
    around = installed.run("open", "1", "--before", "1", "--json").json
    assert (around["conversation"], around["of"], len(around["turns"]), around["at"]) == (SESSION, 19, 2, 1)
    assert CODE in around["turns"][1]["text"]
    assert len(installed.run("open", "1", "--whole", "--json").json["turns"]) == 19
    assert "earlier turns" in installed.run("open", "1").out


def test_a_number_never_means_what_was_not_shown(installed: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing close was found, `open 1` opens nothing; `--all` shows the hit, and then it does."""
    from click.testing import CliRunner

    from importer.cli.commands import search
    from importer.service.ask import Asker

    far = {"id": "x", "score": 0.1, "document": "so 1", "metadata": {"conversation_id": SESSION, "message_id": ""}}
    monkeypatch.setattr(Asker, "ask", lambda *_, **__: {"hits": [far], "near": "nothing"})
    for words, code in (([], 2), (["--all"], 0)):
        told = CliRunner().invoke(search.command, ["zinc", *words], obj={"state_dir": installed.state})
        assert told.exit_code == 0 and ("nothing close" in told.output) == (code == 2), told.output
        assert installed.run("open", "1").code == code


def test_by_an_id(installed: Importer) -> None:
    """The fields of the contract, whole; from its file."""
    told = installed.run("open", SESSION[:6], "--json").json
    assert set(told) >= {"conversation", "title", "project", "source", "path", "turns"}
    assert [sorted(one) for one in told["turns"]] == [["role", "text", "timestamp"]] * 19
    assert told["path"].endswith(f"{SESSION}.jsonl")


def test_nothing_in_a_text_moves_the_cursor(installed: Importer) -> None:
    """Escape sequences have no effect on a terminal or in Markdown; code stays as it is."""
    for shown in (installed.run("open", SESSION).out, installed.run("open", SESSION, "--markdown").out):
        assert "\x1b" not in shown
        assert CODE in shown


@pytest.mark.parametrize(("which", "told"), [("99", "had no hit 99"), ("ffffffff", "no conversation and no hit")])
def test_unknown_ids(installed: Importer, which: str, told: str) -> None:
    """What cannot be opened is said, with what to do."""
    installed.run("search", "--mode", "keyword", "kilns")
    done = installed.run("open", which)
    assert (done.code, told in done.err, "try:" in done.err) == (2, True, True)


def test_lists(installed: Importer) -> None:
    """One line a conversation, cut to a narrow terminal; JSON of the contract."""
    (row,) = installed.run("list", "--json").json["conversations"]
    assert (row["id"], row["turns"], row["source"]) == (SESSION, 19, "claude-code")
    assert set(row) == {"id", "title", "project", "source", "first", "last", "turns", "host"}
    head, title, *_ = installed.run("list", COLUMNS="44").out.splitlines()
    assert (head.startswith(SESSION[:8]), "question 0" in title, len(title) <= 44) == (True, True, True)
    rows = [
        installed.run(*words, "--format", "tsv").out for words in (["search", "--project", "work"], ["search", "kilns"])
    ]
    assert [one.splitlines()[0].split("\t")[2] for one in rows] == [SESSION] * 2
    (project,) = installed.run("projects", "--json").json["projects"]
    assert (project["name"], project["conversations"], project["turns"]) == ("work", 1, 19)
    assert installed.run("list", "--until", "1999", "--json").json["conversations"] == []
    assert "no conversation passes" in installed.run("list", "--until", "1999").out


def test_resume(installed: Importer, tmp_path: pathlib.Path) -> None:
    """The tool's own command is printed; with --run it gets a list of arguments, in the conversation's folder."""
    work = str(installed.base / "work")
    assert installed.run("resume", SESSION[:8]).out.strip() == f"cd {work} && claude --resume {SESSION}"
    told = installed.run("resume", SESSION[:8], "--json").json
    assert told == {"command": ["claude", "--resume", SESSION], "folder": work, "page": ""}
    tool = tmp_path / "claude"
    tool.write_text('#!/bin/sh\npwd\nprintf "%s|" "$@"\n')
    tool.chmod(0o755)
    done = installed.run("resume", SESSION[:8], "--run", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.out == f"{work}\n--resume|{SESSION}|"
    missing = installed.run("resume", SESSION[:8], "--run", PATH="/nowhere")
    assert (missing.code, "not installed" in missing.err) == (3, True)


def test_hand_over(installed: Importer) -> None:
    """Another assistant gets a file with all of it, readable by its user alone."""
    told = installed.run("resume", SESSION[:8], "--with", "codex", "--redacted", "--json").json
    path = next(word for word in told["command"][1].split() if word.startswith("/")).rstrip(":")
    assert (told["command"][0], stat.S_IMODE(os.stat(path).st_mode)) == ("codex", 0o600)
    with open(path) as file:
        assert "question 8 about kilns" in file.read()
    os.unlink(path)
    assert installed.run("resume", SESSION[:8], "--with", "abacus").code == 2


def test_resume_alone_ends_a_pause(installed: Importer) -> None:
    """Without an id it is about the daemon, as it always was."""
    done = installed.run("resume")
    assert (done.code, "no daemon runs" in done.err) == (3, True)
    assert installed.run("resume", "--run").code == 2
    with installed.daemon():
        assert installed.run("pause").code == 0
        assert installed.run("resume").out == "it goes on\n"


@pytest.mark.parametrize("command", [("open", "1"), ("list",), ("projects",), ("resume", "1"), ("search", "x")])
def test_looking_makes_no_state(tmp_path: pathlib.Path, command: tuple[str, ...]) -> None:
    """Where nothing was imported each says so, and leaves nothing behind."""
    bare = Importer(tmp_path, embedded=True)
    done = bare.run(*command)
    assert (done.code, "there is no state at" in done.err) == (3, True)
    assert not os.path.exists(bare.state)


@pytest.mark.parametrize("command", [("search", "kettle"), ("list",), ("projects",), ("open", SESSION)])
def test_no_answer_is_taken_where_others_can_write(installed: Importer, command: tuple[str, ...]) -> None:
    """The socket of such a state may be theirs; the fix is named."""
    os.chmod(installed.state, 0o777)
    try:
        done = installed.run(*command)
    finally:
        os.chmod(installed.state, 0o700)
    assert done.code == StateError.exit_code
    assert f"chmod go-w {installed.state}" in done.err
