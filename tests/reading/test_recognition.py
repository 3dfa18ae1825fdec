"""Recognition reads as far as it must: behind long first lines, many strange records, late keys, and no further."""

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import zstandard

from importer.reading import recognition

MB = 1024 * 1024
LIMIT = 4 * MB
STRANGE = {"kind": "heartbeat", "n": 1}


def line(**members: Any) -> bytes:
    """Return a record as a line."""
    return json.dumps(members).encode() + b"\n"


def prompt(text: str) -> bytes:
    """Return a Claude Code prompt."""
    return line(parentUuid=None, type="user", message={"role": "user", "content": text}, uuid="u1", sessionId="s1")


def found(folder: Path, content: bytes, limit: int = LIMIT) -> str | None:
    """Return the format that a file with this content is recognised as."""
    path = folder / "file"
    path.write_bytes(content)
    fd = os.open(path, os.O_RDONLY)
    try:
        return recognition.recognise(fd, limit)
    finally:
        os.close(fd)


CODEX_HEAD = line(timestamp="t", type="session_meta", payload={"id": "x", "instructions": "y" * 90_000})
GEMINI_HEAD = {"sessionId": "s", "projectHash": "p", "note": "z" * 70_000}
TREE = {str(n): {"message": {"content": {"parts": ["w" * 900]}}} for n in range(100)}
ELEMENT = {"mapping": TREE, "title": "Kites", "conversation_id": "c"}
CASES = {
    "a first line longer than the head": (prompt("x" * 80_000), "claude-code"),
    "one much longer": (prompt("x" * 3 * MB) + prompt("then"), "claude-code"),
    "a long head of Codex": (CODEX_HEAD, "codex"),
    "a long record of no format, then one": (line(kind="blob", data="x" * 200_000) + prompt("hi"), "claude-code"),
    "a thousand strange records": (line(**STRANGE) * 4000 + prompt("hi"), "claude-code"),
    "a hundred of them, in a small file": (line(**STRANGE) * 100 + prompt("hi"), "claude-code"),
    "a last line without newline": (line(**STRANGE) * 4000 + prompt("x" * 300_000)[:-1], "claude-code"),
    "half a last line": (line(**STRANGE) * 4000 + prompt("x" * 300_000)[:-3], None),
    "a line over the limit, then a good one": (line(data="x" * 5 * MB) + prompt("hi"), "claude-code"),
    "a damaged line before a record": (b'{"torn": "x\n' * 7000 + prompt("hi"), "claude-code"),
    "keys behind a long tree": (json.dumps([ELEMENT]).encode(), "chatgpt"),
    "the second element": (json.dumps([{"empty": "e" * 70_000}, ELEMENT]).encode(), "chatgpt"),
    "keys of an export in lines": (json.dumps(ELEMENT).encode(), "chatgpt"),
    "a list behind a long name": (
        json.dumps({**GEMINI_HEAD, "messages": [{"id": "m", "type": "user", "content": "hi"}]}).encode(),
        "gemini",
    ),
    "a chat behind long notes": (
        json.dumps({"notes": "n" * 80_000, "messages": [{"role": "user", "content": "hi"}]}, indent=1).encode(),
        "jsonl-chat",
    ),
    "prose": (b"nothing to see here\n" * 9000, None),
    "records of no format": (line(**STRANGE) * 9000, None),
    "bytes": (bytes(range(256)) * 900, None),
    "a list of numbers": (json.dumps(list(range(40_000))).encode(), None),
}


@pytest.mark.parametrize("name", CASES)
def test_recognised(tmp_path: Path, name: str) -> None:
    """The telling record or key may stand far in; what tells nothing stays unrecognised."""
    content, expected = CASES[name]
    assert found(tmp_path, content) == expected


def test_packed(tmp_path: Path) -> None:
    """A packed file is looked into as far as another."""
    content = line(**STRANGE) * 4000 + CODEX_HEAD
    assert found(tmp_path, zstandard.compress(content)) == "codex"


def test_the_limit(tmp_path: Path) -> None:
    """Behind the limit nothing is looked for, and no more than that is read or held."""
    strange = line(kind="blob", data="x" * 1000) * 9000
    tracemalloc.start()
    try:
        assert found(tmp_path, strange + prompt("hi"), MB) is None
        assert found(tmp_path, json.dumps([{"a": "x" * 9 * MB, **ELEMENT}]).encode(), MB) is None
        path = tmp_path / "long"
        path.write_bytes(prompt("x" * 3 * MB))
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        fd = os.open(path, os.O_RDONLY)
        assert recognition.recognise(fd, LIMIT) == "claude-code"
        os.close(fd)
        assert tracemalloc.get_traced_memory()[1] - before < 4.5 * MB, "one line, and little else"
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "blank"), [(b"", True), (b" \r\n\n", True), (b"\xef\xbb\xbf\n", True), (b"\n x", False)]
)
def test_blank(tmp_path: Path, content: bytes, blank: bool) -> None:
    """A file of blanks is empty, not unrecognised."""
    path = tmp_path / "file"
    path.write_bytes(content)
    fd = os.open(path, os.O_RDONLY)
    assert recognition.is_blank(fd) == blank
    os.close(fd)
