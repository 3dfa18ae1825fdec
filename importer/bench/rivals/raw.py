"""Plain fastembed as its manual shows it: `TextEmbedding(model).embed(texts)`, batches of 256, in the order they come.

It cuts each text at the length the model's files say and pads a whole batch to its longest; only what is left after the
cut, without padding, counts as tokens.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from fastembed import TextEmbedding

from importer.bench.rivals import exported
from importer.bench.rivals.orders import Order, RivalProgress, read_order, read_texts

BATCH_TEXTS = 256  # fastembed's default


def main() -> None:
    """Report the progress after every batch."""
    given = read_order()
    texts, model, progress = read_texts(given), model_of(given), RivalProgress()
    progress.write(ready=True)
    # A generator that runs its batches as they are asked for, so each is timed by itself.
    vectors = model.embed(texts)
    for start in range(0, len(texts), BATCH_TEXTS):
        batch = texts[start : start + BATCH_TEXTS]
        with progress.timed():
            for _ in batch:
                next(vectors)
        progress.add(tokens=real_tokens(model, batch), chunks=len(batch))


def model_of(given: Order) -> Any:
    """Load fastembed's model with all its defaults, as exporters write it. Raises what fastembed raises."""
    source = given.whole or given.directory
    directory = exported.directory(source, os.path.join(given.folder, "exported")) if given.folder else source
    return TextEmbedding(given.model, cache_dir=directory, specific_model_path=directory)


def real_tokens(model: Any, texts: Sequence[str]) -> int:
    """Count the tokens of the texts as fastembed runs over them, padding apart."""
    encodings = model.model.tokenizer.encode_batch(list(texts))
    return sum(sum(encoding.attention_mask) for encoding in encodings)


if __name__ == "__main__":
    main()
