"""The machine and this installation: versions, settings, the clock, limits of the process."""

from __future__ import annotations

import importlib.metadata
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from importer.cli.doctor.finding import Finding, Problem, verdict
from importer.settings.load import Loaded

DISTRIBUTION = "conversation-importer"
PYTHON = (3, 11)
EPOCH_S = 1_767_225_600.0  # 2026-01-01: this program is younger, so no clock that works shows an earlier time
AHEAD_S = 3600.0  # a committed time this far in the future means that the clock was, or is, wrong
OPEN_FILES = 256  # the daemon holds a handful, the embedded store some per segment
ADDRESS_BYTES = 8 << 30  # models and segments are mapped: address space, not memory


@dataclass(frozen=True, slots=True)
class HostFacts:
    """`packages`: name -> (installed version or "", what is required). `newest_at` is the newest time committed.

    `exposed` is a settings file with keys in it that others may read, "" for none. Limits are None for unlimited.
    """

    python: tuple[int, int]
    packages: Mapping[str, tuple[str, str]]
    warnings: tuple[str, ...]
    exposed: str
    now: float
    newest_at: float
    open_files: int | None
    address_bytes: int | None


def look(
    loaded: Loaded,
    config_file: str,
    newest_at: float,
    *,
    clock: Callable[[], float] = time.time,
    requires: Callable[[str], list[str] | None] = importlib.metadata.requires,
) -> HostFacts:
    """The facts of this machine. `config_file` is "" for none."""
    # A key in the environment is not in the file.
    secret = any(origin == "file" for name, origin in loaded.origins.items() if name.endswith("_key"))
    return HostFacts(
        python=sys.version_info[:2],
        packages=_packages(requires),
        warnings=loaded.warnings,
        exposed=config_file if secret and _readable_by_others(config_file) else "",
        now=clock(),
        newest_at=newest_at,
        open_files=_limit(resource.RLIMIT_NOFILE),
        address_bytes=_limit(resource.RLIMIT_AS),
    )


def _packages(requires: Callable[[str], list[str] | None]) -> dict[str, tuple[str, str]]:
    """What the installed distribution says it needs, extras apart; empty for a source tree on the path."""
    try:
        wanted = requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return {}  # a source tree that is not installed names no requirements
    found = {}
    for text in wanted:
        name, spec = re.match(r"([A-Za-z0-9._-]+)\s*(.*)", text.partition(";")[0]).groups()  # type: ignore[union-attr]
        # Extras are needed only by who asked for them.
        if "extra" not in text.partition(";")[2]:
            found[name] = (_installed(name), spec.strip())
    return found


def _installed(name: str) -> str:
    """The version of a package, "" when it is missing."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _limit(kind: int) -> int | None:
    """The soft limit of this process, None for unlimited. A service manager or shell sets it before we start."""
    soft, _ = resource.getrlimit(kind)
    return None if soft == resource.RLIM_INFINITY else soft


def _readable_by_others(path: str) -> bool:
    """Whether group or others have any right to it; False for a file that is not there.

    Group counts as others: who is in it is not known here.
    """
    try:
        return bool(os.stat(path).st_mode & 0o077)
    except OSError:
        return False


def versions(facts: HostFacts) -> Finding:
    """Python and every package this program needs, within the bounds it was tested in.

    The embedded store is a beta and pinned to one version: another one may read its files differently. What is missing
    would show only when a worker starts, as a traceback.
    """

    def problems() -> Iterator[Problem]:
        if facts.python < PYTHON:
            shown = ".".join(map(str, facts.python))
            yield Problem(f"Python {shown} is too old", "install Python 3.11 or newer, and the importer into it")
        for name, (installed, spec) in facts.packages.items():
            if not installed:
                yield Problem(f"{name} is not installed", f"pip install '{name}{spec}'")
            elif not satisfied(installed, spec):
                yield Problem(f"{name} {installed} is installed, {spec} is needed", f"pip install '{name}{spec}'")

    return verdict("versions", f"Python {'.'.join(map(str, facts.python))}, {len(facts.packages)} packages", problems())


def satisfied(installed: str, spec: str) -> bool:
    """Whether a version keeps to a list like `>=1.15,<2`, by its numbers alone.

    Of the operators of PEP 440 these three are the ones our requirements use; others are taken for satisfied. A release
    candidate counts as its release.
    """
    version = _numbers(installed)
    rules = {
        ">=": lambda bound: version >= bound,
        "<": lambda bound: version < bound,
        "==": lambda bound: version == bound,
    }
    for rule in filter(None, spec.split(",")):
        operator, bound = re.match(r"\s*([<>=!~]+)\s*(\S+)", rule).groups()  # type: ignore[union-attr]
        if operator in rules and not rules[operator](_numbers(bound)):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """The release numbers, without trailing zeros: 2 is 2.0."""
    numbers = [int(part) for part in re.match(r"[0-9.]*", version).group().split(".") if part]  # type: ignore[union-attr]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def settings(facts: HostFacts) -> Finding:
    """Nothing odd is set, and no key lies open.

    What is plainly wrong is refused when settings are loaded; this is about what works and is most likely not meant:
    keys in clear text over a network, metrics for everybody, variables that nobody reads.
    """
    odd = [
        Problem(text, "`importer config` shows where it was set; change or unset it there") for text in facts.warnings
    ]
    if facts.exposed:
        odd.append(Problem(f"{facts.exposed} holds keys and others may read it", f"chmod 600 {facts.exposed}"))
    return verdict("settings", "nothing odd is set", odd)


def clock(facts: HostFacts) -> Finding:
    """The time makes sense: it is not before this program, nor before what it has committed.

    A wrong clock breaks more than timestamps: files look unchanged, transcripts look expired, and TLS refuses.
    """
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(facts.now))
    fix = "set the clock: `timedatectl set-ntp true`, in a virtual machine synchronise it with its host"

    def problems() -> Iterator[Problem]:
        if facts.now < EPOCH_S:
            yield Problem(f"it is {shown}, says the clock", fix)
        elif facts.newest_at > facts.now + AHEAD_S:
            ahead = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(facts.newest_at))
            yield Problem(f"it is {shown}, but something was committed at {ahead}", fix)

    return verdict("clock", shown, problems())


def limits(facts: HostFacts) -> Finding:
    """What the shell or the service manager lets a process have.

    A limit on address space is none on memory: ONNX Runtime and the store map far more than they ever touch.
    """

    def problems() -> Iterator[Problem]:
        if facts.open_files is not None and facts.open_files < OPEN_FILES:
            fix = f"`ulimit -n 4096`, in a systemd unit `LimitNOFILE=4096` (at least {OPEN_FILES})"
            yield Problem(f"only {facts.open_files} files may be open", fix)
        if facts.address_bytes is not None and facts.address_bytes < ADDRESS_BYTES:
            fix = "`ulimit -v unlimited`; limit memory with MemoryMax= or a container's limit in its place"
            yield Problem(f"only {facts.address_bytes >> 20} MB of address space: models are mapped into it", fix)

    shown = "unlimited" if facts.open_files is None else str(facts.open_files)
    return verdict("limits", f"{shown} open files", problems())
