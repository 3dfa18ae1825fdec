"""Claude Code's prompt history beside transcripts: each prompt is told once, in any order and after kills."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from processes import Importer
from transcripts import SESSION, answer, prompt, raw, text

GONE = "7aa1c9a4-0f53-4f0a-8f3f-1b7f6a5e2c90"
AT_MS = 1_770_840_000_000  # 2026-02-11T20:00:00Z, from which `prompt` counts seconds
PROJECT = "/home/ann/app"


def row(shown: str, n: int, session: str | None = None) -> dict[str, Any]:
    """Make a row of the history, typed `n` seconds behind AT_MS."""
    named = {"sessionId": session} if session else {}
    return {"display": shown, "pastedContents": {}, "timestamp": AT_MS + 1000 * n, "project": PROJECT, **named}


HISTORY = [
    row("quokkas smile why", 1, SESSION),
    row("wombats dig where", 40),  # an older version's, of the session's transcript
    row("wombats dig where", 60),  # the same words twenty seconds later, of no transcript
    row("numbats eat what", 90, GONE),
    row("/clear", 91, GONE),
]
TRANSCRIPT = [
    prompt("quokkas smile why", 1),
    answer(text("the muscles of their faces"), n=2),
    prompt("wombats  dig where", 43),
    answer(text("in clay"), n=44),
]


@pytest.fixture
def importer(tmp_path: pathlib.Path) -> Iterator[Importer]:
    """Give an importer in a home of its own."""
    yield Importer(tmp_path, embedded=True)


def put(importer: Importer, name: str, lines: list[dict[str, Any]]) -> pathlib.Path:
    """Write a file below the folder of Claude Code."""
    path = importer.base / ".claude" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(raw(line) + b"\n" for line in lines))
    return path


def put_history(importer: Importer) -> pathlib.Path:
    return put(importer, "history.jsonl", HISTORY)


def put_transcript(importer: Importer) -> pathlib.Path:
    return put(importer, f"projects/-home-ann-app/{SESSION}.jsonl", TRANSCRIPT)


def told(importer: Importer) -> list[tuple[str, str, int]]:
    """Return what is listed: source, how its title begins, and how many turns."""
    found = importer.run("list", "--json").json["conversations"]
    return sorted((one["source"], one["title"], one["turns"]) for one in found)


def check(importer: Importer) -> None:
    """Check that each prompt is told once, and that nothing is missing or too much."""
    assert [(source, turns) for source, _, turns in told(importer)] == [
        ("claude-code", 4),
        ("claude-history", 1),
        ("claude-history", 1),
    ]
    hits = importer.run("search", "--mode", "keyword", "wombats", "--json", "--limit", "9").json["hits"]
    assert sorted(hit["metadata"]["kind"] for hit in hits) == ["exchange", "prompt"]
    hits = importer.run("search", "--mode", "keyword", "numbats", "--json").json["hits"]
    assert [(hit["metadata"]["kind"], hit["metadata"]["title"]) for hit in hits] == [
        ("prompt", "Prompts alone: numbats eat what")
    ]
    assert importer.run("search", "--mode", "keyword", "clear", "--json").json["hits"] == []
    checked = importer.run("verify", "--json")
    assert checked.code == 0, checked.out


def test_history_first(importer: Importer) -> None:
    """The transcript comes later; a kill before its repeats are deleted costs nothing."""
    put_history(importer)
    assert importer.run("backlog").code == 0
    assert sum(turns for _, _, turns in told(importer)) == 4
    put_transcript(importer)
    assert importer.run("backlog", IMPORTER_FAILPOINTS="prompts.deleted=kill").code != 0
    assert importer.run("backlog").code == 0
    check(importer)


def test_transcript_first_and_swept(importer: Importer) -> None:
    """What was imported of it is known when it is gone, also after the state was made anew."""
    transcript = put_transcript(importer)
    assert importer.run("backlog").code == 0
    os.unlink(transcript)
    put_history(importer)
    assert importer.run("backlog").code == 0
    found = importer.run("search", "--mode", "keyword", "wombats", "--json", "--limit", "9").json["hits"]
    assert sorted(hit["metadata"]["kind"] for hit in found) == ["exchange", "prompt"]
    assert importer.run("rebuild-state", "--yes").code in (0, 2)
    assert importer.run("backlog", "--json").json["embedded"] == 0
    hits = importer.run("search", "--mode", "keyword", "quokkas", "--json").json["hits"]
    assert [hit["metadata"]["kind"] for hit in hits] == ["exchange"]
    assert importer.run("verify").code == 0


def test_both_at_once(importer: Importer) -> None:
    """In one import, of either order."""
    put_history(importer)
    put_transcript(importer)
    assert importer.run("backlog").code == 0
    check(importer)
    assert importer.run("backlog", "--json").json["embedded"] == 0
