"""The compose files and the Dockerfile are valid, and set what an importer needs in a container."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess

import pytest

from importer.settings.schema import DECLARED

ROOT = pathlib.Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy").glob("compose*.yaml"))
COMPOSE = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]


def importer_of(path: pathlib.Path) -> str:
    """Return the part of the file that is the importer's service."""
    text = path.read_text()
    return re.search(r"^  importer:\n(?:    .*\n|\n(?=    ))*", text, re.MULTILINE)[0]  # type: ignore[index]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_valid(path: pathlib.Path) -> None:
    """Compose itself finds no fault."""
    if subprocess.run([*COMPOSE, "version"], capture_output=True, check=False).returncode:
        pytest.skip("no compose here")
    done = subprocess.run([*COMPOSE, "-f", path, "config", "-q"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_hardened_and_restarted(path: pathlib.Path) -> None:
    """The service has limits, a read-only root, read-only conversations, and a policy that starts it again."""
    service = importer_of(path)
    for line in ("restart: unless-stopped", "read_only: true", "mem_limit: 2g", "no-new-privileges:true", "- ALL"):
        assert line in service
    assert "- state:/state" in service
    mounts = re.findall(r"^ +- (\S+:/home/importer/\S+)$", service, re.MULTILINE)
    assert mounts and all(mount.endswith(":ro") for mount in mounts)


def test_the_state_is_a_folder_in_the_volume() -> None:
    """A new volume is open to all users, as the image has it; a state directory that is so would be refused."""
    said = (ROOT / "Dockerfile").read_text()
    assert "chmod 1777 /state" in said and re.search(r"^VOLUME /state$", said, re.MULTILINE)
    assert " IMPORTER_STATE_DIR=/state/importer " in said


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_stop_is_longer_than_the_drain(path: pathlib.Path) -> None:
    """The engine waits until the batch in flight is committed."""
    grace = re.search(r"stop_grace_period: (\d+)s", importer_of(path))
    assert grace and int(grace[1]) > DECLARED["daemon.grace_s"].default + 5


@pytest.mark.parametrize("path", [*FILES, ROOT / "Dockerfile"], ids=lambda path: path.name)
def test_variables_are_settings(path: pathlib.Path) -> None:
    """Every IMPORTER_ variable that is set for the importer is one it reads."""
    known = {name for declared in DECLARED.values() for name in declared.environment}
    named = re.findall(r"^ +(IMPORTER_\w+)[:=]", path.read_text(), re.MULTILINE)
    assert named and not set(named) - known


def test_nothing_of_this_machine_is_sent() -> None:
    """The build's context is a list of what may be sent, not of what may not."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    sent = {line[1:] for line in lines if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    copied = {word for line in copies for word in line.split()}
    locked = {"deploy/requirements.lock", "deploy/requirements-build.lock", "deploy/sbom"}
    assert sent == {"importer", "pyproject.toml", "README.md", "LICENSE"} | locked == copied
