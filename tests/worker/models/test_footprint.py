"""What a run takes, by the sizes that a model's config.json tells under the names of its family."""

from __future__ import annotations

import pytest

from importer.worker.models.footprint import run_bytes


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 12}, (10_752, 96)),  # MiniLM
        ({"dim": 768, "hidden_dim": 3072, "n_heads": 12}, (21_504, 96)),  # DistilBERT
        ({"n_embd": 1, "d_model": 512, "num_heads": 8}, (14_336, 64)),  # four times as wide where it does not say
        ({}, (0, 0)),
        ({"hidden_size": "384"}, (0, 0)),
    ],
)
def test_sizes_by_the_names_of_families(config: dict[str, object], expected: tuple[int, int]) -> None:
    """A config that says nothing makes no forecast of runs."""
    assert run_bytes(config) == expected
