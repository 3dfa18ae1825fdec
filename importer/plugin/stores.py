"""The names that a store of one's own may import; see `importer.worker.stores` for what it offers."""

from __future__ import annotations

from importer.errors import PointsRejected, StoreRefused, StoreUnreachable, UsageError
from importer.protocol.query import Hit, Query
from importer.protocol.worker_settings import StoreSettings
from importer.worker.stores import EVERYTHING, Lookup, Ownership, Page, Point, Scope, Store, StoreRequest, scope_of
from importer.worker.stores.candidates import Candidate, Candidates, Gathering
from importer.worker.stores.schema import Fingerprint, born, check, document, holders, metadata, owned, same_maker

__all__ = [
    "EVERYTHING",
    "Candidate",
    "Candidates",
    "Fingerprint",
    "Gathering",
    "Hit",
    "Lookup",
    "Ownership",
    "Page",
    "Point",
    "PointsRejected",
    "Query",
    "Scope",
    "Store",
    "StoreRefused",
    "StoreRequest",
    "StoreSettings",
    "StoreUnreachable",
    "UsageError",
    "born",
    "check",
    "document",
    "holders",
    "metadata",
    "owned",
    "same_maker",
    "scope_of",
]
