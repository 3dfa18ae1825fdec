"""What is built and what it is built of: a bill of materials, locked packages, and a wheel that is always the same."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
KNOWN_HOLES = {"pydantic": (2, 4), "grpcio": (1, 66)}  # the first version without them


def normal(name: str) -> str:
    """Return a package's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_bill_names_all_that_is_installed() -> None:
    """CycloneDX as JSON: each distribution with its version and package URL, and the same bytes each time."""
    command = [sys.executable, str(ROOT / "deploy/sbom")]
    first, second = (subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2))
    assert first == second
    bill = json.loads(first)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    named = {one["name"]: one["version"] for one in bill["components"]}
    assert {"numpy", "onnxruntime", "click", "qdrant-edge-py"} <= named.keys()
    assert named["click"] == importlib.metadata.version("click")
    refs = {one["bom-ref"] for one in bill["components"]}
    assert all(set(one["dependsOn"]) <= refs for one in bill["dependencies"])


def test_lower_bounds_stand_above_known_holes() -> None:
    """So that an old package in an environment is replaced, not kept."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    least = {m[1]: tuple(map(int, m[2].split("."))) for one in wanted if (m := re.match(r"([\w-]+)>=([\d.]+)", one))}
    assert all(least[name] >= version for name, version in KNOWN_HOLES.items())


def wanted(*groups: str) -> set[str]:
    """Return the names of the packages that the project asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *(one for group in groups for one in project["optional-dependencies"][group])]
    return {normal(re.match(r"[\w.-]+", one)[0]) for one in named}  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("requirements.lock", wanted()),
        ("requirements-dev.lock", wanted("dev")),
        ("requirements-build.lock", {"hatchling"}),
    ],
)
def test_each_locked_package_has_its_digest(name: str, needed: set[str]) -> None:
    """One version of all that is asked for, each with the digests of its files; not where they came from."""
    text = (ROOT / "deploy" / name).read_text()
    entries = re.findall(r"^([\w.-]+)==(\S+) \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text + "\n", re.M)
    assert len(entries) == len(re.findall(r"^[^ #\n]", text, re.M))
    assert needed <= {normal(package) for package, *_ in entries}
    assert "://" not in text


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None, reason="hatchling, which builds it, is not installed"
)
def test_two_builds_are_the_same_bytes(tmp_path: pathlib.Path) -> None:
    """In other folders, at other times, under another umask."""
    made = []
    for name, umask in (("one", 0o022), ("two", 0o077)):
        tree = tmp_path / name / "tree"
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(ROOT / "importer", tree / "importer", ignore=ignored)
        for file in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / file, tree)
        for path in tree.rglob("*"):
            os.utime(path, (1e9, 1e9 + umask))
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / name / "dist")]
        environ = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        subprocess.run(command, cwd=tree, env=environ, umask=umask, check=True, capture_output=True)
        (wheel,) = (tmp_path / name / "dist").glob("*.whl")
        made.append((wheel.name, wheel.read_bytes()))
    assert made[0] == made[1]
