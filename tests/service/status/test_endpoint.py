"""The endpoint of the metrics: one page on request, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from importer.service.status import endpoint


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /metrics HTTP/1.1", b"200"),
        (b"GET /metrics?a=b HTTP/1.0", b"200"),
        (b"GET / HTTP/1.1", b"404"),
        (b"POST /metrics HTTP/1.1", b"405"),
        (b"\xff\x00 nonsense", b"405"),
    ],
)
def test_answer(request_line: bytes, status: bytes) -> None:
    """One path answers to two methods; any other request is refused."""
    assert endpoint.answer(request_line + b"\r\n\r\n", lambda: "x 1\n").split(b" ")[1] == status


@pytest.mark.parametrize(
    ("own", "host", "taken"),
    [
        *(
            (own, host, True)
            for own in ("127.0.0.1", "0.0.0.0", "[::1]")
            for host in ("127.0.0.1:9", "[::1]", "LOCALHOST:9")
        ),
        *(
            (own, host, False)
            for own in ("127.0.0.1", "0.0.0.0")
            for host in ("evil.example", "localhost.evil.example:9")
        ),
        *(
            ("127.0.0.1", host, False)
            for host in ("127.0.0.1.evil.example", "evil", "a.internal", "127.0.0.1, evil.example")
        ),
        *(("0.0.0.0", host, True) for host in ("importer:9464", "importer.monitoring.svc", "10.0.0.3:9464")),
        *(("metrics.example", host, True) for host in ("metrics.example", "metrics.example.:9464")),
        ("metrics.example", "other.example", False),
    ],
)
def test_a_page_that_leads_its_own_name_here_reads_nothing(own: str, host: str, taken: bool) -> None:
    """Its requests carry that name; people and scrapers use an address or a name of this machine."""
    request = f"GET /metrics HTTP/1.1\r\naccept: x\r\nhOst: {host}\r\n\r\n".encode()
    told = endpoint.answer(request, lambda: "secret 1\n", own.strip("[]"))
    assert (b" 200 " in told, b"secret" in told) == (taken, taken)


def test_two_hosts_are_none() -> None:
    """A proxy may read the one and we the other."""
    request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
    assert b" 421 " in endpoint.answer(request, lambda: "x 1\n")


def test_a_listener_knows_its_own_name() -> None:
    """Over a connection: the page is for those who ask by its address."""
    good, bad = (b"GET /metrics HTTP/1.1\r\nHost: %s\r\n\r\n" % host for host in (b"127.0.0.1", b"evil.example"))
    assert b" 200 " in asyncio.run(exchanged(good))
    assert b" 421 " in asyncio.run(exchanged(bad))


def test_head_and_trouble() -> None:
    """HEAD has no body; an exception while metrics are collected gives a 503 and does not end the daemon."""
    assert endpoint.answer(b"HEAD /metrics HTTP/1.1\r\n\r\n", lambda: "x 1\n").endswith(b"\r\n\r\n")
    assert b" 503 " in endpoint.answer(b"GET /metrics HTTP/1.1\r\n\r\n", lambda: str(1 / 0))


async def exchanged(raw: bytes, text: Callable[[], str] = lambda: "x 1\n") -> bytes:
    """Return the answer of a listener on a free port to these bytes."""
    async with endpoint.serving("127.0.0.1:0", text) as address:
        assert address
        reader, writer = await asyncio.open_connection(*address)
        writer.write(raw)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    return answer


def test_served() -> None:
    """A scrape works over a socket; half a request or a huge one gets no answer and does no harm."""
    assert asyncio.run(exchanged(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).endswith(b"\r\n\r\nx 1\n")
    assert asyncio.run(exchanged(b"GET /metr")) == b""
    assert asyncio.run(exchanged(b"GET /" + b"a" * 100_000)) == b""


def test_off_and_taken() -> None:
    """It is off by default; a port that is taken is reported and stops nothing."""

    async def twice() -> tuple[object, object]:
        async with endpoint.serving("", str) as off, endpoint.serving("127.0.0.1:0", str) as first:
            assert first
            async with endpoint.serving(f"127.0.0.1:{first[1]}", str) as second:
                return off, second

    assert asyncio.run(twice()) == (None, None)


def test_connections_that_say_nothing_keep_nobody_out() -> None:
    """The oldest give way to new ones, and the number of open ones is bounded."""

    async def asked() -> tuple[bytes, int]:
        async with endpoint.serving("127.0.0.1:0", lambda: "x 1\n") as address:
            assert address is not None
            idle = [await asyncio.open_connection(*address) for _ in range(3 * endpoint.MOST_OPEN)]
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
            told = await reader.read()
            left = sum(not one.at_eof() for one, _ in idle)
            for _, one in (*idle, (reader, writer)):
                one.close()
            await asyncio.gather(*(one.wait_closed() for _, one in (*idle, (reader, writer))), return_exceptions=True)
            await asyncio.sleep(0.05)  # the server closes its ends
            return told, left

    told, left = asyncio.run(asked())
    assert b" 200 " in told
    assert left <= endpoint.MOST_OPEN
