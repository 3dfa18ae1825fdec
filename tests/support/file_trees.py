"""Files to be found, and which of them are wanted."""

from __future__ import annotations

import os


def is_jsonl(relative: bytes) -> bool:
    return relative.endswith(b".jsonl")


def make(top: bytes, *paths: bytes) -> None:
    for path in paths:
        os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
        with open(os.path.join(top, path), "wb") as file:
            file.write(b"x\n")
