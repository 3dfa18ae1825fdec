"""Who may import whom, what the daemon never loads, and the shape that the code aims at."""

from __future__ import annotations

import ast
import functools
import pathlib
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from processes import Importer, until, workers_of

from importer.bench.corpus import corpus

ROOT = pathlib.Path(__file__).parent.parent / "importer"
HEAVY = {
    *("numpy", "onnxruntime", "fastembed", "qdrant_client", "qdrant_edge", "grpc", "pydantic", "tokenizers"),
    *("huggingface_hub", "onnx", "safetensors"),
}
FILES = {path.relative_to(ROOT).with_suffix("").as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
AT_THE_TOP = {"__init__", "__main__", "errors", "log"}

# Which rooms a room may import, besides itself and `errors`. A room is the first part of a module's name; `log` is one.
# Each row names only rows above it, so there is no way round.
ROOMS: dict[str, set[str]] = {
    "log": set(),
    "protocol": set(),
    "settings": set(),
    "chunking": {"protocol"},
    "formats": {"protocol"},
    "state": {"protocol"},
    "sources": {"formats", "state", "protocol", "log"},
    "reading": {"sources", "formats", "chunking", "state", "protocol"},
    "delivery": {"reading", "sources", "state", "protocol", "log"},
    "consistency": {"reading", "sources", "formats", "chunking", "state", "protocol", "log"},
    "memory": {"delivery", "sources", "settings", "state", "log"},
    "worker": {"protocol"},
}
ROOMS["service"] = {*ROOMS} - {"worker"}
ROOMS["bench"] = {*ROOMS} - {"service"}
ROOMS["cli"] = {*ROOMS} - {"worker"}
ROOMS["plugin"] = {*ROOMS} - {"cli", "bench", "service"}

MOST_MODULES = 16  # in one folder; more are parted by question
FOLDERS_OF_ONE_MODULE_A_THING = {"cli/commands", "formats", "worker/embedders"}
DAEMON_SIDE = [name for name in FILES if not name.startswith(("worker/", "bench/", "plugin/"))]
PURE = [
    *(name for name in FILES if name.startswith("chunking/")),
    *("reading/batch", "delivery/policy", "memory/governor", "sources/patterns", "sources/selection"),
]
CODECS = {"fsencode", "fsdecode", "path.join", "path.dirname", "path.basename"}


@functools.cache
def imports(path: pathlib.Path) -> frozenset[str]:
    """Return the full names of all modules a file imports, wherever in it; `os` unless it only encodes names."""
    found, text = set[str](), path.read_text()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found - ({"os"} if set(re.findall(r"\bos\.(path\.\w+|\w+)", text)) <= CODECS else set()))


def ours(path: pathlib.Path) -> set[str]:
    """Return the modules of this package that a file imports, such as `protocol/wire` or `formats/__init__`."""
    names = {name.removeprefix("importer.").replace(".", "/") for name in imports(path) if name.startswith("importer.")}
    return {name for name in names if name in FILES} | {f"{n}/__init__" for n in names if f"{n}/__init__" in FILES}


def room(name: str) -> str:
    """Return the room of a module: the first part of its name."""
    return name.partition("/")[0]


def roots(path: pathlib.Path) -> set[str]:
    """Return the first parts of everything a file imports."""
    return {name.partition(".")[0] for name in imports(path)}


def test_only_rooms_at_the_top() -> None:
    """The package's folder holds rooms, each with a row in the table, and the few files that are no room."""
    tops = {room(name) for name in FILES}
    assert {path.stem for path in ROOT.glob("*.py")} == AT_THE_TOP
    assert tops - AT_THE_TOP <= set(ROOMS)


def test_the_table_has_no_way_round() -> None:
    """A room is allowed rooms of rows above it alone."""
    order = list(ROOMS)
    assert {one: [other for other in ROOMS[one] if order.index(other) >= order.index(one)] for one in order} == {
        one: [] for one in order
    }


@pytest.mark.parametrize("name", [name for name in FILES if name not in {"__init__", "__main__", "errors"}])
def test_a_room_imports_only_what_its_row_allows(name: str) -> None:
    """One-way imports, also late ones and those under TYPE_CHECKING."""
    allowed = ROOMS[room(name)] | {room(name), "errors"}
    assert {one for one in ours(FILES[name]) if room(one) not in allowed} == set()


def test_no_module_imports_itself_in_a_circle() -> None:
    """No circle of modules, late imports and those under TYPE_CHECKING counted. A package's parts may import it."""
    arrows = {name: ours(path) - {name} for name, path in FILES.items()}
    for name, targets in arrows.items():
        packages = {f"{name[:at]}/__init__" for at in range(len(name)) if name[at] == "/"}
        targets -= packages if name not in packages else set()
    while leaves := {name for name, targets in arrows.items() if not targets}:
        arrows = {name: targets - leaves for name, targets in arrows.items() if name not in leaves}
    assert arrows == {}


def test_rooms_are_not_crowded() -> None:
    """At most 16 modules in a folder, except where each module is one of a kind of thing."""
    folders = Counter(name.rpartition("/")[0] for name in FILES if not name.endswith("__init__"))
    crowded = {folder for folder, modules in folders.items() if modules > MOST_MODULES}
    assert crowded <= FOLDERS_OF_ONE_MODULE_A_THING


@pytest.mark.parametrize("name", DAEMON_SIDE)
def test_the_daemon_s_side_is_light(name: str) -> None:
    """No module outside the worker names a heavy library."""
    assert not roots(FILES[name]) & HEAVY


@pytest.mark.parametrize("name", PURE)
def test_what_is_pure_stays_so(name: str) -> None:
    """No files, clock, randomness, log or settings in what is worth testing."""
    assert not roots(FILES[name]) & {"os", "io", "time", "random", "logging", "structlog", "subprocess", "asyncio"}


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("formats/") and name != "formats/__init__"])
def test_formats_do_nothing_but_fold(name: str) -> None:
    """A format reads no file, no setting and no clock; it may not even log."""
    assert not roots(FILES[name]) & {"os", "io", "pathlib", "time", "random", "logging", "structlog", "subprocess"}


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("click", r"cli/"),
        ("rich", r"cli/|worker/models/fetch"),
        ("psutil", r"memory/probes|bench/|cli/doctor/"),
        ("sqlite3", r"state/|consistency/expected|worker/stores/qdrant/"),
        ("watchfiles", r"sources/(watch|watcher|coverage)"),
        ("subprocess", r"delivery/process|bench/|cli/|worker/"),
        ("structlog", r"log"),
        ("zstandard", r"reading/zstd"),
    ],
)
def test_each_library_has_its_place(library: str, places: str) -> None:
    """What can change under us is met in one place."""
    users = {name for name, path in FILES.items() if library in roots(path)}
    assert {name for name in users if not re.match(places, name)} == set()


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("state/")])
def test_only_the_state_knows_its_tables(name: str) -> None:
    """No module outside reaches through the checkpoints to their database; `expected` has a scratch file of its own."""
    assert not re.findall(r"\bcheckpoints\.database\b", FILES[name].read_text())


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
