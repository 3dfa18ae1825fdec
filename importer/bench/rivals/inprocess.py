"""The importer one writes first: everything in one process, file by file, fastembed and qdrant-client as they come.

Each file is read whole, every message in it is cut into pieces of 1,000 characters, embedded with fastembed's default
batch and upserted into qdrant-client's local store. Most messages are short, and a batch is padded to its longest.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from typing import Any

from qdrant_client import QdrantClient, models

from importer.bench.rivals.orders import RivalProgress, read_order
from importer.bench.rivals.raw import model_of, real_tokens


def main() -> None:
    """Report the progress after every file."""
    given = read_order()
    model, progress = model_of(given), RivalProgress()
    client = QdrantClient(path=os.path.join(given.folder, "inprocess"))
    vectors = models.VectorParams(size=model.embedding_size, distance=models.Distance.COSINE)
    client.create_collection("conversations", vectors_config=vectors)
    progress.write(ready=True)
    for path in given.files:
        with progress.timed():
            pieces = pieces_of(path, given.size_chars)
            if pieces:
                _store(client, model, path, pieces)
        progress.add(tokens=real_tokens(model, pieces) if pieces else 0, chunks=len(pieces), files=1)


def _store(client: Any, model: Any, path: str, pieces: list[str]) -> None:
    """Upsert a file's pieces under random ids: imported again, everything would be there twice."""
    points = [
        models.PointStruct(id=str(uuid.uuid4()), vector=vector.tolist(), payload={"document": text, "path": path})
        for vector, text in zip(model.embed(pieces), pieces, strict=True)
    ]
    client.upsert("conversations", points)


def pieces_of(path: str, size_chars: int) -> list[str]:
    """Return every message in a file, in pieces of this size."""
    with open(path, encoding="utf-8") as file:
        said = [text for line in file for text in _texts(json.loads(line))]
    return [text[at : at + size_chars] for text in said for at in range(0, len(text), size_chars)]


def _texts(line: dict[str, Any]) -> Iterator[str]:
    """Yield the texts in a line of Claude Code's that people and assistants wrote."""
    content = line.get("message", {}).get("content", "") if line.get("type") in {"user", "assistant"} else ""
    if isinstance(content, str):
        yield from [content] if content else []
        return
    yield from (block["text"] for block in content if block.get("type") == "text")


if __name__ == "__main__":
    main()
