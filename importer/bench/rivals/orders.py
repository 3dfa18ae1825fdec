"""The order that a rival reads, and the progress that it writes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec


class Order(msgspec.Struct, frozen=True):
    """The order of a rival: what to embed, and with what.

    `texts` is a file with a JSON list of chunks, `files` are the corpus' own.
    `directory` holds the importer's model, `whole` the same in full precision, which is what others use.
    `engine` runs the ceiling's model: "openvino" where the importer uses that, else ONNX Runtime.
    `seconds` is how long a rival that could go on for ever should; the others are ended from outside.
    """

    model: str
    directory: str
    whole: str = ""
    graph: str = "model.onnx"
    texts: str = ""
    files: tuple[str, ...] = ()
    folder: str = ""
    threads: int = 0
    window_tokens: int = 0
    size_chars: int = 1000
    engine: str = "onnxruntime"
    seconds: float = 10.0


def read_order() -> Order:
    """Read the order on standard input. Raises msgspec.ValidationError."""
    return msgspec.json.decode(sys.stdin.buffer.read(), type=Order)


def read_texts(given: Order) -> list[str]:
    """Read the chunks to embed."""
    with open(given.texts, "rb") as file:
        return msgspec.json.decode(file.read(), type=list[str])


@dataclass(slots=True)
class RivalProgress:
    """A rival's running totals; only what happens inside `timed` counts as seconds.

    They go to standard output as lines of JSON. The benchmark reads them as they come, and may end the rival any time.
    """

    totals: dict[str, float] = field(default_factory=lambda: {"seconds": 0.0, "tokens": 0, "chunks": 0, "files": 0})

    def write(self, **facts: Any) -> None:
        """Write one line of JSON at once."""
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time of a block to the seconds.

        Counting real tokens, for one, is not the rival's work and stands outside.
        """
        started_s = time.perf_counter()
        yield
        self.totals["seconds"] += time.perf_counter() - started_s

    def add(self, **more: int) -> None:
        """Add to the totals and write them."""
        for name, value in more.items():
            self.totals[name] += value
        self.write(**self.totals)
