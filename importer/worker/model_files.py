"""What a model directory says of itself: its graph, its dimension, and how many tokens it takes at once."""

from __future__ import annotations

import json
import os
from typing import Any

from importer.errors import ModelError

GRAPHS = ("model.onnx", "onnx/model.onnx", "model_optimized.onnx")  # where fastembed's models keep theirs
POSITIONS_TAKEN = {"roberta", "xlm-roberta", "camembert", "mpnet"}  # positions start after the padding's: two are lost
LONGEST_TOKENS = 1 << 20  # transformers writes 1e30 where it does not know


def graph_in(folder: str, expected: str = "") -> str:
    """The ONNX file in a directory, by relative path. Raises ModelError when the directory is no model."""
    if not os.path.isfile(os.path.join(folder, "tokenizer.json")):
        raise ModelError(f"{folder} is no model: it has no tokenizer.json", hint=WAY_OUT)
    for path in (expected, *GRAPHS) if expected else GRAPHS:
        if os.path.isfile(os.path.join(folder, path)):
            return path
    raise ModelError(f"{folder} is no model: it has none of {', '.join(GRAPHS)}", hint=WAY_OUT)


WAY_OUT = "a directory needs an ONNX graph and the tokenizer's files beside it; `importer model fetch` makes one"


def dimension_in(folder: str) -> int:
    """Numbers in a vector, from config.json. Raises ModelError when it does not say."""
    config = _json(folder, "config.json")
    for key in ("hidden_size", "dim", "d_model"):
        if isinstance(config.get(key), int):
            return int(config[key])
    raise ModelError(f"{folder}/config.json does not say the model's dimension (hidden_size)", hint=WAY_OUT)


def window_in(folder: str) -> int:
    """Tokens the model takes at once, special ones included: as trained, else as its tokenizer and positions allow.

    `max_seq_length` of sentence-transformers is what the model was trained for. A tokenizer's `max_length` is a wish of
    whoever exported it (128 for the hub's MiniLM) and says nothing. Returns 512, BERT's, when nothing is said.
    """
    trained = _tokens(_json(folder, "sentence_bert_config.json").get("max_seq_length"))
    allowed = _tokens(_json(folder, "tokenizer_config.json").get("model_max_length"))
    return trained or min((limit for limit in (allowed, positions_in(folder)) if limit), default=512)


def positions_in(folder: str) -> int:
    """Tokens beyond which the model fails, from config.json; 0 when it does not say."""
    config = _json(folder, "config.json")
    positions = _tokens(config.get("max_position_embeddings"))
    return positions - 2 if positions and config.get("model_type") in POSITIONS_TAKEN else positions


def _tokens(said: object) -> int:
    """A limit in tokens; 0 where none is said, or a number that means "no limit"."""
    return said if isinstance(said, int) and 0 < said < LONGEST_TOKENS else 0


def _json(folder: str, name: str) -> dict[str, Any]:
    """The JSON object in a file of the directory; {} where there is no file, or another value in it.

    Raises ModelError for a file that cannot be read, or is damaged.
    """
    try:
        with open(os.path.join(folder, name), "rb") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{os.path.join(folder, name)} cannot be read: {error}", hint=WAY_OUT) from error
    return found if isinstance(found, dict) else {}
