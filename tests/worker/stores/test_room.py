"""A new store is made only where there is room for it: the kernel ends a process whose mapped pages cannot be had."""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest
from processes import Importer

TALK = '{"role": "user", "content": "is the kettle on?"}\n'


@pytest.fixture
def small(tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> Iterator[pathlib.Path]:
    """A file system of so many megabytes in memory."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={request.param}m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("small", [6, 20, 48], indirect=True)
def test_a_store_without_room_is_not_made(tmp_path: pathlib.Path, small: pathlib.Path) -> None:
    """Both numbers are told and the command ends with 75; no process dies of a signal."""
    (tmp_path / "said").mkdir()
    (tmp_path / "said" / "talk.jsonl").write_text(TALK)
    done = Importer(small, embedded=True).run("backlog", str(tmp_path / "said"))
    assert done.code == 75, done.err[-500:]
    assert "a new store takes" in done.err
    assert "signal" not in done.err
