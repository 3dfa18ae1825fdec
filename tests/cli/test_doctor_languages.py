"""Whether the model was made for the languages of the conversations is told by how they begin."""

from __future__ import annotations

import pytest

from importer.cli.doctor.languages import LanguageFacts, counted, unmade
from importer.protocol.foreign.languages import language_of

MINILM, MANY = "sentence-transformers/all-MiniLM-L6-v2", "intfloat/multilingual-e5-large"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("why does the worker die at night", "english"),
        ("warum stirbt der Worker jede Nacht", "german"),
        ("pourquoi est-ce que le worker s'arrête", "french"),
        ("почему рабочий процесс падает ночью", "russian"),
        ("なぜワーカーが落ちるのか", "japanese"),
        ("为什么每天晚上都崩溃", "chinese"),
        ("작업자가 왜 죽나요", "korean"),
        ("pytest -x tests/worker", ""),
        ("", ""),
    ],
)
def test_a_first_line_tells_its_language(text: str, language: str) -> None:
    """By letters where they are one language's, else by little words; a command tells none."""
    assert language_of(text) == language


def test_many_conversations_in_another_language_are_told() -> None:
    """With how many there are, and none for a model of many languages or a few lines."""
    german = counted(["warum stirbt der Worker jede Nacht"] * 6 + ["why does the worker die"] * 9 + ["ls -la"])
    assert german == {"english": 9, "german": 6}
    said = unmade(LanguageFacts(MINILM, german))
    assert "6 of 15" in said
    assert "German 6" in said
    assert not unmade(LanguageFacts(MANY, german))
    assert not unmade(LanguageFacts("jinaai/jina-embeddings-v2-base-de", german))
    assert not unmade(LanguageFacts(MINILM, {"english": 99, "german": 6}))
    assert not unmade(LanguageFacts(MINILM, {"german": 4}))
