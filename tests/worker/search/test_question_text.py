"""A question, however long, is cut to one window of the model, with few looks at the tokenizer."""

from __future__ import annotations

import json
import pathlib
import subprocess

import pytest
from plugins.fake_embedder import WINDOW_WORDS, FakeEmbedder
from processes import Importer
from worker_told import embed_settings

from importer.worker.search.question_text import MOST_CHARS, cut
from importer.worker.session import embedder_of

TALK = '{"role": "user", "content": "is the kettle on?"}\n'


class Counted(FakeEmbedder):
    """Counts the looks."""

    looks = 0

    def split(self, texts):
        """As it is, counted."""
        self.looks += 1
        return super().split(texts)


@pytest.mark.parametrize("words", [0, 1, WINDOW_WORDS, WINDOW_WORDS + 1, 1_000, 100_000])
def test_a_question_is_one_window_at_most(words: int) -> None:
    """A short one stays as it is; of a long one all that fits is kept, cut between words."""
    text = " ".join(["word"] * words)
    embedder = Counted("m", 384)
    read = cut(text, embedder)
    assert text.startswith(read)
    assert len(read.split()) == min(words, WINDOW_WORDS)
    assert embedder.looks <= 16


def test_without_a_model_a_question_is_cut_by_its_length() -> None:
    """A search by keywords loads none."""
    assert cut("short", None) == "short"
    assert len(cut("x" * 10**6, None)) == MOST_CHARS


@pytest.mark.parametrize("text", ["kettle " * 40_000, "x" * 200_000, "世界" * 50_000, "\n" * 9_000, "a\u0301" * 9_000])
def test_the_real_model_reads_one_window(model_dir: str, text: str) -> None:
    """Words, one endless word, letters that are a token each, and what is no token at all."""
    embedder = embedder_of(embed_settings(directory=model_dir, model_dir=str(pathlib.Path(model_dir).parent)))
    read = cut(text, embedder)
    assert text.startswith(read)
    assert len(embedder.split([read])[0]) <= 1
    more = text[: min(MOST_CHARS, len(read) + 60)]
    assert len(read) >= MOST_CHARS - 60 or len(embedder.split([more])[0]) > 1


def test_the_caller_is_told(tmp_path: pathlib.Path) -> None:
    """In JSON as the characters that were read, for people as a line on standard error; not without need."""
    installed = Importer(tmp_path)
    (tmp_path / "said").mkdir()
    (tmp_path / "said" / "talk.jsonl").write_text(TALK)
    installed.run("backlog", str(tmp_path / "said"))
    text = "kettle " * 500
    for mode in ("hybrid", "keyword"):
        done = installed.run("search", "--json", "--mode", mode, text * 4)
        assert 0 < done.json["query_cut"] <= MOST_CHARS
        assert "of 13,999 characters" in done.err
        assert done.json["hits"]
    done = installed.run("search", "--json", "kettle")
    assert "query_cut" not in done.json
    assert "long" not in done.err
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    call = {"method": "tools/call", "params": {"name": "search_conversations", "arguments": {"query": text}}}
    command, environ = [*installed.command, "mcp"], installed.environment(["mcp"], {})
    said = (
        {"id": 0, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 1, **call},
    )
    asked = "".join(json.dumps({"jsonrpc": "2.0", **one}) + "\n" for one in said)
    out = subprocess.run(
        command, env=environ, input=asked, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    (answer,) = [one for one in map(json.loads, out.splitlines()) if one["id"] == 1]
    assert "characters were searched for" in answer["result"]["content"][0]["text"]
