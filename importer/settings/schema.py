"""Every setting, declared once: name, type, default, limits, environment names and help stand in one place.

A group is a frozen dataclass, a setting one field of it. The dotted name is `group.field`, the environment name
`IMPORTER_GROUP_FIELD`; `env` adds the names the ecosystem already uses, which count after ours. Units end a name (`_mb`
is 1024 x 1024 bytes). `None` means "the value of the memory profile" (see `memory.profiles`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from importer.settings.declaration import (
    Declaration,
    collection_problem,
    declarations,
    is_module,
    listen_problem,
    location_problem,
    locations_problem,
    setting,
    url_problem,
)

LOCAL = "fastembed"
MODELS = {  # provider -> its model when none is named
    LOCAL: "sentence-transformers/all-MiniLM-L6-v2",
    "openai": "text-embedding-3-small",
    "voyage": "voyage-3.5",
    "cohere": "embed-v4.0",
}
STATE_DIR = "$XDG_STATE_HOME/importer, else ~/.local/state/importer"


def provider_problem(value: str) -> str:
    """Return what is wrong with the name of an embedding provider, or ""."""
    named = value in MODELS or is_module(value)
    return "" if named else f"none of {', '.join(MODELS)}; a plug-in is named package.module"


@dataclass(frozen=True, slots=True)
class FormatGroup:
    """What is indexed of a conversation beside the messages of people and assistants."""

    subagents: bool = setting(False, "index the messages of sub-agents, as kind subagent")
    thinking: bool = setting(False, "index the assistant's thinking")
    tool_results: bool = setting(False, "index tool results (large, and they repeat files)")
    summaries: bool = setting(True, "index the summaries that compaction writes, as kind summary")
    plugins: tuple[str, ...] = setting((), "further formats to load, each as package.module")


@dataclass(frozen=True, slots=True)
class ChunkGroup:
    """How exchanges are split into chunks."""

    size_chars: int = setting(1000, "length a chunk aims at", env="CHUNK_SIZE", least=100, most=100_000)
    overlap_chars: int = setting(
        200, "text that a chunk repeats from the chunk before it", env="CHUNK_OVERLAP", least=0
    )


@dataclass(frozen=True, slots=True)
class RedactGroup:
    """What is masked before text is stored or sent."""

    enabled: bool = setting(True, "mask what looks like a key, a token or a password")


@dataclass(frozen=True, slots=True)
class TailGroup:
    """How files are read and watched."""

    max_line_bytes: int = setting(32 << 20, "quarantine longer lines, unread", least=1 << 16, most=1 << 31)
    slice_bytes: int = setting(1 << 20, "read this much of a file, then the next file", least=1 << 12, most=1 << 28)
    rescan_s: float = setting(30.0, "time between two scans of all folders", least=0.1, most=3600)
    watch: str = setting(
        "auto",
        "notice changes by file-system events where there are any (auto), or always by polling (poll)",
        among=("auto", "poll"),
        formerly={"events": "auto"},
    )
    poll_ms: int = setting(1000, "time between two polls of folders without events", least=50)


@dataclass(frozen=True, slots=True)
class BatchGroup:
    """How chunks travel to the worker."""

    max_chunks: int | None = setting(None, "most chunks in a batch", env="MEMORY_BATCH_SIZE", least=1, most=4096)
    wait_ms: int = setting(250, "longest time a new line waits for its batch to fill", least=0, most=10_000)


@dataclass(frozen=True, slots=True)
class EmbedGroup:
    """The model and how it runs."""

    provider: str = setting(
        LOCAL,
        "embedding provider: fastembed (on this machine), openai, voyage, cohere or a plug-in",
        env="EMBEDDING_PROVIDER",
        check=provider_problem,
    )
    model: str = setting(
        MODELS[LOCAL], "embedding model, by name or as a local directory", env="EMBEDDING_MODEL", path=True
    )
    model_dir: str = setting(
        "", "directory that models are kept in", env="IMPORTER_MODEL_DIR", path=True, shown="models/ in state_dir"
    )
    dimension: int = setting(0, "dimensions of the model's vectors; 0: as known for the model", least=0, most=65_536)
    precision: str = setting(
        "fp32", "of a local model; int8: a little less exact, faster with VNNI", among=("fp32", "int8")
    )
    engine: str = setting(
        "auto",
        "what runs a local model; auto: the fastest installed one that keeps the vectors",
        among=("auto", "onnxruntime", "openvino"),
    )
    device: str = setting("cpu", "where a local model runs; cuda takes the extra [gpu]", among=("cpu", "cuda"))
    gpu_memory_mb: int = setting(2048, "most memory that a model takes on a GPU; 0: no limit", least=0)
    window_tokens: int = setting(0, "longest text the model embeds at once; 0: the model's limit", least=0, most=8192)
    threads: int | None = setting(
        None, "threads of the model; 0: half of the cores in `run`, all in `backlog`; -1: always all", least=-1
    )
    token_budget: int | None = setting(
        None, "most tokens, padding counted, in all model runs at once", least=128, most=65_536
    )
    offline: bool = setting(False, "never fetch a model from a network", env="HF_HUB_OFFLINE")
    timeout_s: float = setting(30.0, "longest wait for one answer of a hosted provider", least=1)
    max_tokens_per_day: int = setting(0, "most tokens a day (UTC) to a hosted provider; 0: no limit", least=0)
    max_cost_per_month: float = setting(0.0, "most that a hosted provider costs a month; 0: no limit", least=0)
    price_per_million: float = setting(0.0, "price of a million hosted tokens; 0: list price in USD", least=0)
    openai_api_key: str = setting("", "key for OpenAI or a server with its API", env="OPENAI_API_KEY", secret=True)
    openai_base_url: str = setting("", "URL of a server with OpenAI's API", env="OPENAI_BASE_URL", check=url_problem)
    voyage_api_key: str = setting("", "key for Voyage", env="VOYAGE_API_KEY", secret=True)
    cohere_api_key: str = setting("", "key for Cohere", env="COHERE_API_KEY", secret=True)


@dataclass(frozen=True, slots=True)
class StoreGroup:
    """Where the points are."""

    location: str = setting(
        "edge",
        "where the points are stored: edge (embedded), local:PATH, the URLs of a Qdrant server's nodes, or a plug-in",
        env="QDRANT_URL",
        check=location_problem,
    )
    collection: str = setting("conversations", "collection's name", env="COLLECTION_NAME", check=collection_problem)
    api_key: str = setting("", "key of the Qdrant server", env="QDRANT_API_KEY", secret=True)
    ca_file: str = setting("", "certificate authority (PEM) of the server, in place of the system's", path=True)
    timeout_s: float = setting(30.0, "longest wait for one answer of the server", least=1)
    prefer_grpc: bool = setting(False, "use gRPC in place of REST")
    grpc_port: int = setting(6334, "the server's port for gRPC", least=1, most=65_535)
    upsert_points: int = setting(128, "most points in one upsert", least=1, most=1024)
    upsert_bytes: int = setting(8 << 20, "largest body of one upsert", least=1 << 16, most=30 << 20)
    quantisation: str = setting("none", "quantisation of the vectors on a server", among=("none", "scalar"))
    on_disk: bool = setting(True, "keep vectors on disk in place of memory")
    shard_number: int = setting(0, "shards of a new collection; 0: the server's default", least=0)
    replication_factor: int = setting(1, "copies of each point in a cluster", least=1)
    write_consistency_factor: int = setting(1, "copies that must be written before a batch counts as stored", least=1)
    optimise_every_points: int | None = setting(None, "optimise the embedded store after so many points", least=1000)


@dataclass(frozen=True, slots=True)
class SearchGroup:
    """What is searched, and how what was found is ranked."""

    also: tuple[str, ...] = setting((), "further stores to search, such as the one of a sync", check=locations_problem)
    rerank: str = setting("", "cross-encoder that orders the first ten, by name or as a directory; empty: none")


@dataclass(frozen=True, slots=True)
class WorkerGroup:
    """How long a worker lives and what it may take."""

    count: int = setting(1, "processes that embed, sharing threads and soft limit; 0: by both", least=0, most=64)
    recycle_files: int = setting(200, "start a fresh worker after this many files, +-10 %; 0: never", least=0)
    soft_limit_mb: int | None = setting(
        None, "start a fresh worker, between batches, above this much anonymous memory + swap", least=1
    )
    hard_factor: float | None = setting(None, "kill a worker above the soft limit times this", least=1.01, most=4)
    idle_s: float | None = setting(None, "end a worker after this long without work", least=1)
    min_lifetime_s: float = setting(10.0, "no planned recycle of a worker younger than this", least=0)
    nice: int = setting(10, "niceness of what computes; 19 gives way to all other programs", least=0, most=19)
    boot_s: float = setting(60.0, "longest time a worker takes to become ready", least=1)
    deadline_s: float = setting(60.0, "a worker counts as stuck when a batch takes longer than this", least=1)
    deadline_ms_per_token: float = setting(20.0, "added to that time for each token of the batch", least=0)
    malloc_arena_max: int | None = setting(
        None, "most heaps of glibc's malloc", env="MALLOC_ARENA_MAX", least=1, most=64
    )
    malloc_trim_bytes: int | None = setting(
        None, "glibc gives free memory at a heap's top back above this size", least=4096
    )
    malloc_mmap_bytes: int | None = setting(
        None, "glibc maps each block of at least this size on its own", least=4096, most=32 << 20
    )
    onnx_arena: bool = setting(True, "ONNX Runtime keeps memory for its largest shapes; off costs 40 % of the speed")
    onnx_spinning: bool = setting(False, "threads of ONNX Runtime spin while they wait")


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """Thresholds of the governor; shares are of the worker's soft limit or of the system's memory."""

    profile: str = setting(
        "balanced", "memory profile that gives the values of settings whose default is \"by profile\"",
        env="MEMORY_PROFILE", among=("conservative", "balanced", "aggressive", "development", "auto"),
    )  # fmt: skip
    warning_share: float | None = setting(
        None, "share of the soft limit above which batches are delayed", least=0.1, most=1
    )
    critical_share: float | None = setting(
        None, "share of the soft limit above which the worker trims and the token budget shrinks", least=0.1, most=1
    )
    growth_mb: int | None = setting(None, "growth in all, over batches in a row, that counts as a leak", least=1)
    growth_batches: int | None = setting(
        None, "start a fresh worker when it has leaked over more batches in a row than this", least=2
    )
    delay_min_ms: int | None = setting(None, "delay between batches at the warning share", least=0)
    delay_max_ms: int | None = setting(None, "delay between batches at the critical share", least=0, most=60_000)
    pause_used_share: float | None = setting(
        None, "pause when this share of the system's memory is in use", least=0.1, most=1
    )
    resume_used_share: float | None = setting(None, "resume when no more than this share is in use", least=0.05, most=1)
    pause_limit_s: float = setting(300.0, "longest pause for memory; afterwards the import goes on slowly", least=1)
    sample_s: float = setting(1.0, "time between two samples of memory", least=0.1, most=60)
    history_samples: int = setting(3600, "samples kept for `status --memory`", least=60, most=100_000)


@dataclass(frozen=True, slots=True)
class DaemonGroup:
    """The daemon's own limits."""

    operational_memory_mb: int = setting(
        256,
        "the daemon drains and exits with 75 above this resident memory of its own",
        env="OPERATIONAL_MEMORY_MB",
        least=32,
    )
    grace_s: float = setting(20.0, "longest time to drain and commit when asked to end", least=1, most=600)
    answerer_idle_s: float = setting(
        60.0, "end the process that answers while no daemon runs after this long without a question", least=0.1
    )
    keep_days: float = setting(400.0, "drop the checkpoint of a file that has been gone for this long", least=1)


@dataclass(frozen=True, slots=True)
class MetricsGroup:
    """The Prometheus endpoint."""

    listen: str = setting(
        "", "HOST:PORT that serves Prometheus metrics, best on loopback; empty: none", check=listen_problem
    )


@dataclass(frozen=True, slots=True)
class LogGroup:
    """What is logged and how."""

    level: str = setting("info", "least level that is logged", among=("debug", "info", "warning", "error"))
    format: str = setting(
        "auto", "form of the log; auto: readable on a terminal, else JSON", among=("auto", "json", "console")
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `sources` are `NAME=PATH`, NAME a format or auto; empty means each format's own folders."""

    state_dir: str = setting(
        "", "directory of the checkpoints, the embedded store and the socket", env="STATE_DIRECTORY", path=True,
        shown=STATE_DIR,
    )  # fmt: skip
    host: str = setting("", "name of this machine in the stored points", shown="the machine's own")
    sources: tuple[str, ...] = setting((), "folders to import from, as NAME=PATH", shown="each format's own folders")
    include: tuple[str, ...] = setting((), "import only paths or projects that match these patterns; empty: all")
    exclude: tuple[str, ...] = setting((), "do not import paths or projects that match these patterns")
    follow_links: bool = setting(False, "follow symbolic links that lead out of a root")
    formats: FormatGroup = FormatGroup()
    chunk: ChunkGroup = ChunkGroup()
    redact: RedactGroup = RedactGroup()
    tail: TailGroup = TailGroup()
    batch: BatchGroup = BatchGroup()
    embed: EmbedGroup = EmbedGroup()
    store: StoreGroup = StoreGroup()
    search: SearchGroup = SearchGroup()
    worker: WorkerGroup = WorkerGroup()
    memory: MemoryGroup = MemoryGroup()
    daemon: DaemonGroup = DaemonGroup()
    metrics: MetricsGroup = MetricsGroup()
    log: LogGroup = LogGroup()


# a field of Settings without a declaration of its own is a group
GROUPS: Mapping[str, type] = {f.name: type(f.default) for f in fields(Settings) if "declaration" not in f.metadata}
DECLARED: Mapping[str, Declaration] = {  # by dotted name, in the order of the README's table
    declaration.name: declaration
    for name, group in {"": Settings, **GROUPS}.items()
    for declaration in declarations(group, name and name + ".")
}
