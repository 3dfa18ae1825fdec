"""fastembed comes without what only its downloads need, and nobody else is deceived."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

START = "import sys; from importer.worker.embedders import _fastembed_engine as lean"


def said(*lines: str) -> list[str]:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_what_it_downloads_with_is_not_loaded() -> None:
    """Neither the packages nor placeholders are left; whoever imports one gets it."""
    packages = "[name for name in lean.UNUSED if name in sys.modules]"
    told = said(START, f"print({packages}, lean.TextEmbedding.__module__)", "import requests", "print(requests.get)")
    assert told[0] == "[] fastembed.text.text_embedding"
    assert told[1].startswith("<function get")


def test_what_was_there_stays() -> None:
    """A package somebody has imported already is no placeholder for fastembed either."""
    told = said(
        "import requests as mine",
        START,
        "import fastembed.common.model_management as it",
        "print(it.requests is mine, sys.modules['requests'] is mine)",
    )
    assert told == ["True True"]


def test_a_placeholder_that_is_used_says_so() -> None:
    """fastembed is never to download here; if it tries, the error says what is missing and why."""
    told = said(
        START,
        "import fastembed.common.model_management as it",
        "try: it.snapshot_download()",
        "except RuntimeError as error: print(error)",
    )
    assert "fastembed wants snapshot_download" in told[0]


def test_a_fastembed_that_wants_more_is_imported_whole() -> None:
    """Placeholders that do not do are no reason to go without."""
    told = said(
        "import importlib",
        "real = importlib.import_module",
        "def once(name, *rest):",
        "    if name == 'fastembed':",
        "        real('fastembed.common.types')",
        "        raise TypeError('placeholders do not do')",
        "    return real(name, *rest)",
        "importlib.import_module = once",
        START,
        "print('requests' in sys.modules, lean.TextEmbedding.__name__)",
    )
    assert told == ["True TextEmbedding"]
