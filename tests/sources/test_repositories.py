"""A folder's project as the disk tells it: looked up within bounds, kept in the state, the same once it is gone."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from importer.chunking.projects import repository_folder
from importer.sources import mounts
from importer.sources.repositories import FRESH_S, Repositories, as_named
from importer.state.checkpoints import Checkpoints
from importer.state.folders import MOVED


@dataclass
class Place:
    """A folder with repositories, the state that remembers them, and a clock."""

    base: pathlib.Path
    state: Checkpoints
    mounted: str = ""
    now_s: float = 0.0

    def project(self, folder: object, path: object = "") -> str:
        """Return a folder's project, as a process that has looked at nothing yet finds it."""
        return self.fresh().project_of(str(folder), os.fsencode(str(path)))

    def fresh(self) -> Repositories:
        return Repositories(
            repository_folder,
            self.state.folder_projects,
            read_mounts=lambda: self.mounted or mounts.read_mounts(),
            clock=lambda: self.now_s,
            home=str(self.base / "home"),
        )

    def make(self, path: str, text: str | None = None) -> pathlib.Path:
        """Make a folder, or a file with this text."""
        made = self.base / path
        if text is None:
            made.mkdir(parents=True, exist_ok=True)
        else:
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_text(text)
        return made


@pytest.fixture
def place(tmp_path: pathlib.Path) -> Iterator[Place]:
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as state:
        yield Place(tmp_path, state)


def test_a_worktree_anywhere_belongs_to_its_repository(place: Place) -> None:
    """As git makes them: outside of the repository, below a folder in it, and after the worktree is deleted."""
    shop, tree = place.make("code/shop"), place.base / "elsewhere" / "fix-cart"

    def git(*words: object) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
        subprocess.run(["git", *identity, *map(str, words)], cwd=shop, check=True, capture_output=True)

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "x")
    git("worktree", "add", "-q", tree)
    (tree / "src").mkdir()
    assert place.project(tree / "src") == str(shop)
    assert place.project(tree) == str(shop)
    assert place.project(shop / "src" / "gone") == str(shop)
    shutil.rmtree(tree)
    assert [place.project(tree), place.project(tree / "src")] == [str(shop)] * 2
    assert place.project(tree.parent) == str(tree.parent)


@pytest.mark.parametrize(
    ("gitdir", "project"),
    [
        ("{base}/shop/.git/worktrees/x", "shop"),
        ("../shop/.git/worktrees/x/", "shop"),
        ("{base}/shop/.bare/worktrees/x", "shop"),
        ("{base}/shop.git/worktrees/x", "shop.git"),
        ("../shop/.git/modules/tree", "tree"),
        ("../shop/.git/modules/sub/worktrees/x", "tree"),
        ("./.bare", "tree"),
        ("", "tree"),
    ],
)
def test_what_a_git_file_says(place: Place, gitdir: str, project: str) -> None:
    """The repository of a worktree; a submodule is a repository itself."""
    place.make("tree/.git", f"gitdir: {gitdir.format(base=place.base)}\n")
    assert place.project(place.make("tree/src")) == str(place.base / project)


def test_what_is_no_repository(place: Place) -> None:
    """A repository in a home, or a folder without any, makes no project of what lies below."""
    place.make("home/.git")
    for folder in (place.make("home/notes"), place.make("plain"), place.base / "never" / "there"):
        assert place.project(folder) == str(folder)
    assert place.project(place.make("home/app/src")) == str(place.base / "home/app/src")
    place.make("home/app/.git")
    assert place.project(place.base / "home/app/src") == str(place.base / "home/app")


def test_marks(place: Place) -> None:
    """`.project_root` makes its folder a project, or names another one; the nearest mark counts."""
    place.make("mono/.git")
    place.make("mono/tool/.project_root", "")
    place.make("mono/site/.project_root", f"{place.base}/web\n")
    assert place.project(place.make("mono/tool/src")) == str(place.base / "mono/tool")
    assert place.project(place.make("mono/site/src")) == str(place.base / "web")
    assert place.project(place.make("mono/else")) == str(place.base / "mono")


def test_a_mark_beside_the_transcripts(place: Place) -> None:
    """A transcript that names no folder belongs to the project that stands beside its chats, a parent's too."""
    shop = place.make("shop")
    place.make("tmp/shop-1/.project_root", str(shop))
    chat, agent = place.base / "tmp/shop-1/chats/a.jsonl", place.base / "tmp/shop-1/chats/a/b.jsonl"
    assert [place.project(name, path) for name in ("shop-1", "") for path in (chat, agent)] == [str(shop)] * 4
    place.make("shop/.git")
    assert place.project(f"{shop}/src", chat) == str(shop)
    shutil.rmtree(place.base / "tmp")
    assert place.project("shop-1", chat) == str(shop)
    assert place.project("shop-1", place.base / "other" / "a.jsonl") == "shop-1"


def test_the_window_that_a_chat_of_an_editor_is_in(place: Place) -> None:
    """`workspace.json` beside its chats names the folder as a URL; elsewhere a file of that name tells nothing."""
    shop = place.make("my shop")
    (shop / ".git").mkdir()
    sheet = json.dumps({"folder": f"file://{quote(str(shop))}/src"}, indent=2)
    window = place.make("User/workspaceStorage/0a1b/workspace.json", sheet).parent
    chat = window / "chatSessions/a.json"
    assert place.project("", chat) == str(shop)
    place.make("User/workspaceStorage/0a1b/workspace.json", '{"folder": "file:///c%3A/code/shop"}')
    assert place.project("", window / "chatSessions/b.json") == "C:\\code\\shop"
    place.make("notes/workspace.json", sheet)
    assert place.project("", place.base / "notes/chats/a.json") == ""


def test_no_look_at_what_may_hang(place: Place) -> None:
    """Folders on network mounts, behind links to them and below automounts are told by their path alone."""
    place.make("net/shop/.git")
    place.make("auto/shop/.git")
    (place.base / "link").symlink_to(place.base / "net")
    lines = [(place.base / "net", "nfs4"), (place.base / "auto", "autofs"), (pathlib.Path("/"), "ext4")]
    place.mounted = "".join(f"1 1 0:1 / {point} rw - {kind} x rw\n" for point, kind in lines)
    for name in ("net", "auto", "link"):
        assert place.project(place.base / name / "shop/src") == str(place.base / name / "shop/src")
    place.make("here/shop/.git")
    assert place.project(place.base / "here/shop/src") == str(place.base / "here/shop")


def test_odd_names(place: Place) -> None:
    """What is no path, or none that a disk or a database takes, is told by its spelling alone."""
    for odd in ("", "shop", "a/b", "\0", "/a\0b", "/\udcff", "/" + "x/" * 3000, "/..", "C:\\x"):
        assert place.project(odd) == repository_folder(odd)
    os.mkfifo(place.make("pipe") / ".project_root")
    assert place.project(place.base / "pipe") == str(place.base / "pipe")
    place.make("big/.project_root", "x" * 100_000)
    assert place.project(place.base / "big/y") == str(place.base / "big")


def test_a_folder_is_looked_at_once_in_a_while(place: Place) -> None:
    """A folder that becomes a repository is noticed; what the disk said last holds, and is noted in the state."""
    shop = place.make("shop/src")
    looks = place.fresh()
    assert looks.project_of(str(shop)) == str(shop)
    place.make("shop/.git")
    place.state.remember(**{MOVED: "1"})
    assert looks.project_of(str(shop)) == str(shop)
    assert place.state.meta(MOVED) == "1"
    place.now_s += FRESH_S
    assert looks.project_of(str(shop)) == str(shop.parent)
    assert (place.state.folder_projects.get(str(shop)), place.state.meta(MOVED)) == (str(shop.parent), "")


def test_beside_a_writer_nothing_is_noted(place: Place) -> None:
    """A command that reads the state of a running importer finds the project, and writes nothing."""
    place.make("shop/.git")
    beside = Checkpoints.peek(str(place.base / "state.sqlite3"))
    assert beside is not None
    with beside:
        folders = beside.folder_projects
        assert Repositories(repository_folder, folders).project_of(f"{place.base}/shop/src") == f"{place.base}/shop"
    assert place.state.folder_projects.get(f"{place.base}/shop/src") == ""


class AnyCase:
    """A file system with these folders that does not tell capital letters from small ones."""

    def __init__(self, *folders: str) -> None:
        self.folders = folders

    def look(self, path: str) -> os.stat_result:
        for number, folder in enumerate(self.folders, 1):
            if path.casefold() == folder.casefold():
                return os.stat_result((0o40755, number, 1, 1, 0, 0, 0, 0, 0, 0))
        raise FileNotFoundError(path)

    def names(self, folder: str) -> list[str]:
        return [one.rpartition("/")[2] for one in self.folders if (one.rpartition("/")[0] or "/") == folder]


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("/users/ann/code/shop-api", "/Users/ann/Code/Shop-API"),
        ("/Users/ann/Code/Shop-API", "/Users/ann/Code/Shop-API"),
        ("/USERS/ANN/42", "/Users/ann/42"),
    ],
)
def test_a_folder_is_spelled_as_its_disk_spells_it(told: str, named: str) -> None:
    """However a tool was started there."""
    disk = AnyCase("/Users", "/Users/ann", "/Users/ann/Code", "/Users/ann/Code/Shop-API", "/Users/ann/42")
    assert as_named(told, look=disk.look, names=disk.names) == named


def test_where_letters_tell_folders_apart_no_folder_is_listed(tmp_path: pathlib.Path) -> None:
    """Which is so here."""
    (tmp_path / "Shop").mkdir()
    (tmp_path / "sHOP").mkdir()
    assert as_named(f"{tmp_path}/Shop", names=lambda _folder: pytest.fail("listed")) == f"{tmp_path}/Shop"


@pytest.mark.parametrize(
    ("first", "later", "other"),
    [
        ("D:\\work\\Ledger", "d:\\WORK\\ledger", "d:\\work\\letter"),
        ("/Users/zo/Thesis", "/users/zo/thesis", "/Users/zo/thesis-2"),
    ],
)
def test_a_folder_of_another_machine_keeps_its_first_spelling(place: Place, first: str, later: str, other: str) -> None:
    """On systems where letters do not tell folders apart; also after a restart."""
    assert place.project(first) == first
    assert place.project(later, "/t/chats/a.jsonl") == first
    assert place.project(other).casefold() == other.casefold()
    assert (place.project("/home/Zo/a"), place.project("/home/zo/a")) == ("/home/Zo/a", "/home/zo/a")
