"""Where a store is, and that only one process has it."""

from __future__ import annotations

from typing import Any

import pytest
from numbered_points import openers
from worker_told import store_settings

from importer.errors import StoreUnreachable, UsageError
from importer.protocol.worker_settings import addresses
from importer.worker import stores
from importer.worker.stores.qdrant.connect import connect


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the client leaks its lock file
@pytest.mark.parametrize("kind", ["edge", "local"])
def test_only_one_process_has_it_open(kind: str, tmp_path: Any) -> None:
    """The second is told so, and may try again."""
    for opener in openers(kind, str(tmp_path)):
        opener()
        with pytest.raises(StoreUnreachable, match="another process"):
            opener()


@pytest.mark.parametrize("location", ["nosuch", "ftp://x", "no.such.module", "local:", ""])
def test_a_location_nobody_understands(location: str) -> None:
    """It is a usage error with the kinds there are."""
    with pytest.raises(UsageError):
        stores.load(store_settings(location), model="m", dimension=2)


ADDRESSES = {
    "http://host": ("http://host:6333", ("host", 6334)),
    "http://host:80/": ("http://host:80", ("host", 6334)),
    "https://host/qdrant/": ("https://host:6333/qdrant", ("host", 6334)),
    "http://[::1]": ("http://[::1]:6333", ("[::1]", 6334)),
    "https://[fe80::1]:99/q": ("https://[fe80::1]:99/q", ("[fe80::1]", 6334)),
    "grpc://host": ("http://host:6333", ("host", 6334)),
    "grpcs://host:99": ("https://host:6333", ("host", 99)),
    "grpc://[::1]:99": ("http://[::1]:6333", ("[::1]", 99)),
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_what_an_address_means(url: str) -> None:
    """With or without a port, a path or a slash at its end, and for IPv6: over REST and gRPC."""
    client: Any = connect(store_settings(url))
    try:
        asked = client._client
        assert (asked.rest_uri, (asked._host, asked._grpc_port)) == ADDRESSES[url]
        assert asked._prefer_grpc == url.startswith("grpc")
    finally:
        client.close()


def test_a_node_that_is_listed_twice_is_one() -> None:
    """Each counts where replicas are compared."""
    assert addresses("http://a:1, http://a:1/ http://b:1/q/") == ("http://a:1", "http://b:1/q")
    assert addresses("edge:/a, b/") == ("edge:/a, b/",)


def test_a_module_can_be_a_store() -> None:
    """Adding a kind is one file anywhere."""
    found = stores.load(store_settings("plugins.fake_store"), model="m", dimension=2)
    assert found.kind == "fake"
