"""The cross-encoder: off by default, it orders the first conversations; a tiny generated one stands for real ones."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from numbered_points import made, openers, vector
from onnx import TensorProto, helper, numpy_helper
from store_questions import TODAY
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from worker_told import embed_settings

from importer.errors import ModelError
from importer.protocol.query import Query
from importer.worker.search import answer, rerank

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "boat", "bread", "river", "the", "is", "in"]
LIKED = "river"


def tiny(folder: pathlib.Path) -> str:
    """Write a cross-encoder whose score is the number of times that a pair says LIKED."""
    (folder / "onnx").mkdir(parents=True)
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    pair = "[CLS] $A [SEP] $B:1 [SEP]:1"
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", pair, [("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 0}))
    told = {"model_max_length": 64, "pad_token": "[PAD]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    (folder / "special_tokens_map.json").write_text(json.dumps({"pad_token": "[PAD]"}))
    weights = np.zeros((len(WORDS), 1), dtype=np.float32)
    weights[WORDS.index(LIKED)] = 1
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["found"]),
        helper.make_node("ReduceSum", ["found", "axis"], ["logits"], keepdims=0),
    ]
    given = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "s"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    out = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", 1])
    constants = [
        numpy_helper.from_array(weights, "table"),
        numpy_helper.from_array(np.array([1], dtype=np.int64), "axis"),
    ]
    graph = helper.make_graph(nodes, "tiny", given, [out], constants)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9),
        str(folder / "onnx" / "model.onnx"),
    )
    return str(folder)


def test_a_directory_s_model_scores_pairs(tmp_path: pathlib.Path) -> None:
    """Loaded through fastembed, as one of the hub's is."""
    found = rerank.load(tiny(tmp_path / "m"), embed_settings(model_dir=str(tmp_path), offline=True))
    assert found.scores("the boat", ["bread", "boat in the river", "river river"]) == pytest.approx([0, 1, 2])
    assert found.scores("the boat", []) == []


@pytest.mark.parametrize("name", ["no/such-model", ""])
def test_a_model_that_cannot_be_had_is_told(tmp_path: pathlib.Path, name: str) -> None:
    """With the way out: searching works without it."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError) as caught:
        rerank.load(name or str(tmp_path / "empty"), embed_settings(model_dir=str(tmp_path), offline=True))
    assert "search.rerank" in caught.value.hint


class Fixed:
    """A reranker that likes one word, and remembers what it read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        self.read += passages
        return [float(LIKED in text) for text in passages]


def test_it_orders_the_first_ten_conversations(tmp_path: pathlib.Path) -> None:
    """Those behind stay where they are, and the other modes stay as they were."""
    (opener,) = openers("edge", str(tmp_path))
    store = opener()
    said = ["boat " * (20 - number) + ("river" if number == 7 else "bread") for number in range(14)]
    store.write([made(n, text, conversation_id=f"c{n}") for n, text in enumerate(said)], {}, [])
    reranker = Fixed()
    query = Query("boat", limit=14)

    def order(mode: str, **more: Fixed) -> list[str]:
        asked = Query(query.text, limit=14, mode=mode)
        known = answer.QueryContext(14, TODAY, **more)
        return [hit.metadata["conversation_id"] for hit in answer.search(store, asked, vector(3), known).hits]

    plain, ordered = order("hybrid"), order("hybrid", reranker=reranker)
    assert plain.index("c7") in range(1, 10)
    assert ordered == ["c7", *(id for id in plain[:10] if id != "c7"), *plain[10:]]
    assert len(reranker.read) == rerank.MOST_CONVERSATIONS
    assert order("keyword") == order("keyword", reranker=reranker)
