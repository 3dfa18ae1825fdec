"""Where the points are, and whether they can be had just now, as far as a look at a folder tells.

Nothing here opens the embedded store (its one opener is the worker) and nothing creates anything; `server` asks one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from importer.settings.schema import Settings

EDGE, LOCAL, SERVER = "edge", "local", "server"


@dataclass(frozen=True, slots=True)
class Location:
    """Where the points are. `location` is a folder or a URL; the key is never shown."""

    kind: str
    location: str
    collection: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What a look gave: None is unknown. `points` counts the collection (0: not made yet), `why` says what failed.

    `version` is the server's, `status` its last HTTP status (0 for none).
    """

    reachable: bool | None = None
    points: int | None = None
    version: str = ""
    why: str = ""
    status: int = 0


def locate(location: str, collection: str, edge_directory: str) -> Location:
    """The place a setting like `edge`, `local:PATH` or a URL means."""
    if location == EDGE:
        return Location(EDGE, edge_directory, collection)
    if location.startswith("edge:"):
        return Location(EDGE, os.path.abspath(location.removeprefix("edge:")), collection)
    if location.startswith("local:"):
        return Location(LOCAL, os.path.abspath(location.removeprefix("local:")), collection)
    return Location(SERVER, location, collection)


def of_settings(settings: Settings) -> Location:
    """The place the settings name."""
    return locate(settings.store.location, settings.store.collection, os.path.join(settings.state_dir, EDGE))


def probe_folder(path: str) -> Probe:
    """A folder that is not there yet holds no points; how many another holds, only its opener can tell."""
    if not os.path.isdir(path):
        return Probe(None, 0, why="not made yet")
    if os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Probe(True)
    return Probe(False, why=f"{path} is not readable and writable for this user")
