"""`python -m importer.worker.models.fetch fetch|path|list`: models, for processes that must not load heavy libraries.

The embedding settings come as one JSON object on standard input. The result goes to standard output, progress and
errors to standard error; exit codes are those of `errors`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import TextIO

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from importer.errors import DONE, ImporterError, ModelError, UsageError
from importer.protocol.worker_settings import ModelSettings
from importer.worker.models import locate
from importer.worker.models.cache import FETCH
from importer.worker.models.catalog import describe
from importer.worker.models.sources import Progress

LINE_S = 2.0  # between two lines about the same stage, where there is no terminal
MEGABYTE = 1_000_000  # decimal, as the bars count


def main(argv: Sequence[str] | None = None, stdin: TextIO | None = None) -> int:
    """Run one command and return the exit code."""
    words = _parser().parse_args(argv)
    try:
        result = COMMANDS[words.command](words, _wish(stdin or sys.stdin))
    except ImporterError as error:
        sys.stderr.write(f"{error.message}\n" + (f"  {error.hint}\n" if error.hint else ""))
        return error.exit_code
    if not words.quiet:
        sys.stdout.write(result)
    return DONE


def _wish(stdin: TextIO) -> ModelSettings:
    """Return the embedding settings on standard input. Raises UsageError when there are none."""
    try:
        return msgspec.json.decode(stdin.read(), type=ModelSettings)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UsageError(f"no embedding settings on standard input: {error!r}") from error


def _fetch(words: argparse.Namespace, wish: ModelSettings) -> str:
    """Fetch or verify the model, show the progress, and describe the model."""
    shown, progress = shown_on(sys.stderr)
    with shown:
        model = locate.fetch(wish, progress=progress)
    return _described([model], words)


def _path(words: argparse.Namespace, wish: ModelSettings) -> str:
    """Return the directory of a model that is here. Raises ModelError for one that is not: nothing is fetched."""
    model = locate.locate(wish)
    if model is None:
        raise ModelError(
            f"{describe(wish.model).name} ({wish.precision}) is not on this machine", hint=f"get it: {FETCH}"
        )
    return _described([model], words) if words.json else f"{model.directory}\n"


def _list(words: argparse.Namespace, wish: ModelSettings) -> str:
    """Describe the models on this machine; with `--json` as one list."""
    found = locate.cached(wish.model_dir)
    return json.dumps([asdict(model) for model in found]) + "\n" if words.json else _described(found, words)


COMMANDS = {"fetch": _fetch, "path": _path, "list": _list}


def _described(found: Sequence[locate.Model], words: argparse.Namespace) -> str:
    """Return models as three lines each, or as one JSON object a line."""
    if words.json:
        return "".join(json.dumps(asdict(model)) + "\n" for model in found)
    lines = (
        f"{model.name}  {model.precision}, {model.dimension} dimensions, window of {model.window_tokens} tokens\n"
        f"  {model.directory}\n  from {model.source}\n"
        for model in found
    )
    return "".join(lines)


def _parser() -> argparse.ArgumentParser:
    """Return the parser of this process's own arguments."""
    parser = argparse.ArgumentParser(
        "importer.worker.models.fetch", description="Fetch, find or list embedding models."
    )
    parser.add_argument("command", choices=tuple(COMMANDS))
    parser.add_argument("--json", action="store_true", help="one JSON object per model on standard output")
    parser.add_argument("--quiet", action="store_true", help="no result on standard output")
    return parser


def shown_on(stream: TextIO) -> tuple[AbstractContextManager[object], Progress]:
    """Return how to show progress there: bars on a terminal, else lines. The first value is entered meanwhile."""
    if not stream.isatty():
        return nullcontext(), ProgressLines(stream)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bars = Bars(*columns, console=Console(file=stream), transient=True)
    return bars, ProgressBars(bars)


class ProgressBars:
    """A download's progress as bars, one per stage."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.stage = ""

    def __call__(self, stage: str, done_bytes: int, total_bytes: int) -> None:
        """Draw how far the stage is; a new stage ends the one before."""
        if stage != self.stage:
            for task in self.bars.tasks:
                self.bars.update(task.id, visible=False)
            self.stage = stage
            self.bars.add_task(stage, total=None)
        self.bars.update(self.bars.task_ids[-1], completed=done_bytes, total=total_bytes or None)


class ProgressLines:
    """A download's progress as lines: each stage once, and how far it is every LINE_S seconds by the given clock."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.clock = clock
        self.stage = ""
        self.written_s = 0.0

    def __call__(self, stage: str, done_bytes: int, total_bytes: int) -> None:
        """Write a line, unless one of the same stage was written within LINE_S seconds."""
        if stage == self.stage and self.clock() - self.written_s < LINE_S:
            return
        self.stage, self.written_s = stage, self.clock()
        far = f" {done_bytes // MEGABYTE} of {total_bytes // MEGABYTE} MB" if total_bytes else ""
        self.stream.write(f"model: {stage}{far}\n")
        self.stream.flush()


if __name__ == "__main__":
    raise SystemExit(main())
