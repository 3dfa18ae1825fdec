"""The next worker gets ready beside the one that ends: nothing is lost or doubled, and no process is left over."""

from __future__ import annotations

import pathlib

import oracle
import pytest
import store_diff
from portions import portion
from processes import Importer, alone, kill, until, workers_of

from importer.bench.corpus import corpus
from importer.memory.profiles import BALANCED, CONSERVATIVE

FILES, EVERY = 30, 5


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> str:
    said = str(tmp_path / "said")
    corpus.write(said, files=FILES, seed=6)
    return said


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    importer = Importer(tmp_path)
    importer.environ["IMPORTER_WORKER_RECYCLE_FILES"] = str(EVERY)
    return importer


@pytest.mark.parametrize("profile", portion(["balanced", "conservative"], 2))
def test_recycled_every_few_files(installed: Importer, folder: str, profile: str) -> None:
    """With a standby (or without, where memory is short) all is stored once, and as many workers live as it takes."""
    done = installed.run("backlog", folder, "--json", MEMORY_PROFILE=profile)
    assert done.code == 0, done.err
    worker = done.json["worker"]
    assert worker["recycles"]["files"] >= FILES // EVERY - 2
    assert (worker["spawns"], worker["crashes"]) == (sum(worker["recycles"].values()), 0)
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(oracle.expect(folder), store).wrong
    assert not installed.worker_pids()


def test_a_standby_does_not_outlive_its_importer(installed: Importer, folder: str) -> None:
    """Killed while two workers live, the importer leaves none behind; the next one finishes."""
    process = installed.start("backlog", folder, IMPORTER_FAILPOINTS="embed=sleep:0.1")
    workers = until(lambda: len(found := workers_of(process)) == 2 and found)
    kill(process)
    process.communicate()
    until(lambda: all(alone(worker.pid) for worker in workers))
    assert installed.run("backlog", folder).code == 0
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(oracle.expect(folder), store).wrong


def test_a_standby_that_died_is_no_loss(installed: Importer, folder: str) -> None:
    """Another worker is started in its place."""
    process = installed.start("backlog", folder, "--json", IMPORTER_FAILPOINTS="embed=sleep:0.1")
    workers = until(lambda: len(found := workers_of(process)) == 2 and found)
    kill(max(workers, key=lambda worker: worker.create_time()))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(oracle.expect(folder), store).wrong


def test_a_standby_has_no_model_beside_the_one_in_use(installed: Importer, tmp_path: pathlib.Path) -> None:
    """Each worker of an import loads its model when the one before it has ended."""
    corpus.write(few := str(tmp_path / "few"), files=3 * EVERY, seed=6)
    (notes := tmp_path / "notes").mkdir()
    installed.environ.update(IMPORTER_EMBED_PROVIDER="plugins.noted_embedder", IMPORTER_PLUGIN_NOTES=str(notes))
    done = installed.run("backlog", few, "--json", IMPORTER_FAILPOINTS="embed=sleep:0.15")
    assert done.code == 0, done.err
    beside = [one.read_text() for one in notes.iterdir()]
    assert (len(beside) > 1, set(beside)) == (True, {""})


def test_which_profiles_have_room_for_two() -> None:
    """A standby is kept where memory is not short."""
    assert BALANCED.fits_standby
    assert not CONSERVATIVE.fits_standby
