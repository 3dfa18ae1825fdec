"""`verify` and `rebuild-state`, for real: what is damaged is found and mended, what is healthy is left in peace."""

from __future__ import annotations

import os
import pathlib
import uuid
from dataclasses import replace

import oracle
import pytest
import store_backends
from processes import Importer

from importer.bench.corpus import corpus
from importer.chunking.fold import Cutting
from importer.consistency.verify import StoredPoint, judge
from importer.protocol import prints
from importer.protocol.records import Chunk
from importer.reading.gather import Reading
from importer.state.expected import Expected, Form
from importer.worker.stores import Point, Store

HOST = "here"
READING = Reading(Cutting(1000, 200), HOST)
ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "a"))
TOLD = {"source": "claude-code", "conversation_id": "c", "host": HOST}
FORM = Form("", "text", "facts", "c", False)
SPARE = FORM._replace(spare=True)
STORED = StoredPoint(ID, "text", "facts", TOLD)


def verdict(stored: StoredPoint, *forms: Form, whole: bool = True) -> str:
    return judge(stored, forms, READING, lambda conversation: whole and conversation == "c")


@pytest.mark.parametrize(
    ("stored", "forms", "expected"),
    [
        (STORED, [FORM], "matching"),
        (replace(STORED, text="other"), [FORM], "differing"),
        (replace(STORED, facts="other"), [FORM], "differing"),
        (replace(STORED, facts="other"), [FORM, FORM._replace(facts="other")], "matching"),
        (replace(STORED, facts="other"), [FORM._replace(rewritten=True)], "matching"),
        (replace(STORED, facts="other", told={**TOLD, "conversation_id": "gone"}), [FORM], "matching"),
        (replace(STORED, facts="other", told={}), [FORM], "differing"),
        (replace(STORED, holders=["h"]), [FORM], "differing"),
        (replace(STORED, holders=["h"]), [FORM._replace(holder="h")], "matching"),
        (replace(STORED, holders=["g"]), [FORM._replace(holder="h")], "differing"),
        (replace(STORED, told={**TOLD, "host": "there"}), [FORM], "matching"),
        (STORED, [SPARE], "kept"),
        (replace(STORED, text="other"), [SPARE], "kept"),
        (replace(STORED, holders=["h"]), [FORM._replace(holder="h"), SPARE], "matching"),
        (replace(STORED, facts="other"), [FORM, SPARE._replace(facts="other")], "matching"),
        (STORED, [], "extra"),
        (replace(STORED, told={**TOLD, "conversation_id": "gone"}), [], "kept"),
        (replace(STORED, told={**TOLD, "host": "there"}), [], "elsewhere"),
        (replace(STORED, told={}), [], "foreign"),
        (replace(STORED, id=str(uuid.UUID(int=7)), told={**TOLD, "conversation_id": "gone"}), [], "extra"),
    ],
)
def test_judge(stored: StoredPoint, forms: list[Form], expected: str) -> None:
    """Each point is what the table of the module says."""
    assert verdict(stored, *forms) == expected


def test_forgotten_points_are_extra() -> None:
    """What was forgotten on purpose does not pass for the rest of a deleted file."""
    reading = replace(READING, forgotten=lambda _path, metadata: metadata["conversation_id"] == "gone")
    stored = replace(STORED, told={**TOLD, "conversation_id": "gone"})
    assert judge(stored, [], reading, lambda _conversation: False) == "extra"


def test_prints_ignore_order_and_host() -> None:
    """Two hosts with the same file print its facts alike; anything else that differs shows."""
    facts = {"chunk": 1, "host": "a", "tools": ["Read", "Edit"]}
    assert prints.facts_print(facts) == prints.facts_print({"tools": ["Read", "Edit"], "host": "b", "chunk": 1})
    assert prints.facts_print(facts) != prints.facts_print({**facts, "tools": ["Edit", "Read"]})


def test_expected_tables(tmp_path: pathlib.Path) -> None:
    """The tables on disk remember forms, conversations and what is to be done, and are gone afterwards."""
    chunk = Chunk(ID, "text", {"conversation_id": "c"})
    with Expected(str(tmp_path)) as expected:
        expected.add(1, [chunk, chunk], rewritten=False)
        expected.add_conversations(["c"], kept=False)
        expected.mend_missing()
        expected.erase(["42", ID])
        assert (expected.count(), expected.whole("c"), expected.whole("d")) == (1, True, False)
        assert (expected.files_to_mend(), expected.to_mend(ID), expected.to_erase(1)) == ([1], True, ["42"])
        assert expected.forms(ID)[0].conversation == "c"
    assert os.listdir(tmp_path) == []


def test_spare_chunks_are_not_missed(tmp_path: pathlib.Path) -> None:
    """A file that gives what is not selected neither lacks it nor is read to mend it."""
    chunk = Chunk(ID, "text", {"conversation_id": "c", "project": "/secret"})
    with Expected(str(tmp_path)) as expected:
        expected.add(1, [chunk], rewritten=False, wanted=lambda project: project != "/secret")
        expected.mend([ID])
        assert (expected.count(), list(expected.missing()), expected.files_to_mend()) == (0, [], [])
        assert expected.forms(ID)[0].spare


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """A small corpus, imported."""
    importer = Importer(tmp_path_factory.mktemp("imported"))
    importer.environ["IMPORTER_WORKER_NICE"] = "0"
    corpus.write(str(importer.base / "said"), files=8, seed=5)
    assert importer.run("backlog", str(importer.base / "said")).code == 0
    return importer


@pytest.fixture
def installed(imported: Importer, tmp_path: pathlib.Path) -> Importer:
    """A copy of its state for one test; the files stay where they are."""
    store_backends.copy(imported.state, str(tmp_path / "state"))
    return Importer(tmp_path, imported.environ)


def points_in(installed: Importer) -> dict[str, Point]:
    with oracle.opened(installed.state) as store:
        return {point.id: point for point in oracle.points_of(store)}


def harm(store: Store) -> None:
    """Two points deleted, one with another text, one with other facts, one held by a stranger, two too many."""
    first, second, third, fourth, fifth, *_ = oracle.points_of(store)
    facts = {**fourth.payload["metadata"], "title": "altered"}
    fresh = [
        replace(third, payload={**third.payload, "document": "altered"}),
        replace(fourth, payload={**fourth.payload, "metadata": facts}),
        replace(fifth, id=str(uuid.uuid4())),
        replace(fifth, id=str(uuid.uuid5(uuid.NAMESPACE_URL, "extra"))),
    ]
    store.write(fresh, {}, [first.id, second.id])


def test_finds_and_repairs_all(installed: Importer) -> None:
    """Deleted points, altered payloads and extra points: every one is found, then mended to the very same points."""
    before = points_in(installed)
    with oracle.opened(installed.state) as store:
        harm(store)
    found = installed.run("verify", "--json")
    assert (found.code, *(found.json[kind] for kind in ("missing", "differing", "extra"))) == (1, 2, 2, 2), found.err
    repaired = installed.run("verify", "--repair", "--json")
    assert (repaired.code, repaired.json["erased"], repaired.json["imported"]) == (0, 4, 4), repaired.err
    assert repaired.json["retold"] == 1
    after = points_in(installed)
    assert {id: point.payload for id, point in after.items()} == {id: point.payload for id, point in before.items()}
    assert installed.run("verify").code == 0


def test_kept_and_foreign_points_are_left_alone(installed: Importer, imported: Importer) -> None:
    """Points of a conversation that no file holds, of other hosts and of other programs are no findings."""
    with oracle.opened(installed.state) as store:
        one = oracle.points_of(store)[0]
        facts = one.payload["metadata"]
        named = {"gone": {**facts, "conversation_id": "gone"}, "there": {**facts, "host": "there"}, "memory": {}}
        points = [
            replace(one, id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)), payload={"document": "x", "metadata": known})
            for name, known in named.items()
        ]
        store.write(points, {}, [])
    looked = installed.run("verify", "--repair", "--json")
    assert looked.code == 0, looked.out
    assert [looked.json[kind] for kind in ("kept", "elsewhere", "foreign", "extra")] == [1, 1, 1, 0]


def test_rebuild_state_embeds_nothing(installed: Importer, imported: Importer) -> None:
    """After the checkpoints are lost, everything is read again and nothing embedded; verify is quiet."""
    os.unlink(f"{installed.state}/checkpoints.sqlite3")
    rebuilt = installed.run("rebuild-state", str(imported.base / "said"), "--json")
    assert (rebuilt.code, rebuilt.json["embedded"]) == (0, 0), rebuilt.err
    assert rebuilt.json["known"] == rebuilt.json["points"] > 0
    assert installed.run("verify", "--json").json["matching"] == rebuilt.json["points"]


def test_rebuild_state_fills_a_new_collection(installed: Importer) -> None:
    """A collection that was dropped is refused with the way out, which fills it again, from the files known."""
    before = set(points_in(installed))
    store_backends.lose(installed.state)
    refused = installed.run("verify")
    assert refused.code == 5
    assert "rebuild-state" in refused.err
    assert installed.run("rebuild-state").code == 0
    assert set(points_in(installed)) == before


def test_beside_a_daemon(installed: Importer) -> None:
    """A running daemon rests while its store is verified and repaired, and goes on afterwards."""
    with oracle.opened(installed.state) as store:
        harm(store)
    with installed.daemon("--source", f"claude-code={installed.base}/none"):
        repaired = installed.run("verify", "--repair", "--json")
        assert (repaired.code, repaired.json["imported"]) == (0, 4), repaired.err
        assert installed.run("status", "--json").json["state"] in {"idle", "importing"}
        assert installed.run("pause").code == installed.run("verify").code == 0
        assert installed.run("status", "--json").json["state"] == "paused"
