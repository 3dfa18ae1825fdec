"""OpenAI's embeddings API, and everything that speaks it (vLLM, Ollama, LM Studio …) by `base_url`.

Set `window_tokens` for such a server's model: some (Ollama) cut what is longer without a word.
"""

from __future__ import annotations

from typing import Any

from importer.protocol.worker_settings import EmbedSettings
from importer.worker.embedders.http import RemoteEmbedder, Service, TextsToEmbed, open_service


def open_embedder(settings: EmbedSettings) -> RemoteEmbedder:
    """Ask the service once and return its embedder. Another address may do without a key."""
    return open_service(SERVICE, settings)


def body(wanted: TextsToEmbed) -> dict[str, Any]:
    """Return the request's body; documents and queries are the same to this API."""
    shorter = {"dimensions": wanted.dimension} if wanted.dimension else {}
    return {"model": wanted.model, "input": wanted.texts, "encoding_format": "float", **shorter}


def vectors(answer: Any) -> list[list[float]]:
    """Return the answer's vectors in the order of the texts, which the answer need not keep."""
    return [row["embedding"] for row in sorted(answer["data"], key=lambda row: row["index"])]


def used(answer: Any) -> int:
    """Return the tokens of a request, as they are billed."""
    return int(answer["usage"]["total_tokens"])


SERVICE = Service(
    name="openai",
    base_url="https://api.openai.com/v1",
    path="embeddings",
    most_texts=2048,  # limits as its reference gives them: inputs, tokens a request, tokens an input
    most_tokens=300_000,
    window_tokens=8191,
    body=body,
    vectors=vectors,
    used=used,
)
