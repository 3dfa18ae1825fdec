"""fastembed comes without what only its downloads need, and other importers of these packages are not deceived."""

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
    """Neither the packages nor placeholders are left; importing one gives the package itself."""
    packages = "[name for name in lean.UNUSED if name in sys.modules]"
    told = said(START, f"print({packages}, lean.TextEmbedding.__module__)", "import requests", "print(requests.get)")
    assert told[0] == "[] fastembed.text.text_embedding"
    assert told[1].startswith("<function get")


def test_what_was_there_stays() -> None:
    """A package that is imported already is no placeholder for fastembed either."""
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


def test_its_warnings_go_to_pythons_logger() -> None:
    """Another importer of the logger gets the package itself."""
    told = said(
        "import logging",
        "logging.basicConfig(stream=__import__('sys').stdout, format='%(name)s: %(message)s')",
        START,
        "import fastembed.common.model_management as it",
        "it.logger.warning('it is odd')",
        "print('asyncio' in sys.modules, lean.LOGGER in sys.modules)",
        "import loguru",
        "print(loguru.logger.bind)",
    )
    assert told[:2] == ["fastembed: it is odd", "False False"]
    assert told[2].startswith("<bound method Logger.bind")


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


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        ("TextEmbedding", ["EMBEDDINGS_REGISTRY", "list_supported_models", "add_custom_model", "embedding_size"]),
        ("TextEmbedding", ["passage_embed", "query_embed"]),
        ("OnnxTextModel", ["EXPOSED_SESSION_OPTIONS", "add_extra_session_options", "tokenize"]),
        ("PoolingType", ["MEAN", "CLS", "LAST_TOKEN"]),
    ],
)
def test_the_names_of_fastembed_that_are_relied_on(owner: str, names: list[str]) -> None:
    """The private corner of fastembed that the engine changes; a version without one of them is told of here first."""
    from importer.worker.embedders import _fastembed_engine

    missing = [name for name in names if not hasattr(getattr(_fastembed_engine, owner), name)]
    assert missing == [], f"this version of fastembed has no {owner}.{missing}: see _fastembed_engine"
