"""Every way qdrant-client can fail has one meaning here, over REST and gRPC alike."""

from __future__ import annotations

import sqlite3
from typing import Any

import grpc
import httpx
import pytest
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from importer.errors import StoreError, StoreRefused, StoreUnreachable
from importer.worker.stores.qdrant.errors import Conflict, Forbidden, Foreign, PointGone, translated
from importer.worker.stores.qdrant.requests import Disputed

CODE = grpc.StatusCode


class Call(grpc.RpcError):
    """A failed call, as the channel raises it."""

    def __init__(self, code: grpc.StatusCode, details: str = "words") -> None:
        self._code, self._details = code, details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


def rest(status: int, content: bytes = b"", **headers: str) -> UnexpectedResponse:
    return UnexpectedResponse(status, "reason", content, httpx.Headers(headers))


MEANINGS = [
    (rest(400), Disputed),
    (rest(413), Disputed),
    (rest(429, b'{"status":{"error":"Rate limiting exceeded: request larger than rate limiter capacity"}}'), Disputed),
    (Call(grpc.StatusCode.RESOURCE_EXHAUSTED, "request larger than rate limiter capacity, split it"), Disputed),
    (rest(401), Forbidden),
    (rest(403), Forbidden),
    (rest(404, b'{"status":{"error":"Not found: Collection `c` does not exist!"}}'), StoreRefused),
    (rest(404, b'{"status":{"error":"Not found: No point with id 7 found"}}'), PointGone),
    (Call(grpc.StatusCode.NOT_FOUND, "Not found: No point with id 7 found"), PointGone),
    (rest(404, b"404 page not found"), Foreign),
    (rest(302), Foreign),
    (rest(405), Foreign),
    (rest(409), Conflict),
    (rest(408), StoreUnreachable),
    (rest(429), StoreUnreachable),
    (rest(500), StoreUnreachable),
    (rest(501), StoreRefused),
    (rest(503, b"<html>"), StoreUnreachable),
    (rest(507), StoreUnreachable),
    (ResourceExhaustedResponse("slow down", 7), StoreUnreachable),
    (ResponseHandlingException(httpx.ConnectError("refused")), StoreUnreachable),
    (ResponseHandlingException(httpx.ReadTimeout("slow")), StoreUnreachable),
    (ResponseHandlingException(httpx.RemoteProtocolError("cut")), StoreUnreachable),
    (Call(CODE.UNAVAILABLE), StoreUnreachable),
    (Call(CODE.DEADLINE_EXCEEDED), StoreUnreachable),
    (Call(CODE.RESOURCE_EXHAUSTED), StoreUnreachable),
    (Call(CODE.RESOURCE_EXHAUSTED, "Sent message larger than max (5 vs. 4)"), Disputed),
    (Call(CODE.OUT_OF_RANGE), Disputed),
    (Call(CODE.INVALID_ARGUMENT), Disputed),
    (Call(CODE.UNAUTHENTICATED), Forbidden),
    (Call(CODE.PERMISSION_DENIED), Forbidden),
    (Call(CODE.NOT_FOUND, "Not found: Collection `c` does not exist!"), StoreRefused),
    (Call(CODE.FAILED_PRECONDITION), StoreUnreachable),
    (
        Call(CODE.INVALID_ARGUMENT, "Resident memory is at 91% of total, exceeding the configured limit"),
        StoreUnreachable,
    ),
    (Call(CODE.ALREADY_EXISTS), Conflict),
    (Call(CODE.INTERNAL), StoreUnreachable),
    (sqlite3.OperationalError("database or disk is full"), StoreUnreachable),
    (OSError(28, "No space left on device"), StoreUnreachable),
    (RuntimeError("folder is already accessed by another instance of Qdrant client"), StoreUnreachable),
    (ValueError("Collection c not found"), StoreRefused),
]


@pytest.mark.parametrize(("foreign", "ours"), MEANINGS, ids=lambda value: repr(value)[:40])
def test_each_failure_has_one_meaning(foreign: Exception, ours: type[StoreError]) -> None:
    """The foreign one stays as its cause."""
    with pytest.raises(StoreError) as caught, translated():
        raise foreign
    assert type(caught.value) is ours
    assert caught.value.__cause__ is foreign


def test_the_servers_words_and_wish_are_kept() -> None:
    """Its error out of its JSON, its Retry-After in seconds."""
    with pytest.raises(StoreUnreachable) as caught, translated():
        raise rest(503, b'{"status": {"error": "under maintenance"}}', **{"Retry-After": "9"})
    assert "under maintenance" in caught.value.message
    assert caught.value.retry_after_s == 9.0


@pytest.mark.parametrize("wish", ["soon", "", "-3"])
def test_a_wish_nobody_can_read_is_none(wish: str) -> None:
    """The backoff is ours then."""
    with pytest.raises(StoreUnreachable) as caught, translated():
        raise rest(503, **{"Retry-After": wish})
    assert caught.value.retry_after_s == 0.0


@pytest.mark.parametrize("raised", ["assert None is not None", "None.points", "len(7)", "[][0].x if [] else {}['x'].y"])
def test_an_answer_of_another_shape_is_not_qdrants(raised: str) -> None:
    """The client stumbles over it in its own code, which is no bug of ours; one of ours is not hidden so."""
    known: dict[str, Any] = {"__name__": "qdrant_client.remote"}
    exec(f"def answer():\n    {raised}", known)
    with pytest.raises(StoreRefused), translated():
        known["answer"]()


def test_a_bug_of_ours_is_none_of_the_server() -> None:
    """It ends with its own traceback."""
    with pytest.raises(TypeError), translated():
        len(7)  # type: ignore[arg-type]


def test_ours_pass_through() -> None:
    """Nothing is wrapped twice."""
    refused = StoreRefused("no")
    with pytest.raises(StoreRefused) as caught, translated():
        raise refused
    assert caught.value is refused
