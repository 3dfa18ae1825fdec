"""The hub as a source, against a server that speaks its protocol: files are verified, downloads go on, silence ends."""

from __future__ import annotations

import hashlib
import json
import random
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from model_store import quiet
from processes import until

from importer.worker.models.catalog import Description, WantedFile
from importer.worker.models.hub import Hub
from importer.worker.models.sources import Unavailable, folder_bytes

COMMIT = "c" * 40
FILES = {"config.json": b'{"hidden_size": 8}', "onnx/model.onnx": b"graph" * 100_000}
TINY = Description(
    name="someone/tiny",
    dimension=8,
    graph="onnx/model.onnx",
    repository="someone/tiny",
    files=(WantedFile("onnx/model.onnx"), WantedFile("config.json"), WantedFile("vocab.txt", optional=True)),
)


LARGE_BYTES = 1000  # files from this size on have a sha256, smaller ones git's sha1 of them as a blob


def blob(content):
    """Return git's sum of a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def listed(path, content):
    """Return a file as the hub lists it, in both spellings of its interface."""
    sha256 = hashlib.sha256(content).hexdigest()
    large = {"lfs": {"sha256": sha256, "oid": sha256, "size": len(content), "pointerSize": 100}}
    names = {"rfilename": path, "path": path, "type": "file", "blobId": blob(content), "oid": blob(content)}
    return {**names, "size": len(content), **(large if len(content) >= LARGE_BYTES else {})}


class HubServer(BaseHTTPRequestHandler):
    """The answers that huggingface_hub gets. `server.lies` are paths whose bytes are not what the sums say.

    No more than `stall_at` bytes of a file are sent; after them nothing comes until `over` is set.
    """

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(send=False)

    def do_GET(self):
        self.answer(send=True)

    def answer(self, *, send):
        if self.path.startswith("/api/models/someone/tiny"):
            return self.describe()
        repository, _, path = self.path.strip("/").partition("/resolve/")
        content = FILES.get(path.partition("/")[2]) if repository == "someone/tiny" else None
        self.server.asked.append((self.command, self.path, self.headers.get("Range", "")))
        if content is None:
            return self.refuse()
        etag = hashlib.sha256(content).hexdigest()
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        start *= self.server.ranges
        self.send_response(206 if start else 200)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Content-Length": str(len(content) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if send:
            lie = path.partition("/")[2] in self.server.lies
            sent = (content[:-1] + b"?" if lie else content)[start:]
            self.wfile.write(sent[: self.server.stall_at])
            if len(sent) > self.server.stall_at:
                self.server.stalled.set()
                self.server.over.wait(30)
                self.close_connection = True
        return None

    def describe(self):
        files = [listed(path, content) for path, content in FILES.items()]
        commit = {"id": "someone/tiny", "sha": COMMIT, "siblings": files}
        body = json.dumps(files if "/tree/" in self.path else commit).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self):
        self.send_response(404)
        self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Write no log."""


@contextmanager
def serving(lies=(), stall_at=1 << 40, ranges=True):
    server = ThreadingHTTPServer(("127.0.0.1", 0), HubServer)
    server.asked, server.lies, server.stall_at = [], lies, stall_at
    server.ranges = ranges
    server.stalled, server.over = threading.Event(), threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
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
    """A second try goes on from the files that are complete, however the first ended."""
    with serving() as server:
        hub_at(server).bring(TINY, str(tmp_path), quiet)
        assert [command for command, _, _ in server.asked].count("GET") == len(FILES)
        hub_at(server).bring(TINY, str(tmp_path), quiet)
        assert [command for command, _, _ in server.asked].count("GET") == len(FILES)


BRING = """
import sys
from importer.worker.models.catalog import Description, WantedFile
from importer.worker.models.hub import Hub
tiny = Description("someone/tiny", 8, "onnx/model.onnx", "someone/tiny", (WantedFile("onnx/model.onnx"),))
Hub(endpoint=sys.argv[1]).bring(tiny, sys.argv[2], lambda *step: None)
"""


@pytest.mark.slow
def test_a_download_that_was_killed_goes_on_in_the_middle_of_a_file(tmp_path, monkeypatch):
    """By range, from what is on the disk."""
    content = random.Random(5).randbytes(25_000_000)
    monkeypatch.setitem(FILES, "onnx/model.onnx", content)
    with serving(stall_at=22_000_000) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        fetching = subprocess.Popen([sys.executable, "-c", BRING, address, str(tmp_path)])
        assert server.stalled.wait(60)
        until(lambda: folder_bytes(str(tmp_path)) > 10_000_000)
        fetching.kill()
        fetching.wait()
    with serving() as server:
        hub_at(server).bring(TINY, str(tmp_path), quiet)
        begun = [range_ for command, path, range_ in server.asked if command == "GET" and path.endswith("model.onnx")]
    assert (tmp_path / "onnx/model.onnx").read_bytes() == content
    assert len(begun) == 1
    assert int(begun[0].removeprefix("bytes=").rstrip("-")) > 10_000_000
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".part")]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_connection_that_breaks_is_made_again(tmp_path, ranges):
    """In the same try; a server without ranges sends all of the file again, and it is not put behind its own half."""
    with serving(stall_at=300_000, ranges=ranges) as server:
        server.over.set()  # it hangs up after 300,000 bytes
        if ranges:
            hub_at(server).bring(TINY, str(tmp_path), quiet)
            assert (tmp_path / "onnx/model.onnx").read_bytes() == FILES["onnx/model.onnx"]
        else:
            with pytest.raises(Unavailable):
                hub_at(server).bring(TINY, str(tmp_path), quiet)
    with serving(ranges=ranges) as server:
        hub_at(server).bring(TINY, str(tmp_path), quiet)
    assert {path: (tmp_path / path).read_bytes() for path in FILES} == FILES


@pytest.mark.parametrize("path", FILES)
def test_a_damaged_file_is_refused_and_not_kept(tmp_path, path):
    """Large and small files are compared with the hub's own sums; the next try downloads a damaged one anew."""
    with serving(lies=(path,)) as server, pytest.raises(Unavailable, match=f"{path} arrived damaged"):
        hub_at(server).bring(TINY, str(tmp_path), quiet)
    assert not (tmp_path / path).exists()
    with serving() as server:
        hub_at(server).bring(TINY, str(tmp_path), quiet)
    assert (tmp_path / path).read_bytes() == FILES[path]


def test_a_hub_that_lacks_a_file_says_which(tmp_path):
    """A model without a file that it needs is not downloaded in part."""
    more = replace(TINY, files=(*TINY.files, WantedFile("tokenizer.json")))
    with serving() as server, pytest.raises(Unavailable, match=r"has no tokenizer\.json"):
        hub_at(server).bring(more, str(tmp_path), quiet)
    assert not any(tmp_path.iterdir())


def test_a_hub_without_the_model_says_so(tmp_path):
    """That is no reason not to ask it for another."""
    missing = Description("other", 8, "model.onnx", "someone/other", (WantedFile("model.onnx"),))
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
