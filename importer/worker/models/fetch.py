"""`python -m importer.worker.models.fetch fetch|path|list`: the model, for whoever must not load what weighs.

The embedding settings come as one JSON object on standard input, or else as flags. The result goes to standard output,
progress and errors to standard error; exit codes are those of `errors`.
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
from importer.worker.models import locate
from importer.worker.models.cache import FETCH
from importer.worker.models.catalog import DEFAULT
from importer.worker.models.sources import Progress

SAY_S = 2.0  # between two lines about the same stage, where there is no terminal
MEGABYTE = 1_000_000  # decimal, as the bars count


def main(argv: Sequence[str] | None = None, stdin: TextIO | None = None) -> int:
    """Runs one command; returns the exit code."""
    words = _parser().parse_args(argv)
    try:
        result = COMMANDS[words.command](words, _wish(words, stdin or sys.stdin))
    except ImporterError as error:
        sys.stderr.write(f"{error.message}\n" + (f"  {error.hint}\n" if error.hint else ""))
        return error.exit_code
    if not words.quiet:
        sys.stdout.write(result)
    return DONE


def _fetch(words: argparse.Namespace, wish: locate.ModelWish) -> str:
    """Fetches or verifies the model, showing how far it is, and tells of it."""
    shown, progress = shown_on(sys.stderr)
    with shown:
        model = locate.fetch(wish, progress=progress)
    return _told([model], words)


def _path(words: argparse.Namespace, wish: locate.ModelWish) -> str:
    """The directory of a model that is here. Raises ModelError for one that is not: nothing is fetched."""
    model = locate.locate(wish)
    if model is None:
        raise ModelError(f"{wish.name} ({wish.precision}) is not on this machine", hint=f"get it: {FETCH}")
    return _told([model], words) if words.json else f"{model.directory}\n"


def _list(words: argparse.Namespace, wish: locate.ModelWish) -> str:
    """The models on this machine; with `--json` one list."""
    found = locate.cached(wish.models_dir)
    return json.dumps([asdict(model) for model in found]) + "\n" if words.json else _told(found, words)


COMMANDS: dict[str, Callable[[argparse.Namespace, locate.ModelWish], str]] = {
    "fetch": _fetch,
    "path": _path,
    "list": _list,
}


def _told(found: Sequence[locate.Model], words: argparse.Namespace) -> str:
    """Models for people, three lines each, or one JSON object a line."""
    if words.json:
        return "".join(json.dumps(asdict(model)) + "\n" for model in found)
    lines = (
        f"{model.name}  {model.precision}, {model.dimension} dimensions, window of {model.window_tokens} tokens\n"
        f"  {model.directory}\n  from {model.source}\n"
        for model in found
    )
    return "".join(lines)


def _wish(words: argparse.Namespace, stdin: TextIO) -> locate.ModelWish:
    """From the flags when they name a directory for models, else from the settings on standard input."""
    if words.models_dir:
        flags = (words.name, words.directory, words.precision, words.offline, words.window_tokens)
        return locate.ModelWish(words.models_dir, *flags)
    try:
        return locate.wish_of(msgspec.json.decode(stdin.read(), type=dict))
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise UsageError(f"no embedding settings on standard input: {error!r}", hint="or give --models-dir") from error


def _parser() -> argparse.ArgumentParser:
    """The flags, for whoever calls this without the importer's settings."""
    parser = argparse.ArgumentParser(
        "importer.worker.models.fetch", description="Fetch, find or list embedding models."
    )
    parser.add_argument("command", choices=tuple(COMMANDS))
    parser.add_argument("--models-dir", metavar="DIR", help="where models are kept")
    parser.add_argument("--name", default=DEFAULT, help="a fastembed model, or the path of a directory")
    parser.add_argument("--directory", default="", metavar="DIR", help="where that model's files are")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "int8"))
    parser.add_argument("--window-tokens", type=int, default=0, metavar="N")
    parser.add_argument("--offline", action="store_true", help="never touch a network")
    parser.add_argument("--json", action="store_true", help="one JSON object per model on standard output")
    parser.add_argument("--quiet", action="store_true", help="no result on standard output")
    return parser


def shown_on(stream: TextIO) -> tuple[AbstractContextManager[object], Progress]:
    """How progress is shown there: bars on a terminal, else lines. The first value is to be entered meanwhile."""
    if not stream.isatty():
        return nullcontext(), Lines(stream)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bars = Bars(*columns, console=Console(file=stream), transient=True)
    return bars, Drawing(bars)


class Drawing:
    """Progress as bars, one per stage."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.stage = ""

    def __call__(self, stage: str, done_bytes: int, total_bytes: int) -> None:
        """Draw where the stage is; a new stage ends the one before."""
        if stage != self.stage:
            for task in self.bars.tasks:
                self.bars.update(task.id, visible=False)
            self.stage = stage
            self.bars.add_task(stage, total=None)
        self.bars.update(self.bars.task_ids[-1], completed=done_bytes, total=total_bytes or None)


class Lines:
    """Progress as lines: each stage once, and how far it is every SAY_S seconds by the given clock."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.clock = clock
        self.stage = ""
        self.said_at = 0.0

    def __call__(self, stage: str, done_bytes: int, total_bytes: int) -> None:
        """Say it, unless it was said a moment ago."""
        if stage == self.stage and self.clock() - self.said_at < SAY_S:
            return
        self.stage, self.said_at = stage, self.clock()
        far = f" {done_bytes // MEGABYTE} of {total_bytes // MEGABYTE} MB" if total_bytes else ""
        self.stream.write(f"model: {stage}{far}\n")
        self.stream.flush()


if __name__ == "__main__":
    raise SystemExit(main())
