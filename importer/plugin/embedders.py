"""The names that an embedding provider of one's own may import; see `importer.worker.embedders` for what it offers."""

from __future__ import annotations

from importer.errors import EmbedError, EmbedUnreachable, ModelError, UsageError
from importer.protocol.worker_settings import EmbedSettings
from importer.worker.embedders import Embedder, Window
from importer.worker.embedders.http import RemoteEmbedder, Service, TextsToEmbed, open_service
from importer.worker.token_budget import average, group, normalised, pack

__all__ = [
    "EmbedError",
    "EmbedSettings",
    "EmbedUnreachable",
    "Embedder",
    "ModelError",
    "RemoteEmbedder",
    "Service",
    "TextsToEmbed",
    "UsageError",
    "Window",
    "average",
    "group",
    "normalised",
    "open_service",
    "pack",
]
