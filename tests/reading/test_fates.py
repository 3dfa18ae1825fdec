"""Every file has one fate, and no file that nothing was imported of counts as complete."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Iterator

import pytest
from document_folder import Desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importer.protocol.fates import Fate
from importer.protocol.records import Commit, FileStat, Tally
from importer.reading import fates, recognition
from importer.sources import census
from importer.sources.queue import Pending
from importer.sources.reconcile import behind
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints

pytestmark = pytest.mark.slow

MB = 1024 * 1024
SAID = json.dumps({"messages": [{"role": "user", "content": "Which kite flies highest?"}], "id": "k"}).encode() + b"\n"
STRANGE = b'{"kind": "heartbeat"}\n'


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Iterator[Desk]:
    """Give a pipeline over one folder."""
    folder = tmp_path / "said"
    folder.mkdir()
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        yield Desk(folder, checkpoints)


def look(desk: Desk, named: str = "auto") -> census.Census:
    """Read what is behind, as a look at the folder does, and count all files."""
    root = Root(bytes(desk.folder), named)
    for path in sorted(desk.folder.iterdir()):
        known = desk.checkpoints.folder(root.path).get(os.fsencode(path.name))
        found = os.lstat(path)
        stat = FileStat(bytes(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        more = behind(stat, known, named)
        while more:
            read = desk.pipeline.read(Pending(bytes(path), root.path, named))
            if read.span is not None:
                desk.store.apply(read.span.chunks, read.span.releases)
                desk.checkpoints.commit([read.span.commit])
                desk.pipeline.settled(read.span.commit)
            more = read.more
    return census.take([root], desk.checkpoints)


KINDS = {
    "good": (SAID, "imported"),
    "growing": (SAID + SAID[:20], "imported"),
    "empty": (b"", "empty"),
    "blank": (b" \r\n\n", "empty"),
    "strange": (STRANGE * 30, "unrecognised"),
    "prose": (b"Dear diary,\n", "unrecognised"),
    "bytes": (bytes(range(256)), "unrecognised"),
    "gzip": (b"\x1f\x8b\x08\0" + bytes(40), "refused"),
    "wide": ("{}\n".encode("utf-16"), "refused"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(40), "refused"),
}


@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=8), st.lists(st.sampled_from(sorted(KINDS)), max_size=8))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_law_of_files(tmp_path: pathlib.Path, first: list[str], then: list[str]) -> None:
    """Of any files, before, between and after looks: found is the sum of all fates, and each file has the right one."""
    folder = tmp_path / "said"
    for old in [*folder.glob("*"), *tmp_path.glob("state*")]:
        old.unlink()
    folder.mkdir(exist_ok=True)
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        desk = Desk(folder, checkpoints)
        for number, kind in enumerate(first):
            desk.put(f"{number}.jsonl", KINDS[kind][0])
        before = census.take([Root(bytes(folder))], checkpoints)
        assert (before.counts.total(), before.counts["pending"]) == (len(first), len(first))
        check(look(desk), first)
        for number, kind in enumerate(then):
            desk.put(f"{len(first) + number}.jsonl", KINDS[kind][0])
        between = census.take([Root(bytes(folder))], checkpoints)
        assert (between.counts.total(), between.counts["pending"]) == (len(first) + len(then), len(then))
        check(look(desk), [*first, *then])
        summary = checkpoints.files_summary()
        parts = summary.complete + summary.pending + summary.unrecognised + summary.refused
        assert summary.known == parts == len(first) + len(then)


def check(counted: census.Census, kinds: list[str]) -> None:
    """Compare a census with what the kinds of files say."""
    expected = [KINDS[kind][1] for kind in kinds]
    assert {fate: counted.counts[fate] for fate in census.FATES} == {f: expected.count(f) for f in census.FATES}
    assert len(counted.named) == expected.count("unrecognised") + expected.count("refused")
    assert all(counted.named.values()), "each with a reason"
    assert bool(counted.barren) == (bool(kinds) and set(expected) <= {"unrecognised", "refused"})


def test_it_is_looked_at_again_when_it_grows(desk: Desk) -> None:
    """A conversation that begins late is found at its next growth, and all of it is imported."""
    path = desk.put("a.jsonl", STRANGE * 30)
    assert look(desk).counts == {"unrecognised": 1}
    desk.put("a.jsonl", STRANGE * 30 + SAID)
    assert look(desk).counts == {"imported": 1}
    assert (len(desk.store.points), desk.checkpoint(path).generation) == (1, 0)


def test_it_is_looked_at_again_by_other_formats(desk: Desk) -> None:
    """Another version or set of formats looks at every unrecognised file once more; the same does not."""
    desk.put("a.jsonl", STRANGE)
    look(desk)
    assert (desk.checkpoints.look_again("one"), desk.checkpoints.look_again("one")) == (1, 0)
    assert desk.checkpoints.files_summary().unrecognised == 1, "until it is known better"
    look(desk)
    assert desk.checkpoints.look_again("two") == 1


def test_files_that_no_root_finds_are_looked_at_again(desk: Desk) -> None:
    """They are noted, and noted no more once they were looked at."""
    path = desk.put("a.jsonl", STRANGE)
    look(desk)
    desk.checkpoints.look_again("another")
    assert desk.checkpoints.again(lambda _: False) == [bytes(path)]
    look(desk)
    assert desk.checkpoints.again(lambda _: False) == []


def test_naming_a_format_reads_it_although_unchanged(desk: Desk) -> None:
    """Its lines are judged by that format from then on."""
    path = desk.put("a.jsonl", STRANGE)
    look(desk)
    assert look(desk, "jsonl-chat").counts == {"imported": 1}
    assert (desk.checkpoint(path).format, desk.checkpoint(path).fate) == ("jsonl-chat", "")


@pytest.mark.parametrize("named", ["auto", "claude-code"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_what_is_no_text_is_refused_by_name(desk: Desk, named: str, name: str) -> None:
    """Named with a format or not, a packed file is not read as lines; it is told what it is."""
    path = desk.put(name, b"\x1f\x8b\x08\0" + bytes(300))
    assert "gzip" in look(desk, named).named[bytes(path)]
    assert desk.checkpoints.totals().lines_read == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_refused_until_it_may(desk: Desk) -> None:
    """It has a fate from the first look on, is tried by each, and is a new file once it can be read."""
    path = desk.put("a.jsonl", SAID)
    path.chmod(0)
    assert (look(desk).counts, look(desk).named) == ({"refused": 1}, {bytes(path): "Permission denied"})
    path.chmod(0o600)
    assert look(desk).counts == {"imported": 1}
    assert (len(desk.store.points), desk.checkpoint(path).generation) == (1, 0)


def test_an_unopened_file_is_read_from_its_start(desk: Desk) -> None:
    """A row that was made without opening the file vouches for nothing."""
    path = desk.put("a.jsonl", SAID)
    found = os.stat(path)
    stat = FileStat(bytes(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    desk.checkpoints.commit([Commit(fates.unopened(stat, "Input/output error"), Tally())])
    assert census.take([Root(bytes(desk.folder))], desk.checkpoints).counts == {"refused": 1}
    assert look(desk).counts == {"imported": 1}
    assert (len(desk.store.points), desk.checkpoint(path).generation) == (1, 0)


def test_what_becomes_strange_keeps_its_points(desk: Desk) -> None:
    """A conversation replaced by something else is unrecognised; back again, it is the same points."""
    path = desk.put("a.jsonl", SAID)
    look(desk)
    desk.put("a.jsonl", STRANGE * 30)
    assert look(desk).counts == {"unrecognised": 1}
    desk.put("a.jsonl", SAID)
    assert look(desk).counts == {"imported": 1}
    assert (len(desk.store.points), desk.checkpoint(path).generation) == (1, 1)


def test_a_large_strange_file_is_not_looked_at_for_every_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look until it has grown by half; a small one is looked at for each."""
    looks: list[int] = []
    real = recognition.recognise
    monkeypatch.setattr(recognition, "recognise", lambda fd, most: looks.append(1) or real(fd, most))
    path = desk.put("a.jsonl", STRANGE * (2 * MB // len(STRANGE)))
    for _ in range(5):
        with open(path, "ab") as file:
            file.write(STRANGE)
        look(desk)
    assert len(looks) == 1
    assert desk.checkpoints.files_summary().unrecognised == 1
    with open(path, "ab") as file:
        file.write(STRANGE * (MB // len(STRANGE)) + SAID)
    assert look(desk).counts == {"imported": 1}


@pytest.mark.parametrize(
    ("fate", "was", "size", "retimed", "named", "looks"),
    [
        (Fate.UNRECOGNISED, 10 * MB, 11 * MB, True, "auto", False),
        (Fate.UNRECOGNISED, 10 * MB, 15 * MB, True, "auto", True),
        (Fate.UNRECOGNISED, 10 * MB, 9 * MB, True, "auto", True),
        (Fate.UNRECOGNISED, 10 * MB, 10 * MB, True, "auto", True),
        (Fate.UNRECOGNISED, 10 * MB, 10 * MB, False, "auto", False),
        (Fate.UNRECOGNISED, 10 * MB, 11 * MB, True, "codex", True),
        (Fate.UNRECOGNISED, MB - 9, MB, True, "auto", True),
        (Fate.REFUSED, 10 * MB, 10 * MB + 1, True, "auto", True),
    ],
)
def test_worth_a_look(fate: Fate, was: int, size: int, retimed: bool, named: str, looks: bool) -> None:
    """Small, grown by half, rewritten, or named: then a look may tell more."""
    stat = FileStat(b"/a", 1, 2, was, 5, 5)
    known = fates.fated(fates.unopened(stat, ""), stat, fate, "")
    now = FileStat(b"/a", 1, 2, size, 6 if retimed else 5, 6)
    assert fates.is_worth_a_look(known, now, named) == looks
