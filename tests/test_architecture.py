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
from collections.abc import Iterable, Iterator

import pytest

ROOT = pathlib.Path(__file__).parent.parent / "importer"
HEAVY = {
    *("numpy", "onnxruntime", "fastembed", "qdrant_client", "qdrant_edge", "grpc", "pydantic", "tokenizers"),
    *("huggingface_hub", "onnx", "safetensors"),
}
FILES = {path.relative_to(ROOT).with_suffix("").as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
AT_THE_TOP = {"__init__", "__main__", "api", "errors", "log"}

# Which rooms a room may import, besides itself and `errors`. A room is a folder of `importer/`; `log` is one, too.
# Each row names only rows above it, so no circle of rooms can arise. A new room gets a row here and one in the README.
ROOMS: dict[str, set[str]] = {
    "log": set(),
    "protocol": set(),
    "settings": {"protocol"},
    "chunking": {"protocol"},
    "formats": {"protocol"},
    "state": {"protocol"},
    "sources": {"formats", "state", "protocol", "log"},
    "reading": {"sources", "formats", "chunking", "state", "protocol"},
    "delivery": {"reading", "sources", "state", "protocol", "log"},
    "consistency": {"reading", "sources", "formats", "chunking", "state", "protocol", "log"},
    "memory": {"delivery", "sources", "settings", "state", "protocol", "log"},
    "assistants": {"protocol"},
    "sync": {"state"},
    "work": {"reading", "chunking", "state", "protocol"},
    "worker": {"protocol"},
}
ROOMS["service"] = {*ROOMS} - {"worker"}
ROOMS["bench"] = {*ROOMS} - {"service"}
ROOMS["serve"] = {"service", "assistants", "settings", "protocol", "log"}
ROOMS["cli"] = {*ROOMS} - {"worker"}
ROOMS["api"] = {"service", "settings", "formats", "protocol"}
ROOMS["plugin"] = {*ROOMS} - {"api", "cli", "bench", "service"}

# What is opened without `plain`: the system's own files and open descriptors, and what is made in folders of our own.
SYSTEM_FILES = ("'/proc", "LIMITS", "MOUNTS", "f'{LIMITS}", "descriptor", "os.devnull", "sys.")
NO_WAIT = "O_NONBLOCK|O_DIRECTORY|O_EXCL"
OWN_FOLDERS = ("bench/", "worker/models/", "protocol/system/plain", "cli/commands/recall")  # writes where it is told

MOST_MODULES = 16  # in one folder; more are parted by question
FOLDERS_OF_ONE_MODULE_A_THING = {"cli/commands", "formats", "worker/embedders"}
# The browser is a process of its own, with a library that is an extra.
DAEMON_SIDE = [
    name for name in FILES if not name.startswith(("worker/", "bench/", "plugin/", "cli/browser/", "serve/"))
]
PURE = [
    *(name for name in FILES if name.startswith("chunking/")),
    *("reading/batching", "delivery/policy", "memory/governor", "sources/patterns", "sources/selection"),
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


def libraries(path: pathlib.Path) -> set[str]:
    """Return the first parts of everything a file imports, such as `numpy` or `importer`."""
    return {name.partition(".")[0] for name in imports(path)}


def none(found: Iterable[object], rule: str, way_out: str) -> None:
    """Fail if anything was found, and say the rule, what breaks it, and the way out."""
    if broken := sorted(str(one) for one in found):
        pytest.fail(f"{rule}\n  broken by: {', '.join(broken)}\n  way out:   {way_out}", pytrace=False)


def test_only_rooms_at_the_top() -> None:
    """The package's folder holds rooms, each with a row in the table, and the few files that are no room."""
    files = {path.stem for path in ROOT.glob("*.py")}
    none(
        files ^ AT_THE_TOP,
        f"importer/ itself holds only {sorted(AT_THE_TOP)}",
        "put the module into the room it serves",
    )
    rooms = {room(name) for name in FILES} - AT_THE_TOP
    none(rooms - {*ROOMS}, "every folder of importer/ has a row in ROOMS", "add the row: what may the new room import?")


def test_the_table_allows_no_circle() -> None:
    """A room is allowed rooms of rows above it alone."""
    order = list(ROOMS)
    upward = [f"{one} -> {other}" for one in order for other in ROOMS[one] if order.index(other) >= order.index(one)]
    none(upward, "a row of ROOMS names only rows above it", "move what both need into a room above both")


@pytest.mark.parametrize("name", [name for name in FILES if name not in {"__init__", "__main__", "errors"}])
def test_a_room_imports_only_what_its_row_allows(name: str) -> None:
    """One-way imports, also late ones and those under TYPE_CHECKING."""
    allowed = ROOMS[room(name)] | {room(name), "errors"}
    none(
        (one for one in ours(FILES[name]) if room(one) not in allowed),
        f"{name} may import from {sorted(allowed)} and from no other room of importer/",
        "pass the thing in as an argument, or move its definition to a room that both may import (often `protocol`)",
    )


def test_no_circle_of_modules() -> None:
    """No module imports itself through others, late imports and those under TYPE_CHECKING counted.

    The parts of a format's folder may import its `__init__`, which holds what the format is.
    """
    arrows = {name: ours(path) - {name} for name, path in FILES.items()}
    for name, targets in arrows.items():
        targets -= {f"{name.rpartition('/')[0]}/__init__"} if name.startswith("formats/") else set()
    while leaves := {name for name, targets in arrows.items() if not targets}:
        arrows = {name: targets - leaves for name, targets in arrows.items() if name not in leaves}
    none(
        (f"{name} -> {target}" for name, targets in arrows.items() for target in targets),
        "no module imports itself through others (some of these arrows only lead to the circle)",
        "move what both sides need into a module that imports neither",
    )


def test_rooms_are_not_crowded() -> None:
    """At most 16 modules in a folder, except where each module is one of a kind of thing."""
    folders = Counter(name.rpartition("/")[0] for name in FILES if not name.endswith("__init__"))
    crowded = {folder for folder, modules in folders.items() if modules > MOST_MODULES}
    none(
        crowded - FOLDERS_OF_ONE_MODULE_A_THING,
        f"a folder holds at most {MOST_MODULES} modules",
        "part it by question into two folders; join modules that answer the same question",
    )


@pytest.mark.parametrize("name", DAEMON_SIDE)
def test_the_daemon_s_side_is_light(name: str) -> None:
    """No module outside the worker names a heavy library."""
    none(
        libraries(FILES[name]) & HEAVY,
        f"{name} belongs to the light process, which loads no model, vector or HTTP library",
        "do it in importer/worker/ and ask the worker for it over the wire",
    )


@pytest.mark.parametrize("name", PURE)
def test_what_is_pure_stays_so(name: str) -> None:
    """Decisions touch no files, clock, randomness or log."""
    none({name} - {*FILES}, "PURE lists modules that exist", "rename or drop its entry along with the module")
    none(
        libraries(FILES[name]) & {"os", "io", "time", "random", "logging", "structlog", "subprocess", "asyncio"},
        f"{name} is pure: it decides over values and does nothing else",
        "take the time, the bytes or the number as an argument; return what is to be done and let the caller do it",
    )


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("formats/") and name != "formats/__init__"])
def test_formats_do_nothing_but_fold(name: str) -> None:
    """A format reads no file, no setting and no clock; it may not even log."""
    none(
        libraries(FILES[name]) & {"os", "io", "pathlib", "time", "random", "logging", "structlog", "subprocess"},
        f"{name} is a fold over lines: the same bytes give the same turns, wherever and whenever",
        "take it from the line or the path that `begin` is given; report trouble in `Fed.problems`",
    )


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("textual", r"cli/browser/"),
        ("click", r"cli/"),
        ("rich", r"cli/|worker/models/fetch"),
        ("psutil", r"memory/probes|state/lock|sources/mounts|worker/gauge|bench/"),
        ("sqlite3", r"state/|sources/databases/|worker/stores/qdrant/"),
        ("watchfiles", r"sources/(watch|watcher|coverage)"),
        ("subprocess", r"delivery/process|service/answerer_launch|work/git|serve/page|bench/|cli/|worker/|api"),
        ("structlog", r"log"),
        ("backports", r"protocol/system/zstandard"),
    ],
)
def test_each_library_has_its_place(library: str, places: str) -> None:
    """A library that may change, or be replaced, is imported in few places."""
    users = {name for name, path in FILES.items() if library in libraries(path)}
    none(
        (name for name in users if not re.match(places, name)),
        f"only modules that match {places!r} import {library}",
        "call the module that wraps it; widen the pattern only with a reason",
    )


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("state/")])
def test_only_the_state_knows_its_tables(name: str) -> None:
    """No module outside reaches through the checkpoints to their database."""
    none(
        re.findall(r"\bcheckpoints\.database\b", FILES[name].read_text()),
        f"{name} lies outside state/, where all SQL on the checkpoints' tables stands",
        "add a method to `Checkpoints` that asks the question in plain words",
    )


def waiting_opens(path: pathlib.Path) -> Iterator[int]:
    """Yield the lines where a file is opened in a way that waits where its path names a pipe."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called, given = ast.unparse(node.func), [ast.unparse(one) for one in node.args]
            if called == "open" and not ({one.arg for one in node.keywords} & {"opener"} or "'x" in str(given[1:])):
                if not given[0].startswith(SYSTEM_FILES):
                    yield node.lineno
            elif called == "os.open" and given[0] != "os.devnull" and not re.search(NO_WAIT, given[1]):
                yield node.lineno


def test_no_open_waits_for_a_pipe() -> None:
    """A path that should be a file may be a pipe, for which a plain `open` waits until the end of time."""
    found = [
        f"{name}:{line}"
        for name, path in FILES.items()
        if not name.startswith(OWN_FOLDERS)
        for line in waiting_opens(path)
    ]
    rule = "what is opened is a file, or is refused"
    none(found, rule, "`open(…, opener=plain)`, or `read_given`: see importer/protocol/system/plain.py")


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


def functions(path: pathlib.Path) -> Iterator[tuple[int, str]]:
    """Yield each function's lines without its docstring, and where it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node, clean=False) is not None
            first = node.body[0]
            said = first.end_lineno - first.lineno + 1 if documented and first.end_lineno else 0
            yield (node.end_lineno or node.lineno) - node.lineno + 1 - said, f"{path.name}:{node.lineno} {node.name}"


def test_a_class_name_stands_once() -> None:
    """One word means one thing; only the context of a format, which its contract names, stands in each format."""
    names = Counter(
        node.name
        for name, path in FILES.items()
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and (node.name != "Context" or not name.startswith("formats/"))
    )
    assert not [name for name, times in names.items() if times > 1]


def test_modules_are_small() -> None:
    """One question per module: never over 300 lines."""
    lengths = {name: path.read_text().count("\n") for name, path in FILES.items()}
    none(
        (f"{name} ({lines})" for name, lines in lengths.items() if lines > 300),
        "a module answers one question in at most 300 lines",
        "part it by question; a part that has no name of its own is no part",
    )


def test_functions_are_small() -> None:
    """Half of them at most 8 lines, nine in ten at most 25, none over 40."""
    sizes = sorted(found for path in FILES.values() for found in functions(path))
    lines = [size for size, _ in sizes]
    none((where for size, where in sizes if size > 40), "a function has at most 40 lines", "name its steps")
    assert statistics.median(lines) <= 8
    assert lines[int(len(lines) * 0.9)] <= 25
