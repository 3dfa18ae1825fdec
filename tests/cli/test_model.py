"""`importer model` as a process: the process that knows models answers, and its exit code is passed on."""

from __future__ import annotations

import os
import pathlib

import pytest
from processes import Importer


@pytest.fixture
def installed(tmp_path: pathlib.Path, model_dir: str) -> Importer:
    return Importer(tmp_path, {"IMPORTER_MODEL_DIR": os.path.dirname(model_dir), "HF_HUB_OFFLINE": "1"})


def test_the_path_is_the_directory(installed: Importer, model_dir: str) -> None:
    """It is printed on one line, for other programs."""
    assert installed.run("model", "path").out == f"{model_dir}\n"


def test_the_models_on_this_machine_are_listed(installed: Importer, model_dir: str) -> None:
    """The command without a word lists them."""
    listed = installed.run("model").out
    assert model_dir in listed
    assert listed == installed.run("model", "list").out


def test_a_model_that_is_here_is_verified(installed: Importer, model_dir: str) -> None:
    """Fetching a model that is on this machine uses no network."""
    done = installed.run("model", "fetch", "--json")
    assert done.code == 0
    assert done.json["directory"] == model_dir


def test_a_model_that_is_not_here_is_an_error(installed: Importer) -> None:
    """The exit code is 4, and the message names the way out."""
    done = installed.run("model", "path", IMPORTER_MODEL_DIR=str(installed.base / "none"))
    assert (done.code, done.out) == (4, "")
    assert "importer model fetch" in done.err


def test_a_remote_provider_has_no_local_model(installed: Importer) -> None:
    """It is a usage error, reported before any process is started."""
    done = installed.run("model", "path", HF_HUB_OFFLINE="0", EMBEDDING_PROVIDER="openai", OPENAI_API_KEY="x")
    assert done.code == 2
    assert "openai" in done.err
