"""Libraries that report home are told not to, before they are loaded."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys


def loaded(home: pathlib.Path, program: str) -> list[pathlib.Path]:
    """The files that a program leaves in a fresh home."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
    subprocess.run([sys.executable, "-c", program], env=environ, check=True, capture_output=True)
    return [path for path in home.rglob("*") if path.is_file()]


def test_the_runtime_keeps_no_device_id(tmp_path: pathlib.Path) -> None:
    """onnxruntime makes its device id and its queue of reports at import; from our worker it makes neither."""
    assert not loaded(tmp_path, "import importer.worker, onnxruntime")


def test_every_process_that_loads_models_is_told(tmp_path: pathlib.Path) -> None:
    """Worker and model fetching are both below importer.worker, whose import sets it."""
    program = "import os, importer.worker.models.fetch\nassert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
    program += "from huggingface_hub import constants\nassert constants.HF_HUB_DISABLE_TELEMETRY"
    assert not loaded(tmp_path, program)
