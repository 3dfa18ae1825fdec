"""The built wheel in an environment of its own answers as the plugin, the registry's entry and the bundle start it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from processes import FAKE, ROOT, SUPPORT

NAMESPACE = "io.github.a-person"
TEXT = {"type": "string", "minLength": 1}
# What the registry's schema of 2025-12-11 asks of such an entry (modelcontextprotocol/registry,
# internal/validators/schemas), and its rules for what is published there (official-registry-requirements.md).
ENTRY = {
    "type": "object",
    "required": ["name", "description", "version"],
    "properties": {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {"type": "string", "minLength": 3, "maxLength": 200, "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"},
        "title": {**TEXT, "maxLength": 100},
        "description": {**TEXT, "maxLength": 100},
        "version": {**TEXT, "maxLength": 255, "pattern": r"^\d+\.\d+\.\d+"},
        "packages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["registryType", "identifier", "transport", "version"],
                "properties": {
                    "registryType": {"enum": ["npm", "pypi", "oci", "nuget", "mcpb"]},
                    "transport": {"type": "object", "required": ["type"], "properties": {"type": {"const": "stdio"}}},
                    "version": {"type": "string", "not": {"const": "latest"}},
                    "packageArguments": {
                        "items": {
                            "required": ["type", "value"],
                            "properties": {"type": {"const": "positional"}, "value": TEXT},
                        }
                    },
                },
            },
        },
    },
    "additionalProperties": False,
}
# What a bundle's manifest of version 0.4 may say, as far as ours does (anthropics/mcpb, src/schemas/0.4.ts: nothing
# beside its fields is allowed).
MANIFEST = {
    "type": "object",
    "required": ["name", "version", "description", "author", "server"],
    "properties": {
        "manifest_version": {"const": "0.4"},
        **dict.fromkeys(("name", "display_name", "version", "description", "license"), TEXT),
        "author": {"type": "object", "required": ["name"], "properties": {"name": TEXT}, "additionalProperties": False},
        "server": {
            "type": "object",
            "required": ["entry_point", "type"],
            "properties": {
                "type": {"enum": ["python", "node", "binary", "uv"]},
                "entry_point": TEXT,
                "mcp_config": {
                    "type": "object",
                    "required": ["command"],
                    "properties": {"command": TEXT, "args": {"type": "array", "items": TEXT}},
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        },
        "tools_generated": {"type": "boolean"},
        "compatibility": {
            "type": "object",
            "properties": {
                "platforms": {"type": "array", "items": {"enum": ["darwin", "win32", "linux"]}},
                "runtimes": {"type": "object", "properties": {"python": TEXT}, "additionalProperties": False},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}


def registry() -> Any:
    """Import what makes the registry's files."""
    spec = importlib.util.spec_from_file_location("registry_make", ROOT / "deploy/registry/make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Installed:
    """The wheel in an environment of its own, with a home of its own and a few conversations imported."""

    base: pathlib.Path
    wheel: pathlib.Path

    @property
    def programs(self) -> pathlib.Path:
        """The folder of its programs."""
        return self.base / "venv/bin"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of what is started: its programs first, and nothing of this clone but the fake embedder."""
        path = os.pathsep.join([str(self.programs), "/usr/bin", "/bin"])
        return {**FAKE, "PATH": path, "HOME": str(self.base / "home"), "PYTHONPATH": str(SUPPORT)}

    def searched(self, words: Sequence[str], **environ: str) -> str:
        """Return what a server that is started by these words answers to a search."""
        env = {**self.environ, **environ}
        started = StdioServerParameters(command=words[0], args=list(words[1:]), env=env, cwd=str(self.base))

        async def talk() -> str:
            async with Client(stdio_client(started)) as client:
                told = await client.call_tool("search_conversations", {"query": "kites"})
                return str(told.content[0].text)  # type: ignore[union-attr]

        return asyncio.run(talk())


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel, install it as `uvx` and `pipx run` do, and import some samples with it.

    What it depends on is that of this environment: `test_supply` holds that all of it is declared.
    """
    base = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(base / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (base / "dist").glob("*.whl")
    venv.create(base / "venv", with_pip=False)
    found = Installed(base, wheel)
    python = str(found.programs / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    (site,) = (base / "venv/lib").glob("python*/site-packages")
    (site / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (base / "home").mkdir()
    samples = str(ROOT / "tests/corpus/claude-code/-home-ann-kites")
    imported = ["importer", "backlog", samples]
    subprocess.run(imported, env=found.environ, cwd=base, check=True, capture_output=True, timeout=300)
    where = [python, "-c", "import importer; print(importer.__file__)"]
    said = subprocess.run(where, env=found.environ, cwd=base, check=True, capture_output=True, text=True).stdout
    assert said.startswith(str(site))
    return found


def test_as_the_plugin_starts_it(installed: Installed) -> None:
    """Exactly the words of `.mcp.json`."""
    server = json.loads((ROOT / "deploy/plugin/.mcp.json").read_text())["mcpServers"]["conversations"]
    assert "kite" in installed.searched([server["command"], *server["args"]])


def test_as_the_registry_s_entry_starts_it(installed: Installed) -> None:
    """`uvx` and `pipx run` start the program that has the package's name."""
    entry = registry().server(NAMESPACE)
    jsonschema.validate(entry, ENTRY)
    (package,) = entry["packages"]
    assert package["identifier"] in installed.wheel.name.replace("_", "-")
    assert package["version"] == entry["version"] and f"-{package['version']}-" in installed.wheel.name
    arguments = [one["value"] for one in package["packageArguments"]]
    assert "kite" in installed.searched([package["identifier"], *arguments])


def test_as_a_bundle_starts_it(installed: Installed, tmp_path: pathlib.Path) -> None:
    """Its manifest is valid, its files are there, and its program serves."""
    for name in ("one.mcpb", "two.mcpb"):
        registry().bundle(installed.wheel, tmp_path / name)
    assert (tmp_path / "one.mcpb").read_bytes() == (tmp_path / "two.mcpb").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.mcpb") as packed:
        packed.extractall(tmp_path / "b")
    manifest = json.loads((tmp_path / "b/manifest.json").read_text())
    jsonschema.validate(manifest, MANIFEST)
    entry = tmp_path / "b" / manifest["server"]["entry_point"]
    assert entry.suffix == ".py"
    variables = set(re.findall(r"\$\{.*?\}", json.dumps(manifest["server"]["mcp_config"])))
    assert variables <= {"${__dirname}", "${pathSeparator}", "${/}"}  # what hosts replace
    assert manifest["server"]["mcp_config"]["args"][-1] == manifest["server"]["entry_point"]
    assert (tmp_path / "b/lib" / installed.wheel.name).exists()
    assert installed.wheel.name in (tmp_path / "b/pyproject.toml").read_text()
    assert "kite" in installed.searched([str(installed.programs / "python"), str(entry)])


@pytest.mark.parametrize("namespace", ["", "me", "a/b", "io.github.", "a b.c"])
def test_a_namespace_is_somewhere(namespace: str) -> None:
    """A name that the registry would refuse is refused here."""
    with pytest.raises(SystemExit):
        registry().server(namespace)


@pytest.mark.long
def test_with_nothing_but_the_wheel(installed: Installed, tmp_path: pathlib.Path) -> None:
    """With its own dependencies from the index, as a person gets it: the two commands find the samples."""
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv/bin"
    fetched = [str(programs / "pip"), "install", "-q", str(installed.wheel)]
    passed = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    environ = {**passed, "PATH": os.pathsep.join([str(programs), "/usr/bin", "/bin"]), "HOME": str(tmp_path)}
    environ["RUSTUP_HOME"] = str(tmp_path)
    subprocess.run(fetched, env=environ, check=True, capture_output=True)
    samples = str(ROOT / "tests/corpus/claude-code")
    subprocess.run(["importer", "backlog", samples], env=environ, check=True, cwd=tmp_path, capture_output=True)
    search = ["importer", "search", "--json", "the pods are killed every night"]
    done = subprocess.run(search, env=environ, check=True, cwd=tmp_path, capture_output=True, text=True)
    assert json.loads(done.stdout)["hits"]


@pytest.mark.long
def test_as_a_host_starts_a_bundle(installed: Installed, tmp_path: pathlib.Path) -> None:
    """Word for word what the manifest says, with uv and all dependencies from the index."""
    venv.create(tmp_path / "uv", with_pip=True)
    subprocess.run([str(tmp_path / "uv/bin/pip"), "install", "-q", "uv"], check=True, capture_output=True)
    registry().bundle(installed.wheel, tmp_path / "one.mcpb")
    with zipfile.ZipFile(tmp_path / "one.mcpb") as packed:
        packed.extractall(tmp_path / "b")
    started = json.loads((tmp_path / "b/manifest.json").read_text())["server"]["mcp_config"]
    words = [word.replace("${__dirname}", str(tmp_path / "b")) for word in [started["command"], *started["args"]]]
    path = os.pathsep.join([str(tmp_path / "uv/bin"), "/usr/bin", "/bin"])
    passed = {name: value for name, value in os.environ.items() if name.startswith(("SSL_", "UV_"))}
    assert "kite" in installed.searched(words, **passed, UV_CACHE_DIR=str(tmp_path / "cache"), PATH=path)
