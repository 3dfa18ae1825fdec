"""Let in who may look: hosts and origins of the loopback, and those who have the token; tell browsers what is allowed.

The token stands in the address that `importer serve` prints. The first visit puts it into a cookie that no script
reads and no other site sends. Programs give it as `Authorization: Bearer`.
"""

from __future__ import annotations

import hmac
import re
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "importer"
LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?")
POLICY = "; ".join(
    f"{name} {value}"
    for name, value in {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }.items()
)
SAID = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
}
CLOSED = "This page needs the address that `importer serve` printed: it has a token.\n"


class Gate:
    """The application with its door; `open` are paths that need no token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that does not come in, None for one that does."""
        headers = Headers(scope=scope)
        if not LOOPBACK.fullmatch(headers.get("host", "")):
            return PlainTextResponse("This host is not served.\n", 421)
        origin = headers.get("origin", "")
        if origin and origin != "null" and not LOOPBACK.fullmatch(origin.partition("://")[2]):
            return PlainTextResponse("This origin is not served.\n", 403)
        if origin == "null" and scope["method"] != "GET":
            return PlainTextResponse("This origin is not served.\n", 403)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["method"] == "GET" and self._is_token(*query.pop("token", [""])):
            rest = f"?{urlencode(query, doseq=True)}" if query else ""
            into = RedirectResponse(scope["path"] + rest, 303)
            into.set_cookie(COOKIE, self._token, httponly=True, samesite="strict", path="/")
            return into
        if any(self._is_token(one) for one in _given(headers)):
            return None
        return PlainTextResponse(CLOSED, 403)

    def _is_token(self, given: str, *_more: str) -> bool:
        """Return True for the token, in the same time for every other text."""
        return hmac.compare_digest(given.encode(), self._token.encode())


def _given(headers: Headers) -> list[str]:
    """Return the tokens that a request brings."""
    parts = (part.strip().partition("=") for part in headers.get("cookie", "").split(";"))
    bearer = headers.get("authorization", "")
    return [*(value for name, _, value in parts if name == COOKIE), bearer.removeprefix("Bearer ")]


def _with_headers(send: Send) -> Send:
    """Return a `send` that adds what browsers are told with every answer."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            known: list[Any] = [pair for pair in message.get("headers", []) if pair[0].lower() not in SAID]
            message = {**message, "headers": [*known, *SAID.items()]}
        await send(message)

    return told
