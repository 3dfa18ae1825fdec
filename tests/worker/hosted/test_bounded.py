"""A server that answers without end, or packs gigabytes into kilobytes, costs a bounded time and memory."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator

import httpx
import pytest

from importer.worker.hosted.bounded import AnswerTooLargeError, BoundedStream, bound, wait_s


class Endless(httpx.SyncByteStream):
    """A body that goes on and on."""

    def __init__(self, part: bytes = b"a" * 65_536) -> None:
        self.part, self.is_closed = part, False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self.part

    def close(self) -> None:
        self.is_closed = True


def fetched(response: httpx.Response) -> bytes:
    """Return what a client reads that is answered so."""
    transport = httpx.MockTransport(lambda _request: response)
    with httpx.Client(transport=transport, event_hooks={"response": [bound]}) as client:
        return client.get("http://x/").content


def test_an_answer_arrives_whole() -> None:
    """Packed or not."""
    said = b'{"result": []}' * 1000
    assert fetched(httpx.Response(200, content=said)) == said
    packed = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(said)))
    assert fetched(packed) == said


def test_an_endless_answer_ends() -> None:
    """With an error, and the connection is given back."""
    body = Endless()
    with pytest.raises(AnswerTooLargeError, match="longer than"):
        fetched(httpx.Response(200, stream=body))
    assert body.is_closed


def test_what_comes_too_slowly_ends() -> None:
    """However small its parts are."""
    ticks = iter(range(1000))
    body = BoundedStream(Endless(b" "), packed=False, most_s=100.0, clock=lambda: float(next(ticks)))
    with pytest.raises(AnswerTooLargeError, match="does not end"):
        list(body)


def test_a_bomb_is_not_unpacked() -> None:
    """Ten gigabytes in ten megabytes: what is unpacked of it is bounded, too."""
    bomb = gzip.compress(bytes(16 << 20)) * 4
    body = BoundedStream([bomb] * 1000, packed=True, most_bytes=1 << 20)
    tracemalloc.start()
    with pytest.raises(AnswerTooLargeError):
        list(body)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_the_whole_may_take_some_times_what_a_part_may() -> None:
    """A client's own time-out is for each part: a byte now and again never reaches it."""
    with (
        httpx.Client(
            transport=httpx.MockTransport(lambda _request: httpx.Response(200, stream=Endless(b""))),
            event_hooks={"response": [bound]},
            timeout=0.01,
        ) as client,
        pytest.raises(AnswerTooLargeError, match="does not end"),
    ):
        client.get("http://x/")


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, gzip", "x" * 9000])
def test_a_packing_that_was_not_asked_for_is_refused(packing: str) -> None:
    """It would be unpacked without a bound."""
    with pytest.raises(AnswerTooLargeError, match="packed as"):
        fetched(httpx.Response(200, headers={"content-encoding": packing}, stream=httpx.ByteStream(b"x")))


def test_damage_is_told() -> None:
    """As the client's own error."""
    damaged = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))
    with pytest.raises(httpx.DecodingError, match="damaged"):
        fetched(damaged)


@pytest.mark.parametrize(
    ("asked_s", "waited_s"), [(3.0, 3.0), (-1.0, 0.0), (float("inf"), 86_400.0), (1e308, 86_400.0), (float("nan"), 0.0)]
)
def test_no_server_has_us_wait_for_ever(asked_s: float, waited_s: float) -> None:
    """A day at most."""
    assert wait_s(asked_s) == waited_s
