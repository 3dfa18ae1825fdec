"""`python -m importer` and the console script."""

from __future__ import annotations

import importlib.util
import os
import sys


def _pass_over_the_current_folder() -> None:
    """Take the current folder off the module path, unless it was named there: what lies in it is not ours to run.

    `python -m` puts it in front, and so does an empty part of PYTHONPATH, as in `PYTHONPATH=$PYTHONPATH:/mine`.
    """
    if __name__ == "__main__" and not sys.flags.safe_path:
        del sys.path[0]
    parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if len(parts) > 1 and "" in parts:
        here = os.path.realpath(os.getcwd())
        named = {os.path.realpath(part) for part in parts if part}
        sys.path[:] = [path for path in sys.path if os.path.realpath(path) != here or here in named]


def _refuse_other_systems() -> None:
    """Exit on a system without POSIX, such as Windows, with what to do: an import would end in a traceback."""
    if importlib.util.find_spec("fcntl") is None:
        lacks = "file locks, Unix sockets, signals and process groups of POSIX"
        sys.stderr.write(f"error: this system lacks what the importer needs: {lacks}\n  try: WSL, or a container\n")
        sys.exit(2)  # wrong usage; `errors` is not imported yet


_pass_over_the_current_folder()
_refuse_other_systems()

from importer.cli.app import run  # noqa: E402  only now may more be imported


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
