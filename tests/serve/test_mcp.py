"""The MCP server over stdio, asked by the SDK's own client: tools, resources, prompts, and what a wrong value gives."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asked_over_mcp import SESSION, imported, said
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from processes import ROOT, SUPPORT, Importer, until


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    return imported(tmp_path_factory.mktemp("mcp"))


def served(importer: Importer, use: Callable[[Client], Awaitable[Any]]) -> Any:
    """Return what a client of a server in its own process comes to."""
    environ = {**importer.environment([], {}), "PYTHONPATH": f"{ROOT}{os.pathsep}{SUPPORT}"}
    command = importer.command
    server = StdioServerParameters(command=command[0], args=[*command[1:], "mcp"], env=environ)

    async def talk() -> Any:
        async with Client(stdio_client(server)) as client:
            return await use(client)

    return asyncio.run(talk())


def test_what_there_is(installed: Importer) -> None:
    """Five tools that only read, with schemas for both ways; a template and two prompts."""

    async def use(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == [
            *("search_conversations", "open_conversation", "list_conversations", "list_projects", "import_status")
        ]
        assert all(tool.title and tool.annotations.read_only_hint and tool.output_schema for tool in tools)
        assert [one.uri_template for one in (await client.list_resource_templates()).resource_templates] == [
            "conversation://{id}"
        ]
        assert len((await client.list_resources()).resources) == 2
        assert [one.name for one in (await client.list_prompts()).prompts] == ["what_was_decided", "go_on"]
        asked = await client.get_prompt("go_on", {"project": "pottery"})
        assert "pottery" in asked.messages[0].content.text
        with pytest.raises(MCPError):
            await client.get_prompt("go_on", {})

    served(installed, use)


def test_from_a_search_to_the_conversation(installed: Importer) -> None:
    """A hit leads to its conversation, by every way there is; the schemas hold for what comes out."""

    async def use(client: Client) -> None:
        found = await client.call_tool("search_conversations", {"query": "kiln cracked", "mode": "keyword"})
        assert not found.is_error and "Freshness: everything on disk is imported" in said(found)
        hit = found.structured_content["conversations"][0]
        assert (hit["conversation"], hit["resume"]) == (SESSION, f"cd /home/ann/pottery && claude --resume {SESSION}")
        for given in ({"conversation": SESSION[:13], "id": hit["id"][:8]}, {"conversation": hit["id"]}):
            opened = await client.call_tool("open_conversation", given)
            assert "kiln cracked" in said(opened), said(opened)
            assert opened.structured_content["of"] == 12
        whole = await client.call_tool("open_conversation", {"conversation": SESSION})
        assert whole.structured_content["first"] == 1
        listed = await client.call_tool("list_conversations", {"project": "pottery", "limit": 1})
        assert len(listed.structured_content["conversations"]) == 1
        projects = await client.call_tool("list_projects", {})
        assert projects.structured_content["projects"][0]["conversations"] == 2
        assert "stopped" in said(await client.call_tool("import_status", {}))
        resource = await client.read_resource(f"conversation://{SESSION}")
        assert "so 5" in resource.contents[0].text
        old = await client.call_tool("search", {"query": "kiln cracked"})
        assert not old.is_error

    served(installed, use)


def test_no_text_forges_a_hit(installed: Importer) -> None:
    """What a conversation holds stands between fences that it cannot close."""

    async def use(client: Client) -> str:
        return said(await client.call_tool("search_conversations", {"query": "giraffe notes", "mode": "keyword"}))

    shown = served(installed, use)
    outside, inside = [], ""
    for line in shown.splitlines():
        if not inside and line.startswith("```"):
            inside = line[: len(line) - len(line.lstrip("`"))]
        elif inside and line == inside:
            inside = ""
        elif not inside:
            outside.append(line)
    assert "giraffe notes" in shown and not any("99999999" in line for line in outside)


def test_values_beside_the_text_hide_nothing(installed: Importer) -> None:
    """An assistant may read them in its place."""

    async def use(client: Client) -> str:
        done = await client.call_tool("search_conversations", {"query": "giraffe notes", "mode": "keyword"})
        return json.dumps(done.structured_content, ensure_ascii=False)

    shown = served(installed, use)
    assert "giraffe notes" in shown
    assert not any(sign in shown for sign in "\u202e\u2066\u200b\u009b\ufeff") and "\\u001b" not in shown


def test_the_answerer_may_be_killed(installed: Importer) -> None:
    """Between two calls the process that answers is killed: the next call is answered all the same."""

    async def use(client: Client) -> None:
        for _ in range(3):
            found = await client.call_tool("search_conversations", {"query": "kiln cracked", "mode": "keyword"})
            assert not found.is_error and SESSION in said(found)
            for pid in installed.answerer_pids():
                os.kill(pid, signal.SIGKILL)

    served(installed, use)


def test_tokens_are_kept(installed: Importer) -> None:
    """An answer has at most as many tokens as it may; what was left out is said."""

    async def use(client: Client) -> None:
        for most in (120, 300, 900):
            given = {"query": "kiln cracked so degrees", "mode": "keyword", "limit": 20, "max_tokens": most}
            shown = said(await client.call_tool("search_conversations", given))
            assert len(shown.split()) <= most  # a token of the stand-in is a word
        cut = said(await client.call_tool("open_conversation", {"conversation": SESSION, "max_tokens": 60}))
        assert "more was left out" in cut

    served(installed, use)


def test_the_server_is_light(installed: Importer) -> None:
    """An assistant's server loads no client and no web framework, no engine and no store, and nothing that reads."""
    code = (
        "import sys; from importer.serve import light_sdk; light_sdk.server_only(web=False);"
        "import importer.serve.mcp_server, mcp.server.stdio;"
        "heavy = ('mcp.client', 'uvicorn', 'starlette', 'numpy', 'fastembed', 'qdrant_client', 'importer.reading');"
        "print([one for one in heavy if one in sys.modules])"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_model_is_loaded_before_it_is_asked_for(installed: Importer) -> None:
    """Without a daemon a server has a process that answers, with its worker, before the first question."""
    until(lambda: not installed.answerer_pids())
    with subprocess.Popen(
        [*installed.command, "mcp"], env=installed.environment([], {}), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        until(lambda: installed.answerer_pids() and installed.worker_pids())
        process.communicate()
    until(lambda: not installed.answerer_pids() and not installed.worker_pids())


def test_without_a_state_nothing_is_started(tmp_path: pathlib.Path) -> None:
    """A server that has nothing to tell makes no state, and starts no process."""
    bare = Importer(tmp_path)
    asked = subprocess.run([*bare.command, "mcp"], env=bare.environment([], {}), input=b"", capture_output=True)
    assert (asked.returncode, os.path.exists(bare.state), bare.answerer_pids()) == (0, False, [])


def test_broken_lines(installed: Importer) -> None:
    """A line that is no message ends nothing."""
    command = [*installed.command, "mcp"]
    said = [
        b"{",
        b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", '
        b'"capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}',
        b'{"jsonrpc": "2.0", "method": "notifications/initialized"}',
        b'{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "nothing", "arguments": {}}}',
        b'{"jsonrpc": "2.0", "id": 3, "method": "ping"}',
    ]
    environ = {**installed.environment([], {}), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"\n".join(said) + b"\n")
        process.stdin.flush()
        got: dict[Any, Any] = {}
        while 3 not in got:
            one = json.loads(process.stdout.readline())
            got[one.get("id")] = one
        process.stdin.close()
        assert process.wait(20) == 0
    assert got[2]["error"]["code"] == -32602
    assert got[1]["result"]["serverInfo"]["name"] == "importer"


def test_without_a_greeting(installed: Importer) -> None:
    """A script that pipes one question in gets its answer, and the process ends."""
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "list_projects", "arguments": {}}}
    environ = {**installed.environment([], {}), "PYTHONPATH": f"{ROOT}{os.pathsep}{SUPPORT}"}
    done = subprocess.run(
        [*installed.command, "mcp"],
        env=environ,
        input=json.dumps(call) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    (answer,) = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, answer["id"], answer["result"]["isError"]) == (0, 7, False)


def test_over_http(installed: Importer, tmp_path: pathlib.Path) -> None:
    """The same server answers over streamable HTTP, to hosts of the loopback alone."""
    from dataclasses import replace

    from starlette.testclient import TestClient

    from importer.serve.mcp_http import mcp_app
    from importer.service.ask import Asker
    from importer.settings.schema import Settings

    body = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }  # fmt: skip
    headers = {"accept": "application/json, text/event-stream"}
    app = mcp_app(Asker(replace(Settings(), state_dir=installed.state)))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        assert client.post("/mcp", json=body, headers=headers).status_code == 200
        assert client.post("/mcp", json=body, headers={**headers, "host": "evil.example"}).status_code == 421
        assert client.post("/mcp", json=body, headers={**headers, "origin": "https://evil.example"}).status_code == 403
