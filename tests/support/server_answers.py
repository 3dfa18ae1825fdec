"""What servers answer, and what must be done then: one table, which is the test of the store behind qdrant-client.

    retry   it is tried again, and done          split   the request is made smaller, and done
    within  it is asked otherwise, and done      wait    75: an outage, nothing is lost
    refuse  5: the import ends, with a hint that names what helps

The words are those of the server's source and documentation; a proxy's are its own.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One answer: to what it is given, its status and words, what must be done, and a word of the hint."""

    name: str
    to: str
    status: int
    words: str
    done: str
    hint: str = ""


LIMITER = (
    "Rate limiting exceeded: {} rate limit exceeded, request larger than rate limiter capacity, please try to split"
)
INDEX = (
    'Index required but not found for "metadata.branch" of one of the following types: [keyword]. Help: Create an index'
)
ROOM = "{} usage is at {}% of total, exceeding the configured limit of {}%. Help: Reduce it, or raise the limit."
LIMIT = 'Limit exceeded {} > {} for "{}". Help: Reduce the "{}" parameter to or below {}.'
NO_LEADER = "Service internal error: Cannot update shard c:0 with Medium ordering because no leader could be selected"
LEADER_AWAY = "Service internal error: Failed to apply update with Medium ordering via leader peer 7: Tonic error"
NOT_DEACTIVATED = (
    "Service internal error: Some replica of shard 0 failed to apply operation and deactivation timed out after 30 "
    "seconds. Consistency of this update is not guaranteed. Please retry."
)
NO_REPLICA = "Service internal error: The replica set for shard 0 on peer 7 has no active replica"
SOME_SHARDS = "1 out of 3 shards failed to apply operation. First error captured: {}"
FULL_SHARD = "Bad request: Max points count limit of 10 reached!"
NOT_OURS = "Forbidden: Access to collection c is required"
TABLE = [
    Row("write_rate_limit", "write", 429, "Rate limiting exceeded: Write rate limit exceeded", "retry"),
    Row("write_rate_limit, larger than it ever lets through", "write", 429, LIMITER.format("Write"), "split"),
    Row("read_rate_limit", "scroll", 429, "Rate limiting exceeded: Read rate limit exceeded", "retry"),
    Row("read_rate_limit, larger than it ever lets through", "lookup", 429, LIMITER.format("Read"), "split"),
    Row("read_rate_limit in a search", "search", 429, LIMITER.format("Read"), "split"),
    Row("a body too large for a proxy", "write", 413, "<html>Request Entity Too Large</html>", "split"),
    Row("max_request_size_mb", "write", 400, "Payload error: JSON payload has exceeded limit", "split"),
    Row("upsert_max_batchsize", "write", 403, LIMIT.format(20, 8, "upsert limit", "upsert limit", 8), "split"),
    Row("search_max_batchsize", "search", 403, LIMIT.format(3, 1, "search batch size", "search", 1), "split"),
    Row("filter_max_conditions", "change", 403, "Filter condition limit reached (20 > 8). Help: Reduce", "split"),
    Row("condition_max_size", "change", 400, "Condition size limit reached (20 > 8). Help: Reduce", "split"),
    Row("max_query_limit, scroll", "scroll", 403, LIMIT.format(256, 8, "limit", "limit", 8), "within"),
    Row("max_query_limit of other versions", "scroll", 400, LIMIT.format(256, 8, "limit", "limit", 8), "within"),
    Row("max_query_limit, search", "search", 403, LIMIT.format(100, 8, "limit", "limit", 8), "within"),
    Row("max_query_limit, facet", "facet", 403, LIMIT.format(100, 8, "limit", "limit", 8), "within"),
    Row("search_allow_exact", "count", 403, "Exact search disabled!. Help: Set exact=false.", "within"),
    Row("search_max_oversampling", "search", 403, LIMIT.format(2, 1.5, "oversampling", "oversampling", 1.5), "within"),
    Row("max_points_count", "write", 400, "Max points count limit of 10 reached!", "refuse", "importer forget"),
    Row(
        "max_collection_vector_size_bytes",
        "write",
        400,
        "Max vector storage size limit of 9 reached!",
        "refuse",
        "forget",
    ),
    Row("max_resident_memory_percent", "write", 400, ROOM.format("Resident memory usage", 91, 85), "wait", "no room"),
    Row("max_disk_usage_percent", "write", 403, ROOM.format("Disk usage", 96, 90), "wait", "no room"),
    Row("max_resident_memory_percent, of payloads", "change", 400, ROOM.format("Resident", 91, 85), "wait", "no room"),
    Row("sharding of its own", "write", 400, "Wrong input: Shard key not specified", "refuse", "COLLECTION_NAME"),
    Row("another limit of strict mode", "write", 400, "No such thing!. Help: Send none.", "refuse", "strict mode"),
    Row("locked against writing", "write", 403, "Storage locked: maintenance", "wait", "unlocked"),
    Row("--read-only", "write", 403, "Read-only mode: write operations are not allowed.", "refuse", "--read-only"),
    Row("max_query_limit, comparison", "survey", 403, LIMIT.format(256, 8, "limit", "limit", 8), "within"),
    Row("max_query_limit, no vectors", "bare", 403, LIMIT.format(20, 8, "limit", "limit", 8), "within"),
    Row("a replica that hangs", "lookup", 500, "1 of 2 read operations failed: Timeout", "wait", "importer status"),
    Row("unindexed_filtering_retrieve", "search", 403, INDEX, "refuse", "--branch"),
    Row("unindexed_filtering_update", "change", 400, INDEX, "refuse", "strict mode"),
    Row("a key that reads", "write", 403, "Forbidden: Global manage access is required", "refuse", "QDRANT_API_KEY"),
    Row("a wrong key", "lookup", 401, "Invalid API key or JWT", "refuse", "QDRANT_API_KEY"),
    Row(
        "no key", "search", 401, "Must provide an API key or an Authorization bearer token", "refuse", "QDRANT_API_KEY"
    ),
    Row(
        "the collection is gone", "write", 404, "Not found: Collection `c` doesn't exist!", "refuse", "verify --repair"
    ),
    Row("a blip of the server", "write", 503, "Service Unavailable", "retry"),
    Row("it is busy for long", "write", 500, "Service internal error: timeout", "wait", "nothing is lost"),
    Row("a quota of the node", "write", 507, "Disk usage is over its quota", "wait", "no room"),
    Row("no room on its disk", "write", 500, "Service internal error: No space left on device: WAL", "wait", "no room"),
    Row("a shard that is busy with itself", "write", 503, "Shard temporarily unavailable: recovering", "retry"),
    Row("a proxy that knows no server", "lookup", 404, "default backend - 404", "wait", "QDRANT_URL"),
    Row("a page of the network's own", "write", 302, "<html>sign in</html>", "wait", "QDRANT_URL"),
    Row("too few nodes, reading", "lookup", 500, "does not have enough active replicas", "wait", "importer status"),
    Row(
        "too few nodes, writing",
        "write",
        500,
        "Failed to apply operation to at least one `Active` replica",
        "wait",
        "status",
    ),
    Row("no leader", "write", 500, NO_LEADER, "wait", "importer status"),
    Row("a leader that is away", "write", 500, LEADER_AWAY, "wait", "importer status"),
    Row("a replica that cannot be taken out in time", "write", 500, NOT_DEACTIVATED, "wait", "importer status"),
    Row("no replica at all", "scroll", 500, NO_REPLICA, "wait", "importer status"),
    Row("one shard of several, for a while", "write", 500, SOME_SHARDS.format("Service internal error: x"), "retry"),
    Row(
        "one shard of several, without room", "write", 400, SOME_SHARDS.format(FULL_SHARD), "refuse", "importer forget"
    ),
    Row("it takes too long", "search", 408, "Timeout: Operation 'Query' timed out after 60s", "retry"),
    Row("a clock that is behind", "write", 500, "Failed to apply operation after 3 attempts, all rejected", "retry"),
    Row("a proxy without its server", "write", 502, "<html>502 Bad Gateway</html>", "wait", "nothing is lost"),
    Row("a proxy that gives up", "search", 504, "<html>504 Gateway Time-out</html>", "retry"),
    Row("a token that is over", "write", 401, "Invalid JWT: ExpiredSignature", "refuse", "QDRANT_API_KEY"),
    Row("a token for another collection", "search", 403, NOT_OURS, "refuse", "QDRANT_API_KEY"),
    Row("a server that is too old for it", "lookup", 501, "Not Implemented", "refuse", "QDRANT_URL"),
]
