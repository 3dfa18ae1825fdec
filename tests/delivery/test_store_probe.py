"""A server's return is reported once; one that answers with errors does not count as one that was away."""

from __future__ import annotations

import asyncio
import socket

import pytest

from importer.delivery.outage import StoreProbe


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_its_return_is_reported_once(host: str) -> None:
    """The probe says no while the server listens, while it is away, and after its return was reported."""
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        probe = StoreProbe(f"http://{host}:{port}")
        reports = [asyncio.run(probe.is_back())]
    reports += [asyncio.run(probe.is_back()) for _ in range(2)]
    with socket.create_server(("127.0.0.1", port)):
        reports += [asyncio.run(probe.is_back()) for _ in range(2)]
    assert reports == [False, False, False, True, False]


def test_an_unknown_name_is_a_server_that_is_away() -> None:
    assert not asyncio.run(StoreProbe("https://no.such.name.invalid").is_back())


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://h", 6333), ("https://h/q", 6333), ("grpc://h", 6334), ("grpcs://h", 6334), ("grpc://h:99", 99)],
)
def test_the_port_that_is_asked_is_the_one_that_is_used(url: str, port: int) -> None:
    """Behind a proxy for gRPC alone nothing listens on the port of REST."""
    assert StoreProbe(url).ports() == (port,)
