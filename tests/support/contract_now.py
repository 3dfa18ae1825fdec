"""Read from outside what users and their scripts hold on to: help texts, printed JSON, metrics, exit codes, MCP tools.

`fixtures/contract.json` was written by these functions, which import nothing of the importer.
"""

from __future__ import annotations

import json
import pathlib
import re
import socket
import subprocess
import sys
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from processes import Done, Importer, until

KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
ANY_KEY = {"settings", "samples", "unreadable", "recycles"}  # objects whose keys are data, unless they are lists
NO_COMMANDS = {"Options", "Examples", "Usage"}  # headings of a help text that name something else
FIXED_LABELS = {"state", "reason", "le"}  # labels whose values are known beforehand
QUOTED = re.compile(r'(\w+)="([^"]*)"')
REAL = {"IMPORTER_EMBED_PROVIDER": "fastembed", "IMPORTER_EMBED_DIMENSION": "0", "HF_HUB_OFFLINE": "1"}


def commands_now(installed: Importer) -> dict[str, Any]:
    """Return arguments and options of every command, by its words ("" for none)."""
    found: dict[str, Any] = {}
    pending = [""]
    while pending:
        words = pending.pop()
        help_text = installed.run(*words.split(), "--help").out
        found[words] = {"arguments": _arguments(help_text), "options": dict(_options(help_text))}
        headings = [one for one in re.findall(r"^([A-Z][\w ]+):$", help_text, re.MULTILINE) if one not in NO_COMMANDS]
        commands = [line.split()[0] for heading in headings for line in _entries(help_text, heading)]
        pending += [f"{words} {name}".strip() for name in commands]
    return found


def _arguments(help_text: str) -> str:
    """Return what stands behind [OPTIONS] in the usage line: one text, so that a new word that is needed differs."""
    return " ".join(help_text.partition("\n\n")[0].split()).partition("[OPTIONS] ")[2]


def _entries(help_text: str, section: str) -> Iterator[str]:
    """Yield each entry of a section, continued lines joined to the first."""
    body = help_text.partition(f"\n{section}:\n")[2].partition("\n\n")[0]
    for entry in re.split(r"\n(?=  \S)", body.rstrip("\n")):
        if entry:
            yield re.sub(r"\n\s+", "  ", entry.strip(), count=1).replace("\n", " ")


def _options(help_text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each option under its longest name: all its names, what it takes, its default where it is shown."""
    for entry in _entries(help_text, "Options"):
        declared, _, about = entry.partition("  ")
        names = re.findall(r"(?<!\S)--?[a-z][\w-]*", declared)
        value = declared.rpartition(names[-1])[2].strip()
        default = re.search(r"\[default:\s+([^;\]]+)", about)
        choices = re.findall(r"[\w-]+", value) if "|" in value else []
        taken = {"names": names, "takes": _taken(value), "choices": choices, "required": "[required]" in about}
        yield max(names, key=len), {**taken, "default": default.group(1) if default else ""}


def _taken(metavar: str) -> str:
    """Return what an option takes: nothing, a choice, a number or a text."""
    if "|" in metavar:
        return "choice"
    number = re.match(r"INTEGER|FLOAT", metavar)
    return number.group().lower() if number else "text" if metavar else "nothing"


def settings_now(installed: Importer) -> dict[str, Any]:
    """Return type, unit, default as documented and environment names of every setting."""
    values = config_now(installed)
    table = installed.run("config", "--markdown").out.splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    found = {}
    for name, default, environ, *_ in ((row[0].strip("`"), *row[1:]) for row in rows):
        own = "IMPORTER_" + name.replace(".", "_").upper()
        names = [own, *re.findall(r"`(\w+)`", environ)]
        one = values[name]
        found[name] = {"type": _kind(one["value"]), "unit": one["unit"], "default": default, "environment": names}
    return found


def config_now(installed: Importer, *words: str, **environ: str) -> Any:
    """Return the settings in effect, where no flag names the state directory."""
    env = installed.environment((), environ)
    command = [sys.executable, "-m", "importer", *words, "config", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["settings"]


def _kind(value: Any) -> str:
    """Return the JSON type of a value."""
    return KINDS.get(type(value), "array" if isinstance(value, list) else "object")


def metrics_now(text: str) -> dict[str, Any]:
    """Return type and labels of every metric on the page, with the values of labels that have known ones."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    labels: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in kinds}
    for sample, quoted in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        bare = re.sub(r"_(bucket|sum|count)$", "", sample)
        family = bare if kinds.get(bare) == "histogram" else sample
        for label, value in QUOTED.findall(quoted):
            labels[family][label] |= {value} if label in FIXED_LABELS else set()
    return {
        name: {"type": kind, "labels": {label: sorted(values) for label, values in labels[name].items()}}
        for name, kind in kinds.items()
    }


def _free_port() -> int:
    """Return a port of the loopback that no process listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def tree(value: Any, path: str = "") -> dict[str, list[str]]:
    """Return the types at every path of a JSON value: `.key` of an object, `[]` for the items of a list."""
    found: dict[str, set[str]] = defaultdict(set)
    found[path].add(_kind(value))
    for name, one in _inside(value, path):
        for below, kinds in tree(one, path + name).items():
            found[below] |= set(kinds)
    return {name: sorted(kinds) for name, kinds in found.items()}


def _inside(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what stands directly in an object or a list, by the words that its path ends in."""
    if isinstance(value, list):
        yield from (("[]", one) for one in value)
    elif isinstance(value, dict):
        data = path.rpartition(".")[2] in ANY_KEY
        yield from ((".*" if data else f".{key}", one) for key, one in value.items())


def json_now(installed: Importer, models: str) -> dict[str, Any]:
    """Return the trees of what each command prints with --json, on a state that is made in passing."""
    target = f"local:{installed.base}/copy"
    commands = (
        "backlog", "search --limit 50 merge two tables", "open 1", "list", "projects", "sources",
        "status", "status --memory", "doctor", "verify", "failures",
        "failures show", "config", "forget --project infra --dry-run", "forget --project infra --yes",
        "forget --list", "forget --project infra --undo", "failures retry --all", "failures drop --all",
        "rebuild-state", f"migrate --to {target}", "verify --repair",
    )  # fmt: skip
    found = {words.replace(target, "STORE"): tree(installed.run(*words.split(), "--json").json) for words in commands}
    for words in ("model list", "model path", "model fetch"):
        found[words] = tree(installed.run(*words.split(), "--json", **REAL, IMPORTER_MODEL_DIR=models).json)
    return found


def running_now(installed: Importer) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the metrics of a daemon that has imported, and the trees of commands that it answers."""
    port = _free_port()
    with installed.daemon(IMPORTER_METRICS_LISTEN=f"127.0.0.1:{port}"):
        until(lambda: installed.run("status", "--json").json["state"] == "idle")
        handed = installed.run("backlog", str(installed.base / ".codex"), "--json")
        trees = {"backlog": tree(handed.json), "status": tree(installed.run("status", "--json").json)}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            metrics = metrics_now(page.read().decode())
    return metrics, trees


def exit_codes_now(installed: Importer, empty: pathlib.Path) -> dict[str, int]:
    """Return what commands exit with, by what came of them; `empty` is a folder to make others in."""
    (empty / "state").write_text("no folder")
    missing = {**REAL, "IMPORTER_MODEL_DIR": str(empty / "models")}
    done: Mapping[str, Done] = {
        "done": installed.run("config"),
        "quarantined": installed.run("backlog"),
        "usage, a word missing": installed.run("open"),
        "usage, a wrong setting": installed.run("config", CHUNK_SIZE="many"),
        "state": Importer(empty, embedded=True).run("backlog"),
        "model": installed.run("search", "--mode", "dense", "x", **missing),
        "store refused": installed.run("search", "x", IMPORTER_EMBED_DIMENSION="64"),
        "try again": installed.run("search", "x", QDRANT_URL=f"http://127.0.0.1:{_free_port()}"),
        "no daemon to pause": installed.run("pause"),
    }
    return {what: one.code for what, one in done.items()}


def mcp_now(installed: Importer) -> dict[str, Any]:
    """Return the tools that the MCP server lists, with the types of their arguments and the required ones."""
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    ready, listing = {"method": "notifications/initialized"}, {"id": 2, "method": "tools/list"}
    said: tuple[dict[str, Any], ...] = ({"id": 1, "method": "initialize", "params": hello}, ready, listing)
    asked = "".join(json.dumps({"jsonrpc": "2.0", **one}) + "\n" for one in said)
    command, env = [*installed.command, "mcp"], installed.environment((), {})
    done = subprocess.run(command, input=asked, env=env, capture_output=True, text=True, timeout=60, check=True)
    (answer,) = [one for one in map(json.loads, done.stdout.splitlines()) if one.get("id") == 2]
    return {one["name"]: _signature(one["inputSchema"]) for one in answer["result"]["tools"]}


def _signature(schema: Any) -> dict[str, Any]:
    """Return the required arguments of a tool, as one text, and the types of all."""
    types = {name: one["type"] for name, one in schema["properties"].items()}
    return {"required": " ".join(schema.get("required", [])), "arguments": types}
