"""Voyage AI's embeddings API: it tells documents from queries, and cuts long texts unless told not to."""

from __future__ import annotations

from typing import Any

from importer.protocol.worker_settings import EmbedSettings
from importer.worker.embedders.http import RemoteEmbedder, Service, TextsToEmbed, open_service
from importer.worker.embedders.openai import used, vectors


def open_embedder(settings: EmbedSettings) -> RemoteEmbedder:
    """Ask the service once and return its embedder."""
    return open_service(SERVICE, settings)


def body(wanted: TextsToEmbed) -> dict[str, Any]:
    """Return the body of a request; `truncation` is true by default, which would cut without a word."""
    shorter = {"output_dimension": wanted.dimension} if wanted.dimension else {}
    kind = "query" if wanted.query else "document"
    return {"model": wanted.model, "input": wanted.texts, "input_type": kind, "truncation": False, **shorter}


SERVICE = Service(
    name="voyage",
    base_url="https://api.voyageai.com/v1",
    path="embeddings",
    most_texts=1000,
    most_tokens=120_000,  # the least of its models (voyage-3-large, voyage-code-3); others take 320,000 and more
    window_tokens=16_000,  # the least of its models (voyage-law-2, voyage-code-2); most take 32,000
    body=body,
    vectors=vectors,
    used=used,
)
