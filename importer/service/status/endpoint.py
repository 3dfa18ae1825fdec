"""A small HTTP endpoint for one page, the metrics: one request a connection, answered by the daemon's own loop.

The library's server is not used: its thread would ask the state, and a SQLite connection belongs to one thread.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from importer.log import logger

log = logger()

HEAD_BYTES = 8192  # a scraper's request is a few hundred
REQUEST_S = 5.0  # for the request to come and the answer to go
MOST_OPEN = 32  # connections, the oldest gives way: the daemon needs its descriptors for files
PATH = "/metrics"
INSIDE = (".local", ".internal", ".svc", ".home.arpa")  # no name below these can be registered
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def serving(listen: str, text: Callable[[], str]) -> AsyncIterator[tuple[str, int] | None]:
    """Answer at `listen` (HOST:PORT, "" for off) with what `text()` gives; yield the address, None without one.

    An address that cannot be had is logged and stops nothing: the import matters more than its metrics.
    """
    server = await _listen(listen, text) if listen else None
    if server is None:
        yield None
        return
    host, port = server.sockets[0].getsockname()[:2]
    log.info("metrics.served", host=host, port=port)
    try:
        yield host, port
    finally:
        server.close()


async def _listen(listen: str, text: Callable[[], str]) -> asyncio.Server | None:
    """Return the server, None for an address that cannot be had. A request has `REQUEST_S`, then it is dropped."""
    host, _, port = listen.rpartition(":")
    own = host.strip("[]").lower()

    connected: dict[asyncio.StreamWriter, None] = {}  # the oldest first

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(connected) >= MOST_OPEN:
            next(iter(connected)).transport.abort()
        connected[writer] = None
        try:
            async with asyncio.timeout(REQUEST_S):
                writer.write(answer(await reader.readuntil(b"\r\n\r\n"), text, own))
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError):
            writer.transport.abort()  # a page that is not taken would be kept
        finally:
            del connected[writer]

    try:
        return await asyncio.start_server(serve, host.strip("[]"), int(port), limit=HEAD_BYTES)
    except OSError as error:
        log.error("metrics.refused", listen=listen, reason=error.strerror or str(error), then="imports without them")
        return None


def answer(request: bytes, text: Callable[[], str], own: str = "") -> bytes:
    """Return the response to a request's head. An error of `text` becomes a 503, not the end of the daemon.

    `own` is the host that is listened to, which a request may name besides an address and this machine.
    """
    if not asked_by_name(request, own):
        return _response("421 Misdirected Request", "ask for it by its address\n")
    words = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    method, path = (words[0], words[1].partition("?")[0]) if len(words) == 3 else ("", "")
    if method not in {"GET", "HEAD"}:
        return _response("405 Method Not Allowed", "only GET\n", "Allow: GET, HEAD\r\n")
    if path != PATH:
        return _response("404 Not Found", f"it is at {PATH}\n")
    try:
        full = _response("200 OK", text())
    except Exception as error:  # a state that is busy or gone must not end the daemon
        log.warning("metrics.failed", reason=str(error))
        return _response("503 Service Unavailable", f"{error}\n")
    return full.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else full


def asked_by_name(request: bytes, own: str) -> bool:
    """Return True if a request names this machine: by an address, as localhost, or as what is listened to.

    A page in a browser can have its own name lead here (DNS rebinding), and then reads what it gets; its requests carry
    that name. A request without a Host is no browser's; one with two is none at all. Where other machines may ask, as
    in a container's network, names that cannot be bought are taken as well.
    """
    heads = (line.partition(b":") for line in request.split(b"\r\n")[1:])
    hosts = [value.strip().decode("latin-1").lower() for name, _, value in heads if name.strip().lower() == b"host"]
    if len(hosts) != 1:
        return not hosts
    host = re.sub(r":\d*$", "", hosts[0]).strip("[]").rstrip(".")
    inside = not _is_loopback(own) and (("." not in host and ":" not in host) or host.endswith(INSIDE))
    known = {"", own, "localhost", socket.gethostname().lower()}
    return host in known or host.endswith(".localhost") or _address(host) is not None or inside


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address, None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(own: str) -> bool:
    """Return True if only this machine can reach what is listened to, so that no scraper has a name for it."""
    address = _address(own)
    return own in {"", "localhost"} or (address is not None and address.is_loopback)


def _response(status: str, body: str, more: str = "") -> bytes:
    """Return a whole response; `more` are headers, each with its line end."""
    raw = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(raw)}\r\n{more}"
    return f"{head}Connection: close\r\n\r\n".encode() + raw
