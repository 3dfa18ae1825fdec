"""discover, told by an event where to look: what is really there, under the same rules as a scan."""

from __future__ import annotations

import os

import pytest
from file_trees import is_jsonl, make

from importer.sources.scan import Root, look


@pytest.fixture
def top(tmp_path):
    return os.fsencode(tmp_path / "root")


def hinted(root: Root, path: bytes, **options) -> list[bytes]:
    return sorted(stat.path for folder in look(root, path, is_jsonl, **options) for stat in folder.files)


def test_a_hint_at_a_file_gives_that_file(top):
    """If it is wanted and there."""
    make(top, b"a/1.jsonl", b"a/notes.md", b"secret/2.jsonl")
    root = Root(top, exclude=("secret",))
    assert hinted(root, top + b"/a/1.jsonl") == [top + b"/a/1.jsonl"]
    for other in (b"/a/notes.md", b"/a/none.jsonl", b"/a/1.jsonl/x", b"/secret/2.jsonl", b"/../x.jsonl"):
        assert list(look(root, top + other, is_jsonl)) == []
    assert list(look(root, top + b"/secret", is_jsonl)) == []


def test_a_hint_at_a_folder_gives_all_below_it(top):
    """A new folder may have been filled before its watch stood."""
    make(top, b"a/b/1.jsonl", b"a/2.jsonl", b"c/3.jsonl")
    assert hinted(Root(top), top + b"/a") == [top + b"/a/2.jsonl", top + b"/a/b/1.jsonl"]
    assert len(hinted(Root(top), top)) == 3
    assert hinted(Root(top, exclude=("b",)), top + b"/a") == [top + b"/a/2.jsonl"]


def test_a_hint_through_a_link_is_not_taken(top, tmp_path):
    """The path begins like the root but leads out of it, or is not the file's own."""
    make(os.fsencode(tmp_path / "beside"), b"1.jsonl")
    make(top, b"a/2.jsonl")
    os.symlink(tmp_path / "beside", top + b"/out")
    os.symlink(b"a", top + b"/b")
    assert hinted(Root(top), top + b"/out/1.jsonl") == hinted(Root(top), top + b"/b/2.jsonl") == []
    assert hinted(Root(top), top + b"/out/1.jsonl", follow_links=True) == [top + b"/out/1.jsonl"]


def test_a_hint_below_a_root_that_is_a_link_is_taken(top, tmp_path):
    """Events name paths as the root was named."""
    make(top, b"a/1.jsonl")
    link = os.fsencode(tmp_path / "link")
    os.symlink(top, link)
    assert hinted(Root(link), link + b"/a/1.jsonl") == [link + b"/a/1.jsonl"]


def test_a_hint_at_a_root_that_is_a_file_gives_it(top):
    """And at its neighbours nothing."""
    make(top, b"export.json", b"other.jsonl")
    root = Root(top + b"/export.json")
    assert hinted(root, top + b"/export.json") == [top + b"/export.json"]
    assert hinted(root, top + b"/other.jsonl") == []
