"""How the stand-ins for a Qdrant server speak HTTP, and the faults that they are told to have."""

from __future__ import annotations

import json
import socket
import struct
import traceback
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any


@dataclass(frozen=True)
class Fault:
    """What happens to one request: an answer, half of one, a reset; `applied` says whether its work is done first."""

    path: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    how: str = "answer"  # answer, half, reset, wait_timeout, one_replica (the points are then not on the other one)
    applied: bool = False


class ScriptedHandler(BaseHTTPRequestHandler):
    """Answers for the stand-in `server_state`."""

    server_state: Any
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def _serve(self) -> None:
        state, path = self.server_state, self.path.partition("?")[0]
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state.requests.append((self.command, path))
        state.received[f"{self.command} {path.rpartition('/')[2]}"] += len(raw)
        fault = state.fault(path)
        if fault is not None and not fault.applied and fault.how != "wait_timeout":
            self._misbehave(fault)
            return
        status, result = self._judge(raw)
        if fault is not None and fault.how == "one_replica":
            state.lacking |= {point["id"] for point in json.loads(raw)["points"]}
        if fault is not None and fault.how == "wait_timeout":
            result = {**result, "status": "wait_timeout"}
        elif fault is not None:
            self._misbehave(fault)
            return
        ok = {"result": result, "status": "ok", "time": 0.0}
        self._send(status, json.dumps(ok if status == 200 else {"status": {"error": result}, "time": 0.0}).encode(), {})

    def _judge(self, raw: bytes) -> tuple[int, Any]:
        """Check key and size, as a server does first; return status and result."""
        state = self.server_state
        if state.api_key and self.headers.get("api-key") != state.api_key:
            return 401, "Must provide an API key or an Authorization bearer token"
        if len(raw) > state.most_bytes:
            return 400, "Payload error: JSON payload has exceeded limit"
        body = json.loads(raw) if raw else None
        try:
            refused = state.rule(self.command, self.path.partition("?")[0], body)
            return refused or state.answer(self.command, self.path, body)
        except Exception:  # a fault of the stand-in, which the test is to see
            return 500, f"Service internal error: {traceback.format_exc()}"

    def _misbehave(self, fault: Fault) -> None:
        """Reset the connection (closing with a linger of 0 s), send half an answer, or answer as told."""
        if fault.how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif fault.how == "half":
            self._send(200, b'{"result": {"operation', {"Content-Length": "4096"})
            self.close_connection = True
        else:
            self._send(fault.status, fault.body, fault.headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve
