"""A cluster by several addresses: a question goes to the node that answered last, and on to the next when it is away.

Every node serves the whole collection, so any of them will do. Writing again what the node that went away may have
written already changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from qdrant_client import QdrantClient

from importer.errors import StoreError, StoreUnreachable
from importer.worker.stores.qdrant.errors import NODES_HINT, Foreign, translated


class Nodes:
    """A client over the clients of several nodes; it has the methods of each of them."""

    def __init__(self, clients: Sequence[QdrantClient]) -> None:
        self._clients = tuple(clients)
        self._at = 0  # the node that answered last

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the method of this name, which calls one node after the other until one answers."""
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *given, **named: self._call(name, given, named)

    def _call(self, name: str, given: Sequence[Any], named: dict[str, Any]) -> Any:
        """Call one node after the other. Raises the most telling error when none answers."""
        failed: StoreError | None = None
        first = self._at  # a copy: another thread may have turned to another node meanwhile
        for at in range(first, first + len(self._clients)):
            client = self._clients[at % len(self._clients)]
            try:
                with translated():
                    answer = getattr(client, name)(*given, **named)
            except (StoreUnreachable, Foreign) as error:
                if getattr(error, "retry_after_s", 0):  # it is there, and wants to be asked later
                    raise
                # A node that answers says more than one that does not.
                failed = error if failed is None or error.hint == NODES_HINT else failed
                continue
            self._at = at % len(self._clients)
            return answer
        raise failed or StoreUnreachable("no node is known")

    def each(self) -> Iterator[QdrantClient]:
        """Yield the client of every node."""
        yield from self._clients

    def close(self) -> None:
        """Let go of the connections to all nodes."""
        for client in self._clients:
            client.close()


def each_of(client: QdrantClient) -> Sequence[QdrantClient]:
    """Return the clients of all nodes that are known: of a single address, that one."""
    return tuple(client.each()) if isinstance(client, Nodes) else (client,)
