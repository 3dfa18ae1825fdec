"""The model hub as a source, through huggingface_hub: downloads resume, HF_ENDPOINT and HF_TOKEN are followed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from importer.worker.models.catalog import Description
from importer.worker.models.sources import Progress, Unavailable, first_line, folder_bytes, reporting

T = TypeVar("T")
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
        from huggingface_hub.utils.tqdm import disable_progress_bars  # noqa: PLC0415  see above

        wanted = {file.path: file.optional for file in description.files}
        sizes = {one.rfilename: one.size or 0 for one in snapshot.siblings if one.rfilename in wanted}
        for path, optional in wanted.items():
            if path not in sizes and not optional:
                raise Unavailable(f"{description.repository} has no {path}")
        total, commit = sum(sizes.values()), {"revision": snapshot.sha, "local_dir": folder}
        disable_progress_bars()  # `progress` shows how far it is
        with reporting(lambda: progress(self.name, min(folder_bytes(folder), total), total)):
            api.snapshot_download(description.repository, allow_patterns=list(sizes), **commit)
        for wrong in api.verify_repo_checksums(description.repository, **commit).mismatches:
            os.unlink(os.path.join(folder, wrong["path"]))  # so that the next try downloads it anew
            raise Unavailable(f"{wrong['path']} arrived damaged")
        return f"{self.name} ({description.repository}@{snapshot.sha[:12]})"


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
