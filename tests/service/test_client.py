"""The socket's path: it fits into an address from any folder, and leaves nothing behind."""

from __future__ import annotations

import os
import pathlib
import socket
import tempfile

import pytest

from importer.service.client import SOCKET_NAME, short_path


@pytest.mark.parametrize("plain", [False, True])
def test_a_folder_of_any_depth(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, plain: bool
) -> None:
    """A server binds and a client connects, with the folder's descriptor and with a link in its place."""
    if plain:
        request.getfixturevalue("plain_system")
    folder = tmp_path / ("deep" * 20) / ("deeper" * 20)
    folder.mkdir(parents=True)
    with (
        tempfile.TemporaryDirectory() as near,
        socket.socket(socket.AF_UNIX) as server,
        socket.socket(socket.AF_UNIX) as client,
    ):
        monkeypatch.setattr(tempfile, "tempdir", near)
        with short_path(str(folder)) as path:
            assert len(os.fsencode(path)) < 104  # macOS
            server.bind(path)
        server.listen()
        assert (folder / SOCKET_NAME).is_socket()
        with short_path(str(folder)) as path:
            client.connect(path)
        assert os.listdir(near) == []


def test_no_folder_is_told_as_such(tmp_path: pathlib.Path) -> None:
    """Not as a server that does not answer."""
    with pytest.raises(ConnectionError), short_path(str(tmp_path / ("x" * 120))):
        pass
