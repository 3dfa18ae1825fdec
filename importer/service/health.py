"""Exit 0 when the daemon answers on its control socket, else 1 and why: `python -m importer.service.health [DIR]`.

For a container's HEALTHCHECK, which runs for months: it imports the standard library alone and costs 20 ms of a core.
A daemon that answers is well, even while it waits for a store or a model: `importer status` says more.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence

ANSWER_S = 8.0  # a daemon answers between two turns of its loop; below the engine's own time-out
FOLDERS = ("IMPORTER_STATE_DIR", "STATE_DIRECTORY")


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Print the answer or what is wrong; return the exit code."""
    folder = next(iter(arguments), "") or next((environ[name] for name in FOLDERS if environ.get(name)), ".")
    try:
        print(f"well: process {ping(folder, ANSWER_S)} answers")  # noqa: T201  the engine keeps what is printed
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"no answer from the daemon of {folder}: {error}")  # noqa: T201
        return 1
    return 0


def ping(folder: str, timeout_s: float) -> int:
    """Ask the daemon of a state directory for its process id. Raises OSError, or ValueError for a malformed answer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(timeout_s)
        client.connect(os.path.join(folder, "control.sock"))
        client.sendall(b'{"op": "ping"}\n')
        with client.makefile("rb") as stream:
            return int(json.loads(stream.readline(65536))["value"]["pid"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
