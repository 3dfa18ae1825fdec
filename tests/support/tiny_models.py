"""Tiny BERT models in directories of their own: random weights, a vocabulary of single characters, any sizes."""

from __future__ import annotations

import json
import pathlib
import string
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

from importer.worker.models import onnx_bert
from importer.worker.models.onnx_bert import Shape

LETTERS = string.ascii_lowercase + string.digits + string.punctuation
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def make(
    folder: pathlib.Path, *, hidden: int = 32, layers: int = 1, seed: int = 1, positions: int = 128, **files: Any
) -> str:
    """Write a model and return its directory; `files` are more JSON files, by their paths in it.

    Its tokenizer knows letters, digits and punctuation, each a token; all else is unknown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    heads = 2
    shape = Shape(layers=layers, heads=heads, hidden=hidden)
    onnx_bert.build(_weights(shape, positions, seed), shape).save(str(folder / "model.onnx"))
    _tokenizer(positions).save(str(folder / "tokenizer.json"))
    config = {
        "model_type": "bert",
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "max_position_embeddings": positions,
        "pad_token_id": 0,
    }
    told = {
        "config.json": config,
        "tokenizer_config.json": {"model_max_length": positions, "pad_token": "[PAD]"},
        "special_tokens_map.json": {"pad_token": "[PAD]", "unk_token": "[UNK]"},
    }
    for name, value in {**told, **files}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(value))
    return str(folder)


def _vocabulary() -> dict[str, int]:
    pieces = [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    return {piece: number for number, piece in enumerate(pieces)}


def _tokenizer(positions: int) -> Tokenizer:
    """A BERT tokenizer whose words fall into letters."""
    vocabulary = _vocabulary()
    made = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100_000))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.enable_truncation(positions)
    made.enable_padding(pad_id=0, pad_token="[PAD]")
    return made


def _weights(shape: Shape, positions: int, seed: int) -> dict[str, Any]:
    """Random weights under their published names."""
    draw = np.random.default_rng(seed)
    wide = 2 * shape.hidden

    def drawn(*sizes: int) -> Any:
        return (draw.standard_normal(sizes) * 0.3).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": drawn(len(_vocabulary()), shape.hidden),
        "embeddings.token_type_embeddings.weight": drawn(2, shape.hidden),
        "embeddings.position_embeddings.weight": drawn(positions, shape.hidden),
        **_norm("embeddings.LayerNorm", shape.hidden),
    }
    for number in range(shape.layers):
        layer = f"encoder.layer.{number}"
        sizes = {
            **{f"attention.self.{part}": (shape.hidden, shape.hidden) for part in ("query", "key", "value")},
            "attention.output.dense": (shape.hidden, shape.hidden),
            "intermediate.dense": (wide, shape.hidden),
            "output.dense": (shape.hidden, wide),
        }
        for name, (out, into) in sizes.items():
            found[f"{layer}.{name}.weight"] = drawn(out, into)
            found[f"{layer}.{name}.bias"] = drawn(out)
        found |= _norm(f"{layer}.attention.output.LayerNorm", shape.hidden)
        found |= _norm(f"{layer}.output.LayerNorm", shape.hidden)
    return found


def _norm(name: str, hidden: int) -> dict[str, Any]:
    return {f"{name}.weight": np.ones(hidden, np.float32), f"{name}.bias": np.zeros(hidden, np.float32)}
