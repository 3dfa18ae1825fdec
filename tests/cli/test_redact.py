"""`redact --check` tells what would be masked; `redact --stored` masks it, and no byte of it stays in the state."""

from __future__ import annotations

import pathlib
import shutil
from typing import Any

import oracle
import pytest
from planted_word import holding
from portions import portion
from processes import Importer, until
from transcripts import answer, prompt, raw, text

from importer.chunking.redact import mask

KEY = "sk-ant-api03-" + "q7Wz9Kp3Lm5Xv8Rt2Yb6" * 4  # of a form that every version masks
LOWER = KEY.lower()
KEPT, GONE = "aaaaaaaa-2222-4333-8444-555555555555", "bbbbbbbb-2222-4333-8444-555555555555"
SEAMS = ("erase.mended=kill", "erase.deleted=kill", "scrub.merged=orphan", "erase.scrubbed=kill", "erase.wiped=kill")


def conversation(session: str, place: str) -> bytes:
    """A conversation of three exchanges, with a key in the first, the last and the title."""
    where = {"cwd": f"/home/x/{place}", "sessionId": session}
    said = [
        prompt(f"use {KEY} for {place}, please", 1, **where),
        answer(text("done, it works now"), n=2, **where),
        prompt(f"and now something else for {place}", 3, **where),
        answer(text("that is no secret"), n=4, **where),
        {"type": "ai-title", "aiTitle": f"why {KEY} fails", "sessionId": session},
        prompt(f"once more with {KEY} in {place}", 5, **where),
    ]
    return b"".join(raw(one) + b"\n" for one in said)


@pytest.fixture(scope="module")
def unmasked(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """A state that was imported without redaction; of its two files one is gone."""
    importer = Importer(tmp_path_factory.mktemp("redact"), embedded=True)
    importer.environ["IMPORTER_WORKER_NICE"] = "0"
    for session, place in ((KEPT, "kept"), (GONE, "gone")):
        path = importer.base / "said" / f"-home-x-{place}" / f"{session}.jsonl"
        path.parent.mkdir(parents=True)
        path.write_bytes(conversation(session, place))
    done = importer.run("backlog", str(importer.base / "said"), IMPORTER_REDACT_ENABLED="false")
    assert done.code == 0, done.err
    shutil.rmtree(importer.base / "said" / "-home-x-gone")
    assert len(holding(importer.state, LOWER)) > 2
    return importer


@pytest.fixture
def installed(unmasked: Importer, tmp_path: pathlib.Path) -> Importer:
    """A copy of it for one test."""
    shutil.copytree(unmasked.state, tmp_path / "state", ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    return Importer(tmp_path, unmasked.environ, embedded=True)


def stored(importer: Importer) -> dict[str, dict[str, Any]]:
    """The payload of every point."""
    with oracle.opened(importer.state) as store:
        return {point.id: dict(point.payload) for point in oracle.points_of(store)}


def fresh_ids(unmasked: Importer, base: pathlib.Path) -> set[str]:
    """The ids that a new import of the file gives today."""
    importer = Importer(base, unmasked.environ, embedded=True)
    assert importer.run("backlog", str(unmasked.base / "said")).code == 0
    return set(stored(importer))


def of(points: dict[str, dict[str, Any]], place: str) -> dict[str, str]:
    """The texts of one project, by id."""
    return {id: one["document"] for id, one in points.items() if one["metadata"]["project"] == f"/home/x/{place}"}


def test_stored_secrets_are_masked_and_gone(installed: Importer, unmasked: Importer, tmp_path: pathlib.Path) -> None:
    """What the file gives has the ids of today, the rest keeps its own; an import and a verification change nothing."""
    before = stored(installed)
    dry = installed.run("redact", "--stored", "--dry-run", "--json")
    assert (dry.code, dry.json["points"] >= 4, stored(installed) == before) == (0, True, True), dry.err
    done = installed.run("redact", "--stored", "--json")
    assert (done.code, done.json["left"]) == (0, []), done.err
    assert done.json["replaced"] > 0 < done.json["masked"]
    assert holding(installed.state, LOWER) == []
    after = stored(installed)
    assert of(after, "gone") == {id: mask(text) for id, text in of(before, "gone").items()}
    assert set(of(after, "kept")) == fresh_ids(unmasked, tmp_path / "fresh")
    assert installed.run("backlog", str(unmasked.base / "said")).code == 0
    assert installed.run("verify", "--json").json["ok"]
    assert stored(installed).keys() == after.keys()
    assert holding(installed.state, LOWER) == []
    again = installed.run("redact", "--stored", "--json").json
    assert (again["replaced"], again["masked"], again["files"]) == (0, 0, 0)


@pytest.mark.parametrize("failpoint", portion(SEAMS, 2))
def test_a_kill_is_made_good(installed: Importer, unmasked: Importer, failpoint: str) -> None:
    """The next import goes on with what was begun."""
    texts = {mask(one["document"]) for one in stored(installed).values()}
    assert installed.run("redact", "--stored", IMPORTER_FAILPOINTS=failpoint).code == -9
    until(lambda: not installed.worker_pids())
    assert installed.run("backlog", str(unmasked.base / "said")).code == 0
    assert holding(installed.state, LOWER) == []
    assert {one["document"] for one in stored(installed).values()} == texts
    assert installed.run("verify", "--json").json["ok"]


def test_beside_a_daemon(installed: Importer, unmasked: Importer) -> None:
    """The daemon does it, and reads the file again by itself."""
    with installed.daemon("--source", f"claude-code={unmasked.base}/said"):
        done = installed.run("redact", "--stored", "--json")
        assert (done.code, done.json["masked"] > 0) == (0, True), done.err
        assert holding(installed.state, LOWER) == []
        until(lambda: installed.run("status", "--json").json["state"] == "idle")
        assert installed.run("verify", "--json").json["ok"]
        assert holding(installed.state, LOWER) == []


def test_without_redaction_it_is_refused(installed: Importer) -> None:
    """Files would be imported unmasked again."""
    assert installed.run("redact", "--stored", IMPORTER_REDACT_ENABLED="false").code == 2
    assert installed.run("redact").code == 2
    assert installed.run("redact", "--check", "x", "--stored").code == 2
    assert installed.run("redact", "--check", "/no/such/file").code == 2


def test_check_tells_places_and_no_secret(tmp_path: pathlib.Path) -> None:
    """Conversations by their lines, other texts too, a key block that stands in several lines; nothing is written."""
    said = tmp_path / "said"
    said.mkdir()
    (said / "a.jsonl").write_bytes(conversation(KEPT, "kept"))
    lines = "\n".join(["A" * 64] * 3)
    block = f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----"
    (said / "notes.txt").write_text(f"one\ntwo {KEY}\n{block}\nthe end\n")
    (said / "picture").write_bytes(b"\0\1" + KEY.encode())
    (said / "link").symlink_to(said / "notes.txt")
    importer = Importer(tmp_path, embedded=True)
    done = importer.run("redact", "--check", str(said), "--json")
    assert done.code == 0, done.err
    places = {(pathlib.Path(one["path"]).name, one["line"], one["kind"]) for one in done.json["findings"]}
    assert {
        ("a.jsonl", 1, "anthropic-key"),
        ("a.jsonl", 6, "anthropic-key"),
        ("notes.txt", 2, "anthropic-key"),
    } <= places
    assert {(name, line) for name, line, kind in places if kind != "anthropic-key"} == {("notes.txt", 3)}
    assert {name for name, *_ in places} == {"a.jsonl", "notes.txt"}
    assert done.json["kinds"]["anthropic-key"] + 1 == done.json["secrets"] == len(done.json["findings"])
    shown = importer.run("redact", "--check", str(said))
    assert (shown.code, "[secret:anthropic-key]" in shown.out) == (0, True)
    assert not [said for said in (done.out, shown.out, shown.err) if KEY[:16] in said]
    assert not (tmp_path / "state").exists()
