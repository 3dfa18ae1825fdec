"""What qdrant-client raises, in our words. Everything foreign is translated here and nowhere else.

Which of our errors it becomes decides what is done: StoreUnreachable is waited for, a Disputed request is halved, a
StoreRefused that gets as far as the daemon stops the import with its hint.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import traceback
from collections.abc import Iterator
from typing import Any

import grpc  # type: ignore[import-untyped]
import pydantic
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from importer.errors import ImporterError, StoreError, StoreRefused, StoreUnreachable
from importer.worker.hosted.bounded import AnswerTooLargeError, wait_s
from importer.worker.stores.qdrant.requests import Disputed, Limited

KEY_HINT = "set QDRANT_API_KEY (or its _FILE) to the server's key"
WRITE_HINT = "set QDRANT_API_KEY (or its _FILE) to a key that may write; one that reads serves search, open and list"
URL_HINT = "QDRANT_URL must point at Qdrant itself, for example http://localhost:6333"
TRUST_HINT = "name your authority's certificate in the setting store.ca_file"
GONE_HINT = "its points are gone with it: start again, then `importer verify --repair`"
WAIT_HINT = "nothing is lost; it goes on when the server answers"
NODES_HINT = "too few nodes of the cluster are there: `importer status` names them; it goes on when they are back"
PLAIN_HINT = "the server does not encrypt: give http:// or grpc://"
FULL_HINT = "raise the limit in the collection's strict mode, or make room with `importer forget`"
INDEX_HINT = "its strict mode allows no filter without an index: leave out --branch, --file, --tool and --model"
STRICT_HINT = "the collection's strict mode forbids it: GET /collections/NAME shows its limits"
ROOM_HINT = "the server has no room: give it more memory or disk, or raise its limit; nothing is lost, it goes on then"
LOCK_HINT = "the server is locked against writing; nothing is lost, it goes on when it is unlocked"
READ_ONLY_HINT = "start the server without --read-only, or give the address of one that takes points"
SHARDING_HINT = "the collection has sharding of its own: set COLLECTION_NAME to another one"

TOO_FEW_NODES = (
    *("enough active replicas", "`active` replica", "no active replica", "of this update", "connect error"),
    *("read operations failed", "via leader peer", "no leader could be selected"),
)
FULL = re.compile(r"max (points count|vector storage size|payload storage size) limit", re.IGNORECASE)
STRICT = re.compile(r'Limit exceeded (?P<value>[\d.]+) > (?P<most>[\d.]+) for "(?P<name>[^"]+)"|Exact search disabled')
ROOM = re.compile(r"exceeding the configured limit|memory usage|disk (usage|space)|no space left", re.IGNORECASE)
LOCKED = "Storage locked"
NO_POINT = "No point with id"
HELP = ". Help: "  # in every refusal of strict mode
SPLIT = "request larger than rate limiter capacity"  # of a limiter that can never let it through
TRANSIENT = frozenset({408, 425, 429})  # and every 5xx, 507 (no room) among them
CODES = {
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.OUT_OF_RANGE: 413,  # message larger than the server decodes
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNIMPLEMENTED: 501,
}


CLIENTS = (UnexpectedResponse, ResponseHandlingException, QdrantException, grpc.RpcError, pydantic.ValidationError)
LOCAL = (sqlite3.Error, OSError, ValueError, KeyError, RuntimeError)  # mode, which runs in this process
_NO_COLLECTION = re.compile(r"Collection `[^`]*` doesn't exist")
NOT_QDRANTS = (pydantic.ValidationError, json.JSONDecodeError, UnicodeDecodeError, AnswerTooLargeError)
SHAPES = (AssertionError, AttributeError, TypeError, RecursionError)  # of the client, over an answer it does not expect


class Conflict(StoreRefused):
    """What was to be made is there already."""


class Forbidden(StoreRefused):
    """The key may not do this."""


class PointGone(StoreRefused):
    """A point that was there a moment ago is not: another host deleted it."""


class Foreign(StoreRefused):
    """An answer that is not Qdrant's: a wrong address when opening, a proxy in trouble later."""


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Let only errors of ours out. Local mode runs in this process and raises what files and SQLite raise."""
    try:
        yield
    except ImporterError:
        raise
    except (*CLIENTS, *LOCAL) as error:
        raise _ours(error) from error
    except SHAPES as error:
        if not _raised_by_client(error):
            raise  # a bug of ours
        raise Foreign(f"the answer is not Qdrant's: {str(error)[:200]}", hint=URL_HINT) from error


def _raised_by_client(error: Exception) -> bool:
    """Return True if an error arose in the client's own code, or in what it reads answers with."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [str(frame.f_globals.get("__name__", "")).partition(".")[0] for frame in frames]
    return "qdrant_client" in names and "importer" not in names[names.index("qdrant_client") :]


def _ours(error: Exception) -> StoreError:
    """Return the error of ours, from the most telling class to the least; local mode raises some ValueErrors."""
    if isinstance(error, UnexpectedResponse):
        return by_status(error.status_code or 0, _words(error.content), _retry_after_s(error.headers))
    if isinstance(error, grpc.RpcError):
        return _of_grpc(error)
    if isinstance(error, (ResponseHandlingException, *NOT_QDRANTS)):
        return _of_answer(error)
    if isinstance(error, QdrantException):
        return by_status(429, str(error), getattr(error, "retry_after_s", 0.0))
    return _of_local(error)


def _of_local(error: Exception) -> StoreError:
    """Local mode works on files and SQLite in this process and raises what these raise."""
    if isinstance(error, sqlite3.Error | OSError):
        return StoreUnreachable(f"the store cannot be written: {error}", hint="see to the disk; nothing is lost")
    if "already accessed by another instance" in str(error):
        return StoreUnreachable("the store is open in another process", hint="only one process can open it at a time")
    hint = "if it is damaged, move its folder away; `importer rebuild-state` then imports everything again"
    return StoreRefused(f"the store refuses: {error}", hint=hint)


def by_status(status: int, words: str, retry_after_s: float = 0.0) -> StoreError:
    """Return the error that an HTTP status stands for; `words` are the server's.

    Limits of strict mode come as 400 from some versions and as 403 from others: only their words tell them from a key.
    """
    if status == 429 and SPLIT in words:  # it would never be let through, however long it waits
        status = 413
    if status in TRANSIENT or (status >= 500 and status != 501):  # 501 will never be otherwise
        return StoreUnreachable(f"the server answers {status}: {words}", retry_after_s=retry_after_s, hint=_wait(words))
    if status in {400, 403, 413, 422}:
        return _of_request(status, words)
    if status == 401:
        return Forbidden(f"the server refuses the key (401): {words}", hint=KEY_HINT)
    if status == 404 and (words.startswith("Not found") or _NO_COLLECTION.search(words)):
        return _of_missing(words)
    if status == 409:
        return Conflict(f"it is there already (409): {words}")
    # A redirection to a page of the network's, a proxy that knows of no server behind it: in no words of Qdrant's.
    kind = StoreRefused if status == 501 else Foreign  # a server that is too old for what is asked
    return kind(f"the server answers {status}: {words}", hint=URL_HINT)


def _of_missing(words: str) -> StoreError:
    """Return the error for a point that is not there, or for the whole collection."""
    if NO_POINT in words:
        return PointGone(f"a point is not there any more (404): {words}", hint="try again")
    return StoreRefused(f"the collection is not there (404): {words}", hint=GONE_HINT)


def _wait(words: str) -> str:
    """Return the hint for what is waited for."""
    if any(told in words.lower() for told in TOO_FEW_NODES):
        return NODES_HINT
    if LOCKED in words:  # over gRPC as a condition that failed
        return LOCK_HINT
    return ROOM_HINT if ROOM.search(words) else WAIT_HINT


def _of_request(status: int, words: str) -> StoreError:
    """Return the error for a request that is bad, too large, or not allowed by strict mode or to this key."""
    if told := _of_place(status, words) or _of_strict_mode(status, words):
        return told
    if status == 403:
        return Forbidden(f"the key may not do this (403): {words}", hint=WRITE_HINT)
    return Disputed(f"the server calls the request bad ({status}): {words}", hint="`importer doctor` looks closer")


def _of_strict_mode(status: int, words: str) -> StoreError | None:
    """Return the error for a limit of the collection, None for another refusal."""
    limited = f"a limit of the collection ({status}): {words}"
    if FULL.search(words):
        return StoreRefused(f"the collection is full ({status}): {words}", hint=FULL_HINT)
    if "Index required but not found" in words:
        return StoreRefused(f"the server refuses the filter ({status}): {words}", hint=INDEX_HINT)
    if limit := STRICT.search(words):
        return Limited(limited, name=limit["name"] or "exact", most=float(limit["most"] or 0), hint=STRICT_HINT)
    # Of a filter's conditions fewer ids in one request are within it, and of one long vector the others are.
    if "limit reached (" in words or "has a limit of" in words:
        return Disputed(limited, hint=STRICT_HINT)
    return StoreRefused(limited, hint=STRICT_HINT) if HELP in words else None


def _of_place(status: int, words: str) -> StoreError | None:
    """Return the error for a server that takes no points at all for now, or none like ours; None else.

    It answers in the same way to a bad request, and no point is to blame.
    """
    if LOCKED in words:
        return StoreUnreachable(f"the server is locked ({status}): {words}", hint=LOCK_HINT)
    if words.startswith("Read-only mode"):
        return StoreRefused(f"the server only reads ({status}): {words}", hint=READ_ONLY_HINT)
    if ROOM.search(words):
        return StoreUnreachable(f"the server has no room ({status}): {words}", hint=ROOM_HINT)
    if "Shard key" in words or "shard key" in words:
        return StoreRefused(f"the collection wants a shard key ({status}): {words}", hint=SHARDING_HINT)
    return None


def _of_grpc(error: Any) -> StoreError:
    """Return the error of the HTTP status that means the same. An unknown code counts as 503, so it is tried again."""
    code, words = error.code(), str(error.details())
    if refused := _of_handshake(words):
        return refused
    # gRPC has one code for this and for overload.
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in words:
        return by_status(413, words)
    return by_status(CODES.get(code, 503), words)


def _of_answer(error: Exception) -> StoreError:
    """Return the error for no answer at all (connection, time-out, half a body), or one that is not Qdrant's."""
    source = error.source if isinstance(error, ResponseHandlingException) else error
    if refused := _of_handshake(str(source)):
        return refused
    if isinstance(source, NOT_QDRANTS):
        return Foreign(f"the answer is not Qdrant's: {str(source)[:200]}", hint=URL_HINT)
    return StoreUnreachable(f"no answer: {type(source).__name__}: {source}", hint=WAIT_HINT)


def _of_handshake(words: str) -> StoreRefused | None:
    """Return the error for a certificate that is not trusted, or for a server that does not encrypt; None else."""
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return StoreRefused(f"the server's certificate is not trusted: {words}", hint=TRUST_HINT)
    if "WRONG_VERSION_NUMBER" in words:
        return StoreRefused(f"no encrypted connection: {words}", hint=PLAIN_HINT)
    return None


def _words(content: bytes) -> str:
    """Return the error in Qdrant's answer, else the beginning of the answer."""
    try:
        return str(json.loads(content)["status"]["error"])
    except (ValueError, TypeError, KeyError):
        return content[:200].decode(errors="replace")


def _retry_after_s(headers: Any) -> float:
    """Return the seconds of Retry-After; the date that HTTP allows as well counts as 0."""
    try:
        return wait_s(float((headers or {}).get("retry-after", 0)))
    except ValueError:
        return 0.0
