"""The model hub as a source, through huggingface_hub: resumes what was cut off, follows HF_ENDPOINT, HF_TOKEN."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from importer.worker.models.catalog import Description, Wanted
from importer.worker.models.sources import Progress, Unavailable, first_line, folder_bytes, reporting, within

ANSWER_S = 4.0  # for the first answer, name resolution included; a reachable hub takes a tenth of that


class Hub:
    """Asked file by file; a hub that gave no answer once is not asked again in this run."""

    name = "model hub"

    def __init__(self, endpoint: str | None = None, answer_s: float = ANSWER_S) -> None:
        self.endpoint = endpoint
        self.answer_s = answer_s
        self.silence = ""

    def bring(self, description: Description, folder: str, progress: Progress) -> str:
        """Download what the description wants, each file checked against the hub's own sum. See `Source`."""
        if not description.repository:
            raise Unavailable("it does not carry this model")
        progress(self.name, 0, 0)
        try:
            stated = [(wanted, self._stated(description.repository, wanted)) for wanted in description.files]
            return self._download(description.repository, stated, folder, progress)
        except Unavailable:
            raise
        except Exception as error:  # hub, httpx and xet have no base in common; all of them mean: not from here
            raise Unavailable(f"{type(error).__name__}: {first_line(error)}") from error

    def _stated(self, repository: str, wanted: Wanted) -> Any:
        """What the hub says of a file (etag, size, commit_hash); None for an optional one that it does not have."""
        import huggingface_hub as hub  # noqa: PLC0415  heavy, and most runs find the model in the cache

        if self.silence:
            raise Unavailable(self.silence)
        url = hub.hf_hub_url(repository, wanted.path, endpoint=self.endpoint)
        try:
            return within(self.answer_s, lambda: hub.get_hf_file_metadata(url, timeout=self.answer_s))
        except hub.errors.EntryNotFoundError:
            if wanted.optional:
                return None
            raise
        except hub.errors.HfHubHTTPError:  # it did answer, so it is not silent
            raise
        except Exception as error:
            self.silence = f"no answer ({first_line(error)})"
            raise Unavailable(self.silence) from error

    def _download(self, repository: str, stated: list[tuple[Wanted, Any]], folder: str, progress: Progress) -> str:
        """Downloads what the hub has said it has, from the commit it named, so that all files belong together."""
        import huggingface_hub as hub  # noqa: PLC0415  see above

        served = [(wanted.path, said) for wanted, said in stated if said is not None]
        total = sum(said.size or 0 for _, said in served)
        with reporting(lambda: progress(self.name, min(folder_bytes(folder), total), total)):
            for path, said in served:
                origin = {"revision": said.commit_hash, "endpoint": self.endpoint}
                hub.hf_hub_download(repository, path, local_dir=folder, **origin)
                check_etag(os.path.join(folder, path), said.etag or "")
        return f"{self.name} ({repository}@{(served[0][1].commit_hash or 'main')[:12]})"


def check_etag(path: str, etag: str) -> None:
    """The hub's sum of a file is its sha256 (large files, 64 digits) or git's sha1 of it as a blob (40 digits).

    Anything else says nothing. Raises Unavailable when the file is another; it is removed, so that it is fetched anew.
    """
    with open(path, "rb") as file:
        if len(etag) == 64:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        elif len(etag) == 40:
            head = f"blob {os.fstat(file.fileno()).st_size}\0".encode()
            # Whole in memory: large files have the other sum.
            found = hashlib.sha1(head + file.read(), usedforsecurity=False).hexdigest()
        else:
            return
    if found != etag:
        os.unlink(path)
        raise Unavailable(f"{os.path.basename(path)} arrived damaged")
