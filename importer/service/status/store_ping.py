"""One cheap question to a Qdrant server, with the standard library alone: importing its client takes 100 MB.

For the command line, never for the daemon: nothing is created, and nothing is retried.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from importer.protocol.system.plain import sure
from importer.service.status.store_location import Probe

REST_PORT = 6333  # where a URL names none, as in the client
NO_POINT = "00000000-0000-0000-0000-000000000000"  # an id that no text has
MOST_BYTES = 1 << 20  # of an answer; it is a few lines
MOST_TIMES = 2  # the time-out, for the whole of it: that alone is for each part


@dataclass(frozen=True, slots=True)
class StoreServer:
    """A server by its URL. `ca_file` is its own certificate authority (PEM), "" for those of the system.

    A server addressed by gRPC is asked over REST, at the usual port: the URL's port is that of gRPC.
    """

    url: str
    api_key: str = ""
    ca_file: str = ""
    timeout_s: float = 5.0

    def look(self, collection: str) -> Probe:
        """Return version and count, exact where allowed. A missing collection counts 0; the key is tried, too."""
        try:
            _, about = self.ask("GET", "/")
            version = str(about.get("version", "")) if isinstance(about, dict) else ""
            path = f"/collections/{quote(collection, safe='')}/points/count"
            status, answer = self.ask("POST", path, {"exact": True})
            if status in (400, 403) and "Exact search disabled" in str(answer):  # strict mode, and not the key
                status, answer = self.ask("POST", path, {"exact": False})
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Probe(False, why=str(error) or type(error).__name__)
        if status == 404:
            return Probe(True, 0, version, "the collection is not made yet", status)
        if status != 200:
            return Probe(False, None, version, f"it answers {status}", status)
        points = _counted(answer)
        if points is None:
            return Probe(False, None, version, "what answers there is no Qdrant", status)
        return Probe(True, points, version, status=status)

    def may_write(self, collection: str) -> bool | None:
        """Return False for a key that may only read; None when that cannot be told. Nothing is changed."""
        path = f"/collections/{quote(collection, safe='')}/points/delete?wait=true"
        try:
            status, _ = self.ask("POST", path, {"points": [NO_POINT]})
        except (OSError, http.client.HTTPException, ValueError):
            return None
        return {200: True, 403: False}.get(status)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return `(status, parsed JSON or text)`. Raises OSError and HTTPException when it cannot be reached."""
        parts = urlsplit(self.url)
        port = (not parts.scheme.startswith("grpc") and parts.port) or REST_PORT
        address: Any = {"host": parts.hostname or "", "port": port, "timeout": self.timeout_s}
        if parts.scheme in {"https", "grpcs"}:  # a server's own authority replaces those of the system
            context = ssl.create_default_context(cafile=sure(self.ca_file) if self.ca_file else None)
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(**address, context=context)
        else:
            connection = http.client.HTTPConnection(**address)
        headers = {"Content-Type": "application/json", **({"api-key": self.api_key} if self.api_key else {})}
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, parts.path.rstrip("/") + path, content, headers)
            answer = connection.getresponse()
            return answer.status, _parsed(_read(answer, time.monotonic() + MOST_TIMES * self.timeout_s))
        finally:
            connection.close()


def _read(answer: http.client.HTTPResponse, end_s: float) -> bytes:
    """Return the beginning of an answer's body. Raises TimeoutError for one that comes a little at a time."""
    found = b""
    while len(found) < MOST_BYTES and (part := answer.read1(MOST_BYTES - len(found))):
        found += part
        if time.monotonic() > end_s:
            raise TimeoutError("its answer does not end")
    return found


def _counted(answer: Any) -> int | None:
    """Return the count in an answer, None when it holds none."""
    result = answer.get("result") if isinstance(answer, dict) else None
    count = result.get("count") if isinstance(result, dict) else None
    return count if isinstance(count, int) else None


def _parsed(content: bytes) -> Any:
    """Return the JSON of an answer, or its text: a proxy's error page, for example."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):  # no JSON, or lists in lists without end
        return content.decode(errors="replace")
