"""A container engine, the image built from this tree, and one importer in a container as a test drives it."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from processes import until

ROOT = pathlib.Path(__file__).parents[2]
BASE = "python:3.11-slim-bookworm"
UID = 1000  # of the image's user
PIP = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT")
LEAKY = {
    "PYTHONPATH": "/plug-ins",
    "IMPORTER_EMBED_PROVIDER": "plugins.leaky_embedder",
    "IMPORTER_EMBED_DIMENSION": "384",
    "IMPORTER_WORKER_NICE": "0",
}


def docker(*arguments: str, seconds: float = 120, check: bool = True) -> str:
    """Run a docker command and return what it prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=seconds, check=False)
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr[-3000:]}"
    return (done.stdout + done.stderr).strip()


@functools.cache
def missing() -> str:
    """Return why there is no engine to test with, or ""."""
    try:
        docker("version", "--format", "{{.Server.Version}}", seconds=20)
    except (OSError, AssertionError, subprocess.TimeoutExpired) as error:
        return f"no container engine: {str(error)[:200]}"
    return ""


def base_image() -> str:
    """Return the image the Dockerfile builds on: the engine's, a registry's, or one made here."""
    if not docker("images", "-q", BASE) and "Error" in docker("pull", BASE, seconds=120, check=False):
        environ = {"CA_FILE": os.environ.get("PIP_CERT", ""), **os.environ}
        made = subprocess.run([ROOT / "deploy/base-image", BASE], env=environ, capture_output=True, check=False)
        if made.returncode:
            pytest.skip(f"{BASE} can neither be pulled nor made here: {made.stderr[-200:]!r}")
    return BASE


def build() -> str:
    """Build the image with the model inside, unless `IMPORTER_TEST_IMAGE` names one; return its name."""
    if given := os.environ.get("IMPORTER_TEST_IMAGE"):
        return given
    base_image()
    arguments = [f"--build-arg={name}={os.environ[name]}" for name in PIP if os.environ.get(name)]
    arguments += ["--network=host", "--build-arg=WITH_MODEL=1", "-t", "importer:test"]
    docker("build", *arguments, str(ROOT), seconds=1200)
    return "importer:test"


def config_of(image: str) -> dict[str, Any]:
    """Return how the engine is to run an image."""
    config: dict[str, Any] = json.loads(docker("image", "inspect", image))[0]["Config"]
    return config


@dataclass
class Contained:
    """One container: read-only root, limited memory, a state that outlives it, a corpus it may only read."""

    image: str
    state: str
    said: str
    memory: str = "512m"
    environ: Mapping[str, str] = field(default_factory=dict)
    name: str = field(default_factory=lambda: f"importer-test-{uuid.uuid4().hex[:8]}")

    def start(self) -> None:
        """`docker run`, with the policy that starts it again."""
        environ = {"IMPORTER_HOST": socket.gethostname(), **self.environ}
        docker(
            *("run", "-d", "--name", self.name, "--restart=unless-stopped", "--stop-timeout=45"),
            *("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
            *(f"--memory={self.memory}", f"--memory-swap={self.memory}"),
            *(f"--volume={os.path.dirname(self.state)}:/state", f"--volume={self.said}:{self.said}:ro"),
            *(f"--volume={ROOT / 'tests' / 'support' / 'plugins'}:/plug-ins/plugins:ro",),
            *(f"--env={name}={value}" for name, value in environ.items()),
            *(self.image, "run", "--source", f"auto={self.said}"),
        )

    def inspect(self) -> Any:
        """Return what the engine knows of the container."""
        return json.loads(docker("inspect", self.name))[0]

    def status(self) -> dict[str, Any] | None:
        """`importer status --json` inside; None while it does not answer."""
        answer = docker("exec", self.name, "importer", "status", "--json", check=False)
        found: dict[str, Any] = json.loads(answer) if answer.startswith("{") else {}
        return found if found.get("daemon", {}).get("pid") else None

    def points(self) -> int:
        """Return the points that the present process's last receipt counted, 0 before there is one."""
        found = self.status()
        return (found["points"] or 0) if found else 0

    def finish(self, files: int, seconds: float = 300) -> dict[str, Any]:
        """Wait until every file is imported; return the last status."""

        def done() -> dict[str, Any] | None:
            found = self.status()
            return found if found and found["state"] == "idle" and found["files"]["complete"] == files else None

        found: dict[str, Any] = until(done, seconds=seconds, every_s=1)
        return found

    def kill(self) -> None:
        """SIGKILL of its process 1 from outside, as a crash is: `docker kill` would count as asked for."""
        os.kill(self.inspect()["State"]["Pid"], signal.SIGKILL)

    def children(self) -> list[str]:
        """Return the processes that its process 1 has started."""
        pid = self.inspect()["State"]["Pid"]
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    def oom_kills(self) -> int:
        """Return how many processes the kernel has killed for memory since the container's last start."""
        look = "from importer.memory.probes import Probes; print(Probes().sample().oom_kills or 0)"
        return int(docker("exec", self.name, "python", "-c", look))

    def stop(self) -> None:
        """`docker stop`."""
        docker("stop", self.name)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the log's events of a name, over all starts."""
        lines = [line for line in docker("logs", self.name).splitlines() if f'"event": "{name}"' in line]
        return [json.loads(line) for line in lines]


@contextmanager
def contained(image: str, base: pathlib.Path, said: str, **more: Any) -> Iterator[Contained]:
    """Run a container and remove it afterwards."""
    volume = base / "state"
    volume.mkdir(mode=0o700)
    os.chown(volume, UID, UID)
    container = Contained(image, str(volume / "importer"), said, **more)
    try:
        container.start()
        yield container
    finally:
        docker("rm", "-f", "-v", container.name, check=False)
