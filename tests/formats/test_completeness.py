"""What people and assistants said in the samples, by readers of a few lines of their own: each line is in a chunk.

The readers know nothing of the package: they are written from the files, with `json` and `re`. A line that programs put
into a prompt is left out by what it looks like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from stored_text import chunks, even

from importer import formats
from importer.chunking.redact import mask

CORPUS = Path(__file__).parents[1] / "corpus"

# What programs write into a text of the user's, and marks of sources in one of the assistant's.
_machine = re.compile(
    r"(?:^\s*|(?<=>))<([A-Za-z][\w:-]*)(?: [^<>]*)?>.*?</\1>"
    r"|^# AGENTS\.md instructions for .*|^\[Request interrupted by user\]"
    r"|^# Context from my IDE setup:.*^## My request for Codex:"
    r"|^\s*--- Content from .*^--- End of content ---|\ue200.*?\ue201",
    re.DOTALL | re.MULTILINE,
)


def parsed(path: Path) -> list[Any]:
    """Return the values of a file: one of a document, one a line of JSON lines."""
    raw = path.read_bytes()
    if path.suffix == ".zst":
        raw = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    text = raw.decode("utf-8", "replace").lstrip("\ufeff").replace("\0", "")
    try:
        return [json.loads(text)]
    except ValueError:
        return [value for line in text.split("\n") if (value := one(line)) is not None]


def one(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def strings(value: Any, *names: str) -> Iterator[str]:
    """Yield the text of a value: itself, or what stands in it under these names."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, *names)
    elif (
        isinstance(value, dict)
        and not value.get("thought")
        and value.get("type") not in ("thinking", "reasoning", "tool_result", "tool_use")
    ):
        for name in names:
            yield from strings(value.get(name), *names)


def claude_code(path: Path) -> Iterator[str]:
    for value in parsed(path):
        for line in value.get("loglines", [value]):
            if line.get("type") == "queue-operation" and line.get("operation") == "remove":
                yield from strings(line.get("content"), "text")
            if line.get("type") not in ("user", "assistant") or any(
                map(line.get, ("isMeta", "isSidechain", "teamName"))
            ):
                continue
            message = line.get("message") or {}
            if (line.get("origin") or {}).get("kind", "human") != "human" or line.get("isApiErrorMessage"):
                continue
            yield from strings(message if isinstance(message, str) else message.get("content"), "text", "content")
            for block in message.get("content", ()) if isinstance(message, dict) else ():
                given = block.get("input") if isinstance(block, dict) else None
                yield from strings(given.get("plan"), "text") if isinstance(given, dict) else ()
            result = line.get("toolUseResult")
            answers = result.get("answers") if isinstance(result, dict) else None
            yield from strings(list(answers.values()), "text") if isinstance(answers, dict) else ()


def codex(path: Path) -> Iterator[str]:
    for line in parsed(path):
        item = line.get("payload") or line
        if item.get("type") == "message" and item.get("role") in ("user", "assistant"):
            yield from strings(item.get("content"), "text", "content")
        if line.get("type") == "event_msg" and item.get("type") == "user_message":
            yield from strings(item.get("message"), "text", "content")
        if item.get("type") == "function_call" and isinstance(given := one(item.get("arguments") or ""), dict):
            for asked in given.get("questions") or []:
                yield asked["question"]
            yield from (step["step"] for step in given.get("plan") or [] if "step" in step)


def gemini(path: Path) -> Iterator[str]:
    for value in parsed(path):
        if value.get("kind") == "subagent":
            return
        changed = value.get("$set") or {}
        for line in [value, *(value.get("messages") or []), *(changed.get("messages") or [])]:
            if line.get("type") in ("user", "gemini"):
                shown = line.get("displayContent") or [
                    line.get(name) for name in ("content", "parts", "message", "text")
                ]
                yield "\n".join(strings(shown, "text", "parts"))
            for call in line.get("toolCalls") or []:
                yield from strings((call.get("args") or {}).get("questions"), "question")


def copilot(path: Path) -> Iterator[str]:
    for line in parsed(path) if path.suffix == ".jsonl" else []:
        told = line.get("data") or {}
        if line.get("type") in ("user.message", "assistant.message") and not told.get("parentToolCallId"):
            by_machine = str(told.get("source") or "").startswith(("skill", "system", "autopilot"))
            yield from () if by_machine else strings(told.get("content"), "text", "content")
        yield from strings(told.get("planContent"), "text")


def chatgpt(path: Path) -> Iterator[str]:
    for talk in parsed(path)[0]:
        nodes = (
            talk["mapping"]
            if isinstance(talk["mapping"], dict)
            else {str(n): node for n, node in enumerate(talk["mapping"])}
        )
        at, way = talk.get("current_node"), []
        while at in nodes:
            way.append(nodes[at])
            at = nodes[at].get("parent")
        for node in way or nodes.values():
            message = node.get("message") or {}
            author = message.get("author") or message.get("role")
            role = author.get("role") if isinstance(author, dict) else author
            said = message.get("content")
            kind = said.get("content_type", "text") if isinstance(said, dict) else "text"
            hidden = (message.get("metadata") or {}).keys() & {
                "is_visually_hidden_from_conversation",
                "is_user_system_message",
            }
            if role in ("user", "assistant") and kind in ("text", "multimodal_text") and not hidden:
                yield from strings(said, "parts", "text", "content")
            for attached in (message.get("metadata") or {}).get("attachments") or []:
                yield from strings(attached, "extracted_content")


def claude_ai(path: Path) -> Iterator[str]:
    for talk in parsed(path)[0]:
        for message in talk["chat_messages"]:
            yield from (
                strings(message.get("content"), "text") if message.get("content") else [message.get("text") or ""]
            )
            for attached in message.get("attachments") or []:
                yield from strings(attached, "extracted_content")
            for block in message.get("content") or []:
                if isinstance(block, dict) and block.get("name") == "artifacts":
                    yield from strings(block.get("input"), "content", "new_str")


def vscode(path: Path) -> Iterator[str]:
    for request in parsed(path)[0]["requests"]:
        yield from strings(request.get("message"), "text")
        for part in request["response"] if isinstance(request["response"], list) else [request["response"]]:
            if not isinstance(part, dict) or part.get("kind") in (None, "markdownContent", "planReview"):
                yield from strings(part, "value", "content")


def continue_(path: Path) -> Iterator[str]:
    for item in parsed(path)[0]["history"]:
        message = item.get("message", item)
        if message.get("role") in ("user", "assistant"):
            yield from strings(message.get("content"), "text")


def plain(path: Path) -> Iterator[str]:
    for value in parsed(path):
        for record in value if isinstance(value, list) else [value]:
            for name in ("prompt", "completion", "response", "instruction", "input", "output"):
                yield from strings(record.get(name), "text")
            lists = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns")
            for message in next((record[name] for name in lists if record.get(name)), [record]):
                side = next(
                    (message[name] for name in ("role", "from", "author", "speaker", "sender") if message.get(name)), ""
                )
                side = side.get("role", side.get("name")) if isinstance(side, dict) else side
                if str(side).lower() not in ("system", "tool", "function", "developer", "observation"):
                    yield from strings(
                        [message.get(name) for name in ("content", "value", "text", "parts")], "text", "parts"
                    )


def aider(path: Path) -> Iterator[str]:
    for line in path.read_text().split("\n"):
        by_aider = line.startswith("> ") and line.endswith("  ")  # so it ends all lines of its own
        if not line.startswith("# aider chat started") and not by_aider:
            yield line.removeprefix("####").removeprefix("> ")


def claude_history(path: Path) -> Iterator[str]:
    for row in parsed(path):
        if not re.match(r"!|/\w+(\s|$)", row["display"]):
            yield re.sub(r"\[Pasted text #\d+ [^]]*\]", "\n", row["display"])
            yield from strings(list(row["pastedContents"].values()), "content")


READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    "aider": aider,
    "chatgpt": chatgpt,
    "claude-ai": claude_ai,
    "claude-code": claude_code,
    "claude-history": claude_history,
    "codex": codex,
    "continue-dev": continue_,
    "copilot-cli": copilot,
    "gemini": gemini,
    "jsonl-chat": plain,
    "vscode-chat": vscode,
}
SAMPLES = [
    pytest.param(name, path, id=f"{name}-{path.stem[:40]}")
    for name in READERS
    for path in sorted((CORPUS / name).rglob("*"))
    if path.is_file() and formats.load(name).wanted(bytes(path.relative_to(CORPUS / name)))
]


@pytest.mark.parametrize(("name", "path"), SAMPLES)
def test_every_line_that_was_said_is_in_a_chunk(name: str, path: Path) -> None:
    """Masked as it is stored, and without regard to blanks."""
    stored = chunks(name, path)
    said = [even(line) for text in READERS[name](path) for line in mask(_machine.sub("", text)).split("\n")]
    assert [line for line in said if line and line not in stored] == []


def test_the_readers_find_a_lot() -> None:
    """A reader that finds nothing proves nothing."""
    for name, reader in READERS.items():
        paths = [param.values[1] for param in SAMPLES if param.values[0] == name]
        assert sum(len(text) > 10 for path in paths for text in reader(path)) > 5, name
