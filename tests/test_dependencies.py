"""What the package imports stands in pyproject.toml, and nothing else does."""

from __future__ import annotations

import ast
import functools
import pathlib
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LINES = (*PROJECT["dependencies"], *EXTRAS["plot"], *EXTRAS["fast"], *EXTRAS["tui"], *EXTRAS["gpu"])
DECLARED = {re.split(r"[^\w-]", line)[0].replace("_", "-") for line in LINES}

LATER = {"compression"}  # of Python itself from 3.14 on
OTHERWISE = {"pynvml": "nvidia-ml-py"}  # modules of packages that need not be installed, and have another name
MODULES = packages_distributions()  # asking takes half a second


@functools.cache
def imported() -> frozenset[str]:
    """Return the top-level names of all foreign modules that the package imports, also those by `import_module`."""
    found = set[str]()
    for path in (ROOT / "importer").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module or "")
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                found |= {one.value for one in node.args if isinstance(one, ast.Constant)}
    return frozenset({name.partition(".")[0] for name in found} - sys.stdlib_module_names - {"importer", *LATER})


def distributions(name: str) -> set[str]:
    """Return the distributions that have a module of this name; where none is installed, the one of that name."""
    return {re.sub(r"[_.]", "-", one.lower()) for one in MODULES.get(name, [OTHERWISE.get(name, name)])}


@pytest.mark.parametrize("name", sorted(imported()))
def test_an_imported_module_is_declared(name: str) -> None:
    """A module that comes only through another package may go with that package's next version."""
    assert DECLARED & distributions(name)


def test_a_declared_package_is_imported() -> None:
    """No package is installed for nothing."""
    used = set[str]().union(*map(distributions, imported()))
    assert DECLARED - used == {"fastembed-gpu"} - used  # fastembed for another ONNX Runtime, under the same name
