"""What of our environment a worker gets."""

from __future__ import annotations

import asyncio
import os
import pathlib

import pytest
from scripted_supervisor import supervisor

from importer.delivery import environment
from importer.delivery.policy import Recycle

PLANTED = {
    "OPENAI_API_KEY": "sk",
    "MY_SECRET": "s",
    "AWS_ACCESS_KEY_ID": "a",
    "DATABASE_URL": "postgres://ann:pw@db/x",
    "GITHUB_TOKEN": "g",
    "HF_TOKEN": "h",
    "PIP_PASSWORD": "p",
    "QDRANT_URL": "http://ann:pw@q",
    "IMPORTER_STORE_LOCATION": "http://ann:pw@q",
    "NOTIFY_SOCKET": "/n",
    "CREDENTIALS_DIRECTORY": "/c",
    "SSH_AUTH_SOCK": "/s",
    "PYTHONSTARTUP": "/evil.py",
    "PYTHONINSPECT": "1",
    "BASH_ENV": "/evil",
    "hf_token": "h",
}
PASSED = {
    "PATH": "/bin",
    "HOME": "/home/ann",
    "LC_ALL": "C.UTF-8",
    "https_proxy": "http://proxy",
    "SSL_CERT_FILE": "/c.pem",
    "HF_ENDPOINT": "https://mirror",
    "PIP_INDEX_URL": "https://mirror/simple",
    "MALLOC_ARENA_MAX": "8",
    "IMPORTER_PLUGIN_API_KEY": "a plug-in's own",
}


def test_a_worker_gets_what_it_needs_and_nothing_else() -> None:
    """Keys travel in the first frame; unknown names stay behind, as known keys do."""
    made = environment.of_worker(PLANTED | PASSED, {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "1"}, threads=3)
    assert not PLANTED.keys() & made.keys()
    assert PASSED.items() <= made.items()  # the allocator's settings too: the user's own win over the profile's
    assert (made["MALLOC_TRIM_THRESHOLD_"], made["OMP_NUM_THREADS"]) == ("1", "3")


def test_a_fetch_gets_the_key_of_the_hub() -> None:
    """A private model needs it, and the process ends with the download."""
    made = environment.of_fetch(PLANTED | PASSED)
    assert made.keys() & PLANTED.keys() == {"HF_TOKEN"}


@pytest.mark.parametrize("path", ["", ":/mine", "/mine:", "/mine::/other"])
def test_an_empty_part_of_the_path_is_not_passed_on(path: str) -> None:
    """Python takes it for the current folder."""
    parts = environment.path_of({"PYTHONPATH": path}).split(os.pathsep)
    assert "" not in parts
    assert parts[0] == environment.PACKAGE_FOLDER
    assert ("/mine" in parts) == ("/mine" in path)


def test_a_started_worker_has_that_environment(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel shows it: nothing is added on the way."""
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)

    async def names() -> set[str]:
        one = supervisor(tmp_path)
        pid = (await one.ready()).child.pid
        found = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        await one.recycle(Recycle.RSS)
        return {entry.split(b"=")[0].decode() for entry in found if entry}

    assert not asyncio.run(names()) & PLANTED.keys()
