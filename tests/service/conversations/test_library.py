"""Conversations of every format, forks too, open whole: from their files, and from the store where these are gone."""

from __future__ import annotations

import os
import pathlib
import shutil
from collections import defaultdict

import pytest
from imported_samples import imported_samples
from oracle import masked
from processes import FAKE, Importer
from read_units import content, raws
from transcripts import answer, prompt, raw, text

from importer import formats
from importer.chunking.metadata import short
from importer.errors import StateError, UsageError
from importer.service.ask import Asker
from importer.service.conversations.library import Library
from importer.settings.load import load

CORPUS = pathlib.Path(__file__).parents[2] / "corpus"


def library(installed: Importer) -> Library:
    """Return the conversations of an installation."""
    environ = {**FAKE, "IMPORTER_DAEMON_ANSWERER_IDLE_S": "3"}
    return Library(Asker.of(load({"state_dir": installed.state}, environ, {}, home=str(installed.base))))


def said_in(folder: pathlib.Path) -> dict[str, set[str]]:
    """Return the texts of each conversation below a folder, read without the importer's reader, fold or state."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(one for one in folder.rglob("*.*") if one.is_file() and one.suffix not in {".sql", ".db"}):
        whole = content(str(path))
        name = formats.detect(whole[: formats.HEAD_BYTES])
        if name is None:
            continue
        source = formats.load(name)
        context = source.begin(os.fsencode(path))
        ending = getattr(source, "ending", formats.Fed)  # what the end leaves open was said, too
        for line in (*raws(name, whole), None):
            fed = source.feed(context, line, formats.Options()) if line is not None else ending(context)
            context = fed.context
            for turn in map(masked, fed.turns):
                if turn.text.strip():
                    found[short(turn.conversation_id)].add(" ".join(turn.text.split()))
    return found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """Import a copy of the corpus of all formats."""
    return imported_samples(tmp_path_factory.mktemp("corpus"))


def test_every_conversation_opens_whole(corpus: Importer) -> None:
    """Each id in any file of any format, forks too, opens with every text that its file says."""
    shelf, expected = library(corpus), said_in(corpus.base / "said")
    assert len(expected) > 40
    for name, texts in expected.items():
        opened = shelf.open(shelf.find(name), redacted=True)
        assert {" ".join(turn.text.split()) for turn in opened.turns} == texts, name
        assert opened.path


def test_a_list_has_them_all(corpus: Importer) -> None:
    """It comes newest first, with as many turns as open, a title, and no conversation twice."""
    shelf = library(corpus)
    rows = shelf.recent(limit=1000)
    databases = {"opencode"}  # read from rows, and from its older tree of files
    told = {one.id for one in rows if one.source not in databases}
    assert set(said_in(corpus.base / "said")) <= {*told, *(one.id for one in rows)}
    assert any(one.source == "opencode" for one in rows)
    assert len(rows) == len({(one.source, one.id) for one in rows})
    assert [one.last for one in rows] == sorted((one.last for one in rows), reverse=True)
    assert all(one.turns == len(shelf.open(shelf.find(one.id)).turns) and one.title for one in rows)


def test_filters_and_projects(corpus: Importer) -> None:
    """A day and a project leave what was said then and there; projects count what the list shows."""
    shelf = library(corpus)
    day = {"since": "2026-10-14T00:00:00.000Z", "until": "2026-10-14T23:59:59.999Z"}
    assert [one.title for one in shelf.recent(project="infra", **day)] == ["Wildcard certificate does not renew"]
    assert shelf.recent(project="thesis", **day) == []
    counts = {one["name"]: (one["conversations"], one["turns"]) for one in shelf.projects()}
    infra = shelf.recent(project="infra", limit=99)
    assert counts["infra"] == (len(infra), sum(one.turns for one in infra))
    with pytest.raises(UsageError, match="no project fits"):
        shelf.recent(project="nonsuch")
    for wrong in ({"source": "claude"}, {"branch": "mian"}):
        assert shelf.recent(**wrong) == []
        assert "did you mean" in shelf.why_nothing(**wrong)
    assert shelf.why_nothing(source="codex", branch="main", project="infra", **day) == ""


def test_prefixes(corpus: Importer) -> None:
    """The first letters are enough where they name one; else the ids that begin so are told."""
    shelf = library(corpus)
    assert shelf.find("4bb60f").conversation == "4bb60f63-9fc2-4946-84a1-aca5f8f91040"
    with pytest.raises(UsageError, match="begins several ids"):
        shelf.find("019f03e0")
    with pytest.raises(UsageError, match="no conversation and no hit"):
        shelf.find("zzzzzz")


def test_what_is_shown_of_an_id_opens_it(corpus: Importer) -> None:
    """As few letters as are enough, also where others that are not shown begin alike."""
    shelf = library(corpus)
    rows = shelf.recent(limit=1000)
    for shown in (rows, [one for one in rows if one.id.startswith("019f03e0")][:1]):
        short = shelf.short([one.id for one in shown])
        assert [shelf.find(one).conversation for one in short] == [one.id for one in shown]
    assert "4bb60f63" in shelf.short([one.id for one in rows])


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    """Import one conversation with a long answer and a key in it."""
    folder = tmp_path / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True)
    long = "\n\n".join(f"Step {number}: turn the valve by {number} degrees and wait." for number in range(60))
    said = [prompt("how do I heat the kiln? password=hunter2hunter2"), answer(text(long))]
    said.append(prompt("and then?", uuid="u3", timestamp="2026-02-11T20:05:00.000Z"))
    (folder / "a.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in said))
    found = Importer(tmp_path, embedded=True)
    assert found.run("backlog").code == 0
    return found


def test_without_its_file(installed: Importer) -> None:
    """What the store has of a deleted file is joined again: every step once, in order."""
    shelf = library(installed)
    (row,) = shelf.recent()
    shutil.rmtree(installed.base / ".claude")
    opened = shelf.open(shelf.find(row.id))
    whole = "\n".join(turn.text for turn in opened.turns)
    assert [whole.count(f"Step {number}:") for number in range(60)] == [1] * 60
    assert (opened.path, opened.turns[-1].text) == ("", "and then?")


def test_a_hit_opens_at_its_turn(installed: Importer) -> None:
    """The id of a hit leads to the turn that says it."""
    hits = installed.run("search", "--mode", "keyword", "valve 47 degrees", "--json").json["hits"]
    hit = next(one for one in hits if "Step 47:" in one["document"])
    shelf = library(installed)
    opened = shelf.open(shelf.find(hit["id"][:10]))
    assert "Step 47:" in opened.turns[opened.at].text


def test_redacted(installed: Importer) -> None:
    """Masked on demand only, from the file."""
    shelf = library(installed)
    spot = shelf.find(shelf.recent()[0].id)
    assert "hunter2hunter2" in shelf.open(spot).turns[0].text
    assert "hunter2hunter2" not in shelf.open(spot, redacted=True).turns[0].text


def test_what_is_forgotten_is_not_shown(installed: Importer) -> None:
    """A conversation that was forgotten is neither listed nor opened, though its file is there."""
    shelf = library(installed)
    (row,) = shelf.recent()
    assert installed.run("forget", "--conversation", row.id, "--yes").code == 0
    shelf = library(installed)
    assert shelf.recent() == []
    with pytest.raises(UsageError):
        shelf.open(shelf.find(row.id))


def test_without_a_state(tmp_path: pathlib.Path) -> None:
    """To look makes none."""
    installed = Importer(tmp_path)
    with pytest.raises(StateError, match="there is no state"):
        library(installed)
    assert not os.path.exists(installed.state)
