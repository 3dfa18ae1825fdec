"""`importer mcp` speaks the protocol, and another project's unmodified server searches our collection."""

from __future__ import annotations

import asyncio
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

from importer.cli.commands import mcp
from importer.errors import StoreUnreachable

HIT = {"id": "p1", "score": 0.5, "document": "we fixed it", "metadata": {"conversation_id": "c1", "project": "/app"}}


class Asked:
    """A service that answers every question with one hit, and remembers the question."""

    def __init__(self, error: Exception | None = None) -> None:
        self.questions: list[tuple[str, dict[str, Any]]] = []
        self.error = error

    async def __call__(self, op: str, **args: Any) -> Any:
        self.questions.append((op, args))
        if self.error:
            raise self.error
        return {"near": "strong", "hits": [HIT]} if op == "search" else [{**HIT, "place": 2, "of": 9}]


def talk(message: Any, asked: Asked | None = None) -> Any:
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    answer = asyncio.run(mcp.McpServer(asked or Asked()).reply(raw))
    return None if answer is None else json.loads(answer)


def call(name: str, asked: Asked | None = None, **arguments: Any) -> Any:
    params = {"name": name, "arguments": arguments}
    return talk({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}, asked)


@pytest.mark.parametrize(("asked", "given"), [("2025-03-26", "2025-03-26"), ("1999-01-01", "2025-06-18")])
def test_initialize(asked: str, given: str) -> None:
    """The answer has the client's protocol version where it is known, else the newest one."""
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": asked}}
    assert talk(message)["result"]["protocolVersion"] == given


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"{", mcp.PARSE),
        (b"[" * 20_000, mcp.PARSE),
        ({"id": [[1]], "method": "ping"}, mcp.INVALID),
        ({"id": 1}, mcp.INVALID),
        ({"id": 1, "method": "resources/list"}, mcp.NO_METHOD),
        ({"id": 1, "method": "tools/call", "params": {"name": "delete"}}, mcp.BAD_PARAMS),
        ({"id": 1, "method": "tools/call", "params": [1]}, mcp.BAD_PARAMS),
    ],
)
def test_errors(message: Any, code: int) -> None:
    """A request that cannot be answered gets JSON-RPC's own error."""
    assert talk(message)["error"]["code"] == code


@pytest.mark.parametrize(
    "given",
    [
        {"limit": 10_000}, {"limit": -1}, {"limit": 2.5}, {"limit": "many"}, {"limit": True}, {"limit": [3]},
        {"limit": 1e400}, {"limit": float("nan")}, {"mode": "fuzzy"}, {"mode": 3}, {"project": 7}, {"query": None},
        {"query": ["x"]},
    ],
)  # fmt: skip
def test_bad_arguments(given: dict[str, Any]) -> None:
    """A value that means nothing is told in the tool's result, where the model reads it and can do better."""
    result = call("search", **{"query": "x", **given})["result"]
    assert result["isError"] and next(iter(given)) in result["content"][0]["text"]


@pytest.mark.parametrize("given", [{"limit": "3"}, {"limit": 3.0}, {"limit": 3, "colour": "red"}, {"limit": None}])
def test_lenient_arguments(given: dict[str, Any]) -> None:
    """Numbers may be written in any way, null is as if it were left out, and unknown names are passed over."""
    result = call("search", query="x", **given)["result"]
    assert not result["isError"]


def test_notifications_get_no_answer() -> None:
    """A notification gets no answer; in a batch only requests are answered."""
    assert talk({"jsonrpc": "2.0", "method": "notifications/initialized"}) is None
    assert talk([{"method": "notifications/x"}, {"id": 3, "method": "ping"}]) == [
        {"jsonrpc": "2.0", "id": 3, "result": {}}
    ]


def test_search_passes_filters_on() -> None:
    """The filters of the command line are passed on, with complete times; a hit has the id that `open` needs."""
    asked = Asked()
    answer = call("search", asked, query=" it ", project="app", until="2026-01-31", limit=3)
    assert asked.questions[0][1]["text"] == "it"
    assert asked.questions[0][1]["until"] > "2026-01-31"
    assert "conversation c1, id p1" in answer["result"]["content"][0]["text"]


def test_open_asks_for_a_thread() -> None:
    """A hit is opened with the messages around it, numbered by their places."""
    asked = Asked()
    answer = call("open", asked, conversation="c1", id="p1", before=1)
    assert asked.questions == [("thread", {"conversation": "c1", "around": "p1", "before": 1, "after": 5})]
    assert answer["result"]["content"][0]["text"].startswith("[3 of 9]")


def test_the_ends_of_the_calendar() -> None:
    """A time beyond the calendar is its first or its last moment."""
    asked = Asked()
    assert not call("search", asked, query="x", since="0001-01-01", until="9999-12-31")["result"]["isError"]
    known = asked.questions[0][1]
    assert (known["since"][:10], known["until"][:10]) == ("0001-01-01", "9999-12-31")


def test_a_bug_is_an_answer() -> None:
    """An unexpected exception is answered under the request's id, alone and in a batch."""
    requests = [
        {"id": 1, "method": "tools/call", "params": {"name": "open", "arguments": {"conversation": "c"}}},
        {"id": 2, "method": "ping"},
    ]
    failed, fine = talk(requests, Asked(ZeroDivisionError("by nothing")))
    assert (failed["id"], failed["error"]["code"]) == (1, mcp.INTERNAL)
    assert "ZeroDivisionError: by nothing" in failed["error"]["message"]
    assert fine == {"jsonrpc": "2.0", "id": 2, "result": {}}


def test_failure_is_an_answer() -> None:
    """When the store is unreachable, the model gets the error with its hint."""
    answer = call("search", Asked(StoreUnreachable("no answer", hint="start it")), query="x")["result"]
    assert (answer["isError"], answer["content"][0]["text"]) == (True, "no answer (try: start it)")


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


def test_search_and_open_for_real(tmp_path: pathlib.Path) -> None:
    """A word of one prompt is found, and its conversation is opened around it, in order."""
    importer = Importer(tmp_path)
    said = imported(importer, "edge")
    word, place = next(iter(said.words.items()))
    command = [sys.executable, "-m", "importer", "--state-dir", importer.state, "mcp"]
    environ = {
        **os.environ,
        **importer.environ,
        "PYTHONPATH": str(pathlib.Path(__file__).parents[1] / "support"),
        "HOME": str(tmp_path),
    }
    query = {"query": word, "mode": "keyword", "project": place.project, "limit": 1}
    opened = {"name": "open", "arguments": {"conversation": place.session_id, "before": 0, "after": 2}}
    found, thread = converse(command, environ, {"name": "search", "arguments": query}, opened)
    assert f"conversation {place.session_id}" in found["result"]["content"][0]["text"]
    assert thread["result"]["content"][0]["text"].startswith("[1 of ")


def hub_cache(folder: pathlib.Path, model_dir: str) -> str:
    """Lay out the model as fastembed's own cache does, so that it is found without a network."""
    snapshot = folder / "models--Qdrant--all-MiniLM-L6-v2-onnx" / "snapshots" / "0"
    shutil.copytree(model_dir, snapshot)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text("0")
    return str(folder)


@pytest.fixture
def foreign_server() -> str:
    found = pathlib.Path(sys.executable).parent / "mcp-server-qdrant"
    if not found.exists():
        pytest.skip("mcp-server-qdrant is not installed")
    return str(found)


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
        **(store_backends.environ_of(importer.state) or here),
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
