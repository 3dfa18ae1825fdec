"""Build the directory that fastembed loads from a model's raw files: graph, window, int8 where wished."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

import numpy as np
import onnxruntime

from importer.errors import ModelError
from importer.protocol import engines
from importer.worker.models import int8, onnx_bert, onnx_file
from importer.worker.models.cache import MANIFEST, VERIFIED
from importer.worker.models.catalog import Description
from importer.worker.models.safetensors import load_file

HELLO_WORLD = (101, 7592, 2088, 102)  # [CLS] hello world [SEP] in BERT's uncased vocabulary
PROOF_TOLERANCE = 2e-4  # the proof is known to four digits
INT8_COSINE = 0.97  # least cosine of "hello world" in int8 to the whole model; 0.99 is usual


def assemble(description: Description, raw: str, part: str) -> None:
    """Fill the directory `part` from the raw files, with a graph made of the weights if need be. Raises ModelError."""
    for wanted in description.files:
        source, target = os.path.join(raw, wanted.path), os.path.join(part, wanted.path)
        if wanted.path != description.weights and (os.path.exists(source) or not wanted.optional):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)
    if description.weights:
        build_graph(os.path.join(raw, description.weights), part, description.graph)
    if description.window_tokens:
        # Written there, so that fastembed alone truncates at the model's window, too.
        with open(os.path.join(part, "tokenizer_config.json"), "r+", encoding="utf-8") as file:
            config = json.load(file) | {"model_max_length": description.window_tokens}
            file.seek(0)
            file.truncate()
            json.dump(config, file, indent=1)


def build_graph(weights: str, part: str, graph: str) -> None:
    """Write the ONNX graph of a BERT encoder, with the sizes in `part`'s config.json. Raises ModelError."""
    try:
        with open(os.path.join(part, "config.json"), "rb") as file:
            shape = onnx_bert.Shape.of(json.load(file))
        onnx_bert.build(load_file(weights), shape).save(os.path.join(part, graph))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{weights} does not hold the encoder it should: {error}") from error


def quantise(source: str, part: str, graph: str) -> None:
    """Copy a model directory with its graph in int8: only MatMul weights, per output channel. Raises ModelError."""
    # In int8 all but the graph and its weights is the same. The cache's notes are true of the source alone.
    skipped = shutil.ignore_patterns(MANIFEST, VERIFIED, os.path.basename(graph), onnx_file.outside(graph))
    shutil.copytree(source, part, ignore=skipped, dirs_exist_ok=True)
    try:
        model = onnx_file.load(os.path.join(source, graph))
        # On x86 without VNNI sums saturate at 16 bits: there weights keep 7 bits, as ONNX Runtime's guide advises.
        largest = int8.EXACT if engines.has_vnni() else int8.REDUCED
        int8.quantised(model, largest).save(os.path.join(part, graph))
    except ValueError as error:
        raise ModelError(f"{graph} cannot be quantised: {error}", hint="use precision fp32") from error


def is_quantised(graph: str) -> bool:
    """Return True when an ONNX file multiplies in integers somewhere. Raises ModelError for another file.

    The weights beside the graph are not read for it: the names of its ops tell.
    """
    try:
        kinds = onnx_file.kinds(graph)
    except (OSError, ValueError) as error:
        raise ModelError(f"{graph} is not an ONNX model: {error}") from error
    return any(word in kind for kind in kinds for word in int8.QUANTISED)


def prove(folder: str, description: Description, base: str = "") -> None:
    """Run "hello world" and compare with what is published, or, of an int8 model, with the whole one in `base`.

    Raises ModelError when this machine computes otherwise. Models without a published vector are taken on trust.
    """
    if not description.proof:
        return
    found, known = hello_world(os.path.join(folder, description.graph)), description.proof
    if base:
        cosine = float(found @ hello_world(os.path.join(base, description.graph)))
        near, difference = cosine >= INT8_COSINE, f"is like the whole model's by a cosine of {cosine:.3f} only"
    else:
        near = np.allclose(found[: len(known)], known, rtol=0, atol=PROOF_TOLERANCE)
        difference = f"begins with {np.round(found[: len(known)], 4).tolist()} instead of {known}"
    if not near:
        raise ModelError(f"the model's vector of 'hello world' {difference}", hint="try another version of onnxruntime")


def hello_world(graph: str) -> Any:
    """Return the vector of "hello world": mean of the tokens' rows, unit length, float32 of shape (dimension,).

    A single text is not padded, so the mean needs no mask.
    """
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    ids = np.array([HELLO_WORLD], dtype=np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    mean = session.run(None, inputs)[0][0].mean(axis=0)
    return mean / np.linalg.norm(mean)
