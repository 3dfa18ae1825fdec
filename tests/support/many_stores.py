"""A home with the stores of every assistant that keeps any, made of the samples, each where its tool would have it."""

from __future__ import annotations

import os
import pathlib
import shutil
import time

from foreign_database import SCRIPT, build

from importer import formats

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"
# Below which folder of a root samples lie that are without their upper folders; which root, where not the first.
WITHIN = {"vscode-chat": "0a1b", "continue-dev": "", "zed": "", "grok-build": "..", "junie": "..", "openhands": ".."}
ROOT_OF = {"cursor": {"state.vscdb": 2, "store.db": 1}, "cline": {"s_01": 0, "1767258000000": 1}}
ROOT_OF |= {"opencode": {"kilo.db": 1}, "kiro": {"data.sqlite3": 1}, "codex": {}, "kimi": {"0a1b2c": 2}}
ROOT_OF |= {"pi": {"openclaw-agent.sqlite": 5}}
AGE_S = 7200.0  # what is being written is left alone for a while first


def make(home: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """Put the samples of each format with folders of its own into a home; return the files of each."""
    found: dict[str, list[pathlib.Path]] = {}
    for name in formats.names():
        roots = formats.load(name).roots({}, str(home))
        if roots and (files := [_put(home, name, roots, path) for path in _samples(name)]):
            found[name] = files
    for path in home.rglob("*"):
        os.utime(path, (time.time() - AGE_S,) * 2)
    return found


def _samples(name: str) -> list[pathlib.Path]:
    return [path for path in sorted((CORPUS / name).rglob("*")) if path.is_file()]


def _put(home: pathlib.Path, name: str, roots: tuple[str, ...], sample: pathlib.Path) -> pathlib.Path:
    """Copy a sample to its place, or build its database there."""
    below = sample.relative_to(CORPUS / name)
    parts = {*below.parts, below.name.removesuffix(SCRIPT)}
    root = pathlib.Path(roots[next((at for one, at in ROOT_OF.get(name, {}).items() if one in parts), 0)])
    if below.parts[0] == root.name or (name == "kiro" and below.parts[0] == "sessions"):
        root = root.parent
    place = root / WITHIN.get(name, "").replace("..", "") / below
    place.parent.mkdir(parents=True, exist_ok=True)
    if sample.name.endswith(SCRIPT):
        return build(sample, place.parent)
    return pathlib.Path(shutil.copyfile(sample, place))


def picture(home: pathlib.Path) -> dict[str, tuple[int, int, int, int, bytes]]:
    """Return all files and folders of a home, with their stamps and bytes; access times are left out."""
    found = {}
    for path in sorted(home.rglob("*")):
        seen = path.lstat()
        raw = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(home))] = (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_mode, raw)
    return found
