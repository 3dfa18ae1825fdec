"""What an installation leaves on a machine, and its removal: of known names alone, so that nothing else goes."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import shutil
from dataclasses import dataclass

STATE = (
    *("checkpoints.sqlite3", "checkpoints.sqlite3-*", "checkpoints.sqlite3.corrupt-*", "sync-*.sqlite3*"),
    *("edge", "edge.*", "importer.lock", "importer.wanted", "control.sock", "answerer.log", "answerer.lock"),
    *("alone.lock", "workers.lock", "last-search.json", "disabled-sources.json"),
    *("installed.json", "installed.json.damaged"),
    *("embedding-model.json*", "embedding-usage.json*", "borrowed-*"),
    ".importer-*",
)
"""The names in a state directory that are ours; the models among them have a removal of their own."""
MANIFEST = "manifest.json"  # in a folder that holds a model of ours


@dataclass(frozen=True, slots=True)
class Traces:
    """What of a folder is ours and goes, and what stays; `title` says to a person what it is."""

    title: str
    folder: str
    paths: tuple[str, ...]
    kept: tuple[str, ...] = ()


def state_traces(state_dir: str) -> Traces:
    """Return what of a state directory was made by us."""
    names = _names(state_dir)
    ours = [name for name in names if any(fnmatch.fnmatchcase(name, known) for known in STATE)]
    kept = [name for name in names if name not in ours and name != "models"]
    return Traces("what was imported", state_dir, _in(state_dir, ours), _in(state_dir, kept))


def model_traces(model_dir: str) -> Traces:
    """Return what of a directory of models was fetched by us."""
    names = _names(model_dir)
    models = [name for name in names if os.path.isfile(os.path.join(model_dir, name, MANIFEST))]
    beside = [name for name in names if name.startswith(".") and name.endswith((".lock", ".part", ".raw"))]
    kept = [name for name in names if name not in {*models, *beside}]
    return Traces("the models", model_dir, _in(model_dir, [*models, *beside]), _in(model_dir, kept))


def _names(folder: str) -> list[str]:
    """Return the names in a folder, none where there is no folder."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _in(folder: str, names: list[str]) -> tuple[str, ...]:
    """Return the paths of names in a folder."""
    return tuple(os.path.join(folder, name) for name in names)


def remove(traces: Traces) -> list[str]:
    """Delete what goes, and the folder if nothing is left in it; return what could not be deleted."""
    failed = list[str]()
    for path in traces.paths:
        try:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        except FileNotFoundError:
            continue
        except OSError:
            failed.append(path)
    with contextlib.suppress(OSError):
        os.rmdir(traces.folder)
    return failed
