"""Every setting, declared once: name, type, default, limits, environment names and help stand in one place.

A group is a frozen dataclass, a setting one field of it. The dotted name is `group.field`, the environment name
`IMPORTER_GROUP_FIELD`; `env` adds the names the ecosystem already uses, which count after ours. Units stand at the end
of a name (`_mb` is 1024 x 1024 bytes). `None` means "what the memory profile says" (see `profiles`). Flags, validation,
the settings table of the README and `importer config` are all fed from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from importer.settings.declaration import (
    Declared,
    declarations,
    setting,
    wrong_listen,
    wrong_location,
    wrong_name,
    wrong_url,
)

LOCAL = "fastembed"
MODELS = {  # provider -> its model when none is named
    LOCAL: "sentence-transformers/all-MiniLM-L6-v2",
    "openai": "text-embedding-3-small",
    "voyage": "voyage-3.5",
    "cohere": "embed-v4.0",
}
STATE_DIR = "$XDG_STATE_HOME/importer, else ~/.local/state/importer"


@dataclass(frozen=True, slots=True)
class Formats:
    """What of a conversation is indexed beside what people and assistants say."""

    subagents: bool = setting(False, "index what sub-agents said, as kind subagent")
    thinking: bool = setting(False, "index the assistant's thinking")
    tool_results: bool = setting(False, "index tool results (large, and they echo files)")
    summaries: bool = setting(True, "index the summaries that compaction writes, as kind summary")
    plugins: tuple[str, ...] = setting((), "further formats, as package.module")


@dataclass(frozen=True, slots=True)
class Chunk:
    """How exchanges are cut."""

    size_chars: int = setting(1000, "aimed size of a chunk", env="CHUNK_SIZE", least=100, most=100_000)
    overlap_chars: int = setting(200, "repeated from the chunk before", env="CHUNK_OVERLAP", least=0)


@dataclass(frozen=True, slots=True)
class Redact:
    """What is masked before text is stored or sent."""

    enabled: bool = setting(True, "mask what looks like a key, a token or a password")


@dataclass(frozen=True, slots=True)
class Tail:
    """How files are read and watched."""

    max_line_bytes: int = setting(32 << 20, "longer lines are passed over and quarantined", least=1 << 16, most=1 << 31)
    slice_bytes: int = setting(1 << 20, "read from one file before the next has its turn", least=1 << 12, most=1 << 28)
    rescan_s: float = setting(30.0, "between two full looks at the folders", least=0.1, most=3600)
    watch: str = setting("auto", "how changes are noticed", among=("auto", "events", "poll"))
    poll_ms: int = setting(1000, "between two looks where events are not to be had", least=50)


@dataclass(frozen=True, slots=True)
class Batch:
    """How chunks travel to the worker."""

    max_chunks: int | None = setting(None, "chunks in a batch", env="MEMORY_BATCH_SIZE", least=1, most=4096)
    wait_ms: int = setting(250, "longest wait of a new line for company", least=0, most=10_000)


@dataclass(frozen=True, slots=True)
class Embed:
    """The model and how it runs."""

    provider: str = setting(LOCAL, "who embeds", env="EMBEDDING_PROVIDER", among=tuple(MODELS), plugin=True)
    model: str = setting(MODELS[LOCAL], "a model's name, or a local directory", env="EMBEDDING_MODEL", path=True)
    model_dir: str = setting(
        "", "where models are kept", env="IMPORTER_MODEL_DIR", path=True, shown="models/ in state_dir"
    )
    dimension: int = setting(0, "of its vectors; 0 is what is known of the model", least=0, most=65_536)
    precision: str = setting("fp32", "of a local model; int8 is faster, a little less exact", among=("fp32", "int8"))
    window_tokens: int = setting(0, "longest window; 0 is the model's own", least=0, most=8192)
    threads: int | None = setting(None, "0: `run` takes half of the cores, `backlog` all; -1: always all", least=-1)
    token_budget: int | None = setting(None, "padded tokens in all model runs at once", least=128, most=65_536)
    offline: bool = setting(False, "never fetch a model from a network", env="HF_HUB_OFFLINE")
    timeout_s: float = setting(30.0, "for one call of a remote provider", least=1)
    openai_api_key: str = setting("", "key for OpenAI, or what speaks its API", env="OPENAI_API_KEY", secret=True)
    openai_base_url: str = setting("", "another address of that API", env="OPENAI_BASE_URL", check=wrong_url)
    voyage_api_key: str = setting("", "key for Voyage", env="VOYAGE_API_KEY", secret=True)
    cohere_api_key: str = setting("", "key for Cohere", env="COHERE_API_KEY", secret=True)


@dataclass(frozen=True, slots=True)
class Store:
    """Where the points are."""

    location: str = setting(
        "edge", "edge (embedded), local:PATH, a URL or a plug-in", env="QDRANT_URL", check=wrong_location
    )
    collection: str = setting("conversations", "the collection", env="COLLECTION_NAME", check=wrong_name)
    api_key: str = setting("", "key of the server", env="QDRANT_API_KEY", secret=True)
    ca_file: str = setting("", "own certificate authority of the server (PEM)", path=True)
    timeout_s: float = setting(30.0, "for one call of a server", least=1)
    prefer_grpc: bool = setting(False, "gRPC in place of REST")
    grpc_port: int = setting(6334, "where the server speaks gRPC", least=1, most=65_535)
    upsert_points: int = setting(128, "points in one upsert", least=1, most=1024)
    upsert_bytes: int = setting(8 << 20, "body of one upsert", least=1 << 16, most=30 << 20)
    quantisation: str = setting("none", "of vectors on a server", among=("none", "scalar"))
    on_disk: bool = setting(True, "vectors on disk in place of memory")
    shard_number: int = setting(0, "shards of a new collection; 0 is the server's default", least=0)
    replication_factor: int = setting(1, "copies of each point in a cluster", least=1)
    write_consistency_factor: int = setting(1, "copies written before a receipt", least=1)
    optimise_every_points: int | None = setting(None, "new points before the embedded store is optimised", least=1000)


@dataclass(frozen=True, slots=True)
class Worker:
    """How long a worker lives and what it may take."""

    recycle_files: int = setting(200, "files before a fresh worker, +-10 % (0: never)", least=0)
    soft_limit_mb: int | None = setting(None, "anonymous memory + swap before a fresh worker", least=1)
    hard_factor: float | None = setting(None, "times the soft limit: the worker is killed", least=1.01, most=4)
    idle_s: float | None = setting(None, "without work before the worker is let go", least=1)
    min_lifetime_s: float = setting(10.0, "before a planned recycle", least=0)
    nice: int = setting(10, "politeness towards other programs", least=0, most=19)
    boot_s: float = setting(60.0, "for a worker to become ready", least=1)
    deadline_s: float = setting(60.0, "for any batch, before it counts as stuck", least=1)
    deadline_ms_per_token: float = setting(20.0, "more for each token of the batch", least=0)
    malloc_arena_max: int | None = setting(None, "glibc's heaps", env="MALLOC_ARENA_MAX", least=1, most=64)
    malloc_trim_bytes: int | None = setting(None, "free memory at the heap's top that is given back", least=4096)
    malloc_mmap_bytes: int | None = setting(
        None, "blocks from this size on are mapped singly", least=4096, most=32 << 20
    )
    onnx_arena: bool = setting(True, "ONNX Runtime keeps its largest shapes; off costs 40 % of the speed")
    onnx_spinning: bool = setting(False, "ONNX Runtime's threads spin while they wait")


@dataclass(frozen=True, slots=True)
class Memory:
    """What the governor watches; shares are of the worker's soft limit or of the system's memory."""

    profile: str = setting(
        "balanced", "what the None of other settings stand for", env="MEMORY_PROFILE",
        among=("conservative", "balanced", "aggressive", "development", "auto"),
    )  # fmt: skip
    warning_share: float | None = setting(None, "of the soft limit: a warning, batches are delayed", least=0.1, most=1)
    critical_share: float | None = setting(None, "of the soft limit: trim, smaller token budget", least=0.1, most=1)
    growth_mb: int | None = setting(None, "growth between batches that counts", least=1)
    growth_batches: int | None = setting(None, "such batches on end before a recycle", least=2)
    delay_min_ms: int | None = setting(None, "delay between batches at the warning", least=0)
    delay_max_ms: int | None = setting(None, "delay between batches at the critical share", least=0, most=60_000)
    pause_used_share: float | None = setting(None, "of the system's memory in use: pause", least=0.1, most=1)
    resume_used_share: float | None = setting(None, "of the system's memory in use: go on", least=0.05, most=1)
    pause_limit_s: float = setting(300.0, "longest pause for memory, then go on slowly", least=1)
    sample_s: float = setting(1.0, "between two looks", least=0.1, most=60)
    history_samples: int = setting(3600, "kept for `status --memory`", least=60, most=100_000)


@dataclass(frozen=True, slots=True)
class Daemon:
    """The daemon's own limits."""

    operational_memory_mb: int = setting(
        256, "own RSS before it drains and exits 75", env="OPERATIONAL_MEMORY_MB", least=32
    )
    grace_s: float = setting(20.0, "to drain and commit when asked to end", least=1, most=600)
    keep_days: float = setting(400.0, "before the checkpoint of a vanished file is dropped", least=1)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The Prometheus endpoint."""

    listen: str = setting("", "HOST:PORT, best on loopback; empty is off", check=wrong_listen)


@dataclass(frozen=True, slots=True)
class Log:
    """What is logged and how."""

    level: str = setting("info", "least level", among=("debug", "info", "warning", "error"))
    format: str = setting("auto", "auto: readable on a terminal, else JSON", among=("auto", "json", "console"))


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them. `sources` are `NAME=PATH`, NAME a format or auto; empty means each format's own folders."""

    state_dir: str = setting("", "what the importer owns", env="STATE_DIRECTORY", path=True, shown=STATE_DIR)
    host: str = setting("", "this machine's name in the points", shown="the machine's own")
    sources: tuple[str, ...] = setting((), "NAME=PATH to import from", shown="each format's own folders")
    include: tuple[str, ...] = setting((), "patterns of paths, or of projects, to import; empty is all")
    exclude: tuple[str, ...] = setting((), "patterns of paths, or of projects, to leave alone")
    follow_links: bool = setting(False, "follow symbolic links that lead out of a root")
    formats: Formats = Formats()
    chunk: Chunk = Chunk()
    redact: Redact = Redact()
    tail: Tail = Tail()
    batch: Batch = Batch()
    embed: Embed = Embed()
    store: Store = Store()
    worker: Worker = Worker()
    memory: Memory = Memory()
    daemon: Daemon = Daemon()
    metrics: Metrics = Metrics()
    log: Log = Log()


# a field of Settings without a declaration of its own is a group
GROUPS: Mapping[str, type] = {f.name: type(f.default) for f in fields(Settings) if "declared" not in f.metadata}
DECLARED: Mapping[str, Declared] = {  # by dotted name, in the order of the README's table
    declared.name: declared
    for group, of in {"": Settings, **GROUPS}.items()
    for declared in declarations(of, group and group + ".")
}
