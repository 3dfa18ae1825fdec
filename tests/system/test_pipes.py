"""A pipe in the place of a file is no file: no command waits for it, and each says so or goes on without."""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest
from portions import portion
from processes import Importer

from importer.sources.databases.borrowed import Lender
from importer.state.open_database import open_for_reading, open_for_writing

IN_THE_STATE = (
    *("checkpoints.sqlite3", "checkpoints.sqlite3-wal", "checkpoints.sqlite3-shm", "importer.lock", "importer.wanted"),
    *("workers.lock", "answerer.lock", "answerer.log", "alone.lock", "last-search.json", "embedding-model.json"),
    *("disabled-sources.json", "embedding-usage.json", "installed.json", "control.sock"),
    *("edge/conversations/importer.json", "edge/conversations/edge_config.json"),
)
COMMANDS = (("status",), ("search", "kettle"), ("backlog", "SAID"))


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """A state with one conversation."""
    importer = Importer(tmp_path_factory.mktemp("pipes"), embedded=True)
    importer.environ["IMPORTER_DAEMON_ANSWERER_IDLE_S"] = "0.1"
    (importer.base / "said").mkdir()
    (importer.base / "said" / "a.jsonl").write_text('{"role": "user", "content": "is the kettle on?"}\n')
    assert importer.run("backlog", str(importer.base / "said")).code == 0
    return importer


@pytest.mark.parametrize("name", portion(IN_THE_STATE, 9))
def test_no_command_waits_for_a_pipe_in_the_state(imported: Importer, tmp_path: pathlib.Path, name: str) -> None:
    """Each ends in time, without a traceback."""
    shutil.copytree(imported.state, tmp_path / "state", ignore=shutil.ignore_patterns("*.sock"))
    (tmp_path / "state" / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / "state" / name)
    importer = Importer(tmp_path, imported.environ, embedded=True)
    for words in COMMANDS:
        done = importer.run(*(word.replace("SAID", str(imported.base / "said")) for word in words), seconds=40)
        assert "Traceback" not in done.err, done.err


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_no_database_waits_for_a_pipe(tmp_path: pathlib.Path, ending: str) -> None:
    """The state's own is refused; one of an assistant is read without, or is not."""
    path = tmp_path / "x.sqlite3"
    open_for_writing(str(path)).close()
    for beside in tmp_path.glob("x.sqlite3?*"):
        beside.unlink()
    pathlib.Path(f"{path}{ending}").unlink(missing_ok=True)
    os.mkfifo(f"{path}{ending}")
    for opened in (open_for_reading, open_for_writing):
        with pytest.raises(Exception, match="it is no file"):
            opened(str(path))
    try:
        with Lender().open(os.fsencode(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except OSError:
        assert ending == ""


@pytest.mark.parametrize(
    "words", [("--config", "PIPE", "status"), ("serve", "--port", "0", "--token-file", "PIPE"), ("blame", "PIPE:1")]
)
def test_no_command_waits_for_a_pipe_that_it_is_given(imported: Importer, words: tuple[str, ...]) -> None:
    """A settings file may be a pipe that is filled; it is waited for, but not for ever."""
    pipe = imported.base / "pipe"
    if not pipe.exists():
        os.mkfifo(pipe)
    done = imported.run(*(word.replace("PIPE", str(pipe)) for word in words), seconds=40)
    assert done.code == 2, done.err
    assert "Traceback" not in done.err


def test_a_transcript_that_is_a_pipe_is_passed_over(imported: Importer, tmp_path: pathlib.Path) -> None:
    """In a folder, named, behind a link, and where an archive or a database is looked for."""
    for name in ("a.jsonl", "b.zip", "c.db", "d.json"):
        os.mkfifo(tmp_path / name)
        (tmp_path / f"link-{name}").symlink_to(tmp_path / name)
    assert imported.run("backlog", str(tmp_path), seconds=40).code in {0, 2}
    assert imported.run("backlog", str(tmp_path / "a.jsonl"), seconds=40).code in {0, 1, 2}
