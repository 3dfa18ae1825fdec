"""Run the stand-in for a Qdrant server as a process of its own, for the tests that take one: QDRANT_TEST_URL.

    python tests/support/standing_qdrant.py           # prints the address
    python tests/support/standing_qdrant.py cluster   # three nodes, prints their addresses with commas

It runs until its standard input ends.
"""

from __future__ import annotations

import os
import pathlib
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from scripted_cluster import Cluster
from scripted_qdrant import ScriptedQdrant


@contextmanager
def standing(*, cluster: bool = False) -> Iterator[str]:
    """Run it beside this process; yield what QDRANT_TEST_URL is to be."""
    here = pathlib.Path(__file__)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(here.parents[2]), str(here.parent)))}
    command = [sys.executable, str(here), *(["cluster"] if cluster else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def main() -> None:
    """Serve until the standard input ends."""
    if "cluster" in sys.argv[1:]:
        with Cluster(random.Random(0)).listening() as urls:
            print(",".join(urls), flush=True)
            sys.stdin.read()
    else:
        with ScriptedQdrant() as server:
            print(server.url, flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main()
