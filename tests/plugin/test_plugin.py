"""The faces for plug-ins: they only give names on, nothing inside depends on them, and the one for formats is light."""

from __future__ import annotations

import ast
import importlib
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parent.parent.parent
FACES = ["formats", "embedders", "stores"]
PLUGINS = sorted((ROOT / "tests/support/plugins").glob("*.py"))


def imported(path: pathlib.Path) -> set[str]:
    """Return the names of the modules of this package that a file imports."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom | ast.Import)]
    names = [
        name
        for node in nodes
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    ]
    return {name for name in names if name.split(".")[0] == "importer"}


@pytest.mark.parametrize("name", FACES)
def test_a_face_only_gives_names_on(name: str) -> None:
    """It has imports and `__all__`, and each name in that is there."""
    face = importlib.import_module(f"importer.plugin.{name}")
    body = ast.parse(pathlib.Path(face.__file__ or "").read_text()).body
    assert {type(node) for node in body} == {ast.Expr, ast.ImportFrom, ast.Assign}
    assert [one for one in face.__all__ if not hasattr(face, one)] == []


def test_nothing_inside_imports_a_face() -> None:
    """The package itself imports each name from its own room."""
    files = [path for path in (ROOT / "importer").rglob("*.py") if "plugin" not in path.parts]
    assert [path.name for path in files if any(name.startswith("importer.plugin") for name in imported(path))] == []


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.stem)
def test_the_tests_own_plug_ins_need_no_more(path: pathlib.Path) -> None:
    """Embedders and stores of one's own can be written with the faces alone."""
    assert {name for name in imported(path) if not name.startswith("importer.plugin.")} == set()


def test_the_face_for_formats_is_light() -> None:
    """A format runs in the daemon, which has no room for numpy or the worker."""
    program = "import sys, importer.plugin.formats; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert not {"numpy", "importer.worker", "importer.plugin.embedders"} & loaded
