"""Qdrant through qdrant-client: a server or cluster by URL, or local mode in a directory.

Every write waits, and only status `completed` counts: a server may answer 200 and `wait_timeout`. Requests carry at
most 256 points and about 8 MiB. Blips are retried in place (`retry`); one bad point is found by halving (`parcels`).
After each write the collection is looked at: one dropped or made again meanwhile is never acknowledged into.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models

from importer.errors import PointsRejected, StoreRefused, StoreUnreachable, UsageError
from importer.records import Hit, Query
from importer.worker.stores import EVERYTHING, Page, Point, Request, Scope, scope_of
from importer.worker.stores import qdrant_collection as collections
from importer.worker.stores.bm25 import encode_query
from importer.worker.stores.filters import QdrantDialect, build
from importer.worker.stores.fusion import DEPTH, WEIGHTS, fuse
from importer.worker.stores.parcels import pack, send
from importer.worker.stores.qdrant_connect import connect
from importer.worker.stores.qdrant_errors import translated
from importer.worker.stores.retry import Patience, patiently
from importer.worker.stores.schema import DOCUMENT, METADATA, OPEN_BY, SPARSE, Fingerprint, check_vectors, dense_name
from importer.worker.stores.schema import holders as holders_of
