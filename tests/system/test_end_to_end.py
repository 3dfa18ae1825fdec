"""From files to answers through real processes: the command line, a worker with the real model, the embedded store."""

from __future__ import annotations

import os
import pathlib
import re
import shutil

import known_corpus
import oracle
import pytest
import store_diff
from known_corpus import KnownCorpus
from processes import Done, Importer

FILES = 24


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> KnownCorpus:
    return known_corpus.write(str(tmp_path_factory.mktemp("said")), files=FILES, seed=11)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, model_dir: str) -> Importer:
    return Importer(
        tmp_path_factory.mktemp("installed"),
        {"IMPORTER_MODEL_DIR": os.path.dirname(model_dir), "HF_HUB_OFFLINE": "1"},
    )


@pytest.fixture(scope="module")
def imported(installed: Importer, said: KnownCorpus) -> Done:
    """The first import; every other test comes after it."""
    done = installed.run("backlog", said.folder, "--json", seconds=300)
    assert done.code == 0, done.err
    return done


def counted(installed: Importer) -> int:
    with oracle.opened(installed.state) as store:
        return store.count()


def lines_in(folder: str) -> int:
    return sum(path.read_bytes().count(b"\n") for path in pathlib.Path(folder).rglob("*.jsonl"))


def test_every_number_is_true(installed: Importer, said: KnownCorpus, imported: Done) -> None:
    """Points are what the store counts, lines what the files hold, and read = stored + skipped + quarantined."""
    told, expected = imported.json, oracle.expect(said.folder)
    assert (told["files"], told["lines"], told["bytes"]) == (FILES, lines_in(said.folder), said.size_bytes)
    assert told["lines"] == told["stored"] + told["skipped"] + told["quarantined"]
    assert (told["stored"], told["messages"]) == (expected.tally.lines_stored, said.messages)
    assert told["points"] == told["embedded"] == told["chunks"] == len(expected.chunks) == counted(installed)
    assert told["worker"]["spawns"] == 1
    assert told["tokens"] > told["points"]


def test_the_store_holds_what_was_said(installed: Importer, said: KnownCorpus, imported: Done) -> None:
    """Every chunk that folding the files gives, with its text, metadata and a vector of unit length; nothing else."""
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(oracle.expect(said.folder), store).wrong


def test_a_word_said_once_is_the_first_hit(installed: Importer, said: KnownCorpus, imported: Done) -> None:
    """What was said only once is found by its word, with its conversation and project."""
    for word, place in list(said.words.items())[::6]:
        hit = installed.run("search", "--mode", "keyword", "--json", word).json["hits"][0]
        found = (hit["metadata"]["conversation_id"], hit["metadata"]["project"])
        assert word in hit["document"]
        assert found == (place.session_id, place.project)


def test_a_paraphrase_is_among_the_first_five(installed: Importer, said: KnownCorpus, imported: Done) -> None:
    """A question in other words finds the exchange by its meaning."""
    for pair in said.pairs[:4]:
        hits = installed.run("search", "--mode", "dense", "--limit", "5", "--json", pair.question).json["hits"]
        assert any(pair.answer[:60] in hit["document"] for hit in hits), (pair.question, hits)


def test_people_can_read_it(installed: Importer, said: KnownCorpus, imported: Done) -> None:
    """Without --json a search prints the text and where it was said; what is not there is said so."""
    word, place = next(iter(said.words.items()))
    done = installed.run("search", "--mode", "keyword", word)
    assert done.code == 0
    assert word in done.out and place.project in done.out
    nothing = installed.run("search", "--mode", "keyword", "--source", "none-such", word)
    assert (nothing.code, "nothing found" in (nothing.out + nothing.err).lower()) == (0, True)
    unknown = installed.run("search", "--mode", "keyword", "--project", "/no/such", word)
    assert unknown.code == 2 and place.project in unknown.err


def test_a_second_run_does_nothing(installed: Importer, said: KnownCorpus, imported: Done) -> None:
    """Nothing is read as new, nothing embedded, and the points stay as they are."""
    before = counted(installed)
    told = installed.run("backlog", said.folder, "--json").json
    assert (told["lines"], told["embedded"], told["tokens"]) == (0, 0, 0)
    assert told["points"] == before == counted(installed)


def test_a_fork_adds_only_what_is_new(
    installed: Importer, said: KnownCorpus, imported: Done, tmp_path: pathlib.Path
) -> None:
    """The same messages under other session ids in another folder are the same points."""
    before = counted(installed)
    copy = str(tmp_path / "fork")
    shutil.copytree(said.folder, copy)
    for path in oracle.files_below(copy):
        renamed = pathlib.Path(path)
        fork = re.sub(rb'("sessionId":\s*")[0-9a-f]{8}', rb"\g<1>f0f0f0f0", renamed.read_bytes())
        renamed.with_name(f"f0f0f0f0{renamed.name[8:]}").write_bytes(fork)
        renamed.unlink()
    told = installed.run("backlog", copy, "--json", seconds=300).json
    assert told["lines"] == lines_in(said.folder)
    assert (told["embedded"], told["points"]) == (0, before)
