"""A server's return is heard, once; one that answers with errors is not taken for one that was away."""

from __future__ import annotations

import asyncio
import socket

import pytest

from importer.delivery.outage import StoreProbe


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_its_return_is_heard_once(host: str) -> None:
    """It says no while it listens, while it is away, and again when its return was told."""
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        knock = StoreProbe(f"http://{host}:{port}")
        heard = [asyncio.run(knock.is_back())]
    heard += [asyncio.run(knock.is_back()) for _ in range(2)]
    with socket.create_server(("127.0.0.1", port)):
        heard += [asyncio.run(knock.is_back()) for _ in range(2)]
    assert heard == [False, False, False, True, False]


def test_a_name_nobody_knows_is_a_server_that_is_away() -> None:
    assert not asyncio.run(StoreProbe("https://no.such.name.invalid").is_back())
