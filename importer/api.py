"""Import, search, open and list conversations from a program: the calls behind the commands, typed.

from importer import api

with api.open("state", settings={"embed.precision": "int8"}) as archive:
    done = archive.backlog("exports", on_progress=lambda told: print(f"{told.files} files, {told.left} left"))
    print(f"{done.embedded} new of {done.points} points")
    found = archive.search("why did the build fail", since="2 weeks ago", limit=3)
    if found.near != "nothing":
        for hit in found.hits:
            print(hit.metadata["project"], hit.passage.text)
        for turn in archive.open(found.hits[0]).turns:
            print(turn.role, turn.text)
    for one in archive.list(project="app"):
        print(one.id, one.title, one.last)

Nothing heavy is loaded into the caller's process: an import is a process of its own, and questions are put to the one
process that has the store. Errors are those of `importer.errors`; their hints speak of the command line.
"""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any

import msgspec

from importer import formats
from importer.errors import QUARANTINED, TRY_AGAIN, ImporterError, UsageError
from importer.protocol import clock
from importer.protocol.query import Found, Hit
from importer.service import client
from importer.service.ask import Asker
from importer.service.conversations.library import Library, spot_of
from importer.service.conversations.values import Listed, Opened
from importer.settings.load import DECLARED, Loaded
from importer.settings.read import read

__all__ = ["Archive", "Found", "Hit", "Imported", "Listed", "Opened", "Progress", "open"]

KEPT = "what was imported is kept; the same call goes on where it was"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an import stands: `left` files wait or are in flight, `held` is why nothing moves, "" when it does."""

    files: int
    left: int
    chunks: int
    points: int
    tokens: int
    worker_rss_bytes: int
    held: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: `embedded` points are new, `known` were there before; `points` counts all in the store.

    `complete` is False when something was left out or is in quarantine, or when it was stopped early. `summary` is all
    that `importer backlog --json` prints.
    """

    files: int
    lines: int
    embedded: int
    known: int
    points: int
    stopped: bool
    complete: bool = True
    summary: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Archive:
    """The conversations of one state directory. Any thread may call; an async program does so with `to_thread`."""

    def __init__(self, loaded: Loaded, given: Mapping[str, Any], config: str) -> None:
        self.settings = loaded.settings
        self._asker = Asker.of(loaded)
        self._given, self._config = dict(given), config

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Have the process that answered go away, where it was started only to answer. A daemon stays."""
        with suppress(ConnectionError, TimeoutError, ImporterError):
            client.ask_daemon(self.settings.state_dir, client.YIELD, timeout_s=5.0)

    def backlog(
        self, *paths: str | os.PathLike[str], on_progress: Callable[[Progress], object] = lambda _progress: None
    ) -> Imported:
        """Import everything pending below `paths`, or in every assistant's own folders; return when it is stored.

        A daemon of the same state does it where one runs. What `on_progress` raises ends the import as Ctrl-C does.
        """
        command = [
            sys.executable,
            "-P",
            "-m",
            "importer",
            "backlog",
            "--events",
            "--",
            *(os.fspath(path) for path in paths),
        ]
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(
                command, env=self._environment(), stdout=subprocess.PIPE, stderr=complaints, start_new_session=True
            )
            try:
                last = _last_event(process, on_progress)
            finally:
                if process.poll() is None:
                    process.terminate()
                code = process.wait()
            if code not in (0, QUARANTINED, TRY_AGAIN) or "files" not in last:
                raise _failure(code, complaints)
        return Imported(**{name: last[name] for name in COUNTS}, complete=code == 0, summary=last)

    def search(self, text: str, *, since: str = "", until: str = "", **filters: Any) -> Found:
        """Return what was said about `text`: `limit`, `mode` and the filters of `Query`, times as people write them."""
        times = dict(zip(("since", "until"), clock.span(since, until), strict=True))
        asked = {name: value for name, value in {**times, **filters}.items() if value}
        return msgspec.convert(self._asker.ask("search", text=text, **asked), Found)

    def open(self, which: str | Hit, *, redacted: bool = False) -> Opened:
        """Return the conversation of a hit, or of an id or the beginning of one, whole."""
        library = Library(self._asker)
        try:
            spot = library.find(which) if isinstance(which, str) else spot_of(msgspec.to_builtins(which))
            return library.open(spot, redacted=redacted)
        finally:
            library.checkpoints.close()

    def list(self, *, since: str = "", until: str = "", limit: int = 20, **filters: Any) -> builtins.list[Listed]:
        """Return conversations, the newest first; `filters` are those of `importer list`."""
        library = Library(self._asker)
        times = dict(zip(("since", "until"), clock.span(since, until), strict=True))
        try:
            return library.recent(limit=limit, **times, **filters)
        finally:
            library.checkpoints.close()

    def _environment(self) -> dict[str, str]:
        """Return the environment by which a process of ours gets the settings that were given here."""
        environ = {**os.environ, "NO_COLOR": "1", **({"IMPORTER_CONFIG": self._config} if self._config else {})}
        for name, value in self._given.items():
            for variable in DECLARED[name].environment:
                environ.pop(variable, None)
            environ[DECLARED[name].environment[0]] = _as_word(name, value)
        return environ


COUNTS = ("files", "lines", "embedded", "known", "points", "stopped")


def open(
    state_dir: str | os.PathLike[str] = "", *, settings: Mapping[str, Any] | None = None, config: str = ""
) -> Archive:
    """Return the archive of a state directory. `settings` are by dotted name, such as `{"embed.precision": "int8"}`.

    They count before the environment and the settings file, `config` or IMPORTER_CONFIG's. Nothing is made or started
    yet. Raises UsageError that names all wrong settings.
    """
    given = {**(settings or {}), **({"state_dir": os.path.abspath(state_dir)} if state_dir else {})}
    loaded = read(given, os.environ, config)
    formats.plug(loaded.settings.formats.plugins)
    return Archive(loaded, given, config)


def _last_event(process: subprocess.Popen[bytes], on_progress: Callable[[Progress], object]) -> dict[str, Any]:
    """Pass on an import's progress until it ends; return the last object it printed, {} for none."""
    last: dict[str, Any] = {}
    assert process.stdout
    with process.stdout as stream:
        for line in stream:
            last = json.loads(line)
            if last.pop("event", "") == "progress":
                on_progress(Progress(**last))
                last = {}
    return last


def _failure(code: int, complaints: IO[bytes]) -> ImporterError:
    """Return the error that an import ended with, from what it printed."""
    complaints.seek(0)
    told = complaints.read().decode("utf-8", "replace").strip()
    message, _, hint = told.rpartition("error: ")[2].partition("\n  try: ")
    failure = ImporterError(message or f"the import ended with {code}", hint=hint or KEPT)
    failure.exit_code, failure.retryable = code, code == TRY_AGAIN
    return failure


def _as_word(name: str, value: Any) -> str:
    """Return a setting's value as its environment variable takes it. Raises UsageError for a list that cannot be so."""
    if not isinstance(value, list | tuple):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if any("," in str(item) for item in value):
        raise UsageError(f"{name}: an item has a comma", hint="put it into a settings file and name that as `config`")
    return ",".join(map(str, value))
