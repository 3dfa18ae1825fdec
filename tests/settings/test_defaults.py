"""A setting has one default: the one in its declaration."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

import pytest

from importer.settings.schema import DECLARED

ROOT = pathlib.Path(__file__).parent.parent.parent / "importer"
# By the last part of its name. A default that means "not given" (0, "", no) repeats nothing; a root has a format, too.
NAMES = {name.rpartition(".")[2] for name, declared in DECLARED.items() if declared.default} - {"format"}
# A page of a stranger's points is not a setting.
FILES = [path for room in ("delivery", "sources", "worker") for path in sorted((ROOT / room).rglob("*.py"))]


def defaults(path: pathlib.Path) -> Iterator[tuple[str, ast.expr]]:
    """Yield the parameters and fields of a module that have a default, by name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            ordinary = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            yield from ((one.arg, value) for one, value in zip(ordinary, node.args.defaults, strict=True))
            named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            yield from ((one.arg, value) for one, value in named if value is not None)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_parameter_has_a_default_for_a_setting(path: pathlib.Path) -> None:
    """A parameter named as a setting is always given, or its default means that it was not."""
    second = {
        name for name, value in defaults(path) if name in NAMES and isinstance(value, ast.Constant) and value.value
    }
    assert second == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_constant_stands_in_for_a_setting(path: pathlib.Path) -> None:
    """Nothing reads `settings.name or NAME`: the value that arrives is complete."""
    found = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.BoolOp)
        and isinstance(node.op, ast.Or)
        and isinstance(node.values[0], ast.Attribute)
        and node.values[0].attr in NAMES
        and isinstance(node.values[-1], ast.Name | ast.Constant)
    ]
    assert found == []
