"""A Qdrant server is asked once, cheaply, and an answer without a value leaves it unknown."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from importer.service.status.store_ping import StoreServer


class Scripted(http.server.BaseHTTPRequestHandler):
    """A server that answers as scripted, path -> (status, body), and remembers the headers."""

    def do_GET(self) -> None:
        self.server.heard.append(dict(self.headers))
        status, body = self.server.script.get(self.path, (404, {}))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Write no log."""


@pytest.fixture
def qdrant() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        server.heard, server.script = [], {"/": (200, {"title": "qdrant", "version": "1.17.1"})}
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


COUNT = "/collections/con%2Fv/points/count"


def test_version_and_count_are_told(qdrant: Any) -> None:
    """It returns the version and the exact count of the collection; the key is in the header."""
    qdrant.script[COUNT] = (200, {"result": {"count": 41}})
    found = StoreServer(qdrant.url, api_key="secret").look("con/v")
    assert (found.reachable, found.points, found.version) == (True, 41, "1.17.1")
    assert all(headers["api-key"] == "secret" for headers in qdrant.heard)


@pytest.mark.parametrize(("status", "reachable", "points"), [(404, True, 0), (401, False, None), (500, False, None)])
def test_what_it_answers_is_told(qdrant: Any, status: Any, reachable: Any, points: Any) -> None:
    """A missing collection is no failure; a refused key and an error are."""
    qdrant.script[COUNT] = (status, {})
    found = StoreServer(qdrant.url).look("con/v")
    assert (found.reachable, found.points, found.status) == (reachable, points, status)


def test_a_server_that_is_not_there() -> None:
    """A refused connection is a reason, not an exception."""
    found = StoreServer("http://127.0.0.1:9", timeout_s=2).look("c")
    assert found.reachable is False
    assert "refused" in found.why


@pytest.mark.parametrize("body", [b"<html>hello", b"[]", b'{"result": null}'])
def test_a_stranger_is_no_qdrant(qdrant: Any, body: Any) -> None:
    """Another program that listens on that port does not count as a store."""
    qdrant.script[COUNT] = (200, body)
    found = StoreServer(qdrant.url).look("con/v")
    assert (found.reachable, found.points) == (False, None)


def test_a_grpc_address_is_asked_over_rest(qdrant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At REST's own port, for the URL names that of gRPC."""
    monkeypatch.setattr("importer.service.status.store_ping.REST_PORT", qdrant.server_port)
    qdrant.script["/collections/c/points/count"] = (200, {"result": {"count": 3}})
    assert StoreServer("grpc://127.0.0.1:1").look("c").points == 3


def test_a_count_that_may_not_be_exact_is_an_estimate(qdrant: Any) -> None:
    """Strict mode forbids it with the status of a refused key, and is no reason to change the key."""
    qdrant.script[COUNT] = (403, {"status": {"error": "Forbidden: Exact search disabled!. Help: Set exact=false."}})
    asked: list[Any] = []
    server = StoreServer(qdrant.url)
    ask = StoreServer.ask

    def listening(self: StoreServer, method: str, path: str, body: object = None) -> Any:
        asked.append(body)
        if body == {"exact": False}:
            qdrant.script[COUNT] = (200, {"result": {"count": 40}})
        return ask(self, method, path, body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StoreServer, "ask", listening)
        assert server.look("con/v").points == 40
    assert asked[1:] == [{"exact": True}, {"exact": False}]


class Dripping(http.server.BaseHTTPRequestHandler):
    """A server that says a space at a time, without end, or lists in lists."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(self.server.said)
                time.sleep(0.01)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Write no log."""


@pytest.mark.parametrize("said", [b" ", b"[" * 65_536])
def test_an_answer_without_end_ends(said: bytes) -> None:
    """It is told as out of reach, and nothing is raised."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as server:
        server.said = said
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        found = StoreServer(f"http://127.0.0.1:{server.server_port}", timeout_s=0.2).look("c")
        server.shutdown()
    assert not found.reachable
