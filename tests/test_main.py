"""The entry: a system that cannot run the importer is told so in a sentence."""

from __future__ import annotations

import subprocess
import sys

from importer.errors import USAGE

WITHOUT_POSIX = """
import importlib.util, runpy
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "fcntl" else find(name, *more)
runpy.run_module("importer", run_name="__main__")
"""


def test_a_system_without_posix_is_refused_in_plain_words() -> None:
    """Before anything is imported that would fail with a traceback there."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_POSIX, "search", "x"], capture_output=True, text=True)
    assert done.returncode == USAGE
    assert done.stderr.startswith("error: this system lacks") and "WSL" in done.stderr
    assert "Traceback" not in done.stderr
