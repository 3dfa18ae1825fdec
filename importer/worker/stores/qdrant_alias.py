"""The name that searches use, moved from one collection of a server to another in one step.

Used when points were embedded anew with another model: searches change over from one question to the next.
"""

from __future__ import annotations

from qdrant_client import QdrantClient, models

from importer.worker.stores import Request
from importer.worker.stores.qdrant_connect import connect
from importer.worker.stores.qdrant_errors import translated


def point_alias(request: Request, alias: str) -> bool:
    """Lets `alias` name the request's collection; False, and nothing done, when a real collection bears that name."""
    client = connect(request)
    try:
        return switch(client, alias, request.collection)
    finally:
        client.close()


def switch(client: QdrantClient, alias: str, collection: str) -> bool:
    """See `point_alias`."""
    with translated():
        if alias in {found.name for found in client.get_collections().collections}:
            return False
        known = {found.alias_name for found in client.get_aliases().aliases}
        create = models.CreateAliasOperation(
            create_alias=models.CreateAlias(collection_name=collection, alias_name=alias)
        )
        delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
        # One request for both, so that no search finds the name pointing nowhere.
        return bool(client.update_collection_aliases([delete, create] if alias in known else [create]))
