"""The places of every assistant, as its variables name them: lists, `~`, spaces, relative ones, ends in a slash."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

import pytest

from importer import formats
from importer.service.status import expiring
from importer.sources import inventory

HOME = "/home/ann"


class Asked(dict[str, str]):
    """An environment that notes which variables it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(name)
        return default


def variables() -> Iterator[tuple[str, str]]:
    """Yield each format with each variable that moves its places."""
    for name in formats.names():
        asked = Asked()
        formats.load(name).roots(asked, HOME)
        yield from ((name, variable) for variable in sorted(asked.names))


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("~/else where/", f"{HOME}/else where"),
        ("/srv/a b//c/", "/srv/a b/c"),
        ("/srv/x/../y", "/srv/y"),
        ("/srv/~ann", "/srv/~ann"),
    ],
)
@pytest.mark.parametrize(("name", "variable"), [*variables()])
def test_a_variable_moves_the_places(name: str, variable: str, given: str, place: str) -> None:
    """Every one that a format looks at; what comes of it is absolute, each once, without a slash at the end."""
    found = [path for of, path in inventory.known_places({variable: given}, HOME) if of == name]
    assert any(path == place or path.startswith(f"{place}/") for path in found), found
    assert all(path == os.path.abspath(path) for path in found)
    assert len(found) == len(set(found))


def test_a_list_and_a_relative_place(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` counts in each part of a list; what is relative is so to the working folder, as for the tool itself."""
    listed = inventory.known_places({"CLAUDE_CONFIG_DIR": "~/a, ~/b c/,/d"}, HOME)
    assert [path for name, path in listed if name == "claude-code"] == [
        *(f"{HOME}/a/projects", f"{HOME}/b c/projects", "/d/projects")
    ]
    monkeypatch.chdir(tmp_path)
    moved = inventory.known_places({"CODEX_HOME": "kept/"}, HOME)
    assert ("codex", f"{tmp_path}/kept/sessions") in moved


def test_each_system_has_its_places() -> None:
    """Editors and applications are looked for where Linux, macOS and Windows keep them."""
    places = [path.removeprefix(f"{HOME}/") for _, path in inventory.known_places({}, HOME)]
    for editor in ("Code", "Cursor"):
        for base in (".config", "Library/Application Support", "AppData/Roaming"):
            assert any(path.startswith(f"{base}/{editor}/User/") for path in places), (editor, base)


def test_the_settings_of_a_tool_lie_where_it_is_moved(tmp_path: pathlib.Path) -> None:
    """How long it keeps conversations is read from there."""
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved/settings.json").write_text('{"cleanupPeriodDays": 7}')
    found = expiring.periods({"CLAUDE_CONFIG_DIR": "~/moved"}, str(tmp_path))["claude-code"]
    assert (found.days, found.file) == (7, f"{tmp_path}/moved/settings.json")


def test_projects_of_crush(tmp_path: pathlib.Path) -> None:
    """Its databases lie in projects that a file of its own names; it is not opened where Crush is left out."""
    data = tmp_path / ".local/share/crush"
    data.mkdir(parents=True)
    (data / "projects.json").write_text(
        '{"projects": [{"path": "/w/mill", "data_dir": "/w/mill/.crush"}, {"path": "/w/kiln", "data_dir": ".crush"},'
        ' {"path": "relative"}, 7]}'
    )
    kept = [path for name, path in inventory.known_places({}, str(tmp_path)) if name == "crush"]
    assert kept[-2:] == ["/w/mill/.crush/crush.db", "/w/kiln/.crush/crush.db"]
    off = [path for name, path in inventory.known_places({}, str(tmp_path), off=("crush",)) if name == "crush"]
    assert not [path for path in off if path.startswith("/w/")]
    for text in ("", "[1, {}]", '{"projects": {"a": 1}}', "[" * 5000, '[{"path": "/v"}]'):
        (data / "projects.json").write_text(text)
        found = [path for name, path in inventory.known_places({}, str(tmp_path)) if name == "crush"]
        assert [path for path in found if not path.startswith(str(tmp_path))] == ["/v/.crush/crush.db"] * ("/v" in text)
