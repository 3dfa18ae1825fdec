"""The image, built and run: it imports, is killed, stopped, runs out of memory, and resumes by its policy.

`pytest -m docker` with an engine; building takes minutes. `IMPORTER_TEST_IMAGE` names an image to use instead.
"""

from __future__ import annotations

import os
import pathlib

import oracle
import pytest
import store_diff
from containers import LEAKY, UID, Contained, build, config_of, contained, docker, missing
from plugins.fake_embedder import FakeEmbedder
from processes import until

from importer.bench.corpus import corpus
from importer.errors import DONE, TRY_AGAIN

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.skipif(bool(missing()), reason=missing() or "-")]
FILES = 16
FEW_FILES = 5
BATCH_CHUNKS = 16
SLOW = {
    **LEAKY,
    "MEMORY_BATCH_SIZE": str(BATCH_CHUNKS),
    "IMPORTER_PLUGIN_LEAKY_MB": "0",
    "IMPORTER_PLUGIN_LEAKY_MS": "300",
}
SLOW |= {"IMPORTER_PLUGIN_LEAKY_LOG": "/state/importer/embedded"}


@pytest.fixture(scope="module")
def image() -> str:
    return build()


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(str(tmp_path_factory.mktemp("said")), FILES)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small corpus, for tests that start a worker for every few chunks."""
    return written(str(tmp_path_factory.mktemp("few")), FEW_FILES)


def written(folder: str, files: int) -> str:
    """Write a corpus that another user may read."""
    corpus.write(folder, files=files, seed=5)
    for top, _, names in os.walk(folder):
        os.chmod(top, 0o755)
        for name in names:
            os.chmod(os.path.join(top, name), 0o644)
    return folder


def check(container: Contained) -> oracle.Expected:
    """Check the invariants I1, I2, I3 and I6 on the state that the container left."""
    container.stop()
    expected = oracle.expect(container.said)
    with oracle.opened(container.state) as store:
        assert not store_diff.compare(expected, store).wrong
    assert not oracle.torn_offsets(container.state)
    assert oracle.totals_of(container.state) == expected.tally
    return expected


def embedded_again(container: Contained, expected: oracle.Expected) -> tuple[int, int]:
    """Return how many windows were embedded beyond once each, and how many a batch has at most."""
    texts = [forms[0].text for forms in expected.chunks.values()]
    windows = [len(one) for one in FakeEmbedder("", 384).split(texts)]
    done = len(pathlib.Path(container.state, "embedded").read_text().split())
    assert done >= sum(windows)
    return done - sum(windows), BATCH_CHUNKS * max(windows)


def test_image(image: str) -> None:
    """The image is small, without build tools and root, and tells the engine what it has to know."""
    config = config_of(image)
    assert (config["User"], config["StopSignal"]) == (f"{UID}:{UID}", "SIGTERM")
    assert "importer.service.health" in config["Healthcheck"]["Test"]
    assert any(one.startswith("MALLOC_ARENA_MAX=") for one in config["Env"])
    look = "for t in gcc cc make git curl pip pip3; do command -v $t; done; python -c 'import pip' 2>&1; id -u"
    found = docker("run", "--rm", "--entrypoint=sh", image, "-c", look).splitlines()
    assert found[0].startswith("Traceback"), "a tool was found"
    assert found[-2:] == ["ModuleNotFoundError: No module named 'pip'", str(UID)]
    assert int(docker("image", "inspect", "-f", "{{.Size}}", image)) < 700e6


def test_imports(image: str, said: str, tmp_path: pathlib.Path) -> None:
    """With a read-only root and 512 MB the real model imports a mounted corpus, is well, and can be searched."""
    with contained(image, tmp_path, said, environ={"IMPORTER_WORKER_NICE": "0"}) as container:
        container.finish(FILES)
        until(lambda: container.inspect()["State"]["Health"]["Status"] == "healthy", seconds=60, every_s=1)
        assert "score" in docker("exec", container.name, "importer", "search", "why did it fail", "--json")
        check(container)
        assert container.inspect()["State"]["ExitCode"] == 0


def test_crash_of_process_one(image: str, said: str, tmp_path: pathlib.Path) -> None:
    """Killed from outside in mid-import, the policy starts it again; at most one batch is embedded again."""
    with contained(image, tmp_path, said, environ=SLOW) as container:
        until(lambda: container.points() > BATCH_CHUNKS, seconds=120, every_s=0.2)
        container.kill()
        until(lambda: container.inspect()["RestartCount"] == 1, every_s=0.2)
        container.finish(FILES)
        again, batch = embedded_again(container, check(container))
        assert again <= batch


def test_asked_to_be_killed(image: str, said: str, tmp_path: pathlib.Path) -> None:
    """`docker kill -s KILL` counts as asked for, so the engine leaves it; started by hand, it goes on."""
    with contained(image, tmp_path, said, environ=SLOW) as container:
        until(lambda: container.points() > BATCH_CHUNKS, seconds=120, every_s=0.2)
        docker("kill", "-s", "KILL", container.name)
        until(lambda: container.inspect()["State"]["ExitCode"] == 137, every_s=0.2)
        docker("start", container.name)
        container.finish(FILES)
        check(container)


def test_stop_in_import(image: str, said: str, tmp_path: pathlib.Path) -> None:
    """`docker stop` in mid-import drains and ends by itself, in time; the next start embeds at most one batch again."""
    with contained(image, tmp_path, said, environ=SLOW) as container:
        until(lambda: container.points() > BATCH_CHUNKS, seconds=120, every_s=0.2)
        container.stop()
        state = container.inspect()["State"]
        assert state["Status"] == "exited"
        assert state["ExitCode"] in {DONE, TRY_AGAIN}, "the engine had to kill it"
        before = oracle.totals_of(container.state).lines_read
        docker("start", container.name)
        container.finish(FILES)
        expected = check(container)
        again, batch = embedded_again(container, expected)
        assert 0 < before < expected.tally.lines_read
        assert again <= batch


def test_stop_at_once(image: str, said: str, tmp_path: pathlib.Path) -> None:
    """A stop counts even before the importer handles signals: process 1 passes it on."""
    with contained(image, tmp_path, said, environ=SLOW) as container:
        until(container.children)
        container.stop()
        assert container.inspect()["State"]["ExitCode"] in {0, 128 + 15}


def test_no_zombies(image: str, said: str, tmp_path: pathlib.Path) -> None:
    """A process that loses its parent inside becomes a child of process 1, which waits for it."""
    with contained(image, tmp_path, said, environ=SLOW) as container:
        until(container.status, every_s=0.2)
        docker("exec", container.name, "sh", "-c", "(sleep 0.1; true) & (sleep 0.2; true) &")
        until(lambda: "sleep" not in states(container), every_s=0.5)
        assert "Z" not in states(container)


def states(container: Contained) -> str:
    """Return the states and commands of all processes inside, seen from outside."""
    return docker("top", container.name, "-eo", "pid,stat,comm")


def test_restart_drill(image: str, few: str, tmp_path: pathlib.Path) -> None:
    """A leak of 40 MB a model run in 384 MB, and a crash on top: the import completes, nothing lost, nothing twice."""
    environ = {**SLOW, "IMPORTER_PLUGIN_LEAKY_MB": "40", "IMPORTER_WORKER_MIN_LIFETIME_S": "0"}
    with contained(image, tmp_path, few, memory="384m", environ=environ) as container:
        until(lambda: container.points() > BATCH_CHUNKS, seconds=120, every_s=0.2)
        container.kill()
        until(lambda: container.inspect()["RestartCount"] == 1, every_s=0.2)
        container.finish(FEW_FILES)
        assert container.events("worker.recycled") or container.events("worker.died")
        check(container)


def test_out_of_memory(image: str, few: str, tmp_path: pathlib.Path) -> None:
    """A leak that is not sampled in time: the kernel kills the worker, never the daemon, and the import completes."""
    environ = {
        **SLOW,
        "IMPORTER_PLUGIN_LEAKY_MB": "60",
        "IMPORTER_PLUGIN_LEAKY_MS": "0",
        "IMPORTER_MEMORY_SAMPLE_S": "60",
    }
    with contained(image, tmp_path, few, memory="384m", environ=environ) as container:
        container.finish(FEW_FILES)
        assert container.oom_kills(), "the kernel killed nothing: the drill proves nothing"
        assert container.inspect()["RestartCount"] == 0
        check(container)


@pytest.mark.parametrize("user", [UID, UID + 1])
def test_a_new_volume(image: str, few: str, user: int) -> None:
    """As the engine makes it, for the image's user and another: imported, and found by the next container."""
    volume = f"importer-test-{user}"
    given = ["run", "--rm", f"--user={user}:{user}", f"--volume={volume}:/state", f"--volume={few}:{few}:ro", image]
    try:
        docker(*given, "backlog", "--source", f"auto={few}", seconds=300)
        assert f"{FEW_FILES} files" in docker(*given, "verify")
    finally:
        docker("volume", "rm", "-f", volume, check=False)
