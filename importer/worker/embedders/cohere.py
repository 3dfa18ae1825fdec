"""Cohere's embeddings API, version 2: it tells documents from queries, and cuts long texts unless told not to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from importer.worker.embedders.http import Question, RemoteEmbedder, Service, open_service


def open_embedder(settings: Mapping[str, Any]) -> RemoteEmbedder:
    """Asks once and is ready."""
    # Only embed-v4.0 takes long texts.
    narrow = "v4" not in str(settings.get("model", ""))
    return open_service(replace(SERVICE, window_tokens=512) if narrow else SERVICE, settings)


def body(question: Question) -> dict[str, Any]:
    """`truncate` is END by default, which would cut without a word."""
    shorter = {"output_dimension": question.dimension} if question.dimension else {}
    kind = "search_query" if question.query else "search_document"
    asked = {"model": question.model, "texts": question.texts, "input_type": kind}
    return {**asked, "embedding_types": ["float"], "truncate": "NONE", **shorter}


def vectors(answer: Any) -> list[list[float]]:
    """In the order of the texts."""
    rows: list[list[float]] = answer["embeddings"]["float"]
    return rows


SERVICE = Service(
    name="cohere",
    base_url="https://api.cohere.com/v2",
    path="embed",
    most_texts=96,
    most_tokens=120_000,
    window_tokens=128_000,  # of embed-v4.0; 512 before
    body=body,
    vectors=vectors,
)
