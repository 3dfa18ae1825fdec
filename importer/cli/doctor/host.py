"""Check the machine and this installation: versions, settings, the clock, limits of the process."""

from __future__ import annotations

import importlib.metadata
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from importer.cli.doctor.finding import Finding, Problem, judge
from importer.settings.load import Loaded

DISTRIBUTION = "conversation-importer"
PYTHON = (3, 11)  # the oldest version that is supported
EPOCH_S = 1_767_225_600.0  # 2026-01-01: this program is younger, so no clock that works shows an earlier time
AHEAD_S = 3600.0  # a committed time this far in the future means that the clock was, or is, wrong
OPEN_FILES = 256  # the daemon holds a handful, the embedded store some per segment
ADDRESS_BYTES = 8 << 30  # models and segments are mapped: address space, not memory


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What was found on this machine.

    `packages`: name -> (installed version or "", required versions). `newest_at` is the time of the newest commit.
    `exposed` is a settings file with keys in it that other users may read, "" for none. Limits are None for unlimited.
    """

    python: tuple[int, int]
    packages: Mapping[str, tuple[str, str]]
    warnings: tuple[str, ...]
    exposed: str
    now: float
    newest_at: float
    open_files: int | None
    address_bytes: int | None


def gather(
    loaded: Loaded,
    config_file: str,
    newest_at: float,
    *,
    clock: Callable[[], float] = time.time,
    requires: Callable[[str], list[str] | None] = importlib.metadata.requires,
) -> HostFacts:
    """Gather the facts of this machine. `config_file` is "" for none."""
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
    """Return what the installed distribution requires, without its extras; empty for a source tree on the path."""
    try:
        required = [Requirement(text) for text in requires(DISTRIBUTION) or []]
    except importlib.metadata.PackageNotFoundError:
        return {}
    needed = [one for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    return {one.name: (_installed(one.name), str(one.specifier)) for one in needed}


def _installed(name: str) -> str:
    """Return the version of a package, "" when it is missing."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _limit(kind: int) -> int | None:
    """Return the soft limit of this process, None for unlimited. The service manager or the shell has set it."""
    soft, _ = resource.getrlimit(kind)
    return None if soft == resource.RLIM_INFINITY else soft


def _readable_by_others(path: str) -> bool:
    """Return True if the group or others have any right to a file; False for a file that is not there.

    The group counts as others: its members are not known here.
    """
    try:
        return bool(os.stat(path).st_mode & 0o077)
    except OSError:
        return False


def check_versions(facts: HostFacts) -> Finding:
    """Check that Python and every required package are within the bounds this program was tested in.

    The embedded store is a beta and pinned to one version: another one may read its files differently. A missing
    package would show only when a worker starts, as a traceback.
    """

    def problems() -> Iterator[Problem]:
        if facts.python < PYTHON:
            fix = f"install Python {_dotted(PYTHON)} or newer, and the importer into it"
            yield Problem(f"Python {_dotted(facts.python)} is too old", fix)
        for name, (installed, bounds) in facts.packages.items():
            if not installed:
                yield Problem(f"{name} is not installed", f"pip install '{name}{bounds}'")
            elif not satisfies(installed, bounds):
                yield Problem(f"{name} {installed} is installed, {bounds} is needed", f"pip install '{name}{bounds}'")

    return judge("versions", f"Python {_dotted(facts.python)}, {len(facts.packages)} packages", problems())


def _dotted(version: tuple[int, int]) -> str:
    """Return a version as it is written."""
    return ".".join(map(str, version))


def satisfies(version: str, bounds: str) -> bool:
    """Return True if a version keeps to bounds like `>=1.15,<2`; False for a text that is no version.

    A release candidate counts as its release.
    """
    try:
        return Version(version).base_version in SpecifierSet(bounds)
    except InvalidVersion:
        return False


def check_settings(facts: HostFacts) -> Finding:
    """Check that no setting is odd, and that no key can be read by other users.

    Settings that cannot work are refused when they are loaded. This check is about settings that work and are most
    likely not meant: keys sent in clear text, metrics open to other machines, variables that set nothing.
    """
    odd = [
        Problem(text, "`importer config` shows where it was set; change or unset it there") for text in facts.warnings
    ]
    if facts.exposed:
        odd.append(Problem(f"{facts.exposed} holds keys and other users may read it", f"chmod 600 {facts.exposed}"))
    return judge("settings", "nothing odd is set", odd)


def check_clock(facts: HostFacts) -> Finding:
    """Check that the time is not before this program was made, nor before its newest commit.

    A wrong clock breaks more than timestamps: files look unchanged, transcripts look expired, and TLS refuses.
    """
    shown = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(facts.now))
    fix = "set the clock: `timedatectl set-ntp true`, in a virtual machine synchronise it with its host"

    def problems() -> Iterator[Problem]:
        if facts.now < EPOCH_S:
            yield Problem(f"it is {shown}, says the clock", fix)
        elif facts.newest_at > facts.now + AHEAD_S:
            ahead = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(facts.newest_at))
            yield Problem(f"it is {shown}, but something was committed at {ahead}", fix)

    return judge("clock", shown, problems())


def check_limits(facts: HostFacts) -> Finding:
    """Check the limits on open files and address space that the shell or the service manager has set.

    A limit on address space does not limit memory: ONNX Runtime and the store map far more than they ever touch.
    """

    def problems() -> Iterator[Problem]:
        if facts.open_files is not None and facts.open_files < OPEN_FILES:
            fix = f"`ulimit -n 4096`, in a systemd unit `LimitNOFILE=4096` (at least {OPEN_FILES})"
            yield Problem(f"only {facts.open_files} files may be open", fix)
        if facts.address_bytes is not None and facts.address_bytes < ADDRESS_BYTES:
            fix = "`ulimit -v unlimited`; limit memory with MemoryMax= or a container's limit in its place"
            yield Problem(f"only {facts.address_bytes >> 20} MB of address space: models are mapped into it", fix)

    shown = "unlimited" if facts.open_files is None else str(facts.open_files)
    return judge("limits", f"{shown} open files", problems())
