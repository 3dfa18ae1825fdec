"""What a model wants before questions and passages: by its own file, by its family, and as fastembed describes it."""

from __future__ import annotations

import re

import pytest

from importer.worker.embedders._fastembed_engine import TextEmbedding
from importer.worker.models.prompts import Prompts, prompts_of

DESCRIBED = {entry["model"]: entry["description"] for entry in TextEmbedding.list_supported_models()}
NEEDED = {name: re.search(r"queries/documents: (not necessary|[^,]*)", told) for name, told in DESCRIBED.items()}


@pytest.mark.parametrize("name", sorted(DESCRIBED))
def test_every_model_of_fastembed_gets_what_its_description_says(name: str) -> None:
    """Where prefixes are necessary there is one for questions; where they are not there is none."""
    told = NEEDED[name]
    assert told is not None, DESCRIBED[name]
    wanted = told[1] != "not necessary"
    assert bool(prompts_of(name).query) == wanted, (told[0], prompts_of(name))


@pytest.mark.parametrize(
    ("name", "prompts"),
    [
        ("intfloat/multilingual-e5-large", Prompts("query: ", "passage: ")),
        ("/models/e5-small-v2/", Prompts("query: ", "passage: ")),
        ("intfloat/e5-mistral-7b-instruct", Prompts()),
        ("nomic-ai/nomic-embed-text-v1.5-Q", Prompts("search_query: ", "search_document: ")),
        ("sentence-transformers/all-MiniLM-L6-v2", Prompts()),
        ("minishlab/potion-base-8M", Prompts()),
        ("jinaai/jina-embeddings-v2-base-en", Prompts()),
    ],
)
def test_families(name: str, prompts: Prompts) -> None:
    """By the last part of a name, so that a directory of that name counts, too."""
    assert prompts_of(name) == prompts


@pytest.mark.parametrize(
    ("beside", "prompts"),
    [
        ({"prompts": {"query": "q: ", "document": "d: "}}, Prompts("q: ", "d: ")),
        ({"prompts": {"s2p_query": "ask ", "s2s_query": "same "}}, Prompts("ask ", "")),
        ({"prompts": {}}, Prompts("query: ", "passage: ")),
        ({"prompts": None}, Prompts("query: ", "passage: ")),
        ({"prompts": {"query": 3}}, Prompts("query: ", "passage: ")),
        ({}, Prompts("query: ", "passage: ")),
    ],
)
def test_the_models_own_file_comes_first(beside: dict[str, object], prompts: Prompts) -> None:
    """One that says nothing of questions and passages leaves it to the family."""
    assert prompts_of("some/e5-model", beside) == prompts
