"""The process that fetches models: results on standard output, progress and errors on standard error, exit codes."""

from __future__ import annotations

import io
import json
import os

import pytest

from importer.errors import USAGE, WORKER
from importer.worker.models.fetch import ProgressBars, ProgressLines, main, shown_on


@pytest.fixture
def settings(model_dir):
    """The model's settings, as the command line passes them."""
    return settings_of(os.path.dirname(model_dir))


def settings_of(folder):
    numbers = {"dimension": 0, "window_tokens": 0, "offline": False}
    return {"provider": "fastembed", "model": "all-MiniLM-L6-v2", "model_dir": folder, "precision": "fp32", **numbers}


@pytest.fixture
def empty(tmp_path):
    """The settings of a machine without any model."""
    return settings_of(str(tmp_path))


def run(*words, settings=None):
    return main(words, io.StringIO(json.dumps(settings) if settings else ""))


def test_path_prints_the_directory_alone(model_dir, settings, capsys):
    """A script can use the output as it is."""
    assert run("path", settings=settings) == 0
    assert capsys.readouterr() == (f"{model_dir}\n", "")


def test_fetch_describes_the_model(model_dir, settings, capsys):
    """It describes the model in words, or as JSON, or not at all."""
    assert run("fetch", settings=settings) == 0
    assert "384 dimensions" in capsys.readouterr().out
    assert run("fetch", "--json", settings=settings) == 0
    assert json.loads(capsys.readouterr().out)["directory"] == model_dir
    assert run("fetch", "--quiet", settings=settings) == 0
    assert capsys.readouterr().out == ""


def test_list_shows_what_is_there(settings, empty, capsys):
    """All models below the directory are listed; none is no error."""
    assert run("list", "--json", settings=settings) == 0
    assert json.loads(capsys.readouterr().out)[0]["dimension"] == 384
    assert run("list", settings=empty) == 0
    assert capsys.readouterr().out == ""


def test_no_model_is_the_workers_exit_code_with_a_hint(empty, capsys):
    """Nothing stands on standard output that could be taken for a path."""
    assert run("path", settings=empty) == WORKER
    assert run("fetch", settings={**empty, "offline": True}) == WORKER
    out, err = capsys.readouterr()
    assert out == ""
    assert "importer model fetch" in err
    assert "offline" in err


def test_without_settings_it_is_a_usage_error(capsys):
    """The message says where they are expected."""
    assert run("path") == USAGE
    assert "standard input" in capsys.readouterr().err


def test_lines_say_each_stage_once_and_then_now_and_again():
    """Within a stage a line comes every two seconds of the given clock."""
    out, now = io.StringIO(), [0.0]
    lines = ProgressLines(out, lambda: now[0])
    for second in range(5):
        now[0] = float(second)
        lines("model hub", second * 1_000_000, 90_000_000)
    lines("build", 0, 0)
    said = out.getvalue().splitlines()
    assert said == [*(f"model: model hub {done} of 90 MB" for done in (0, 2, 4)), "model: build"]


def test_on_a_terminal_bars_are_drawn():
    """The bar of one stage is visible at a time."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown, progress = shown_on(Terminal())
    assert isinstance(progress, ProgressBars)
    with shown:
        progress("model hub", 5, 10)
        progress("build", 0, 0)
    assert [(task.description, task.visible) for task in progress.bars.tasks] == [("model hub", False), ("build", True)]
