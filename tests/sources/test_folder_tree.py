"""folders: the list of folders to watch follows what happens, and is not made anew for it."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
from scripted_watcher import as_unprivileged_user

from importer.sources.folder_tree import FolderTree
from importer.sources.scan import Root

FAR_FUTURE_NS = 2**62  # by then every time is settled


@pytest.fixture
def top(tmp_path):
    return os.fsencode(tmp_path / "root")


def make(top: bytes, *folders: bytes) -> None:
    for folder in folders:
        os.makedirs(os.path.join(top, folder))


def tree(*roots: Root, now_ns: int = FAR_FUTURE_NS) -> FolderTree:
    """A tree that has met its roots and listed them."""
    made = FolderTree(roots, now_ns=lambda: now_ns)
    made.check_roots()
    made.refresh()
    return made


def below(tree: FolderTree, top: bytes) -> list[bytes]:
    return sorted(path[len(top) + 1 :] for path in tree.watchable())


def test_every_folder_is_watched_by_itself(top):
    """Links and excluded folders are not entered."""
    make(top, b"a/b", b"c", b"secret/d")
    os.symlink("/etc", top + b"/out")
    os.symlink(b"..", top + b"/up")
    assert below(tree(Root(top, exclude=("secret",))), top) == [b"", b"a", b"a/b", b"c"]


def test_a_root_is_met_when_it_appears_and_when_it_is_another(top):
    """Not every time one looks."""
    watched = FolderTree([Root(top)])
    assert watched.check_roots() == frozenset()
    make(top, b"a")
    assert watched.check_roots() == {top}
    assert watched.check_roots() == frozenset()
    os.rename(top, top + b".old")
    make(top, b"b")
    assert watched.check_roots() == {top}
    watched.refresh()
    assert below(watched, top) == [b"", b"b"]


def test_a_root_that_vanishes_takes_its_folders_along(top):
    """There is nothing to watch until it comes back."""
    make(top, b"a")
    watched = tree(Root(top))
    shutil.rmtree(top)
    assert watched.check_roots() == frozenset()
    assert (watched.roots, watched.watchable()) == (frozenset(), [])
    make(top, b"a")
    assert watched.check_roots() == {top}
    assert watched.refresh() == {top, top + b"/a"}


def test_a_lost_root_is_met_again_even_with_its_old_inode(top):
    """Deleted and made again at once it may bear the same number; only the event tells."""
    make(top, b"a")
    watched = tree(Root(top))
    assert watched.remove(top + b"/a") is False
    assert watched.remove(top) is True
    assert watched.check_roots() == {top}


def test_new_folders_are_found_where_the_time_has_moved(top):
    """And only there: what has not changed is not listed again."""
    make(top, b"a", b"b")
    watched = tree(Root(top))
    before = os.stat(top + b"/b")
    make(top, b"a/new/deep", b"b/hidden")
    os.utime(top + b"/b", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watched.refresh() == {top + b"/a/new", top + b"/a/new/deep"}
    assert watched.refresh() == frozenset()
    assert watched.relist() == {top + b"/b/hidden"}


def test_a_time_is_not_believed_while_it_may_be_borne_twice(top):
    """Listed and changed within one tick: the next look lists again."""
    make(top, b"b")
    watched = tree(Root(top), now_ns=0)
    before = os.stat(top + b"/b")
    make(top, b"b/new")
    os.utime(top + b"/b", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watched.refresh() == {top + b"/b/new"}


def test_a_folder_made_again_is_new(top):
    """Its watch died with the old one."""
    make(top, b"a/x", b"spare")
    watched = tree(Root(top))
    os.rename(top + b"/a", top + b"/moved")
    make(top, b"a/y")
    assert watched.refresh() == {top + b"/a", top + b"/a/y", top + b"/moved", top + b"/moved/x"}
    assert below(watched, top) == [b"", b"a", b"a/y", b"moved", b"moved/x", b"spare"]


def test_a_folder_that_became_a_file_is_a_folder_no_more(top):
    """Nor is it new."""
    make(top, b"a")
    watched = tree(Root(top))
    os.rmdir(top + b"/a")
    with open(top + b"/a", "wb"):
        pass
    assert watched.refresh() == frozenset()
    assert below(watched, top) == [b""]


def test_folders_grow_from_events(top):
    """A new folder with what is in it; not a file, a link, an excluded or a foreign folder."""
    make(top, b"a", b"secret")
    watched = tree(Root(top, exclude=("secret*",)))
    make(top, b"new/deep", b"secret2", b"../beside/deep")
    os.symlink(b"../beside", top + b"/link")
    with open(top + b"/file", "wb"):
        pass
    paths = [top + b"/" + name for name in (b"new", b"secret2", b"link", b"link/deep", b"file", b"gone", b"a")] + [
        b"/etc",
        b"/",
    ]
    assert watched.add_folders(paths) == {top + b"/new", top + b"/new/deep"}
    assert watched.add_folders(paths) == frozenset()


def test_only_some_folders_may_be_looked_at(top):
    """Those whose watch has just been set."""
    make(top, b"a", b"b")
    watched = tree(Root(top))
    make(top, b"a/new", b"b/new")
    assert watched.refresh([top + b"/a", top + b"/none"]) == {top + b"/a/new"}


def test_a_root_that_is_a_file_is_watched_through_its_folder(top):
    """The watch of a file dies when it is replaced. Its neighbours do not concern us."""
    make(top, b"beside/deep")
    root = top + b"/export.json"
    with open(root, "wb"):
        pass
    watched = tree(Root(root))
    assert watched.watchable() == [top]
    assert watched.concerns(root)
    assert not watched.concerns(top + b"/other.json")
    assert watched.add_folders([top + b"/beside"]) == frozenset()
    os.replace(shutil.copy(root, top + b"/new"), root)
    assert watched.check_roots() == frozenset()


def test_events_concern_a_root_when_they_lie_below_it(top):
    """Not beside it."""
    make(top, b"a")
    watched = tree(Root(top))
    assert watched.concerns(top + b"/a/f")
    assert not watched.concerns(top + b"2/f")


def test_a_name_that_is_not_text_makes_its_folder_odd_and_its_own_folder_blind(top):
    """An odd folder is left out only after an event there ended the watch; a blind one cannot even be named."""
    make(top, b"a/\xff", b"b")
    watched = tree(Root(top))
    assert below(watched, top) == [b"", b"a", b"b"]
    watched.skip_undecodable = True
    assert below(watched, top) == [b"", b"b"]


def test_roots_can_be_left_out(top):
    """Those that are polled."""
    make(top, b"a", b"a2", b"b")
    watched = tree(Root(top + b"/a"), Root(top + b"/a2"))
    assert watched.watchable(without=[top + b"/a"]) == [top + b"/a2"]


def test_roots_within_each_other_are_watched_once(top):
    """And what one excludes the other may want."""
    make(top, b"a/b")
    watched = tree(Root(top, exclude=("a",)), Root(top + b"/a"))
    assert sorted(watched.watchable()) == [top, top + b"/a", top + b"/a/b"]


def test_an_unreadable_folder_is_blind_until_it_can_be_read():
    """inotify would refuse it, and with it the whole watch."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        top = os.fsencode(folder)
        make(top, b"a/b")
        os.chmod(top + b"/a", 0)
        with as_unprivileged_user():
            watched = tree(Root(top))
            assert watched.watchable() == [top]
        os.chmod(top + b"/a", 0o755)
        assert watched.refresh() == {top + b"/a/b"}
        assert sorted(watched.watchable()) == [top, top + b"/a", top + b"/a/b"]
