"""The material of every contender: a generated corpus, and its chunks, cut as the importer cuts them."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass

from importer import formats
from importer.bench.corpus import corpus
from importer.bench.corpus.corpus import Manifest
from importer.chunking import fold
from importer.chunking.fold import Cutting
from importer.protocol.records import Line
from importer.reading.gather import Reading, SliceFold

MOST_CHUNKS = 5_000  # more than any rival runs over in its time


@dataclass(frozen=True, slots=True)
class Material:
    """The corpus in `manifest.folder`, its `files` in random order, and a file with chunks of some of them."""

    manifest: Manifest
    files: tuple[str, ...]
    texts: str
    chunks: int


def make(folder: str, *, files: int, seed: int, mix: str, cutting: Cutting) -> Material:
    """Write corpus and chunks below `folder`. Raises OSError."""
    manifest = corpus.write(os.path.join(folder, "said"), files=files, seed=seed, mix=mix)
    paths = sorted(_files_of(manifest.folder))
    # Sorted by name, the first files would be those of one project, and most rivals do not get to the last.
    random.Random(seed).shuffle(paths)  # noqa: S311  # an order, not keys
    texts: list[str] = []
    for path in paths:
        if len(texts) >= MOST_CHUNKS:
            break
        texts += chunks_of(path, cutting)
    chunks = os.path.join(folder, "chunks.json")
    with open(chunks, "w", encoding="utf-8") as file:
        json.dump(texts, file)
    return Material(manifest, tuple(paths), chunks, len(texts))


def chunks_of(path: str, cutting: Cutting) -> list[str]:
    """Return the texts of a file's chunks, as they are stored when it is imported in one go; none of a document's."""
    with open(path, "rb") as file:
        raw = file.read()
    name = formats.detect(raw[: formats.HEAD_BYTES])
    if name is None or formats.document(formats.load(name), raw[: formats.HEAD_BYTES]):
        return []
    reader, at = formats.load(name), os.fsencode(path)
    gathered = SliceFold(Reading(cutting, "bench"), reader, at, reader.begin(at), fold.begin(""), 0)
    end = 0
    for line in raw.splitlines(keepends=True):
        gathered.feed(Line(end, end := end + len(line), line.rstrip(b"\n")))
    gathered.surface(at_end=True)
    return list({chunk.id: chunk.text for chunk in gathered.chunks}.values())


def _files_of(folder: str) -> Iterator[str]:
    """Yield every file below the folder, in the order of the file system."""
    for top, _, names in os.walk(folder):
        yield from (os.path.join(top, name) for name in names)
