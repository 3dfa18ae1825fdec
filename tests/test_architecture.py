"""Who may import whom, what the daemon never loads, and the shape that the code aims at."""

from __future__ import annotations

import ast
import functools
import pathlib
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator

import pytest
from processes import Importer, until, workers_of

from importer.bench import corpus

ROOT = pathlib.Path(__file__).parent.parent / "importer"
HEAVY = {
    *("numpy", "onnxruntime", "fastembed", "qdrant_client", "qdrant_edge", "grpc", "pydantic", "tokenizers"),
    *("huggingface_hub", "onnx", "safetensors"),
}
FILES = {str(path.relative_to(ROOT).with_suffix("")): path for path in sorted(ROOT.rglob("*.py"))}
DAEMON_SIDE = [name for name in FILES if not name.startswith(("worker/", "bench/"))]
PURE = [
    "redact",
    "chunk",
    "cut",
    "exchange",
    "about",
    "ids",
    "batch",
    "policy",
    "governor",
    "trend",
    "times",
    "patterns",
    "selection",
]
CODECS = {"fsencode", "fsdecode", "path.join", "path.dirname", "path.basename"}
VALUES = {"errors", "records", "outcome", "query"}
WORKER_MAY = {*VALUES, "wire", "failpoints", "likeness"}


@functools.cache
def imports(path: pathlib.Path) -> frozenset[str]:
    """The full names of all modules a file imports, wherever in it; `os` where more than names are made of it."""
    found, text = set[str](), path.read_text()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found - ({"os"} if set(re.findall(r"\bos\.(path\.\w+|\w+)", text)) <= CODECS else set()))


def ours(path: pathlib.Path) -> set[str]:
    """The modules of this package that a file imports, such as `wire` or `worker/serve`."""
    names = {name.removeprefix("importer.").replace(".", "/") for name in imports(path) if name.startswith("importer.")}
    return {name for name in names if name in FILES or f"{name}/__init__" in FILES}


def roots(path: pathlib.Path) -> set[str]:
    """The first parts of everything a file imports."""
    return {name.partition(".")[0] for name in imports(path)}


@pytest.mark.parametrize("name", DAEMON_SIDE)
def test_the_daemon_s_side_is_light(name: str) -> None:
    """No module outside the worker names a heavy library or the worker."""
    assert not roots(FILES[name]) & HEAVY
    assert not {one for one in ours(FILES[name]) if one.startswith("worker")}


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("worker/")])
def test_the_worker_knows_little_of_the_daemon(name: str) -> None:
    """Values, errors and the wire; of everything else it is told in its first frame."""
    known = {one for one in ours(FILES[name]) if not one.startswith("worker")}
    assert known <= WORKER_MAY


@pytest.mark.parametrize(
    ("name", "never"),
    [
        ("errors", set(FILES)),
        ("records", set(FILES)),
        ("outcome", set(FILES)),
        ("query", set(FILES)),
        ("wire", set(FILES) - VALUES),
        ("policy", set(FILES) - VALUES),
        ("settings", {"log", "cli/wiring"}),
        ("discover", {"checkpoints", "tail"}),
        ("tail", {"checkpoints", "formats"}),
        ("checkpoints", {"pipeline", "engine", "supervisor"}),
        ("pipeline", {"supervisor", "delivery", "engine", "wire"}),
        ("reading", {"supervisor", "delivery", "engine", "wire", "checkpoints"}),
        ("supervisor", {"checkpoints", "pipeline", "engine", "delivery"}),
        ("child", {"checkpoints", "pipeline", "engine", "delivery", "supervisor"}),
        ("daemon", {name for name in FILES if name.startswith(("worker", "cli"))}),
    ],
)
def test_layers(name: str, never: set[str]) -> None:
    """Values flow one way: no module knows those behind it."""
    assert not ours(FILES[name]) & (never - {name})


@pytest.mark.parametrize("name", PURE)
def test_what_is_pure_stays_so(name: str) -> None:
    """No files, clock, randomness, log or settings in what is worth testing."""
    assert not roots(FILES[name]) & {"os", "io", "time", "random", "logging", "structlog", "subprocess", "asyncio"}
    assert not ours(FILES[name]) & {"log", "settings"}


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("formats/") and "__init__" not in name])
def test_formats_do_nothing_but_fold(name: str) -> None:
    """A format reads no file, no setting and no clock; it may not even log."""
    assert not roots(FILES[name]) & {"os", "io", "pathlib", "time", "random", "logging", "structlog", "subprocess"}
    assert all(one.startswith(("formats", *VALUES)) for one in ours(FILES[name]))


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("click", r"cli/"),
        ("rich", r"cli/|worker/fetch"),
        ("psutil", r"memory|bench/|checks/|doctor"),
        (
            "sqlite3",
            r"checkpoints|database|ledger|quarantine|history|rows|migrations|statefile|rebuild|expected|worker/",
        ),
        ("watchfiles", r"watch|pump|coverage"),
        ("subprocess", r"child|bench/|cli/|checks/|doctor|service|worker/"),
        ("structlog", r"log|streak"),
        ("zstandard", r"packed"),
    ],
)
def test_each_library_has_its_place(library: str, places: str) -> None:
    """What can change under us is met in one place."""
    users = {name for name, path in FILES.items() if library in roots(path)}
    assert {name for name in users if not re.match(places, name)} == set()


def test_importing_the_daemon_loads_nothing_heavy() -> None:
    """All of the daemon's side in one interpreter: none of the worker's libraries, and not the worker."""
    modules = [f"importer.{name.replace('/', '.').removesuffix('.__init__')}" for name in DAEMON_SIDE]
    program = "import sys, importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*sys.modules)"
    names = [name for name in modules if not name.endswith("__main__") and name != "importer.__init__"]
    done = subprocess.run(
        [sys.executable, "-c", program, *names], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY}
    assert not {name for name in loaded if name.startswith("importer.worker")}


def test_a_running_daemon_is_light(tmp_path: pathlib.Path) -> None:
    """While it imports, none of the heavy libraries is mapped into its memory; into its worker's they are."""
    corpus.write(str(tmp_path / "said"), files=2, seed=1)
    installed = Importer(tmp_path)
    with installed.daemon("--source", f"auto={tmp_path}/said", IMPORTER_FAILPOINTS="embed=sleep:60") as process:
        (worker,) = until(lambda: workers_of(process))
        until(lambda: "qdrant_edge" in mapped(worker.pid))
        heavy = HEAVY | {"pydantic_core"}
        assert not heavy & mapped(process.pid)
        assert {"numpy", "qdrant_edge"} <= mapped(worker.pid)


def mapped(pid: int) -> set[str]:
    """The packages of which a process has a shared library mapped."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return set(re.findall(r"site-packages/([^/.]+)", maps))


def functions(path: pathlib.Path) -> Iterator[tuple[int, str]]:
    """Each function's lines without its docstring, and where it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node, clean=False) is not None
            first = node.body[0]
            said = first.end_lineno - first.lineno + 1 if documented and first.end_lineno else 0
            yield (node.end_lineno or node.lineno) - node.lineno + 1 - said, f"{path.name}:{node.lineno} {node.name}"


def test_modules_are_small() -> None:
    """One question per module: never over 300 lines."""
    assert {name: lines for name, path in FILES.items() if (lines := path.read_text().count("\n")) > 300} == {}


def test_functions_are_small() -> None:
    """Half of them at most 8 lines, nine in ten at most 25, none over 40."""
    sizes = sorted(found for path in FILES.values() for found in functions(path))
    lines = [size for size, _ in sizes]
    assert [where for size, where in sizes if size > 40] == []
    assert statistics.median(lines) <= 8
    assert lines[int(len(lines) * 0.9)] <= 25
