"""What a model wants before a text: some were trained to tell a question from a passage by the words in front. Pure.

What sentence-transformers wrote beside the model counts (`prompts` in config_sentence_transformers.json); else its
family's model card, by the last part of the model's name. fastembed adds none of them; its list says of a model that
prefixes are necessary, not so necessary or not necessary, and a test compares that with this table.

    family             question                                  passage               source: model card of
    e5 (not -instruct) query:                                    passage:              intfloat/multilingual-e5-large
    nomic-embed-text   search_query:                             search_document:      nomic-ai/nomic-embed-text-v1.5
    bge-…-en           Represent this sentence for searching …                         BAAI/bge-small-en-v1.5
    bge-…-zh           the same in Chinese                                             BAAI/bge-small-zh-v1.5
    mxbai, arctic      as bge-…-en                                                     mixedbread-ai, Snowflake
    embeddinggemma     task: search result | query:              title: none | text:   google/embeddinggemma-300m
    qwen3-embedding    Instruct: … Query:                                              Qwen/Qwen3-Embedding-0.6B
    stella             as qwen3-embedding                                              NovaSearch/stella_en_400M_v5
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple


class Prompts(NamedTuple):
    """What stands before a question and before a passage, "" for nothing."""

    query: str = ""
    passage: str = ""


_SENTENCE = "Represent this sentence for searching relevant passages: "
_INSTRUCT = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"
# The first that matches the last part of a model's name, in lower case.
FAMILIES: tuple[tuple[str, Prompts], ...] = (
    (r"(^|-)e5(?!.*instruct)(-|$)", Prompts("query: ", "passage: ")),
    (r"^nomic-embed-text", Prompts("search_query: ", "search_document: ")),
    (r"^bge-.*-zh", Prompts("为这个句子生成表示以用于检索相关文章：")),  # noqa: RUF001  as it is written there
    (r"^bge-(small|base|large)-en", Prompts(_SENTENCE)),
    (r"^(mxbai-embed|snowflake-arctic-embed)", Prompts(_SENTENCE)),
    (r"^embeddinggemma", Prompts("task: search result | query: ", "title: none | text: ")),
    (r"^qwen3-embedding", Prompts(_INSTRUCT)),
    (r"^stella[-_]", Prompts(_INSTRUCT + " ")),
)
_QUERY, _PASSAGE = ("query", "s2p_query", "retrieval.query"), ("passage", "document", "retrieval.passage")


def prompts_of(name: str, beside: Mapping[str, Any] | None = None) -> Prompts:
    """Return the prompts of a model by name; `beside` is its config_sentence_transformers.json, {} without one."""
    told = (beside or {}).get("prompts")
    if isinstance(told, Mapping) and any(isinstance(told.get(key), str) for key in (*_QUERY, *_PASSAGE)):
        return Prompts(_first(told, _QUERY), _first(told, _PASSAGE))
    last = name.rstrip("/").rpartition("/")[2].lower()
    return next((prompts for pattern, prompts in FAMILIES if re.search(pattern, last)), Prompts())


def _first(told: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return the first of these that is text, else ""."""
    return next((told[name] for name in names if isinstance(told.get(name), str)), "")
