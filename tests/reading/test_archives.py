"""Conversations in ZIP archives are imported as if they were unpacked; what cannot be opened is refused and told."""

from __future__ import annotations

import io
import json
import os
import pathlib
import struct
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from document_folder import Desk

from importer.consistency.refold import Refold
from importer.sources import archives, census, files, scan
from importer.sources.queue import Pending
from importer.sources.reconcile import behind, wanted
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints


def talk(number: int) -> dict[str, Any]:
    """Return a conversation as Claude.ai exports it."""
    said = {"uuid": f"m{number}", "sender": "human", "text": f"How tall is lighthouse {number}?"}
    return {"uuid": f"c{number}", "name": "Lights", "chat_messages": [{**said, "created_at": "2026-03-04T05:06:07Z"}]}


def export(*numbers: int) -> bytes:
    """Return an export of conversations."""
    return json.dumps([talk(number) for number in numbers]).encode()


def zipped(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Iterator[Desk]:
    """Give a pipeline over one folder."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        yield Desk(folder, checkpoints)
    archives.KNOWN.release()


def look(desk: Desk, root: pathlib.Path | None = None, named: str = "auto") -> census.Census:
    """Read what is behind below a root, a slice at a time, and count the files by fate."""
    place = Root(bytes(root or desk.folder), named)
    for folder in list(scan.scan(place, wanted(place))):
        known = desk.checkpoints.folder(folder.path)
        for stat in folder.files:
            more = behind(stat, known.get(os.path.basename(stat.path)), named)
            while more:
                read = desk.pipeline.read(Pending(stat.path, place.path, named))
                if read.span is not None:
                    desk.store.apply(read.span.chunks, read.span.releases)
                    desk.checkpoints.commit([read.span.commit])
                    desk.pipeline.settled(read.span.commit)
                more = read.more
    return census.take([place], desk.checkpoints)


def texts(desk: Desk) -> set[str]:
    """Return the numbers of the lighthouses that are stored."""
    return {point["document"].split("lighthouse ")[1][0] for point in desk.store.points.values()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_export_in_a_zip_is_imported_like_its_file(desk: Desk, method: int) -> None:
    """The same points as from the unpacked file, which then brings nothing new."""
    desk.put("data.zip", zipped({"conversations.json": export(1, 2), "users.json": b"[]"}, method=method))
    assert look(desk).counts == {"imported": 1}, "what is beside the conversations is no candidate"
    assert (texts(desk), len(desk.store.embedded)) == ({"1", "2"}, 2)
    desk.put("conversations.json", export(1, 2))
    assert look(desk).counts == {"imported": 2}
    assert len(desk.store.embedded) == 2


@pytest.mark.parametrize(
    ("format_", "within", "others"),
    [
        ("grok", "ttl/30d/export_data/8a1c", ["ttl/30d/export_data/8a1c/prod-mc-billing.json"]),
        ("deepseek", "", ["user.json"]),
        ("le-chat", "", []),
        ("takeout", "Takeout", ["Takeout/archive_browser.html"]),
    ],
)
def test_exports_are_imported_as_they_are_downloaded(desk: Desk, format_: str, within: str, others: list[str]) -> None:
    """The member that holds conversations is read, and nothing else is even looked into."""
    corpus = pathlib.Path(__file__).parents[1] / "corpus" / format_
    (sample,) = [path for path in corpus.rglob("*") if path.is_file()]
    below = sample.name if format_ != "takeout" else str(sample.relative_to(corpus))
    desk.put(
        "download.zip", zipped({f"{within}/{below}".lstrip("/"): sample.read_bytes(), **dict.fromkeys(others, b"{}")})
    )
    assert look(desk).counts == {"imported": 1}
    assert {point["metadata"]["source"] for point in desk.store.points.values()} == {format_}


def test_an_archive_that_is_named(desk: Desk) -> None:
    """By itself, with any format that reads it, under any name that ends so."""
    path = desk.put("Export of May.ZIP", zipped({"conversations.json": export(1)}))
    assert look(desk, path).counts == {"imported": 1}
    other = desk.put("other.zip", zipped({"conversations.json": export(2)}))
    assert look(desk, other, "claude-ai").counts == {"imported": 1}
    assert texts(desk) == {"1", "2"}


def test_nothing_is_read_again_before_it_changes(desk: Desk) -> None:
    """A look finds all as it was; a newer export under the same name brings what is new in it."""
    path = desk.put("data.zip", zipped({"conversations.json": export(1)}))
    look(desk)
    lines = desk.checkpoints.totals().lines_read
    look(desk)
    assert desk.checkpoints.totals().lines_read == lines
    os.unlink(path)
    desk.put("data.zip", zipped({"conversations.json": export(1, 2)}))
    assert look(desk).counts == {"imported": 1}
    assert (texts(desk), len(desk.store.embedded)) == ({"1", "2"}, 2)


@pytest.mark.parametrize("name", ["deep/er/conversations.json", "../../conversations.json", "/etc/conversations.json",
                                  "a\\b/conversations.json", "..", "d\u00e9j\u00e0/conversations.json"])  # fmt: skip
def test_names_are_only_names(desk: Desk, name: str) -> None:
    """No path in an archive is ever opened or written."""
    before = sorted(desk.folder.parent.rglob("*"))
    desk.put("data.zip", zipped({name if name != ".." else "../..json": export(1)}))
    assert look(desk).counts == {"imported": 1}
    assert look(desk).counts == {"imported": 1}
    assert texts(desk) == {"1"}
    assert sorted(desk.folder.parent.rglob("*")) == sorted([*before, desk.folder / "data.zip"])


def test_many_members(desk: Desk) -> None:
    """All that are called like conversations; where none is, any JSON that is recognised."""
    lines = b"".join(json.dumps(talk(number)).encode() + b"\n" for number in (1, 2))
    desk.put("a.zip", zipped({"one.jsonl": lines, "two/conversations.json": export(3), "x.json": b"{}"}))
    desk.put("b.zip", zipped({"mine.json": export(4), "settings.json": b'{"colour": "red"}', "x.html": b"<p>"}))
    counted = look(desk)
    assert counted.counts == {"imported": 3, "unrecognised": 1}
    assert [path.rpartition(b"/")[2] for path in counted.named] == [b"settings.json"]
    assert texts(desk) == {"1", "2", "3", "4"}


def encrypted() -> bytes:
    """Return an archive whose member says that it is encrypted."""
    raw = bytearray(zipped({"conversations.json": export(1)}))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(sign) + at] |= 1
    return bytes(raw)


def bomb() -> bytes:
    """Return an archive of zeros, thousands of times as large when unpacked."""
    return zipped({"conversations.json": bytes(archives.DENSE_BYTES + 1)})


def many() -> bytes:
    """Return an archive of members none of which is dense enough to be told by itself; together they are."""
    return zipped({f"{number}.json": bytes(8 << 20) for number in range(9)})


def overlapping() -> bytes:
    """Return an archive whose list names the same packed bytes again and again, as in Fifield's bombs."""
    raw = zipped({"conversations.json": export(1)}, method=zipfile.ZIP_STORED)
    begin = raw.index(b"PK\x01\x02")
    end = raw.index(b"PK\x05\x06")
    entry, ending = raw[begin:end], bytearray(raw[end:])
    names = (b"conversatio%02d.json" % number for number in range(50))
    entries = b"".join(entry.replace(b"conversations.json", name) for name in names)
    struct.pack_into("<HHL", ending, 8, 50, 50, len(entries))
    return raw[:begin] + entries + bytes(ending)


def damaged() -> bytes:
    """Return an archive whose member is not what its checksum says."""
    raw = zipped({"conversations.json": export(1)}, method=zipfile.ZIP_STORED)
    return raw.replace(b"lighthouse", b"lightmouse", 1)


def crowded() -> bytes:
    """Return an archive that says its list of members is longer than anything."""
    raw = bytearray(zipped({"conversations.json": export(1)}))
    struct.pack_into("<L", raw, raw.rindex(b"PK\x05\x06") + 12, archives.DIRECTORY_BYTES + 1)
    return bytes(raw)


@pytest.mark.parametrize(
    ("raw", "fate", "said"),
    [
        (encrypted(), "refused", "encrypted"),
        (bomb(), "refused", "no conversations are"),
        (many(), "refused", "no conversations are"),
        (overlapping(), "refused", "overlap"),
        (damaged(), "refused", "Bad CRC"),
        (crowded(), "refused", "too many members"),
        (zipped({"conversations.json": export(1)})[:-9], "refused", "not whole"),
        (b"PK\x03\x04" + bytes(200), "refused", "not whole"),
        (zipped({"picture.png": b"x"}), "unrecognised", "without conversations"),
        (zipped({"pictures.ZIP": zipped({})}), "refused", "it is in another one; unpack it first"),
        (zipped({}), "unrecognised", "without conversations"),
    ],
    ids=[
        *("encrypted", "bomb", "many", "overlapping", "damaged", "crowded", "cut off", "no list", "pictures", "within"),
        "empty",
    ],
)
def test_what_cannot_be_had_is_told(desk: Desk, raw: bytes, fate: str, said: str) -> None:
    """Once, with the reason and what it is; it is not tried again before it changes."""
    desk.put("data.zip", raw)
    for _ in range(2):
        counted = look(desk)
        assert counted.counts == {fate: 1}
        (reason,) = counted.named.values()
        assert "ZIP" in reason
        assert said in reason
    assert desk.checkpoints.totals().lines_read == 0
    place = Root(bytes(desk.folder))
    (folder,) = [folder for folder in scan.scan(place, wanted(place)) if folder.files]
    assert not behind(folder.files[0], desk.checkpoints.folder(folder.path)[os.path.basename(folder.files[0].path)])


def test_the_reason_of_a_strange_member_names_what_can_be_named(desk: Desk) -> None:
    """No folder has a member's path, so a format is named for the archive."""
    desk.put("data.zip", zipped({"notes.jsonl": b'{"colour": "red"}'}))
    ((path, reason),) = look(desk).named.items()
    assert path.endswith(b"/data.zip/notes.jsonl")
    assert "of the ZIP archive" in reason


def test_it_is_unpacked_in_steps(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long member takes several calls, so that the loop never stands still; two in turn are both read."""
    monkeypatch.setattr(archives, "STEP_BYTES", 1000)
    desk.put("a.zip", zipped({"conversations.json": export(*range(1, 9)), "more/conversations.json": export(9)}))
    assert look(desk).counts == {"imported": 2}
    assert texts(desk) == set("123456789")


def test_folding_it_again_gives_the_same(desk: Desk) -> None:
    """Verification finds in the archive what was imported of it."""
    desk.put("data.zip", zipped({"conversations.json": export(1, 2, 3)}))
    look(desk)
    (known,) = (checkpoint for _, checkpoint in desk.checkpoints.all_files())
    again = {chunk.id for chunks in Refold(known, desk.reading) for chunk in chunks}
    assert again == set(desk.store.points)


def test_a_large_archive_form(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zip64, as archives beyond 4 GB or 65,535 members are written."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)
    raw = zipped({"conversations.json": export(1)})
    assert b"PK\x06\x06" in raw
    desk.put("data.zip", raw)
    assert look(desk).counts == {"imported": 1}


def test_only_where_exports_are_wanted(desk: Desk) -> None:
    """In the folder of a tool that keeps lines an archive is no candidate."""
    desk.put("data.zip", zipped({"conversations.json": export(1)}))
    assert look(desk, named="codex").counts == {}


def test_paths_into_archives(tmp_path: pathlib.Path) -> None:
    """Only a regular file of that name is an archive; a folder may be called so."""
    folder = tmp_path / "x.zip"
    folder.mkdir()
    (folder / "a.json").write_bytes(b"{}")
    assert archives.split(bytes(folder / "a.json")) is None
    opened = files.open_file(bytes(folder / "a.json"))
    assert isinstance(opened, files.OpenedFile)
    os.close(opened.fd)
    inner = folder / "in.ZIP"
    inner.write_bytes(zipped({"conversations.json": export(1)}))
    assert archives.split(bytes(inner) + b"/conversations.json") == (bytes(inner), b"conversations.json")
    assert isinstance(files.open_file(bytes(inner) + b"/none.json"), files.Gone)
