"""Clients of three kinds that ask what was said about a word: commands, MCP over pipes, and the page's addresses.

Each kind is a context that gives a function: it asks one question, and returns the conversations that were found.
"""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from processes import Importer

Ask = Callable[[str], list[str]]
ANSWER_S = 120
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "one of many", "version": "1"}}


class NotAnsweredError(Exception):
    """What a client saw in place of an answer."""


@contextmanager
def command(installed: Importer) -> Iterator[Ask]:
    """Ask by `importer search --json`, a process each time."""

    def ask(words: str) -> list[str]:
        done = installed.run("search", "--json", words, seconds=ANSWER_S)
        if done.code != 0:
            raise NotAnsweredError(f"exit {done.code}: {done.err}")
        return [str(hit["metadata"]["conversation_id"]) for hit in done.json["hits"]]

    yield ask


@contextmanager
def over_mcp(installed: Importer) -> Iterator[Ask]:
    """Ask one `importer mcp` over its pipes, as an assistant does."""
    arguments = [*installed.command, "mcp"]
    process = subprocess.Popen(
        arguments, env=installed.environment((), {}), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    into, out = process.stdin, process.stdout

    def call(method: str, params: dict[str, Any]) -> Any:
        into.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
        into.flush()
        told = json.loads(out.readline() or '{"error": "the server ended"}')
        if "error" in told or told["result"].get("isError"):
            raise NotAnsweredError(json.dumps(told))
        return told["result"]

    def ask(words: str) -> list[str]:
        found = call("tools/call", {"name": "search_conversations", "arguments": {"query": words}})
        return [str(one["conversation"]) for one in found["structuredContent"]["conversations"]]

    try:
        call("initialize", HELLO)
        yield ask
    finally:
        process.stdin.close()
        process.wait(ANSWER_S)
        process.stdout.close()


@contextmanager
def over_http(installed: Importer) -> Iterator[Ask]:
    """Ask the page of one `importer serve`, as a program does."""
    with installed.start("serve", "--port", "0") as process:
        assert process.stdout
        address, _, token = process.stdout.readline().strip().partition("/?token=")

        def ask(words: str) -> list[str]:
            asked = f"{address}/api/search?{urllib.parse.urlencode({'q': words})}"
            question = urllib.request.Request(asked, headers={"Authorization": f"Bearer {token}"})
            try:
                with urllib.request.urlopen(question, timeout=ANSWER_S) as answer:
                    found = json.load(answer)
            except OSError as error:
                raise NotAnsweredError(str(error)) from error
            return [str(hit["metadata"]["conversation_id"]) for hit in found["hits"]]

        try:
            yield ask
        finally:
            process.terminate()
            process.communicate()


KINDS = (command, over_mcp, over_http)
