"""The README's worked example of a new format: run as it stands there, with its own sample."""

from __future__ import annotations

import importlib
import pathlib
import random
import re
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from processes import FAKE, Importer

README = (pathlib.Path(__file__).parents[2] / "README.md").read_text()


def code() -> str:
    """Return the example's module."""
    found = re.search(r"### A format in ten minutes.*?```python\n(.*?)```", README, re.S)
    assert found, "the README has no worked example"
    return found.group(1)


def sample() -> str:
    """Return the lines that the example's docstring shows."""
    return "".join(line for line in code().splitlines(keepends=True) if line.startswith("{"))


@pytest.fixture
def plugged(tmp_path: pathlib.Path) -> pathlib.Path:
    """The folder that holds the example's package and a folder with its sample."""
    for name, text in {"my_formats/parley.py": code(), "said/c1.jsonl": sample()}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def parley(plugged: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The example's module, imported."""
    monkeypatch.syspath_prepend(str(plugged))
    monkeypatch.setenv("PYTHONPATH", str(plugged))  # the commands pass it on to the daemon and its worker
    yield importlib.import_module("my_formats.parley")
    for name in [name for name in sys.modules if name.startswith("my_formats")]:
        del sys.modules[name]


def test_it_needs_only_the_public_face() -> None:
    """Of this package it imports `importer.plugin.formats` alone."""
    assert set(re.findall(r"\bimporter[\w.]*", code())) == {"importer.plugin.formats"}


def test_its_sample_is_imported(plugged: pathlib.Path, parley: ModuleType) -> None:
    """A real import with the plug-in stores the chat as one chunk, findable by its words."""
    installed = Importer(plugged, {**FAKE, "IMPORTER_FORMATS_PLUGINS": "my_formats.parley"})
    done = installed.run("backlog", str(plugged / "said"), "--json")
    assert (done.code, done.json["lines"], done.json["quarantined"], done.json["chunks"]) == (0, 2, 0, 1), done.err
    (hit,) = installed.run("search", "flour", "--mode", "keyword", "--json").json["hits"]
    assert hit["document"] == "How much flour for one loaf?\n\n500 grams, and 10 grams of salt."
    assert (hit["metadata"]["source"], hit["metadata"]["conversation_id"]) == ("parley", "c1")


def test_an_installed_package_brings_it(plugged: pathlib.Path, parley: ModuleType) -> None:
    """Declared as the README says, it is used without a setting; one that is broken is named, and the rest goes on."""
    group, line = re.findall(r'`\[project\.entry-points\."([\w.]+)"\]`, `([^`]+)`', README)[0]
    package = plugged / "parley-1.0.dist-info"
    package.mkdir()
    declared = line.replace('"', "")
    (package / "entry_points.txt").write_text(
        f"[console_scripts]\nx = y:z\n\n[{group}]\n{declared}\nbad = no.such.module\n"
    )
    installed = Importer(plugged)
    done = installed.run("backlog", str(plugged / "said"), "--json")
    assert (done.code, done.json["chunks"]) == (0, 1), done.err
    (found,) = [one for one in installed.run("doctor", "--json").json["checks"] if one["name"] == "formats"]
    assert not found["ok"] and "no.such.module" in found["detail"]


def test_it_never_raises(parley: ModuleType) -> None:
    """A format folds any bytes; what it cannot read it reports."""
    rng = random.Random(5)
    good = sample().encode().splitlines()[0]
    broken = [good[: rng.randrange(len(good))] + rng.randbytes(rng.randrange(20)) for _ in range(200)]
    for raw in [b"", b"[]", b"\xff", b'{"a":' * 5000, *broken]:
        fed = parley.feed(parley.begin(b"/x/c1.jsonl"), raw, None)
        assert fed.turns or fed.problems
