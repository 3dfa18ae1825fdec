"""Remote providers: what is sent, what is made of each answer, and that a key never shows."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from embedding_api import DIMENSION, Answer, Script, serving, vector
from hypothesis import given
from hypothesis import strategies as st
from worker_told import embed_settings

from importer.errors import EmbedError, EmbedUnreachable, ImporterError, ModelError, UsageError
from importer.worker.embedders import cohere, http, openai, voyage

KEY = "sk-proj-0123456789abcdef"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as script:
        yield script


@pytest.fixture
def pauses() -> list[float]:
    """Seconds the embedder would have slept."""
    return []


@pytest.fixture
def embedder(service: Script, pauses: list[float]) -> Iterator[http.RemoteEmbedder]:
    opened = open_openai(service, pauses)
    service.asked.clear()
    yield opened
    opened.close()


def open_openai(service: Script, pauses: list[float], **more: Any) -> http.RemoteEmbedder:
    settings = embed_settings(**{"model": "m", "api_key": KEY, "base_url": service.url, **more})
    return http.open_service(openai.SERVICE, settings, replace(http.PATIENCE, sleep=pauses.append))


def test_the_key_travels_in_the_header_alone(embedder: http.RemoteEmbedder, service: Script) -> None:
    """And the texts go where they should."""
    embedder.query("hello")
    [(path, headers, body)] = service.asked
    assert (path, headers["Authorization"]) == ("/v1/embeddings", f"Bearer {KEY}")
    assert body == {"model": "m", "input": ["hello"], "encoding_format": "float"}


def test_vectors_come_back_in_the_order_of_the_texts(embedder: http.RemoteEmbedder) -> None:
    """The service answers in another order; the indexes say which is whose."""
    windows = [row[0] for row in embedder.split(["one", "two"])]
    expected = np.array([vector("one", DIMENSION), vector("two", DIMENSION)])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert embedder.embed(windows) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_a_passing_trouble_is_tried_again(
    embedder: http.RemoteEmbedder, service: Script, pauses: list[float], status: int
) -> None:
    """With growing pauses; the caller notices nothing."""
    service.next = [Answer(status, b""), Answer(status, b"")]
    assert embedder.query("hello").shape == (DIMENSION,)
    assert len(service.asked) == 3
    assert 0.375 <= pauses[0] <= 0.75 <= pauses[1] <= 1.5


def test_patience_ends(embedder: http.RemoteEmbedder, service: Script, pauses: list[float]) -> None:
    """Then the daemon is told that trying later helps: it stops reading meanwhile."""
    service.next = [Answer(503, b"")] * 9
    with pytest.raises(EmbedUnreachable) as unreachable:
        embedder.query("hello")
    assert unreachable.value.retryable
    assert (len(service.asked), len(pauses)) == (http.PATIENCE.tries, http.PATIENCE.tries - 1)


def test_retry_after_is_honoured(embedder: http.RemoteEmbedder, service: Script, pauses: list[float]) -> None:
    """A short wish is waited for, a long one handed to the daemon."""
    service.next = [Answer(429, b"", {"Retry-After": "7"})]
    embedder.query("hello")
    assert pauses == [7]
    service.next = [Answer(429, b"", {"Retry-After": "3600"})]
    with pytest.raises(EmbedUnreachable) as unreachable:
        embedder.query("hello")
    assert (unreachable.value.retry_after_s, pauses) == (3600, [7])


@pytest.mark.parametrize("status", [400, 413, 422])
def test_refused_texts_are_an_embed_error(embedder: http.RemoteEmbedder, service: Script, status: int) -> None:
    """Retrying them never helps, another text may be fine."""
    service.next = [Answer(status, b"too long")]
    with pytest.raises(EmbedError, match=f"{status}: too long") as refused:
        embedder.query("hello")
    assert (refused.value.retryable, len(service.asked)) == (False, 1)


@pytest.mark.parametrize("status", [301, 401, 402, 403, 404, 405])
def test_a_wrong_key_or_address_blames_no_text(embedder: http.RemoteEmbedder, service: Script, status: int) -> None:
    """It is the model that is not to be had."""
    service.next = [Answer(status, b"no")]
    with pytest.raises(ModelError, match=str(status)):
        embedder.query("hello")


def test_a_model_that_refuses_at_the_start_blames_no_text(service: Script) -> None:
    """A 400 to the first word is about the model or its dimension, not about the text that comes next."""
    service.next = [Answer(400, b"no such model")]
    with pytest.raises(ModelError, match="does not serve m"):
        open_openai(service, [])


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"data": 3}', b'{"data": [{"index": 0, "embedding": "x"}]}'])
def test_an_answer_that_is_none_is_tried_again(embedder: http.RemoteEmbedder, service: Script, body: bytes) -> None:
    """A proxy's page, half an answer: nothing wrong is stored."""
    service.next = [Answer(200, body)]
    assert embedder.query("hello").shape == (DIMENSION,)
    service.next = [Answer(200, body)] * http.PATIENCE.tries
    with pytest.raises(EmbedUnreachable, match="something else than vectors"):
        embedder.query("hello")


def test_nobody_listening_is_unreachable(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Said without the address's details, and retried before it is said."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as gone:
        pass
    with pytest.raises(EmbedUnreachable, match="openai cannot be reached: ConnectError"):
        open_openai(gone, pauses)
    assert len(pauses) == http.PATIENCE.tries - 1


@pytest.mark.parametrize("status", [400, 401, 429, 500])
@pytest.mark.parametrize("said", [f"Incorrect API key: '{KEY}'.", "Incorrect API key: sk-proj-***cdef.", KEY[:12]])
def test_a_key_never_shows(embedder: http.RemoteEmbedder, service: Script, status: int, said: str) -> None:
    """Not whole, not in part, not in the traceback, even when the provider repeats it."""
    service.next = [Answer(status, said.encode())] * http.PATIENCE.tries
    with pytest.raises(ImporterError) as error:
        embedder.query("hello")
    assert "sk-proj" not in "".join(traceback.format_exception(error.value)) and "cdef" not in error.value.message


@pytest.mark.parametrize("key", ["sk with blank", "sk-\nline", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused(service: Script, key: str) -> None:
    """Before the HTTP library complains about it in its own words, key included."""
    with pytest.raises(UsageError) as refused:
        open_openai(service, [], api_key=key)
    assert key not in str(refused.value)


def test_only_another_address_does_without_a_key(service: Script) -> None:
    """A server of one's own may be open; the public one is not asked in vain."""
    open_openai(service, [], api_key="").close()
    assert "Authorization" not in service.asked[0][1]
    with pytest.raises(ModelError) as missing:
        openai.open_embedder(embed_settings(model="m"))
    assert missing.value.hint == "OPENAI_API_KEY"


def test_another_dimension_is_asked_for_by_name(service: Script) -> None:
    """Only where the model's own is another: models that cannot shorten refuse the parameter."""
    for dimension in (DIMENSION, 5):
        with closing(open_openai(service, [], dimension=dimension)) as embedder:
            assert embedder.query("hello").shape == (dimension,)
    assert [body.get("dimensions") for body in service.bodies] == [None, None, None, 5, 5]


@pytest.mark.parametrize(
    ("module", "document", "query", "uncut"),
    [
        (voyage, {"input_type": "document"}, {"input_type": "query"}, {"truncation": False}),
        (cohere, {"input_type": "search_document"}, {"input_type": "search_query"}, {"truncate": "NONE"}),
    ],
)
def test_documents_and_queries_are_told_apart(
    service: Script, module: Any, document: dict, query: dict, uncut: dict
) -> None:
    """And nothing is cut without a word, which is both providers' default."""
    embedder = module.open_embedder(embed_settings(model="embed-v4.0", api_key=KEY, base_url=service.url))
    embedder.embed(embedder.split(["hello"])[0])
    embedder.query("hello")
    assert service.bodies[1].items() >= {**document, **uncut}.items()
    assert service.bodies[2].items() >= {**query, **uncut}.items()
    embedder.close()


def test_requests_stay_within_the_services_limits(service: Script) -> None:
    """Texts and tokens, the latter with the worst case of one token a byte."""
    embedder = cohere.open_embedder(embed_settings(model="embed-english-v3.0", api_key=KEY, base_url=service.url))
    windows = [window for row in embedder.split(["word " * 1000, *["short"] * 200]) for window in row]
    assert all(len(window.text.encode()) <= 512 for window in windows)
    groups = embedder.group([window.tokens for window in windows], 1)
    assert max(map(len, groups)) == 96
    embedder.close()


@given(st.text(max_size=300), st.integers(4, 60))
def test_pieces_are_the_text_again(text: str, most_bytes: int) -> None:
    """None above the limit, none of it lost, and only an empty text gives an empty piece."""
    parts = http.pieces(text, most_bytes)
    assert "".join(parts) == text
    assert all(len(part.encode()) <= most_bytes for part in parts)
    assert all(parts) or parts == [""]


def test_pieces_end_after_white_space() -> None:
    """Words stay whole where they can."""
    assert http.pieces("one two three fours", 10) == ["one two ", "three ", "fours"]
    assert http.pieces("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3), ("0.5", 0.5), ("-1", 0), ("Thu, 01 Jan 1970 00:02:00 GMT", 20), ("", 0), ("soon", 0), ("nan", 0)],
)
def test_retry_after_may_be_seconds_or_a_date(header: str, seconds: float) -> None:
    """Anything else is no wish."""
    assert http.retry_after_s(header, now=lambda: 100) == seconds
