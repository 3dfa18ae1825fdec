"""discover: every wanted file below the roots once, with its stat; what cannot be listed is said, not thrown."""

from __future__ import annotations

import os
import resource
import tempfile
import tracemalloc

import pytest
from file_trees import is_jsonl, make
from scripted_watcher import as_unprivileged_user

from importer.sources import scan as discover
from importer.sources.scan import Folder, Root, look, scan


@pytest.fixture
def top(tmp_path):
    return os.fsencode(tmp_path / "root")


def found(root: Root, **options) -> list[bytes]:
    """The paths below the root, sorted; a scan with an error fails the test."""
    folders = list(scan(root, is_jsonl, **options))
    assert [folder.error for folder in folders if folder.error] == []
    return sorted(stat.path[len(root.path) + 1 :] for folder in folders for stat in folder.files)


def test_wanted_files_are_found_with_their_stat(top):
    """At any depth; the stat is the one to open the file by."""
    make(top, b"a.jsonl", b"p/b.jsonl", b"p/q/c.jsonl", b"p/notes.md")
    assert found(Root(top)) == [b"a.jsonl", b"p/b.jsonl", b"p/q/c.jsonl"]
    [stat] = next(folder.files for folder in scan(Root(top), is_jsonl) if folder.path == top)
    there = os.stat(top + b"/a.jsonl")
    assert (stat.device, stat.inode, stat.size, stat.ctime_ns) == (
        *(there.st_dev, there.st_ino, there.st_size, there.st_ctime_ns),
    )


def test_every_folder_is_given_even_an_empty_one(top):
    """So the caller knows it was looked at."""
    os.makedirs(top + b"/empty")
    assert {folder.path for folder in scan(Root(top), is_jsonl)} == {top, top + b"/empty"}


def test_names_need_not_be_text(top):
    """A name is bytes, but for / and NUL any of them."""
    make(top, b"\xff\xfe/\x80.jsonl", b"a\nb.jsonl")
    assert found(Root(top)) == [b"a\nb.jsonl", b"\xff\xfe/\x80.jsonl"]


def test_a_root_may_be_a_file_whatever_its_name(top):
    """The user has named it."""
    make(top, b"export.txt")
    [folder] = scan(Root(top + b"/export.txt"), is_jsonl)
    assert [stat.path for stat in folder.files] == [top + b"/export.txt"]


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ((), (), [b"a/1.jsonl", b"a/b/2.jsonl", b"c/3.jsonl"]),
        ((), ("b",), [b"a/1.jsonl", b"c/3.jsonl"]),
        ((), ("a/*.jsonl",), [b"a/b/2.jsonl", b"c/3.jsonl"]),
        (("a",), ("b",), [b"a/1.jsonl", b"c/3.jsonl"]),
    ],
)
def test_patterns_choose_among_what_the_format_wants(top, include, exclude, expected):
    """A file that no include pattern names is found all the same: its project may be named, see `selection`."""
    make(top, b"a/1.jsonl", b"a/b/2.jsonl", b"c/3.jsonl")
    assert found(Root(top, "auto", include, exclude)) == expected


def test_an_excluded_folder_is_not_even_entered(top):
    """Its errors and its size are none of ours."""
    make(top, b"a/1.jsonl", b"big/x/y.jsonl")
    assert {folder.path for folder in scan(Root(top, exclude=("big",)), is_jsonl)} == {top, top + b"/a"}


# ------------------------------------------------------------------------------------------------ links


def test_hard_links_are_one_file(top):
    """Also across folders and roots that share what was seen."""
    make(top, b"a/1.jsonl", b"b/x.jsonl")
    os.link(top + b"/a/1.jsonl", top + b"/b/2.jsonl")
    assert len(found(Root(top))) == 2
    seen: discover.Visited = set()
    assert len(found(Root(top + b"/a"), seen=seen)) + len(found(Root(top + b"/b"), seen=seen)) == 2


def test_a_link_inside_the_root_adds_nothing(top):
    """The file is found where it lies; a link to a folder above is no way to get lost."""
    make(top, b"a/1.jsonl")
    os.symlink(b"1.jsonl", top + b"/a/2.jsonl")
    os.symlink(b"..", top + b"/a/up")
    os.symlink(b"a", top + b"/b")
    assert found(Root(top)) == found(Root(top), follow_links=True) == [b"a/1.jsonl"]


def test_a_link_gives_a_name_to_a_file_inside_that_would_not_be_wanted_by_its_own(top):
    """It is given by its real path, which can be opened without following a link, and once."""
    make(top, b"store/blob")
    os.symlink(b"store/blob", top + b"/1.jsonl")
    os.symlink(b"store/blob", top + b"/2.jsonl")
    os.symlink(b"store/other", top + b"/notes.md")
    make(top, b"store/other")
    assert found(Root(top)) == [b"store/blob"]


def test_a_link_is_no_way_round_an_exclusion(top, tmp_path):
    """Neither to an excluded folder inside, nor by an excluded name to one outside."""
    make(top, b"a/1.jsonl")
    make(os.fsencode(tmp_path / "beside"), b"2.jsonl")
    os.symlink(b"a", top + b"/b")
    os.symlink(tmp_path / "beside", top + b"/out")
    folders = scan(Root(top, exclude=("a", "out")), is_jsonl, follow_links=True)
    assert list(folders) == [Folder(top, ())]


def test_a_link_out_of_the_root_is_followed_only_when_told(top, tmp_path):
    """Neither to a file nor to a folder; nor to a neighbour whose name begins like the root's."""
    beside = os.fsencode(tmp_path / "root2")
    make(beside, b"1.jsonl", b"f/2.jsonl")
    os.makedirs(top)
    os.symlink(beside + b"/1.jsonl", top + b"/1.jsonl")
    os.symlink(beside + b"/f", top + b"/f")
    assert found(Root(top)) == []
    folders = scan(Root(top), is_jsonl, follow_links=True)
    paths = sorted(stat.path for folder in folders for stat in folder.files)
    assert paths == [top + b"/f/2.jsonl", beside + b"/1.jsonl"]


def test_followed_links_cannot_lead_round_in_circles(top, tmp_path):
    """A folder outside that links back, and a link to itself."""
    beside = os.fsencode(tmp_path / "beside")
    make(beside, b"1.jsonl")
    make(top, b"a/2.jsonl")
    os.symlink(top, beside + b"/back")
    os.symlink(beside, top + b"/out")
    os.symlink(b"self", top + b"/self")
    assert found(Root(top), follow_links=True) == [b"a/2.jsonl", b"out/1.jsonl"]


def test_the_root_itself_may_be_a_link(top, tmp_path):
    """The user has named it; paths begin as the root does."""
    make(top, b"a/1.jsonl", b"store/blob")
    os.symlink(b"store/blob", top + b"/2.jsonl")
    link = os.fsencode(tmp_path / "link")
    os.symlink(top, link)
    assert found(Root(link)) == [b"a/1.jsonl", b"store/blob"]


# ------------------------------------------------------------------------------------------------ errors


def test_a_root_that_is_not_there_is_an_error_of_its_folder(top):
    """Nothing can be concluded about the files that were there before."""
    assert list(scan(Root(top), is_jsonl)) == [Folder(top, (), "No such file or directory")]


def test_a_special_file_is_no_root(top):
    """A pipe would never end."""
    os.mkfifo(top)
    assert next(scan(Root(top), is_jsonl)).error == "neither a folder nor a regular file"


def test_running_out_of_descriptors_is_an_error_of_the_folder_and_of_no_other(top):
    """EMFILE in one folder; the scan goes on, and finds the rest when there are descriptors again."""
    make(top, b"a/1.jsonl")
    folders = scan(Root(top), is_jsonl)
    next(folders)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        rest = list(folders)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert rest == [Folder(top + b"/a", (), "Too many open files")]


def test_an_unreadable_folder_is_an_error_and_its_neighbours_are_found():
    """EACCES, as from another user's project."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        top = os.fsencode(folder)
        make(top, b"a/1.jsonl", b"b/2.jsonl")
        os.chmod(top + b"/a", 0)
        with as_unprivileged_user():
            folders = {folder.path: folder for folder in scan(Root(top), is_jsonl)}
        os.chmod(top + b"/a", 0o755)
    assert folders[top + b"/a"].error == "Permission denied"
    assert len(folders[top + b"/b"].files) == 1


def test_a_file_whose_stat_is_refused_is_an_error_of_its_folder():
    """A folder may be listed and not entered."""
    with tempfile.TemporaryDirectory() as folder:
        top = os.fsencode(folder)
        make(top, b"1.jsonl")
        os.chmod(folder, 0o744)
        with as_unprivileged_user():
            if os.stat(folder).st_uid == os.geteuid():
                os.chmod(folder, 0o644)
            [folder] = scan(Root(top), is_jsonl)
            hint = list(look(Root(top), top + b"/1.jsonl", is_jsonl))
        os.chmod(top, 0o755)
    assert folder == Folder(top, (), "Permission denied")
    assert hint == [Folder(top, (), "Permission denied")]


def test_what_vanishes_during_the_scan_is_no_error_of_the_folder(top):
    """A deleted file is just not there; a deleted folder is told, for it was listed."""
    make(top, b"a/1.jsonl")
    folders = scan(Root(top), is_jsonl)
    next(folders)
    os.remove(top + b"/a/1.jsonl")
    os.rmdir(top + b"/a")
    assert list(folders) == [Folder(top + b"/a", (), "No such file or directory")]


def test_a_link_to_nothing_is_no_error(top):
    """Editors leave them as locks."""
    os.makedirs(top)
    os.symlink(b"nothing", top + b"/1.jsonl")
    assert list(scan(Root(top), is_jsonl)) == [Folder(top, ())]


# ------------------------------------------------------------------------------------------------ size


def test_a_large_folder_comes_in_pieces(top, monkeypatch):
    """Each with the same path; together they are the folder."""
    monkeypatch.setattr(discover, "PIECE_FILES", 10)
    make(top, *(b"%d.jsonl" % number for number in range(25)))
    pieces = list(scan(Root(top), is_jsonl))
    assert [(piece.path, len(piece.files)) for piece in pieces] == [(top, 10), (top, 10), (top, 5)]


def test_memory_does_not_grow_with_the_files(top):
    """Folders are let go as they are given."""
    make(top, *(b"%d/%d.jsonl" % (folder, number) for folder in range(40) for number in range(50)))
    tracemalloc.start()
    total = sum(len(folder.files) for folder in scan(Root(top), is_jsonl))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 2000
    assert peak < 100_000  # 50 bytes a file; a stat alone takes 350
