"""Cohere's embeddings API, version 2: it tells documents from queries, and cuts long texts unless told not to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from importer.protocol.worker_settings import EmbedSettings
from importer.worker.embedders.http import RemoteEmbedder, Service, TextsToEmbed, open_service


def open_embedder(settings: EmbedSettings) -> RemoteEmbedder:
    """Ask the service once and return its embedder."""
    # Only embed-v4.0 takes long texts.
    narrow = "v4" not in settings.model
    return open_service(replace(SERVICE, window_tokens=512) if narrow else SERVICE, settings)


def body(wanted: TextsToEmbed) -> dict[str, Any]:
    """`truncate` is END by default, which would cut without a word."""
    shorter = {"output_dimension": wanted.dimension} if wanted.dimension else {}
    kind = "search_query" if wanted.query else "search_document"
    asked = {"model": wanted.model, "texts": wanted.texts, "input_type": kind}
    return {**asked, "embedding_types": ["float"], "truncate": "NONE", **shorter}


def vectors(answer: Any) -> list[list[float]]:
    """Return the answer's vectors in the order of the texts."""
    rows: list[list[float]] = answer["embeddings"]["float"]
    return rows


def used(answer: Any) -> int:
    """Return the tokens of a request, as they are billed."""
    return int(answer["meta"]["billed_units"]["input_tokens"])


SERVICE = Service(
    name="cohere",
    base_url="https://api.cohere.com/v2",
    path="embed",
    most_texts=96,
    most_tokens=120_000,
    window_tokens=128_000,  # of embed-v4.0; 512 before
    body=body,
    vectors=vectors,
    used=used,
)
