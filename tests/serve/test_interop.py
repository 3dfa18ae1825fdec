"""Another project's unmodified MCP server searches our collection; it has a virtual environment of its own."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import known_corpus
import pytest
import store_backends
from known_corpus import KnownCorpus
from processes import Importer

pytestmark = pytest.mark.long

WANTED = "mcp-server-qdrant==0.8.1"


def converse(command: Sequence[str], environ: dict[str, str], *calls: dict[str, Any]) -> list[Any]:
    """Return the answers of a server on standard input and output to these calls, after the usual greeting."""
    params = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    greeting = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout and process.stderr

        def exchange(message: dict[str, Any], number: int) -> Any:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                if (answer := json.loads(line)).get("id") == number:
                    return answer
            raise AssertionError(process.stderr.read()[-3000:])

        exchange(greeting, 0)
        process.stdin.write(json.dumps(ready) + "\n")
        answers = [
            exchange({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}, number)
            for number, params in enumerate(calls, 1)
        ]
        process.stdin.close()
        process.kill()
    return answers


def imported(importer: Importer, location: str, **environ: str) -> KnownCorpus:
    said = known_corpus.write(str(importer.base / "said"), files=4, seed=11)
    importer.environ["IMPORTER_WORKER_NICE"] = "0"
    done = importer.run("--store", location, "backlog", said.folder, **environ)
    assert done.code == 0, done.err
    return said


def hub_cache(folder: pathlib.Path, model_dir: str) -> str:
    """Lay out the model as fastembed's own cache does, so that it is found without a network."""
    snapshot = folder / "models--Qdrant--all-MiniLM-L6-v2-onnx" / "snapshots" / "0"
    shutil.copytree(model_dir, snapshot)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text("0")
    return str(folder)


@pytest.fixture
def foreign_server(pytestconfig: pytest.Config) -> str:
    """Install the server beside the cache of pytest: it needs another major version of the SDK than we do."""
    folder = pytestconfig.cache.mkdir("mcp-server-qdrant")
    program = folder / "bin" / "mcp-server-qdrant"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
        environ = {**os.environ, "RUSTUP_HOME": str(folder)}  # pip asks for Rust, which would write into the home
        command = [f"{folder}/bin/python", "-m", "pip", "install", "-q", "--no-compile", WANTED]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{WANTED} cannot be installed: {done.stderr[-300:]}")
    return str(program)


def test_unmodified_server_finds_our_points(tmp_path: pathlib.Path, foreign_server: str, model_dir: str) -> None:
    """`mcp-server-qdrant` finds points that were written with the real model, shows metadata and filters by project."""
    importer = Importer(tmp_path, {"IMPORTER_EMBED_DIRECTORY": model_dir})
    said = imported(
        importer, store_backends.SERVER or f"local:{tmp_path}/qdrant", **store_backends.environ_of(importer.state)
    )
    pair = said.pairs[0]
    here = {"QDRANT_LOCAL_PATH": f"{tmp_path}/qdrant", "COLLECTION_NAME": "conversations"}
    environ = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(tmp_path),
        **(store_backends.environ_of(importer.state, nodes=1) or here),
        "QDRANT_ALLOW_ARBITRARY_FILTER": "true",
        "FASTEMBED_CACHE_PATH": hub_cache(tmp_path / "hub", model_dir),
        "HF_HUB_OFFLINE": "1",
        "FASTMCP_CHECK_FOR_UPDATES": "off",
    }
    wanted = {"must": [{"key": "metadata.project", "match": {"value": pair.place.project}}]}
    find = {"name": "qdrant-find", "arguments": {"query": pair.question}}
    only = {"name": "qdrant-find", "arguments": {"query": pair.question, "query_filter": wanted}}
    plain, filtered = converse([foreign_server], environ, find, only)
    assert pair.place.session_id in json.dumps(plain["result"]), plain
    _, *entries = json.loads(filtered["result"]["content"][0]["text"])
    assert entries
    assert all(f'"project": "{pair.place.project}"' in entry for entry in entries)
