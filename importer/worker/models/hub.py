"""The model hub as a source, through huggingface_hub: HF_ENDPOINT and HF_TOKEN are followed.

Files are downloaded here, for the library begins a file anew in each process, and the weights are 90 MB.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import httpx

from importer.worker.models.catalog import Description
from importer.worker.models.sources import Progress, Unavailable, first_line, folder_bytes, reporting

T = TypeVar("T")
TRIES = 5  # of a file whose connection breaks
SILENCE_S = 30.0  # between two parts of a file
PARTIAL = 206  # the answer holds what the range asked for
ANSWER_S = 4.0  # for the first answer, name resolution included; a reachable hub takes a tenth of that


class Hub:
    """A source that downloads a snapshot of a model's repository. After no answer it does not ask again."""

    name = "model hub"

    def __init__(self, endpoint: str | None = None, answer_s: float = ANSWER_S) -> None:
        self.endpoint = endpoint
        self.answer_s = answer_s
        self.silence = ""

    def bring(self, description: Description, folder: str, progress: Progress) -> str:
        """Download the description's files as of one commit and check them against the hub's sums. See `Source`."""
        if self.silence or not description.repository:
            raise Unavailable(self.silence or "it does not carry this model")
        from huggingface_hub import HfApi  # noqa: PLC0415  heavy, and most runs find the model in the cache

        progress(self.name, 0, 0)
        api = HfApi(self.endpoint)
        try:
            return self._download(api, self._snapshot(api, description.repository), description, folder, progress)
        except Unavailable:
            raise
        except Exception as error:  # hub, httpx and xet have no base in common; all of them mean: not from here
            raise Unavailable(f"{type(error).__name__}: {first_line(error)}") from error

    def _snapshot(self, api: Any, repository: str) -> Any:
        """Ask the hub for the newest commit of a repository and the sizes of its files; remember its silence."""
        from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415  see above

        try:
            question = {"files_metadata": True, "timeout": self.answer_s}
            return within(self.answer_s, lambda: api.model_info(repository, **question))
        except HfHubHTTPError:  # an answer, though not the one that was hoped for
            raise
        except Exception as error:
            self.silence = f"no answer ({first_line(error)})"
            raise Unavailable(self.silence) from error

    def _download(self, api: Any, snapshot: Any, description: Description, folder: str, progress: Progress) -> str:
        """Download the wanted files of a snapshot, go on where an earlier try ended, and return the origin."""
        from huggingface_hub import hf_hub_url  # noqa: PLC0415  see above

        wanted = {file.path: file.optional for file in description.files}
        sizes = {one.rfilename: one.size or 0 for one in snapshot.siblings if one.rfilename in wanted}
        for path, optional in wanted.items():
            if path not in sizes and not optional:
                raise Unavailable(f"{description.repository} has no {path}")
        total, commit = sum(sizes.values()), {"revision": snapshot.sha}
        with reporting(lambda: progress(self.name, min(folder_bytes(folder), total), total)):
            for path, size in sizes.items():
                url = hf_hub_url(description.repository, path, endpoint=api.endpoint, **commit)
                download(url, os.path.join(folder, path), size, snapshot.sha)
        for wrong in api.verify_repo_checksums(description.repository, local_dir=folder, **commit).mismatches:
            os.unlink(os.path.join(folder, wrong["path"]))  # so that the next try downloads it anew
            raise Unavailable(f"{wrong['path']} arrived damaged")
        return f"{self.name} ({description.repository}@{snapshot.sha[:12]})"


def download(url: str, path: str, size: int, commit: str) -> None:
    """Download a file of a commit, unless it is there. What came of it is kept, and the next try asks for the rest.

    Raises httpx.HTTPError after TRIES broken connections, OSError.
    """
    part = f"{path}.{commit[:12]}.part"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    for tries_left in reversed(range(TRIES if not _has(path, size) else 0)):
        try:
            if not _has(part, size):
                _append(url, part)
            return os.replace(part, path)
        except httpx.TransportError:
            if not tries_left:
                raise
    return None


def _append(url: str, part: str) -> None:
    """Download what is missing of a file; a server that knows no ranges sends all of it again."""
    from huggingface_hub import get_session  # noqa: PLC0415  see above
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # noqa: PLC0415

    have = os.path.getsize(part) if os.path.exists(part) else 0
    headers = {**build_hf_headers(), "Accept-Encoding": "identity", "Range": f"bytes={have}-"}
    with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=SILENCE_S) as response:
        response.raise_for_status()
        with open(part, "ab" if response.status_code == PARTIAL else "wb") as file:
            for block in response.iter_raw():
                file.write(block)


def _has(path: str, size: int) -> bool:
    """Return True if a file is there in its full size."""
    return os.path.exists(path) and os.path.getsize(path) == size


def within(limit_s: float, call: Callable[[], T]) -> T:
    """Return or raise what `call` does. Raises TimeoutError after `limit_s`; the call goes on in its thread.

    Time-outs of a connection do not cover its name's resolution, which may take half a minute.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()  # a daemon thread does not keep the process from ending
    return outcome.result(limit_s)
