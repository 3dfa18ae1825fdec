"""Find formats that other installed packages bring, by their entry points of the group `importer.formats`.

    [project.entry-points."importer.formats"]
    parley = "my_formats.parley"

The folders of installed packages are read here, and not by importlib.metadata, which would cost a daemon 1.5 MB. A
package in a zip file is not found. One that cannot be used is named by `doctor`, and the others are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache

from importer import formats
from importer.protocol.system.plain import plain

GROUP = "[importer.formats]"
refused: dict[str, str] = {}  # modules that cannot be used, and why


@cache  # packages are not installed into a process that runs
def join() -> None:
    """Let such formats be found like those of this package."""
    for module in sorted(set(_declared())):
        try:
            formats.check(module)
            formats.others.append(module)
        except Exception as error:  # code of others may fail in any way
            refused[module] = str(error) or type(error).__name__


def _declared() -> Iterator[str]:
    """Yield the modules that installed packages declare."""
    for folder in dict.fromkeys(sys.path):
        try:
            packages = [entry.path for entry in os.scandir(folder) if entry.name.endswith(".dist-info")]
        except OSError:
            continue
        for package in packages:
            yield from _of(os.path.join(package, "entry_points.txt"))


def _of(path: str) -> Iterator[str]:
    """Yield the modules that one package declares."""
    try:
        with open(path, encoding="utf-8", opener=plain) as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return
    section = text.partition(GROUP)[2].partition("\n[")[0]
    yield from (line.partition("=")[2].strip() for line in section.splitlines() if "=" in line)
