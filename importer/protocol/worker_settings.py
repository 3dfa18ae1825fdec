"""What the worker is told in its first frame: settings with every default already filled in.

The daemon makes these once, in `service.launch`, from the settings and the memory profile. No field has a default here,
so a value that is missing is found when the frame is read and not guessed by whichever part of the worker needs it.
"""

from __future__ import annotations

import msgspec


def addresses(location: str) -> tuple[str, ...]:
    """Return the URLs of a store's location, which may list those of several nodes; any other location as it is.

    A node that is listed twice is one node: each of them counts where its replicas are compared.
    """
    if "://" not in location:
        return (location,)
    return tuple(dict.fromkeys(url.rstrip("/") for url in location.replace(",", " ").split()))


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which model embeds and where it is kept; `dimension` and `window_tokens` 0 are the model's own."""

    provider: str
    model: str
    model_dir: str
    dimension: int
    precision: str
    window_tokens: int
    offline: bool


class EmbedSettings(ModelSettings, frozen=True, kw_only=True):
    """The model and how it runs.

    `directory` is where a local model's files are; the worker fills it in when it has found them. `engine` runs it (see
    `engines`). `threads` are for all model runs together, `token_budget` counts padded tokens of all of them. `arena`
    and `spinning` are options of ONNX Runtime. What a hosted provider was asked for is counted in `usage_file` ("":
    nowhere); of its limits 0 is none, and of its price 0 the list price (see `hosted.usage`).
    `timeout_s`, `api_key` and `base_url` are for a remote provider, ""
    being its own address.
    """

    directory: str
    engine: str
    device: str
    gpu_memory_mb: int
    threads: int
    token_budget: int
    arena: bool
    spinning: bool
    timeout_s: float
    api_key: str
    base_url: str
    usage_file: str
    max_tokens_per_day: int
    max_cost_per_month: float
    price_per_million: float


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the points are and how they get there; named as in the settings.

    `directory` is for a location that names none (`edge`). Of the three counts for a cluster, 0 is the server's own.
    `page_cache_bytes` bound what questions may have the kernel read into its page cache, of an embedded store.
    """

    location: str
    directory: str
    collection: str
    api_key: str
    ca_file: str
    timeout_s: float
    prefer_grpc: bool
    grpc_port: int
    upsert_points: int
    upsert_bytes: int
    quantisation: str
    on_disk: bool
    shard_number: int
    replication_factor: int
    write_consistency_factor: int
    optimise_every_points: int
    page_cache_bytes: int

    @property
    def path(self) -> str:
        """The part of `edge:PATH` and `local:PATH` behind the colon."""
        return self.location.partition(":")[2]


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a worker is told; `nice` is added to its politeness towards other programs (nice(2)).

    `rerank` is a cross-encoder's name or directory, "" for none.
    """

    embed: EmbedSettings
    store: StoreSettings
    nice: int
    rerank: str


class CopyTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where points are copied to; `embed` is the model that embeds them anew, None copies their vectors."""

    store: StoreSettings
    embed: EmbedSettings | None
