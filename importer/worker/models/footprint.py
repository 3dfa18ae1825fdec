"""What one model run takes of memory, worked out from the sizes in a model's config.json. Pure.

    bytes of a run = T * 4 * (intermediate + 3 * hidden)  +  T * L * 4 * 2 * heads

T are its padded tokens (count x longest), L the longest window. The first part are the rows of a layer that live at
the same time (the widened ones, and query, key and value), the second are the attention's scores before and after the
softmax. Measured with all-MiniLM-L6-v2 in ONNX Runtime 1.32, one thread, anonymous memory above the loaded model:

    T x L        1 x 256   4 x 128   2 x 256   4 x 256   16 x 128   8 x 256   16 x 256
    worked out       9.0      11.8      18.1      36.2       47.2      72.4      144.7 MB
    measured         8.3      12.0      18.1      37.1       49.1      75.1      151.1 MB
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FLOAT_BYTES = 4


def run_bytes(config: Mapping[str, Any]) -> tuple[int, int]:
    """Return bytes for each padded token of a run, and for each padded token and token of its longest window.

    `(0, 0)` for a config that does not say how large the model is.
    """
    hidden = _first(config, "hidden_size", "dim", "d_model")
    heads = _first(config, "num_attention_heads", "n_heads", "n_head", "num_heads")
    wide = _first(config, "intermediate_size", "hidden_dim", "n_inner", "ffn_dim") or 4 * hidden
    return FLOAT_BYTES * (wide + 3 * hidden) if hidden else 0, FLOAT_BYTES * 2 * heads


def _first(config: Mapping[str, Any], *names: str) -> int:
    """Return the first of these that is a number above 0, else 0."""
    return next((int(config[name]) for name in names if isinstance(config.get(name), int) and config[name] > 0), 0)
