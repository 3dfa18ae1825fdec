"""A project is chosen by its name, its path or a part, in any case; an unknown one is answered with those there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.protocol.projects import MOST_TOLD, chosen, refusal, same, several, told

SHOP, WEB, API, LAB = "/home/kim/Shop", "/home/kim/shop-web", "/srv/work/api", "/home/kim/work/lab"
WINDOWS, MAC, ROOT = "C:\\work\\Till", "/Users/kim/Notes", "/"
KNOWN = [SHOP, WEB, API, LAB, WINDOWS, MAC, ROOT]


@pytest.mark.parametrize(
    ("text", "projects"),
    [
        ("shop", [SHOP]),  # the whole name goes before a part of another one
        ("SHOP/", [SHOP]),
        ("sho", [SHOP, WEB]),
        ("web", [WEB]),
        ("shop web", [WEB]),
        ("web shop", [WEB]),
        ("shop_web", [WEB]),
        ("/home/kim/shop", [SHOP]),
        ("/home/kim/Shop/", [SHOP]),
        ("/home/kim/Shop/src/ui", [SHOP]),
        ("kim/shop", [SHOP]),
        ("kim/sho", [SHOP, WEB]),
        ("work", [WINDOWS, LAB, API]),
        ("kim work", [LAB]),
        ("kim", [SHOP, WEB, LAB, MAC]),
        ("till", [WINDOWS]),
        ("c:/work/till", [WINDOWS]),
        ("c:\\WORK\\till\\", [WINDOWS]),
        ("/mnt/c/work/Till", [WINDOWS]),
        ("/users/kim/notes", [MAC]),
        ("  notes ", [MAC]),
        ("/", [ROOT]),
        ("nonsuch", []),
        ("", []),
        ("  ", []),
        ("-", []),
        ("/home", [SHOP, WEB, LAB]),
        ("/opt/else", []),
    ],
)
def test_chosen(text: str, projects: list[str]) -> None:
    """The first rule that fits decides; all projects that fit it are meant."""
    assert chosen(text, KNOWN) == tuple(sorted(projects))


def test_the_very_path_is_one_project() -> None:
    """Where two paths differ by their case alone, each can be named; the name means both."""
    both = ["/a/Shop", "/a/shop"]
    assert chosen("/a/shop", both) == ("/a/shop",)
    assert chosen("shop", both) == tuple(both)
    assert chosen("/A/SHOP", both) == tuple(both)


def test_a_folder_inside_belongs_to_the_nearest() -> None:
    """Of projects inside of one another the innermost is meant."""
    assert chosen("/home/kim/shop/src", ["/home/kim", "/home/kim/shop", "/home/kim/shop/s"]) == ("/home/kim/shop",)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("C:\\x\\y", "c:/X/y/", True),
        ("C:\\x", "/mnt/c/x", True),
        ("/Users/kim/a", "/users/Kim/A", True),
        ("\\\\server\\share", "//Server/share", True),
        ("/home/kim/a/", "/home/kim//a", True),
        ("/home/kim/a", "/home/kim/A", False),
        ("/home/kim/cafe\u0301", "/home/kim/caf\u00e9", True),
        ("/mnt/cd/x", "C:\\x", False),
    ],
)
def test_same_folder(one: str, other: str, is_same: bool) -> None:
    """Spellings of one folder are told from two folders."""
    assert same(one, other) is same(other, one) is is_same


paths = st.lists(st.sampled_from(["a", "B", "shop", "Shop", "x y", "é", "c:", "mnt", "Users"]), min_size=1, max_size=4)
projects = st.builds(lambda parts, lead: lead + "/".join(parts), paths, st.sampled_from(["/", "", "C:\\"]))


@given(st.sets(projects, max_size=8), st.text(max_size=12))
def test_what_is_chosen_is_known(known: set[str], text: str) -> None:
    """Any text chooses known projects, once each and in order, or none."""
    found = chosen(text, known)
    assert set(found) <= known
    assert list(found) == sorted(set(found))


@given(st.sets(projects, min_size=1, max_size=8), st.data())
def test_every_project_can_be_named(known: set[str], data: st.DataObject) -> None:
    """Its path means it and what is spelled the same alone; its name in any case has it among those meant."""
    project = data.draw(st.sampled_from(sorted(known)))
    assert project in chosen(project, known)
    if "/" in project.replace("\\", "/"):
        assert all(same(project, found) for found in chosen(project, known))
    name = project.replace("\\", "/").rpartition("/")[2]
    assert project in chosen(name.upper(), known)


def test_a_refusal_tells_near_names_first() -> None:
    """It tells projects with their counts: near names first, then the largest; not more than a dozen."""
    counts = {f"/srv/p{number}": number for number in range(20)} | {SHOP: 3, WEB: 1200}
    error = refusal("shpo", counts)
    assert str(error) == "no project fits 'shpo'"
    assert error.hint.startswith(
        "did you mean shop-web? there are /home/kim/shop-web (1,200), /home/kim/Shop (3), /srv/p19 (19), "
    )
    assert error.hint.endswith(f" and {len(counts) - MOST_TOLD} more")
    assert refusal("x", {SHOP: 3}).hint == "/home/kim/Shop (3)"
    assert "importer backlog" in refusal("x", {}).hint


def test_several_are_told() -> None:
    """A text that fits several projects is answered with all of them; control characters do nothing."""
    assert several("sho", [SHOP, WEB], {SHOP: 1, WEB: 2}) == f"'sho' fits 2 projects: {SHOP} (1), {WEB} (2)"
    assert told(["/a/\x1b[31m"], {}) == "/a/\ufffd[31m (0)"
