"""A path that should be a file is never waited for: not a pipe, not a device, not a socket."""

from __future__ import annotations

import os
import pathlib
import stat
import threading
from collections.abc import Callable

import pytest

from importer.protocol.system.plain import plain, read_given, sure


def pipe(path: pathlib.Path) -> None:
    os.mkfifo(path)


def device(path: pathlib.Path) -> None:
    path.symlink_to("/dev/zero")


def listening(path: pathlib.Path) -> None:
    os.mknod(path, 0o600 | stat.S_IFSOCK)


@pytest.mark.parametrize("make", [pipe, device, listening])
@pytest.mark.parametrize("mode", ["rb", "wb", "ab"])
def test_what_is_no_file_is_refused(tmp_path: pathlib.Path, make: Callable[[pathlib.Path], None], mode: str) -> None:
    """At once, for reading and for writing."""
    make(tmp_path / "x")
    with pytest.raises(OSError, match=r"no file|No such device"), open(tmp_path / "x", mode, opener=plain):
        pass


def test_a_file_opens_as_ever(tmp_path: pathlib.Path) -> None:
    """Through links, too; a folder is refused by `open` itself; what is new is made."""
    with open(tmp_path / "x", "w", opener=plain) as file:
        file.write("a")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    with open(tmp_path / "link", opener=plain) as file:
        assert file.read() == "a"
    assert sure(str(tmp_path / "x")) == str(tmp_path / "x")
    with pytest.raises(IsADirectoryError), open(tmp_path, opener=plain):
        pass


def test_what_a_person_names_may_be_a_pipe(tmp_path: pathlib.Path) -> None:
    """One that is filled is read to its end; one that is not is told, after a while."""
    reading, writing = os.pipe()
    threading.Thread(target=lambda: (os.write(writing, b"a key"), os.close(writing))).start()
    assert read_given(f"/dev/fd/{reading}", 100) == b"a key"
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(OSError, match="nothing was written to"):
        read_given(f"/dev/fd/{reading}", 100)
    pipe(tmp_path / "x")
    with pytest.raises(OSError, match="nothing comes out"):
        read_given(str(tmp_path / "x"), 100, wait_s=0.01)
    reading, writing = os.pipe()
    with pytest.raises(OSError, match="nothing comes out"):
        read_given(f"/dev/fd/{reading}", 100, wait_s=0.01)
    os.close(writing)


def test_what_a_person_names_ends(tmp_path: pathlib.Path) -> None:
    """A device without an end is read as far as the caller has room; nothing is nothing."""
    (tmp_path / "key").write_bytes(b"abc")
    assert read_given(str(tmp_path / "key"), 100) == b"abc"
    assert read_given(str(tmp_path / "key"), 2) == b"ab"
    assert len(read_given("/dev/zero", 1000)) == 1000
    assert read_given("/dev/null", 1000) == b""
