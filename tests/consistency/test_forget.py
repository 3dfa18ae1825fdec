"""What was forgotten is gone from the store and does not come back, also when files are read again."""

from __future__ import annotations

import os
import pathlib

import known_corpus
import oracle
import pytest
import store_backends
from known_corpus import KnownCorpus
from processes import Importer, until

from importer.consistency import forget
from importer.consistency.forget import ForgetRule
from importer.state.checkpoints import Checkpoints

FACTS = {
    "project": "/home/ann/app",
    "project_name": "app",
    "conversation_id": "c1",
    "timestamp": "2026-03-01T12:00:00.500Z",
}


@pytest.mark.parametrize(
    ("rule", "covered"),
    [
        (ForgetRule(), False),
        (ForgetRule(project="app"), True),
        (ForgetRule(project="/home/ann/app"), True),
        (ForgetRule(project="ap"), False),
        (ForgetRule(conversation="c1"), True),
        (ForgetRule(conversation="c2"), False),
        (ForgetRule(path="private"), True),
        (ForgetRule(path="private/**"), True),
        (ForgetRule(path="/data/private/*.jsonl"), True),
        (ForgetRule(path="/private"), False),
        (ForgetRule(path="*.json"), False),
        (ForgetRule(before="2026-03-02"), True),
        (ForgetRule(before="2026-03-01T12:00:00.501Z"), True),
        (ForgetRule(before="2026-03-01T12:00:00.500Z"), False),
        (ForgetRule(project="app", before="2026-02-01"), False),
        (ForgetRule(project="app", path="private"), True),
    ],
)
def test_covers(rule: ForgetRule, covered: bool) -> None:
    """All that a rule names must hold of a chunk."""
    assert rule.covers(b"/data/private/a.jsonl", FACTS) is covered


def test_before_needs_a_time() -> None:
    """A chunk of unknown time is not older than anything."""
    assert not ForgetRule(before="2026-03-02").covers(b"/a", {})


def test_scope_is_strictly_before() -> None:
    """Stores compare inclusively: the scope ends a microsecond earlier, and says nothing of paths."""
    scope = ForgetRule(project="app", path="x", before="2026-03-01T00:00:00.000Z").scope()
    assert scope == {"project": "app", "until": "2026-02-28T23:59:59.999999Z"}


def test_tombstones(tmp_path: pathlib.Path) -> None:
    """Rules survive in the state as they were made, and can be taken back one by one."""
    with Checkpoints.open(f"{tmp_path}/state") as checkpoints:
        for rule in (
            ForgetRule(project="app"),
            ForgetRule(project="app", before="2026-01-01"),
            ForgetRule(project="app"),
        ):
            forget.add_rule(checkpoints, rule)
        assert [rule for rule, _ in forget.rules(checkpoints)] == [
            ForgetRule(project="app", before="2026-01-01"),
            ForgetRule(project="app"),
        ]
        forget.remove_rule(checkpoints, ForgetRule(project="app"))
        assert not forget.predicate(checkpoints)(b"/a", FACTS)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Importer, KnownCorpus]:
    importer = Importer(tmp_path_factory.mktemp("imported"))
    importer.environ["IMPORTER_WORKER_NICE"] = "0"
    said = known_corpus.write(str(importer.base / "said"), files=16, seed=5, bytes_per_file=8_000)
    assert importer.run("backlog", said.folder).code == 0
    return importer, said


@pytest.fixture
def installed(imported: tuple[Importer, KnownCorpus], tmp_path: pathlib.Path) -> Importer:
    """A copy of the state for one test; the files stay where they are."""
    store_backends.copy(imported[0].state, str(tmp_path / "state"))
    return Importer(tmp_path, imported[0].environ)


def projects(installed: Importer) -> set[str]:
    with oracle.opened(installed.state) as store:
        return {point.payload["metadata"]["project"] for point in oracle.points_of(store)}


def test_project_stays_away(installed: Importer, imported: tuple[Importer, KnownCorpus]) -> None:
    """Deleted at once; neither a rebuilt state nor a new import brings it back; verify is content with that."""
    folder, gone = imported[1].folder, imported[1].pairs[0].place.project
    before = projects(installed)
    forgotten = installed.run("forget", "--project", gone, "--yes", "--json")
    assert (forgotten.code, forgotten.json["deleted"] > 0) == (0, True), forgotten.err
    assert installed.run("rebuild-state", folder).code == 0
    assert projects(installed) == before - {gone}
    assert installed.run("verify").code == 0
    undone = installed.run("forget", "--project", gone, "--undo", "--json")
    assert (undone.code, installed.run("backlog", folder).code) == (0, 0), undone.err
    assert projects(installed) == before


def test_dry_run_changes_nothing(installed: Importer) -> None:
    """It counts, and leaves neither a hole nor a tombstone; without --yes there is no consent."""
    dry = installed.run("forget", "--before", "2100-01-01", "--dry-run", "--json")
    assert (dry.code, dry.json["forgotten"], dry.json["deleted"]) == (0, False, 0)
    assert dry.json["points"] > 0
    assert installed.run("forget", "--before", "2100-01-01").code == 2
    assert installed.run("forget", "--list", "--json").json == {"forgotten": []}
    assert installed.run("verify", "--json").json["matching"] == dry.json["points"]


def test_path(installed: Importer, imported: tuple[Importer, KnownCorpus]) -> None:
    """What the files of one folder say goes, and nothing else."""
    place = imported[1].pairs[0].place
    pattern = os.path.join(imported[1].folder, os.path.dirname(place.path))
    forgotten = installed.run("forget", "--path", pattern, "--yes", "--json")
    assert (forgotten.code, forgotten.json["deleted"]) == (0, forgotten.json["points"]), forgotten.err
    assert place.project not in projects(installed)
    verified = installed.run("verify", "--json").json
    assert (verified["ok"], verified["missing"]) == (True, 0)


def test_beside_a_daemon(installed: Importer, imported: tuple[Importer, KnownCorpus]) -> None:
    """A running daemon forgets at once and does not import it again; taken back, it does."""
    said = imported[1]
    rule = ("--project", said.pairs[0].place.project)
    with installed.daemon("--source", f"claude-code={said.folder}"):
        until(lambda: installed.run("status", "--json").json["state"] == "idle")
        forgotten = installed.run("forget", *rule, "--yes", "--json")
        assert (forgotten.code, forgotten.json["deleted"] > 0) == (0, True), forgotten.err
        again = installed.run("forget", *rule, "--dry-run", "--json")
        assert again.json["points"] == 0
        assert installed.run("forget", *rule, "--undo").code == 0
        count = forgotten.json["points"]
        until(lambda: installed.run("forget", *rule, "--dry-run", "--json").json["points"] == count)


def test_only_one_project_is_forgotten(installed: Importer, imported: tuple[Importer, KnownCorpus]) -> None:
    """A part that fits several is refused with their list, an unknown one too; one that fits one forgets that one."""
    before = projects(installed)
    one, *others = sorted(before)
    shared = os.path.commonpath(before)
    refused = installed.run("forget", "--project", shared, "--yes")
    assert (refused.code, all(project in refused.err for project in before)) == (2, True), refused.err
    unknown = installed.run("forget", "--project", f"{one}-nonsuch", "--yes")
    assert (unknown.code, one in unknown.err, projects(installed)) == (2, True, before)
    forgotten = installed.run("forget", "--project", one.upper(), "--yes", "--json")
    assert (forgotten.json["project"], projects(installed)) == (one, {*others}), forgotten.err
    again = installed.run("forget", "--project", os.path.basename(one), "--yes", "--json")
    assert (again.code, again.json["deleted"]) == (0, 0), again.err
    assert installed.run("forget", "--project", one.upper(), "--undo", "--json").json["project"] == one


def test_a_project_is_known_without_its_slash() -> None:
    """As tab completion gives it; else the tombstone would match nothing, and the project come back."""
    rule = ForgetRule(project="/home/ann/app/")
    assert rule.covers(b"", {"project": "/home/ann/app"})
    assert rule == ForgetRule(project="/home/ann/app")
