"""What `importer uninstall` deletes is all that is ours, and nothing else."""

from __future__ import annotations

import pathlib

import pytest

from importer.assistants.wiring import record
from importer.cli import last_search
from importer.cli.services.traces import remove, state_traces
from importer.protocol.hosted import usage
from importer.service import answerer, answerer_launch, client
from importer.settings import chosen
from importer.sources.databases import borrowed
from importer.state import lock, open_database, switches

OURS = (
    *(chosen.FILE, usage.FILE, switches.FILE, last_search.NAME, record.NAME, lock.NAME, lock.WANTED_NAME),
    *(answerer.LOG_NAME, answerer_launch.STARTING_NAME, answerer_launch.ALONE_NAME, client.SOCKET_NAME),
    *(open_database.FILE_NAME, f"{open_database.FILE_NAME}-wal", f"{chosen.FILE}.new", f"{usage.FILE}.new"),
)


@pytest.mark.parametrize("name", OURS)
def test_every_file_of_the_state_is_known(tmp_path: pathlib.Path, name: str) -> None:
    """Also the model that was chosen: left behind, the next installation would begin with it."""
    (tmp_path / name).write_bytes(b"")
    found = state_traces(str(tmp_path))
    assert (found.paths, found.kept) == ((str(tmp_path / name),), ())


def test_what_is_not_ours_stays(tmp_path: pathlib.Path) -> None:
    """The store and copies that a kill left go with all that is in them; a person's file stays, and so its folder."""
    for folder in ("edge", f"{borrowed.COPIES}x1"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "inside").write_bytes(b"")
    (tmp_path / "mine.txt").write_bytes(b"")
    assert remove(state_traces(str(tmp_path))) == []
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
