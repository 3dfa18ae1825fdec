"""Other users see nothing of a store, however wide the umask was and the modes that an older version left."""

from __future__ import annotations

import os
import pathlib
import stat

import pytest
from processes import Importer
from transcripts import prompt, raw

from importer.errors import StoreRefused
from importer.worker.stores.modes import close_to_others


def wide(base: pathlib.Path) -> list[str]:
    """The files and folders at and below a folder that others have any right to."""
    found = [(path, stat.S_IMODE(path.lstat().st_mode)) for path in (base, *base.rglob("*")) if not path.is_symlink()]
    return [f"{mode:o} {path.name}" for path, mode in found if mode & (0o077 if path.is_dir() else 0o177)]


@pytest.mark.parametrize("store", ["edge", "local"])
@pytest.mark.parametrize("umask", ["000", "022"])
def test_all_of_the_state_is_private(tmp_path: pathlib.Path, store: str, umask: str) -> None:
    """Folders 0700 and files 0600, after an import and after an older store is opened again."""
    (tmp_path / "said.jsonl").write_bytes(raw(prompt("what only we know")) + b"\n")
    importer = Importer(tmp_path, embedded=True)
    where = ("--store", "edge" if store == "edge" else f"local:{importer.state}/local")
    former = os.umask(int(umask, 8))  # inherited by what is started
    try:
        done = importer.run(*where, "backlog", str(tmp_path / "said.jsonl"))
    finally:
        os.umask(former)
    assert done.code == 0, done.err
    assert wide(tmp_path / "state") == []
    for path in (tmp_path / "state" / store).rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o644)
    (tmp_path / "state" / store).chmod(0o755)
    assert importer.run(*where, "search", "know", "--mode", "keyword").code == 0
    assert wide(tmp_path / "state" / store) == []


def test_what_a_link_points_to_stays_as_it_is(tmp_path: pathlib.Path) -> None:
    """Only what lies in the folder is closed."""
    (tmp_path / "store").mkdir(mode=0o755)
    (tmp_path / "elsewhere").write_text("of another program")
    (tmp_path / "elsewhere").chmod(0o644)
    (tmp_path / "store" / "link").symlink_to(tmp_path / "elsewhere")
    close_to_others(str(tmp_path / "store"))
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o644


def test_a_store_with_a_pipe_in_it_is_refused(tmp_path: pathlib.Path) -> None:
    """The engine would wait for it; a link to one is none the better."""
    (tmp_path / "file").touch()
    close_to_others(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreRefused, match="pipe is no file"):
        close_to_others(str(tmp_path))
    os.unlink(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    with pytest.raises(StoreRefused, match="link is no file"):
        close_to_others(str(tmp_path))
