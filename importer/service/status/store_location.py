"""Where the points are, and whether they can be reached, as far as a look at a folder tells.

Nothing here opens the embedded store (its one opener is the worker) or creates it. `store_ping` asks a server.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from importer.settings.schema import Settings

EDGE, LOCAL, SERVER = "edge", "local", "server"


@dataclass(frozen=True, slots=True)
class Location:
    """The place of the points. `location` is a folder or a URL; the key is never shown."""

    kind: str
    location: str
    collection: str


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of a probe: None is unknown. `points` counts the collection (0: not made yet), `why` says what failed.

    `version` is the server's, `status` its last HTTP status (0 for none).
    """

    reachable: bool | None = None
    points: int | None = None
    version: str = ""
    why: str = ""
    status: int = 0


def locate(location: str, collection: str, edge_directory: str) -> Location:
    """Return the location that a setting like `edge`, `local:PATH` or a URL means."""
    if location == EDGE:
        return Location(EDGE, edge_directory, collection)
    if location.startswith("edge:"):
        return Location(EDGE, os.path.abspath(location.removeprefix("edge:")), collection)
    if location.startswith("local:"):
        return Location(LOCAL, os.path.abspath(location.removeprefix("local:")), collection)
    return Location(SERVER, location, collection)


def of_settings(settings: Settings) -> Location:
    """Return the location that the settings name."""
    return locate(settings.store.location, settings.store.collection, os.path.join(settings.state_dir, EDGE))


def probe_folder(path: str) -> Probe:
    """Probe a folder: one that is not there yet holds no points; of another only its opener can count them."""
    if not os.path.isdir(path):
        return Probe(None, 0, why="not made yet")
    if os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Probe(True)
    return Probe(False, why=f"{path} is not readable and writable for this user")
