"""A scripted embeddings service on loopback: it speaks as OpenAI, Voyage and Cohere do, and fails to order."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DIMENSION = 12


@dataclass
class Answer:
    """One scripted reply; a body of None means the vectors that were asked for."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Script:
    """Replies to give before the good ones, and what was asked so far: headers, paths and bodies."""

    url: str
    next: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, _, body in self.asked]


def vector(text: str, dimension: int) -> list[float]:
    """Return a vector that depends on the text alone, not of unit length."""
    digest = hashlib.sha256(text.encode()).digest() * (dimension // 32 + 1)
    return [byte - 127.5 for byte in digest[:dimension]]


def good(path: str, body: dict[str, Any]) -> bytes:
    """Return vectors in the provider's own format; OpenAI's in reverse order, as its indexes allow."""
    dimension = body.get("dimensions") or body.get("output_dimension") or DIMENSION
    if path.endswith("/embed"):
        return json.dumps({"embeddings": {"float": [vector(text, dimension) for text in body["texts"]]}}).encode()
    rows = [{"index": i, "embedding": vector(text, dimension)} for i, text in enumerate(body["input"])]
    return json.dumps({"data": rows[::-1]}).encode()


@contextmanager
def serving() -> Iterator[Script]:
    """Run the service on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.asked.append((self.path, dict(self.headers), body))
            answer = script.next.pop(0) if script.next else Answer()
            content = good(self.path, body) if answer.body is None else answer.body
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script = Script(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
