"""The hub as a source, against a server that speaks its protocol: verified, continued, and soon given up."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from importer.worker.models.catalog import Description, Wanted
from importer.worker.models.hub import Hub, check_etag
from importer.worker.models.locate import quiet
from importer.worker.models.sources import Unavailable

COMMIT = "c" * 40
FILES = {"config.json": b'{"hidden_size": 8}', "onnx/model.onnx": b"graph" * 100_000}
TINY = Description(
    name="someone/tiny",
    dimension=8,
    graph="onnx/model.onnx",
    repository="someone/tiny",
    files=(Wanted("onnx/model.onnx"), Wanted("config.json"), Wanted("vocab.txt", optional=True)),
)


class Shelves(BaseHTTPRequestHandler):
    """The requests that huggingface_hub makes of a file. `server.lies` are paths whose bytes are not what it says."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(send=False)

    def do_GET(self):
        self.answer(send=True)

    def answer(self, *, send):
        repository, _, path = self.path.strip("/").partition("/resolve/")
        content = FILES.get(path.partition("/")[2]) if repository == "someone/tiny" else None
        self.server.asked.append((self.command, self.path, self.headers.get("Range", "")))
        if content is None:
            return self.refuse()
        etag = hashlib.sha256(content).hexdigest()
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        self.send_response(206 if start else 200)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Content-Length": str(len(content) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if send:
            lie = path.partition("/")[2] in self.server.lies
            self.wfile.write((content[:-1] + b"?" if lie else content)[start:])
        return None

    def refuse(self):
        self.send_response(404)
        self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def serving(lies=()):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shelves)
    server.asked, server.lies = [], lies
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hub_at(server, **options):
    return Hub(endpoint=f"http://127.0.0.1:{server.server_address[1]}", **options)


def test_files_arrive_with_their_progress_and_origin(tmp_path):
    """Those it has; an optional one that it has not is left out."""
    said = []
    with serving() as server:
        origin = hub_at(server).bring(TINY, str(tmp_path), lambda *step: said.append(step))
    assert origin == f"model hub (someone/tiny@{COMMIT[:12]})"
    assert {path: (tmp_path / path).read_bytes() for path in FILES} == FILES
    assert said[-1] == ("model hub", 500_018, 500_018)
    assert not (tmp_path / "vocab.txt").exists()


def test_what_is_there_already_is_not_downloaded_again(tmp_path):
    """A second try, after whatever ended the first, goes on from the files that are complete."""
    with serving() as server:
        hub_at(server).bring(TINY, str(tmp_path), quiet)
        first = [command for command, _, _ in server.asked].count("GET")
        hub_at(server).bring(TINY, str(tmp_path), quiet)
        assert [command for command, _, _ in server.asked].count("GET") == first == 2


def test_a_damaged_file_is_refused_and_not_kept(tmp_path):
    """The hub's own sum says so."""
    with serving(lies=("onnx/model.onnx",)) as server, pytest.raises(Unavailable, match=r"model\.onnx arrived damaged"):
        hub_at(server).bring(TINY, str(tmp_path), quiet)
    assert not (tmp_path / "onnx" / "model.onnx").exists()


def test_a_hub_without_the_model_says_so(tmp_path):
    """That is no reason not to ask it for another."""
    missing = Description("other", 8, "model.onnx", "someone/other", (Wanted("model.onnx"),))
    with serving() as server:
        hub = hub_at(server)
        with pytest.raises(Unavailable, match="404"):
            hub.bring(missing, str(tmp_path), quiet)
        assert hub.bring(TINY, str(tmp_path), quiet)


def test_a_silent_hub_is_given_up_soon_and_not_asked_again(tmp_path):
    """It accepts the connection and never answers, as some firewalls do."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=8)) as listener:
        hub = Hub(endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}", answer_s=0.2)
        with pytest.raises(Unavailable, match="no answer"):
            hub.bring(TINY, str(tmp_path), quiet)
    hub.answer_s = 1e9  # would wait for ever, if it asked
    with pytest.raises(Unavailable, match="no answer"):
        hub.bring(TINY, str(tmp_path), quiet)


def test_a_refused_connection_is_told(tmp_path):
    """With the reason, for the list of what was tried."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable, match="no answer"):
        Hub(endpoint=f"http://127.0.0.1:{port}").bring(TINY, str(tmp_path), quiet)


def test_sums_are_sha256_or_gits(tmp_path):
    """Large files by the one, small ones by the other; anything else says nothing."""
    path = tmp_path / "file"
    path.write_bytes(b"hello\n")
    check_etag(str(path), hashlib.sha256(b"hello\n").hexdigest())
    check_etag(str(path), "ce013625030ba8dba906f756967f9e9ca394464a")  # git hash-object
    check_etag(str(path), "weak")
    with pytest.raises(Unavailable, match="file arrived damaged"):
        check_etag(str(path), "0" * 40)
    assert not os.path.exists(path)
