"""The tests that take a server: a part of them with QDRANT_TEST_URL, against the stand-in as a process of its own.

With a real server, or the three nodes of a real cluster, the whole suite runs in this way.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

import pytest
import store_backends
from standing_qdrant import standing

ROOT = pathlib.Path(__file__).parents[2]
PARTS = {
    "one": ["tests/worker/stores/test_stores.py"],
    "cluster": [
        "tests/worker/stores/test_cluster_histories.py::test_histories_over_addresses",
        "tests/consistency/test_forget.py::test_dry_run_changes_nothing",
    ],
}
CHOSEN = "server or dry_run or over_addresses"


@pytest.mark.skipif(bool(store_backends.SERVER), reason="the whole suite runs with a server already")
@pytest.mark.parametrize("kind", PARTS)
def test_a_part_of_the_suite_with_a_server(tmp_path: pathlib.Path, kind: str) -> None:
    """All of it passes, and nothing is left on the server."""
    with standing(cluster=kind == "cluster") as urls:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path}/of-it"]
        done = subprocess.run(
            [*command, "-k", CHOSEN, *PARTS[kind]],
            cwd=ROOT,
            env={**os.environ, "QDRANT_TEST_URL": urls},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        assert "skipped" not in done.stdout.splitlines()[-1]
        with urllib.request.urlopen(f"{urls.split(',')[0]}/collections") as answer:
            assert json.load(answer)["result"]["collections"] == []
